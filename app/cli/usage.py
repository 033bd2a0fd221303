"""Checks that need to know the engines: a command used wrongly is refused before anything loads.

Knows what engines offer (their `info` modules); loads none of them.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from app import paths
from app.worker import messages
from model_backends import describe, resolve
from model_backends.base import EngineError, EngineInfo, UserError


class UsageError(UserError):
    """The command line asks for something that is not on offer; exit status 2."""


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """What the options shared by every command that loads an engine come to."""

    info: EngineInfo
    model: str | None
    delays_ms: tuple[int, ...]  # at least one
    language: str | None
    device: str | None
    precision: str | None

    def start(self, delay_ms: int, realtime: bool) -> messages.Start:
        """The worker's first message, for one of the delays."""
        return messages.Start(
            version=messages.PROTOCOL_VERSION,
            engine=self.info.name,
            models_dir=str(paths.models_dir()),
            model=self.model,
            device=self.device,
            language=self.language,
            delays_ms=(delay_ms,),
            realtime=realtime,
            extra={"precision": self.precision} if self.precision else {},
        )


def chosen_engine(args: argparse.Namespace, patient: bool = False) -> EngineChoice:
    """Resolve and check the shared engine options. Raises UsageError naming what is offered.

    `patient`: nobody waits for a word, so unless `--delay-ms` says otherwise the longest delay is
    taken, the most accurate one (embedded base on read-en: 10.4 % of words wrong, not 11.1).
    """
    try:
        info = describe(resolve(args.engine, paths.models_dir()))
        delays = _delays(args.delay_ms, info, patient)
        language = args.language.strip().lower() if args.language else None
        info.check_language(language)
        info.check_precision(args.precision)
        _check_model(args.model, info)
    except EngineError as error:
        raise UsageError(error.message, error.hint) from error
    return EngineChoice(info, args.model, delays, language, args.device, args.precision)


def _delays(
    asked: int | tuple[int, ...] | None, info: EngineInfo, patient: bool
) -> tuple[int, ...]:
    usual = max(info.delays_ms) if patient else info.default_delay_ms
    delays = asked if isinstance(asked, tuple) else (asked or usual,)
    for delay in delays:
        info.check_delay(delay)
    return delays


def _check_model(model: str | None, info: EngineInfo) -> None:
    """Raise EngineError for a name that is neither a model of this engine nor a folder it takes."""
    if model is None or model in info.models:
        return
    if info.takes_folder and any(p.exists() for p in (Path(model), paths.models_dir() / model)):
        return
    names = ", ".join(info.models)
    folder = ", or a folder that holds one" if info.takes_folder else ""
    raise EngineError(f"{info.label} has no model “{model}”.", f"It takes: {names}{folder}.")
