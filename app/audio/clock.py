"""Session time: maps the computer's monotonic clock and counted samples to milliseconds.

Within an unbroken run samples are authoritative: callbacks come late and in bursts, samples do
not. Only when the whole of the last two seconds arrived more than 100 ms later than its samples
say has sound been lost; then a new run begins at the clock's time. `SessionClock` alone reads the
computer's clock; where samples belong is decided on times that are handed in.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

from model_backends.base import SAMPLE_RATE

GAP_MS = 100  # a mismatch above this is lost sound, not jitter
_WATCH_MS = 2_000  # a mismatch must last this long: a late burst is no loss


class SessionClock:
    """Milliseconds since the session began; runs on through pauses."""

    def __init__(self) -> None:
        self._origin = time.monotonic()

    def now_ms(self) -> int:
        return self.at(time.monotonic())

    def at(self, monotonic: float) -> int:
        """Session time of a `time.monotonic()` reading."""
        return round((monotonic - self._origin) * 1000)

    def monotonic(self, at_ms: int) -> float:
        """The `time.monotonic()` reading of a session time."""
        return self._origin + at_ms / 1000


@dataclass(frozen=True, slots=True)
class Stamp:
    """Where a block of samples belongs; `gap_ms` of sound before it was lost."""

    start_ms: int
    index: int
    gap_ms: int = 0


class RunClock:
    """Stamps one lane's blocks at 16 kHz."""

    def __init__(self) -> None:
        self._run_start_ms = 0
        self._samples: int | None = None  # None: the next block begins a run
        self._base = 0  # sample number the run began with; each run's numbers are new
        self._late: deque[tuple[int, int]] = deque()  # (arrival, how late), over _WATCH_MS

    @property
    def end_ms(self) -> int:
        """Session time up to which samples have been stamped."""
        return self._run_start_ms + (self._samples or 0) * 1000 // SAMPLE_RATE

    def pause(self) -> None:
        """The run ends; the next block starts another at the clock's time."""
        self._run_start_ms = self.end_ms
        self._base += (self._samples or 0) + 1  # + 1: never contiguous with the run before
        self._samples = None
        self._late.clear()

    def stamp(self, arrived_ms: int, samples: int) -> Stamp:
        """Place a block of `samples` that was complete at session time `arrived_ms`."""
        length_ms = samples * 1000 // SAMPLE_RATE
        gap_ms = 0
        if self._samples is None:
            self._run_start_ms = max(self._run_start_ms, arrived_ms - length_ms)
            self._samples = 0
        elif (late_ms := self._lost(arrived_ms, arrived_ms - length_ms - self.end_ms)) > GAP_MS:
            end_ms = self.end_ms
            self.pause()
            self._run_start_ms, self._samples = end_ms + late_ms, 0
            gap_ms = late_ms
        stamp = Stamp(self.end_ms, self._base + self._samples, gap_ms)
        self._samples += samples
        return stamp

    def _lost(self, arrived_ms: int, late_ms: int) -> int:
        """How much every block of the watch time was late; 0 until there is a whole watch time."""
        self._late.append((arrived_ms, late_ms))
        while arrived_ms - self._late[0][0] > _WATCH_MS:
            self._late.popleft()
        if arrived_ms - self._late[0][0] < _WATCH_MS * 3 // 4:
            return 0
        return min(late for _, late in self._late)
