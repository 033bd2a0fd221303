"""Silence from the clock, for doors that deliver nothing at all while nothing plays.

A program that plays nothing, and a Windows output that nothing plays on, send no zeros: they send
nothing. For whoever listens that would be a source that has stalled. Knows no door.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from app.audio.listening import Block, Deliver

IDLE_S = 0.18  # without a block before it is silence: schedulers hold blocks back for less
BEHIND_S = 0.13  # how far silence stays behind, so that a block that comes has room
_LONGEST_S = 2.0  # between two looks; if longer, the computer slept, which is no silence
_LOOK_S = 0.05


class Silence:
    """Pure: what is to be delivered, of what came and when. Times are monotonic seconds."""

    def __init__(self, rate: int, channels: int, begun: float) -> None:
        self._rate, self._channels = rate, channels
        self._until = begun  # up to then all has been delivered
        self._idle = True

    def take(self, samples: NDArray[np.float32], arrived: float) -> list[Block]:
        """Real sound, shape (frames, channels), after the rest of the silence before it."""
        before = self._up_to(arrived - len(samples) / self._rate) if self._idle else []
        self._idle, self._until = False, arrived
        return [*before, Block(samples, arrived)]

    def nothing(self, now: float) -> list[Block]:
        """Nothing has come since; the silence there is by now."""
        if not self._idle and now - self._until < IDLE_S:
            return []
        self._idle = True
        return self._up_to(now - BEHIND_S)

    def _up_to(self, at: float) -> list[Block]:
        frames = round((at - self._until) * self._rate)
        if frames <= 0:
            return []
        self._until = at
        if frames > _LONGEST_S * self._rate:
            return []
        return [Block(np.zeros((frames, self._channels), dtype=np.float32), at)]


def _yes() -> bool:
    return True


class SilenceFilled:
    """`take()` sound as it comes; what is delivered has no holes. From any thread."""

    def __init__(
        self, rate: int, channels: int, deliver: Deliver, alive: Callable[[], bool] = _yes
    ) -> None:
        """`alive`: whether nothing is silence now, and not a server that has stopped."""
        self._alive = alive
        self._silence = Silence(rate, channels, time.monotonic())
        self._deliver = deliver
        self._order = threading.Lock()  # of what is delivered
        self._closed = threading.Event()
        threading.Thread(target=self._fill, daemon=True, name="silence").start()

    def take(self, samples: NDArray[np.float32]) -> None:
        """Float32 of shape (frames, channels), complete now."""
        with self._order:
            self._send(self._silence.take(samples, time.monotonic()))

    def close(self) -> None:
        """No more silence; waits for nothing."""
        self._closed.set()

    def _fill(self) -> None:
        while not self._closed.wait(_LOOK_S):
            if not self._alive():
                continue
            with self._order:
                self._send(self._silence.nothing(time.monotonic()))

    def _send(self, blocks: list[Block]) -> None:
        for block in blocks:
            if not self._closed.is_set():
                self._deliver(block)
