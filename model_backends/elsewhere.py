"""Packages that this interpreter lacks and another has, with which a worker can be started.

An installed app carries no PyTorch; an acceleration pack brings a whole interpreter with it. Who
finds one says so here (`offer`), or why it is of no use (`refuse`), and an engine's `info` asks.
Knows nothing of packs, and imports none of the packages.
"""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass, field
from pathlib import Path

_ADD_PACK = (
    "Get the acceleration pack: Preferences, Speech model, or in a terminal “voxline pack install”."
)


@dataclass(slots=True)
class _Known:
    folders: dict[str, Path] = field(default_factory=dict)  # engine: where its packages are
    refusals: dict[str, tuple[str, str]] = field(default_factory=dict)  # engine: reason, hint


_known = _Known()


def forget() -> None:
    """As if nobody had said anything."""
    _known.folders.clear()
    _known.refusals.clear()


def offer(engine: str, packages: Path) -> None:
    """This engine's worker will run where these packages are (a `site-packages`)."""
    _known.folders[engine] = packages
    _known.refusals.pop(engine, None)


def refuse(engine: str, reason: str, hint: str) -> None:
    """There is something for this engine, which is of no use; sentences for the user."""
    if engine not in _known.folders:
        _known.refusals[engine] = (reason, hint)


def package(name: str, engine: str) -> Path | None:
    """The folder of a package that this engine's worker would import; None if there is none."""
    spec = importlib.util.find_spec(name)
    if spec is not None:
        return Path(spec.origin).parent if spec.origin else Path()
    there = _known.folders.get(engine)
    return there / name if there is not None and (there / name).is_dir() else None


def why_not(engine: str, reason: str, hint: str) -> tuple[str, str]:
    """Why the engine has no packages, and what to do: what is known here, else what is given."""
    known = _known.refusals.get(engine)
    if known is not None:
        return known
    return (reason, _ADD_PACK) if getattr(sys, "frozen", False) else (reason, hint)
