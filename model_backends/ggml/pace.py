"""Whether a model keeps up with speech, and what it would cost on this computer before it is here.
Numbers in, a verdict out; reads no clock.
"""

from __future__ import annotations

from collections.abc import Sequence

from model_backends.base import SAMPLE_RATE

_LAG = 5 * SAMPLE_RATE // 2  # samples waiting, from which captions are late …
_SLOW = 0.9  # … if hearing a second takes so much of it
_ENOUGH = 4 * SAMPLE_RATE  # heard before there is a verdict

# Nemotron (0.6B, 8 bits, one thread) beside Whisper base's decode of a live window: what it takes
# of a core at chunks of 560 ms. Measured, see resources/benchmarks/ggml.md.
_OF_A_DECODE = 1.1
_CHUNK_MS = 560
MOST_LOAD = 0.5  # of a core, up to which it is offered
EASY_LOAD = 0.35  # … and shorter chunks with it
LEAST_MEMORY = 4_000_000_000  # bytes that must be free


class Pace:
    """`delays_ms`: what the model offers, ascending; none where they cost the same."""

    def __init__(self, delays_ms: Sequence[int]) -> None:
        self.delays_ms = delays_ms
        self.reset()

    def reset(self) -> None:
        """Forget: the delay has changed."""
        self._samples, self._seconds = 0, 0.0

    def record(self, samples: int, seconds: float) -> None:
        """So much sound was heard in so much time."""
        if self._samples >= 2 * _ENOUGH:  # the past counts less and less
            self._samples //= 2
            self._seconds /= 2
        self._samples += max(samples, 0)
        self._seconds += seconds

    @property
    def load(self) -> float:
        """Share of real time that hearing takes; 0 before anything was heard."""
        return self._seconds * SAMPLE_RATE / self._samples if self._samples else 0.0

    def longer(self, delay_ms: int, waiting: int, voices: int = 1) -> int | None:
        """The next delay, if this one costs too much and `waiting` samples show it. Of several
        voices each costs as much."""
        if waiting < _LAG or self._samples < _ENOUGH or voices * self.load < _SLOW:
            return None
        return next((delay for delay in self.delays_ms if delay > delay_ms), None)


def predicted_load(decode_ms: float) -> float:
    """What Nemotron would take of a core: `decode_ms` is the median of Whisper base's decodes."""
    return _OF_A_DECODE * decode_ms / _CHUNK_MS


def suits(load: float, free_bytes: int) -> bool:
    """Whether a model of this load is worth offering."""
    return load <= MOST_LOAD and free_bytes >= LEAST_MEMORY


def shortest_delay(delays_ms: Sequence[int], load: float) -> int:
    """The delay to begin with: 560 ms, or the next shorter one where there is room for it."""
    usual = [delay for delay in delays_ms if delay >= _CHUNK_MS] or [max(delays_ms)]
    shorter = [delay for delay in delays_ms if 160 <= delay < _CHUNK_MS]
    return max(shorter) if shorter and load <= EASY_LOAD else min(usual)
