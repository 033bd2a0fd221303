"""Checks that need to know the engines: a command used wrongly is refused before anything loads.

Knows what engines offer (their `info` modules); loads none of them.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

from app import names_file, paths
from app.cli import servers
from app.cli.streams import tell
from app.cli.usage_error import UsageError
from app.core.hotwords import words_in
from app.core.names import text_of as names_text
from app.models import trust
from app.session.second_ear import patient_start
from app.session.start import start_message, suited, trusted
from app.worker import messages
from model_backends import describe, on_disk, resolve
from model_backends.base import EngineError, EngineInfo, EngineOptions, Sentence, UserError


@dataclass(frozen=True, slots=True)
class ChosenEngine:
    """What the options shared by every command that loads an engine come to."""

    info: EngineInfo
    options: EngineOptions  # with the first of the delays
    delays_ms: tuple[int, ...]  # at least one

    def start(self, delay_ms: int, realtime: bool, record: bool = False) -> messages.Start:
        """The worker's first message, for one of the delays; with the `record`'s track, if the
        engine has one."""
        record_ms = self.info.record_track_ms(delay_ms) if record else None
        return start_message(replace(self.options, delay_ms=delay_ms), realtime, record_ms)

    @property
    def patient_start(self) -> messages.Start | None:
        """The same for the worker that hears everything once more, where the record needs one."""
        return patient_start(self.options) if self.info.hears_again else None


def chosen_engine(args: argparse.Namespace, patient: bool = False) -> ChosenEngine:
    """Resolve and check the shared engine options. Raises UsageError naming what is offered.

    `patient`: nobody waits for a word, so unless `--delay-ms` says otherwise the longest delay is
    taken, the most accurate one (embedded base on read-en: 10.4 % of words wrong, not 11.1).
    """
    try:
        info = describe(resolve(args.engine, paths.models_dir()))
        server = servers.named(args, info)
        info, wanted = suited(info, EngineOptions(info.name, model=args.model, server=server))
        delays = _delays(args.delay_ms, info, patient)
        options = EngineOptions(
            engine=info.name,
            model=args.model,
            device=args.device,
            precision=args.precision,
            delay_ms=delays[0],
            language=args.language.strip().lower() if args.language else None,
            hotwords=_hotwords(args.hotwords),
            names=_names(args.words),
            server=wanted.server,
        )
        info.check(options)
        _check_model(args.model, info)
        options = trusted(options)
        options = replace(options, server=servers.agreed(options.server, args.agree))
    except UserError as error:
        raise UsageError(error.message, error.hint) from error
    remark = trust.remark(info.name, args.model, paths.models_dir())
    if remark:
        tell(remark)
    return ChosenEngine(info, options, delays)


def _delays(
    asked: int | tuple[int, ...] | None, info: EngineInfo, patient: bool
) -> tuple[int, ...]:
    usual = max(info.delays_ms) if patient else info.default_delay_ms
    delays = asked if isinstance(asked, tuple) else (asked or usual,)
    for delay in delays:
        info.check_delay(delay)
    return delays


def _hotwords(asked: str | None) -> tuple[str, ...]:
    """The words of `--hotwords`: those of the file, if there is one of that name.

    Raises UserError for a file that is missing, is no text or is far too long.
    """
    if not asked:
        return ()
    path = on_disk.expanded(Path(asked))
    if not on_disk.exists(path) and not _looks_like_a_file(asked):
        return words_in(asked)
    hint = Sentence("Name a text file with one word a line, or write the words with commas.")
    return words_in(names_file.text_in(path, hint))


def _names(path: Path | None) -> str:
    """The table in the file of `--words`. Raises UserError as `names_file.read()` does."""
    return names_text(names_file.read(on_disk.expanded(path))) if path else ""


def _looks_like_a_file(text: str) -> bool:
    """A mistyped path is no word."""
    return "," not in text and ("/" in text or "\\" in text or Path(text).suffix == ".txt")


def _check_model(model: str | None, info: EngineInfo) -> None:
    """Raise EngineError for a name that is neither a model of this engine nor a folder it takes."""
    if model is None or model in info.models or info.takes_any_model:
        return
    if info.takes_folder and any(
        on_disk.exists(p) for p in (Path(model), paths.models_dir() / model)
    ):
        return
    names = ", ".join(info.models)
    hint = Sentence("It takes: {names}.", names=names)
    if info.takes_folder:
        hint = Sentence("It takes: {names}, or a folder that holds one.", names=names)
    raise EngineError(
        Sentence("{engine} has no model “{model}”.", engine=info.label, model=model), hint
    )
