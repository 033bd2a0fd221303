"""Acceleration packs: interpreters with a tensor library, for the workers of an app without one.

    <the user's data folder>/packs/<name>/pack.json
        {"pack": 1, "protocol": 3, "engines": ["voxtral-torch"], "python": "env/bin/python"}

`python` lies in the pack's own folder and has the engine's packages; Voxline's own modules come
from the app, so that a pack outlives its upgrades as long as `protocol` (of `messages.py`) stays.
A Python that has the packages itself, as a checkout's may, needs none. What is wrong with a pack is
found without starting it, and is a sentence; the app then goes on with what it has. Folders whose
name begins with a dot are not packs yet, or no longer. How a pack gets there is `app/packs`.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import frozen, paths
from app.worker import messages as m
from model_backends import elsewhere
from model_backends.base import Sentence

MANIFEST = "pack.json"
FORMAT = 1
NEEDS = {"voxtral-torch": ("torch", "safetensors"), "voxtral-mlx": ("mlx", "safetensors")}
_LONGEST = 100_000  # bytes of a manifest
_AGAIN = Sentence(
    "Install it again: Preferences, Speech model, or “voxline pack install”. Or remove it."
)


@dataclass(frozen=True, slots=True)
class Pack:
    """One that can be used, by all that can be known without starting it."""

    name: str
    interpreter: Path
    engines: tuple[str, ...]
    packages: Path  # its `site-packages`


@dataclass(frozen=True, slots=True)
class Broken:
    """One that cannot, with the user's sentences. `engines`: those it was for, as far as known."""

    name: str
    reason: Sentence
    hint: Sentence
    engines: tuple[str, ...] = tuple(NEEDS)


def folder() -> Path:
    """Where packs are, one folder each."""
    return paths.data_dir() / "packs"


def look(place: Path) -> Iterator[Pack | Broken]:
    """Every pack in this folder, the newest first. Never raises."""
    try:
        found = sorted(
            (-(each / MANIFEST).stat().st_mtime, each)
            for each in place.iterdir()
            if not each.name.startswith(".") and (each / MANIFEST).exists()
        )
    except OSError:
        return
    for _, each in found:
        yield _read(each)


def interpreter(engine: str) -> str | None:
    """The pack's Python that this engine's worker is started with; None: what runs this app."""
    if not needed(engine):
        return None
    good = (each for each in look(folder()) if isinstance(each, Pack) and engine in each.engines)
    first = next(good, None)
    return str(first.interpreter) if first else None


def announce() -> None:
    """Let the engines know what packs have; costs a look at a folder. Again after a change."""
    elsewhere.forget()
    for each in look(folder()):
        for engine in filter(needed, each.engines):
            if isinstance(each, Pack):
                elsewhere.offer(engine, each.packages)
            else:
                elsewhere.refuse(engine, each.reason, each.hint)


def trouble(engine: str) -> Broken | None:
    """The pack that keeps this engine from running, if one does."""
    if not needed(engine) or interpreter(engine):
        return None
    broken = (each for each in look(folder()) if isinstance(each, Broken))
    return next((each for each in broken if engine in each.engines), None)


def manifest_of(place: Path) -> dict[str, Any]:
    """What a pack says of itself; {} if it cannot be read."""
    try:
        manifest = json.loads(_text(place / MANIFEST))
    except (OSError, ValueError, RecursionError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def needed(engine: str) -> bool:
    """Whether this engine would need a pack: what runs this app has not what it computes with."""
    if engine not in NEEDS:
        return False
    return frozen.is_frozen() or any(importlib.util.find_spec(n) is None for n in NEEDS[engine])


def _read(place: Path) -> Pack | Broken:
    manifest = manifest_of(place)
    try:
        engines = _engines(manifest)
    except ValueError:
        return _broken(place, "The acceleration pack “{name}” cannot be read.")
    if manifest.get("pack") != FORMAT or manifest.get("protocol") != m.PROTOCOL_VERSION:
        return _of_another_version(place, manifest, engines)
    return _checked(place, manifest, engines)


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_LONGEST).decode("utf-8")


def _engines(manifest: dict[str, Any]) -> tuple[str, ...]:
    named = manifest.get("engines")
    if not isinstance(named, list) or not named or not set(map(str, named)) <= set(NEEDS):
        raise ValueError("engines")
    return tuple(str(name) for name in named)


def _checked(place: Path, manifest: dict[str, Any], engines: tuple[str, ...]) -> Pack | Broken:
    named = manifest.get("python")
    python = place / named if isinstance(named, str) and named else None
    # inside the pack by its name; a virtual environment's own python is a link to another
    if python is None or not Path(os.path.normpath(python)).is_relative_to(place):
        return _broken(place, "The acceleration pack “{name}” names no Python of its own.", engines)
    if not (python.is_file() and os.access(python, os.X_OK)):
        return _broken(place, "The Python of the acceleration pack “{name}” is gone.", engines)
    packages = site_packages(python)
    wanted = [need for engine in engines for need in NEEDS[engine]]
    missing = [need for need in wanted if packages is None or not (packages / need).is_dir()]
    if packages is None or missing:
        text = "The acceleration pack “{name}” lacks {missing}."
        return _broken(place, text, engines, missing=", ".join(dict.fromkeys(missing)))
    return Pack(place.name, python, engines, packages)


def site_packages(python: Path) -> Path | None:
    """The `site-packages` of an environment or of a whole Python, by its interpreter's place."""
    root = python.parents[1]
    found = [*sorted(root.glob("lib/python3*/site-packages")), root / "Lib" / "site-packages"]
    found.append(python.parent / "Lib" / "site-packages")  # a whole Python of Windows
    return next((each for each in found if each.is_dir()), None)


def _of_another_version(place: Path, manifest: dict[str, Any], engines: tuple[str, ...]) -> Broken:
    text = (
        "The acceleration pack “{name}” was made for another version of Voxline "
        "(it speaks protocol {theirs}, this Voxline {ours})."
    )
    theirs = str(manifest.get("protocol"))[:20]
    return _broken(place, text, engines, theirs=theirs, ours=m.PROTOCOL_VERSION)


def _broken(
    place: Path, text: str, engines: tuple[str, ...] = tuple(NEEDS), **values: Any
) -> Broken:
    return Broken(place.name, Sentence(text, name=place.name, **values), _AGAIN, engines)
