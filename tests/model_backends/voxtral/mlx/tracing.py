"""What the engine's steps would run, listed by MLX itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mlx.core as mx
import numpy as np

from model_backends.voxtral.mlx.runner import ModelRunner
from model_backends.voxtral.schedule import SILENT_ROWS
from model_backends.voxtral.speech_model import DecodeWork, EncodeWork

STEPS = ("_encode_step", "_decode_step", "_answer_step")
Listed = list[dict[str, Any]]  # see mx.export_function


def computed(speech: ModelRunner, voices: int, cells: int = 0) -> dict[str, Listed]:
    """What one step of each kind runs, for one voice or for two at two delays, in caches that have
    room for `cells` positions."""
    given: dict[str, tuple[Any, ...]] = {}
    steps = {name: getattr(speech, name) for name in STEPS}

    def noting(name: str) -> Any:
        def run(*args: Any) -> Any:
            given[name] = args
            return steps[name](*args)

        return run

    sources = [speech.open_encoder() for _ in range(voices)]
    readers = [speech.open_decoder(delay) for delay in (1, 6)[:voices]]
    for holders in (speech._encoders, speech._decoders):
        for held in holders.values():
            held.cache.reserve(cells)
    for name in STEPS:
        setattr(speech, name, noting(name))
    mel = np.zeros((11, 128), np.float32)
    speech.encode([EncodeWork(source, SILENT_ROWS, mel) for source in sources])
    rows = [((source, SILENT_ROWS),) for source in sources]
    pairs = zip(readers, rows, strict=True)
    speech.decode([DecodeWork(slot, SILENT_ROWS, (32,), row) for slot, row in pairs])
    for name in STEPS:
        setattr(speech, name, steps[name])
    return {name: _traced(steps[name], given[name]) for name in STEPS}


def _traced(step: Any, args: Sequence[Any]) -> Listed:
    flat: list[Any] = []
    nested = _taken_apart(args, flat)
    found: Listed = []

    def flat_step(*arrays: Any) -> list[Any]:
        results: list[Any] = []
        _taken_apart(step(*nested(iter(arrays))), results)
        return results

    mx.export_function(found.append, flat_step, *flat)
    return found


def _taken_apart(value: Any, flat: list[Any]) -> Any:
    """Append the arrays of nested lists to `flat`; returns what nests such arrays again."""
    if isinstance(value, mx.array):
        flat.append(value)
        return next
    parts = [_taken_apart(part, flat) for part in value]
    return lambda arrays: [part(arrays) for part in parts]
