"""Stand-ins at a session's edges."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from app.audio.capture import Block, CaptureEvent, Feed
from app.audio.clock import SessionClock
from app.audio.playback import Playback, _Playing
from app.core.chunk import Chunk
from app.session.session import Session
from app.worker import messages as m
from app.worker.client import ClientEvent
from model_backends.base import SAMPLE_RATE, Word


class FakeClient:
    """An engine that says what a test says."""

    def __init__(self, start: m.Start, deliver: Callable[[ClientEvent], None]) -> None:
        self._deliver = deliver
        self.first = start
        self.told: list[tuple[object, ...]] = []
        self.held: list[Word] = []
        self._changed = threading.Condition()

    def say(self, *events: ClientEvent) -> None:
        for event in events:
            self._deliver(event)

    def wait_for(self, *call: object) -> None:
        """Until it has been told this."""
        with self._changed:
            assert self._changed.wait_for(lambda: call in self.told, 60), f"{call}: {self.told}"

    def _note(self, *call: object) -> None:
        with self._changed:
            self.told.append(call)
            self._changed.notify_all()

    @property
    def worker_pid(self) -> int | None:
        return 4711

    def start(self) -> None:
        self._note("start")

    def push(self, chunk: Chunk) -> None:
        self._note("push", chunk)

    def pause(self, lane: str) -> None:
        self._note("pause", lane)

    def set_delay(self, lane: str, track: int, ms: int) -> None:
        self._note("set_delay", lane, track, ms)

    def lag_ms(self, lane: str) -> int:
        self._note("lag", lane)
        return 0

    def finish(self) -> None:
        self._note("finish")

    def take_held(self) -> list[Word]:
        return self.held

    def kill(self) -> None:
        self._note("kill")


class OnTime(Playback):
    """A file whose first sample is its session's first, however late a busy computer begins to
    play it: what a script says at a time is said in the same sound, and no word of it comes before
    the gate has opened."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.session: Session | None = None  # once it is made
        self._late_s: float | None = None

    def open(self, deliver: Callable[[Block | None], None]) -> _Playing:
        if self._late_s is not None or self.session is None:
            return super().open(deliver)  # it goes on after a pause
        origin = self.session._clock.monotonic(0)

        def in_time(block: Block | None) -> None:
            if block is not None:
                if self._late_s is None:
                    self._late_s = block.arrived - len(block.samples) / SAMPLE_RATE - origin
                block = replace(block, arrived=block.arrived - self._late_s)
            deliver(block)

        return super().open(in_time)


class FakeCapture:
    """A capture that hears what a test says."""

    def __init__(
        self, feed: Feed, lane: str, clock: SessionClock, deliver: Callable[[CaptureEvent], None]
    ) -> None:
        self._feed, self._lane, self._deliver = feed, lane, deliver
        self.state = "made"

    @property
    def name(self) -> str:
        return self._feed.name

    def say(self, *events: CaptureEvent) -> None:
        for event in events:
            self._deliver(event)

    def start(self) -> None:
        self.state = "started"

    def close(self) -> None:
        self.state = "closed"


def text_of(events: Sequence[object]) -> str:
    return "".join(event.text for event in events if isinstance(event, Word))
