"""Engines by name. Importing this loads no tensor library: the worker alone calls `load()`.

Each engine's package holds a light `info.py` (INFO, `availability()`) that any process may
read, and a heavy module with `load()`.
"""

from __future__ import annotations

import importlib
from pathlib import Path

from model_backends.base import (
    Availability,
    Engine,
    EngineError,
    EngineInfo,
    LoadOptions,
    Report,
    Sentence,
)

__all__ = ["ENGINES", "availability", "describe", "load", "resolve"]

# name: (light module with INFO and availability(), heavy module with load())
_MODULES = {
    "embedded": ("model_backends.embedded.info", "model_backends.embedded.engine"),
    "voxtral-torch": ("model_backends.voxtral.torch.info", "model_backends.voxtral.torch.load"),
    "voxtral-mlx": ("model_backends.voxtral.mlx.info", "model_backends.voxtral.mlx.load"),
    "voxtral-cpu": ("model_backends.voxtral.cpu.info", "model_backends.voxtral.cpu.load"),
    "ggml": ("model_backends.ggml.info", "model_backends.ggml.load"),
    "remote": ("model_backends.remote.info", "model_backends.remote.engine"),
    "scripted": ("model_backends.scripted", "model_backends.scripted"),  # tests and screenshots
}
_VOXTRAL = ("voxtral-mlx", "voxtral-torch", "voxtral-cpu")  # the same model, fastest first
ENGINES = ("embedded", "ggml", "voxtral-torch", "voxtral-mlx", "voxtral-cpu", "remote")


def describe(name: str) -> EngineInfo:
    """What is known about an engine without loading it. Raises EngineError for no such engine."""
    if name not in _MODULES:
        raise EngineError(
            Sentence("There is no engine called “{name}”.", name=name),
            Sentence("Choose one of: {names}.", names=", ".join((*ENGINES, "voxtral"))),
        )
    info: EngineInfo = importlib.import_module(_MODULES[name][0]).INFO
    return info


def availability(name: str, models_dir: Path) -> list[Availability]:
    """One row per model of the engine: usable here and now, or why not and what would help."""
    describe(name)
    rows: list[Availability] = importlib.import_module(_MODULES[name][0]).availability(models_dir)
    return rows


def resolve(name: str, models_dir: Path) -> str:
    """Turn the alias `voxtral` into the best of its engines on this computer: the one a GPU
    prefers, else the one made for processors, if it is there."""
    if name != "voxtral":
        describe(name)
        return name
    there = [engine for engine in _VOXTRAL if engine in _MODULES]
    for candidate in there:
        rows = availability(candidate, models_dir)
        if any(row.details.get("preferred") for row in rows):
            return candidate
    if "voxtral-cpu" in there and any(r.available for r in availability("voxtral-cpu", models_dir)):
        return "voxtral-cpu"
    return "voxtral-torch"


def load(name: str, options: LoadOptions, report: Report) -> Engine:
    """Import the engine's library and load its model; slow. Only the worker process calls this.

    Raises EngineError with the user's sentence when the library, weights or device are missing.
    """
    describe(name)
    try:
        module = importlib.import_module(_MODULES[name][1])
    except ImportError as error:
        row = availability(name, options.models_dir)[0]
        broken = Sentence("The engine {name} cannot be loaded: {why}.", name=name, why=error)
        reason = row.reason or broken
        raise EngineError(reason, row.hint) from error
    engine: Engine = module.load(options, report)
    return engine
