"""Stand-ins at a session's edges. `like()` holds each to the real one's verbs and arguments."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Sequence

from app.audio.capture import Capture, CaptureEvent, Feed
from app.audio.clock import SessionClock
from app.core.chunk import Chunk
from app.worker import messages as m
from app.worker.client import ClientEvent, EngineClient
from model_backends.base import Word


def like(real: type, fake: type) -> None:
    """Raise AssertionError for a public verb that the real class lacks or calls otherwise."""
    for name, verb in vars(fake).items():
        if name.startswith("_") or name in ("deliver", "calls"):
            continue
        assert hasattr(real, name), f"{real.__name__} has no {name}"
        if callable(verb):
            assert inspect.signature(verb) == inspect.signature(getattr(real, name)), name


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
            assert self._changed.wait_for(lambda: call in self.told, 10), f"{call}: {self.told}"

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
        return 0

    def finish(self) -> None:
        self._note("finish")

    def take_held(self) -> list[Word]:
        return self.held

    def kill(self) -> None:
        self._note("kill")


class FakeCapture:
    """A capture that hears what a test says."""

    made: list[FakeCapture]

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


def check_fakes() -> None:
    for real, fake, own in (
        (EngineClient, FakeClient, {"say", "wait_for"}),
        (Capture, FakeCapture, {"say", "made"}),
    ):
        verbs = {k: v for k, v in vars(fake).items() if k not in own}
        like(real, type(fake.__name__, (), verbs))


def text_of(events: Sequence[object]) -> str:
    return "".join(event.text for event in events if isinstance(event, Word))
