"""Session time: maps the computer's monotonic clock and counted samples to milliseconds.

Within an unbroken run samples are authoritative: callbacks come late and in bursts, samples do
not. What is learned from when they arrive is of three kinds. Where a run begins: its first blocks
may be late or come in a burst, so that some are older than their arrival says. Whether sound was
lost: blocks that come more than 100 ms later than their samples say are held back, until one is in
time (it was a burst) or a second and a half is late (it was a loss, and a new run begins at the
clock's time). How far the device's own clock is off: that is read from the earliest arrival of
each ten seconds, and given back as a pace for the resampler, so that samples stay the one
authority and all that is behind this counts them alone.
`SessionClock` alone reads the computer's clock; the rest decides on times that are handed in.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_backends.base import SAMPLE_RATE

GAP_MS = 100  # a mismatch above this is lost sound, not jitter
_WATCH_MS = 1_500  # a mismatch must last this long: a late burst is no loss
_BEGIN_MS = 150  # of arrivals, of which the earliest tells where a run begins
_LOOK_MS = 10_000  # of arrivals, of which the earliest tells how far the device's clock is off
# How fast that is made good. A device that is 200 ppm off stays 200 ppm x 60 s = 12 ms behind,
# and jitter of 5 ms in the earliest arrivals changes the pace by 80 ppm, which nobody hears.
_SETTLE_MS = 60_000
_MOST_PACE = 0.002  # a device further off than this loses sound, or is no device
# … but sound that is ahead of the clock by more than a gap is brought back sooner: speech that is
# 5 % faster for some seconds is understood as well
_SOON_MS = 15_000
MOST_PACE = 0.05


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


Samples = NDArray[np.float32]  # shape (samples,), 16 kHz


@dataclass(frozen=True, slots=True)
class Placed:
    """Samples and where they belong; `gap_ms` of sound before them was lost."""

    samples: Samples
    start_ms: int
    index: int
    gap_ms: int = 0


class RunClock:
    """Places one lane's blocks at 16 kHz."""

    def __init__(self) -> None:
        self._run_start_ms = 0
        self._samples: int | None = None  # None: the run has not begun
        self._base = 0  # sample number the run began with; each run's numbers are new
        self._held: list[tuple[int, Samples]] = []  # (arrival, block), not placed yet
        self._drift = _Drift()

    @property
    def end_ms(self) -> int:
        """Session time up to which samples have been placed."""
        return self._run_start_ms + _ms(self._samples or 0)

    @property
    def pace(self) -> float:
        """How many seconds of the clock a second of the device takes: 1 ± MOST_PACE."""
        return self._drift.pace

    def take(self, arrived_ms: int, samples: Samples) -> list[Placed]:
        """What can be placed now that this block, complete at `arrived_ms`, is there."""
        self._held.append((arrived_ms, samples))
        if self._samples is None:
            return self._begin() if arrived_ms - self._held[0][0] >= _BEGIN_MS else []
        return self._settle(arrived_ms)

    def idle(self, now_ms: int) -> list[Placed]:
        """What can be placed now that no block has come for a while."""
        if not self._held:
            return []
        return self._begin() if self._samples is None else self._settle(now_ms)

    def pause(self) -> list[Placed]:
        """The run ends; the next block starts another at the clock's time. What was held."""
        rest: list[Placed] = []
        if self._held:
            rest = self._begin() if self._samples is None else self._after_loss()
        self._run_start_ms = self.end_ms
        self._base += (self._samples or 0) + 1  # + 1: never contiguous with the run before
        self._samples = None
        self._drift.begin()
        return rest

    # --- the beginning of a run ------------------------------------------------------------

    def _begin(self) -> list[Placed]:
        """No sound is younger than its arrival says."""
        length, begun_ms = 0, []
        for arrived_ms, block in self._held:
            length += len(block)
            begun_ms.append(arrived_ms - _ms(length))
        self._run_start_ms = max(self._run_start_ms, min(begun_ms))
        self._samples = 0
        return self._place_held()

    # --- a run that goes on ----------------------------------------------------------------

    def _settle(self, now_ms: int) -> list[Placed]:
        if self._held_late_ms()[-1] <= GAP_MS:
            return self._place_held()
        if now_ms - self._held[0][0] >= _WATCH_MS:
            return self._after_loss()
        return []

    def _held_late_ms(self) -> list[int]:
        """How much later than its samples say each of the held blocks has come."""
        late_ms, ahead = [], self._samples or 0
        for arrived_ms, block in self._held:
            ahead += len(block)
            late_ms.append(arrived_ms - self._run_start_ms - _ms(ahead))
        return late_ms

    def _after_loss(self) -> list[Placed]:
        """Place what is held; where all of it is late, after a gap."""
        lost_ms = min(self._held_late_ms())
        if lost_ms <= GAP_MS:
            return self._place_held()
        start_ms = self.end_ms + lost_ms
        self._base += (self._samples or 0) + 1
        self._run_start_ms, self._samples = start_ms, 0
        self._drift.begin()
        first, *more = self._place_held()
        return [Placed(first.samples, first.start_ms, first.index, lost_ms), *more]

    def _place_held(self) -> list[Placed]:
        placed = []
        late_ms = self._held_late_ms()
        assert self._samples is not None
        for (arrived_ms, block), late in zip(self._held, late_ms, strict=True):
            self._drift.take(arrived_ms, late)
            placed.append(Placed(block, self.end_ms, self._base + self._samples))
            self._samples += len(block)
        self._held = []
        return placed


class _Drift:
    """How far a device's clock runs from the computer's.

    A block can be late for a hundred reasons and early for none, so the earliest of many shows
    where the device's clock stands. The pace that makes it good is the distance over a settling
    time: a loop of the first order, which cannot swing. What is learned stays from run to run.
    """

    def __init__(self) -> None:
        self.pace = 1.0
        self.begin()

    def begin(self) -> None:
        """A new run: where it stands is not known yet."""
        self._since_ms: int | None = None
        self._earliest_ms = 0

    def take(self, arrived_ms: int, late_ms: int) -> None:
        """The next block came this much later than its samples say."""
        if self._since_ms is None:
            self._since_ms, self._earliest_ms = arrived_ms, late_ms
        self._earliest_ms = min(self._earliest_ms, late_ms)
        if arrived_ms - self._since_ms < _LOOK_MS:
            return
        far = abs(self._earliest_ms) > GAP_MS
        off = self._earliest_ms / (_SOON_MS if far else _SETTLE_MS)
        most = MOST_PACE if far else _MOST_PACE
        self.pace = 1.0 + max(-most, min(most, off))
        self._since_ms = None


def _ms(samples: int) -> int:
    return samples * 1000 // SAMPLE_RATE
