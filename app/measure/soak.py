"""Hours of two lanes of capture in minutes: what grows is read from memory, threads and handles.

The real captures hear feeds that send as fast as they are taken, on a clock that goes as fast, with
clocks that are off, bursts, stalls and losses. Knows nothing of sound servers.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from functools import partial

import numpy as np
import psutil

from app.audio.capture import Capture, CaptureEvent
from app.audio.clock import SessionClock
from app.audio.listening import Block, Deliver, Level, SoundState
from app.core.chunk import Chunk

_BLOCK_S = 0.1
_RATE = 48_000
_KEPT_MS = 2  # sound that the resampler has taken and not given yet
_AHEAD = 50  # blocks that may wait to be taken
_LOST_EVERY_S = 600.0  # a device is lost and opened again


class FastClock(SessionClock):
    """A session's clock that a feed sets."""

    def at(self, monotonic: float) -> int:
        return round(monotonic * 1000)

    def now_ms(self) -> int:
        return 0  # nothing is ever idle here


class FastFeed:
    """Satisfies `capture.Feed`: a device `ppm` fast that says all it has to say at once."""

    live = True
    system = False
    notes: Sequence[str] = ()

    def __init__(self, name: str, ppm: float, hours: float) -> None:
        self.name = name
        self.own = 1 + ppm / 1e6
        self._until_s = hours * 3600
        self._chance = random.Random(name)
        self._sent = 0  # blocks
        self.at_s = 0.0
        self.heard = self.run = 0  # blocks that the capture has taken: all, and since it opened
        self.end_ms = 0
        self.off_ms = self.most_ms = 0.0  # how far what it made of them stands from when it was
        self.taken = threading.Semaphore(_AHEAD)
        self.done = threading.Event()
        self._sound = np.random.default_rng(1).normal(0, 0.05, (round(_RATE * _BLOCK_S), 2))

    def open(self, deliver: Deliver) -> _FastOpened:
        opened = _FastOpened()
        threading.Thread(target=self._play, args=(opened, deliver), daemon=True).start()
        return opened

    def _play(self, opened: _FastOpened, deliver: Deliver) -> None:
        lost_s = self.at_s + _LOST_EVERY_S
        while not opened.closed.is_set() and self.at_s < self._until_s:
            self.taken.acquire()
            self._sent += 1
            self.at_s = self._sent * _BLOCK_S / self.own
            late_s = self._chance.uniform(0, 0.015)
            deliver(Block(self._sound.astype(np.float32), self.at_s + late_s))
            if self.at_s >= lost_s:
                deliver(None)
                return
        if self.at_s >= self._until_s:
            self.done.set()


class _FastOpened:
    """Satisfies `capture.Opened`."""

    rate = _RATE

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()

    def moved_to(self) -> None:
        return None


def soak(hours: float) -> str:
    """Run it; a table of what the process holds, every half hour of the lanes' own time."""
    clock = FastClock()
    feeds = [FastFeed("me", 200.0, hours), FastFeed("them", -200.0, hours)]
    captures = [Capture(feed, feed.name, clock, partial(_take, feed), boost=True) for feed in feeds]
    rows = [
        "| hours | lanes apart, ms | furthest off, ms | memory, MiB | threads | open files |",
        "|---|---|---|---|---|---|",
    ]
    for capture in captures:
        capture.start()
    look_s = 0.0
    while not all(feed.done.is_set() for feed in feeds):
        time.sleep(0.05)
        now_s = min(feed.at_s for feed in feeds)
        if now_s >= look_s:
            look_s += 1800
            rows.append(_row(now_s, feeds))
    rows.append(_row(min(feed.at_s for feed in feeds), feeds))
    for capture in captures:
        capture.close()
        capture.join(5)
    return "\n".join(rows)


def _row(now_s: float, feeds: Sequence[FastFeed]) -> str:
    process = psutil.Process()
    apart_ms, most_ms = abs(feeds[0].off_ms - feeds[1].off_ms), max(f.most_ms for f in feeds)
    memory = process.memory_info().rss / 2**20
    files = process.num_fds() if hasattr(process, "num_fds") else 0
    cells = f"{apart_ms:.0f} | {most_ms:.0f} | {memory:.0f} | {threading.active_count()} | {files}"
    return f"| {now_s / 3600:.1f} | {cells} |"


def _take(feed: FastFeed, event: CaptureEvent) -> None:
    """In the capture's thread: the next block is there, and all before it have been placed."""
    if isinstance(event, SoundState) and event.kind == "lost":
        feed.run = 0
    elif isinstance(event, Chunk):
        feed.end_ms = event.end_ms
    elif isinstance(event, Level):
        if feed.run > 2:  # the first two of a run are placed together
            given_ms = feed.heard * _BLOCK_S / feed.own * 1000 - _KEPT_MS
            feed.off_ms = feed.end_ms - given_ms
            feed.most_ms = max(feed.most_ms, abs(feed.off_ms))
        feed.run += 1
        feed.heard += 1
        feed.taken.release()
