"""Which engines and models there are on this computer, in the words the windows use.

May take a moment (files and devices are looked at): ask it in the background. Loads no engine.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from app import paths
from app.settings import Settings
from model_backends import ENGINES, availability, describe
from model_backends.base import (
    Availability,
    EngineError,
    EngineInfo,
    EngineOptions,
    ServerOptions,
    joined,
)
from model_backends.remote.addresses import dialect_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """An engine as the user sees it."""

    info: EngineInfo
    models: tuple[Availability, ...]

    @property
    def usable(self) -> bool:
        return any(model.available for model in self.models)

    @property
    def why_not(self) -> str:
        """The reason and what would help; empty if the engine can be used."""
        if self.usable or not self.models:
            return ""
        first = self.models[0]
        return joined(first.reason, first.hint)


def info_of(name: str) -> EngineInfo | None:
    """What is known of an engine; None for a broken one, and a name that stands for several."""
    try:
        return describe(name)
    except Exception:
        return None


def suited_info(info: EngineInfo | None, settings: Settings) -> EngineInfo | None:
    """… with the model that is set, and the server, if it is one that hears elsewhere."""
    server = settings.server_options
    if info is None:
        return None
    if not info.takes_server:
        chosen = settings.model if settings.engine == info.name else ""
        return info.suited(EngineOptions(info.name, model=chosen or None), paths.models_dir())
    if not server:
        return info
    try:
        dialect = dialect_of(server.urls, server.dialect)
    except EngineError:
        return info
    return info.suited(EngineOptions(server=replace(server, dialect=dialect)))


def of_use(options: EngineOptions) -> EngineOptions:
    """Without a server that this engine does not ask: another one then changes nothing."""
    info = info_of(options.engine)
    if info is not None and info.takes_server:
        return options
    return replace(options, server=ServerOptions())


def list_engines(models_dir: Path, also: str = "") -> list[EngineChoice]:
    """The engines people choose from, and the one already chosen if it is none of them."""
    names = list(ENGINES)
    if also and also not in names and also != "voxtral":
        names.append(also)
    return [choice for name in names if (choice := _look_at(name, models_dir))]


def _look_at(name: str, models_dir: Path) -> EngineChoice | None:
    try:
        return EngineChoice(describe(name), tuple(availability(name, models_dir)))
    except ImportError:
        log.info("this Voxline has no engine %s", name)
        return None
    except Exception:  # one engine's trouble must not hide the others
        log.exception("engine %s cannot be looked at", name)
        return None
