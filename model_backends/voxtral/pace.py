"""Whether a computer keeps up with speech, and what is done first where it does not: the encoder is
given two rows at once, so that its weights are read half as often, at the price of up to 80 ms.

The one place where that is decided, for every engine. Knows nothing about tensors.
"""

from __future__ import annotations

import time

import numpy as np

from model_backends.base import StreamOptions
from model_backends.voxtral.engine import VoxtralEngine
from model_backends.voxtral.schedule import DEFAULT_DELAY_MS, ROW_MS, ROW_SAMPLES

SLOW_ROWS = 2  # that an encoder is given at once on a computer that is too slow for one

_TIMED_ROWS = 10
_LIVE_MS = 0.9 * ROW_MS  # a step that takes longer leaves nothing for a hiccup


def keeps_up(step_ms: float) -> bool:
    """Whether steps of 80 ms of sound that take this long are live captions."""
    return step_ms <= _LIVE_MS


def keep_pace(engine: VoxtralEngine) -> float:
    """Time some live steps and set the engine's `rows_at_once` by them. Returns the share of real
    time that a step took."""
    stream = engine.open(StreamOptions("pace", 0, (DEFAULT_DELAY_MS,), 0))
    stream.push(np.zeros(8 * ROW_SAMPLES, np.float32), 0.0)
    engine.advance()
    start = time.monotonic()
    for _ in range(_TIMED_ROWS):
        stream.push(np.zeros(ROW_SAMPLES, np.float32), 0.0)
        engine.advance()
    step_ms = 1000 * (time.monotonic() - start) / _TIMED_ROWS
    stream.close()
    engine.advance()
    engine.rows_at_once = 1 if keeps_up(step_ms) else SLOW_ROWS
    return step_ms / ROW_MS
