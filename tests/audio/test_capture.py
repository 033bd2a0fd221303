"""Capture with a feed that does as it is told: watching, gaps, lost devices, rubbish samples."""

from __future__ import annotations

import queue
import threading
import time
from typing import TypeVar

import numpy as np
import pytest

from app.audio import capture as capture_module
from app.audio import watch as watch_module
from app.audio.capture import (
    Block,
    Capture,
    CaptureEvent,
    Condition,
    Deliver,
    Elsewhere,
    Level,
    SoundState,
)
from app.audio.clock import SessionClock
from app.audio.listening import Superseded
from app.core.chunk import Chunk
from app.core.timeline import Gap
from model_backends.base import UserError
from tests.support.likeness import assert_like

T = TypeVar("T")
PATIENCE_S = 60.0  # then what is waited for is not going to come


class Feed:
    """A microphone in the test's hand."""

    name = "Desk microphone"
    rate = 48_000  # also its own opening: `Opened` and `Feed` in one

    def __init__(self, live: bool = True, failures: int = 0) -> None:
        self.live = live
        self.system = False
        self.notes: list[str] = []
        self.failures = failures
        self.opened: queue.Queue[Deliver] = queue.Queue()
        self.hang = threading.Event()
        self.moved: Elsewhere | None = None

    def open(self, deliver: Deliver) -> Feed:
        if self.failures:
            self.failures -= 1
            raise UserError("Desk microphone cannot be opened.", "Another app may hold it.")
        self.opened.put(deliver)
        return self

    def close(self) -> None:
        self.hang.wait(30)

    def moved_to(self) -> Elsewhere | None:
        return self.moved


def test_the_feed_in_hand_has_no_verb_that_a_feed_and_its_opening_lack() -> None:
    steering = {"failures", "opened", "hang", "moved"}
    assert_like(Feed, capture_module.Feed, own={"rate", "close", "moved_to"} | steering)
    assert_like(
        Feed, capture_module.Opened, own={"name", "live", "system", "notes", "open"} | steering
    )


class Listener:
    """Collects what a capture delivers."""

    def __init__(self, feed: Feed) -> None:
        self.events: queue.Queue[CaptureEvent] = queue.Queue()
        self.feed = feed
        self.clock = SessionClock()
        self.capture = Capture(feed, "me", self.clock, self.events.put)
        self.capture.start()

    def next(self, kind: type[T]) -> T:
        while not isinstance(event := self.events.get(timeout=PATIENCE_S), kind):
            pass
        return event

    def state(self, kind: str) -> SoundState:
        while (event := self.next(SoundState)).kind != kind:
            pass
        return event


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is lost is soon tried again; and nothing has stalled but where a test says so, however
    long its own thread gets no processor."""
    monkeypatch.setattr(capture_module, "_RETRY_S", (0.01,))
    monkeypatch.setattr(watch_module, "STALLED_S", 600.0)


def noise(seconds: float, channels: int = 2) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (0.1 * rng.standard_normal((round(48_000 * seconds), channels))).astype(np.float32)


def test_native_blocks_become_16_khz_chunks_on_the_session_clock() -> None:
    listener = Listener(Feed())
    deliver = listener.feed.opened.get(timeout=PATIENCE_S)
    begun = time.monotonic()
    for i in range(10):
        deliver(Block(noise(0.1), begun + 0.1 * (i + 1)))
    chunks = [listener.next(Chunk) for _ in range(9)]
    listener.capture.close()
    indexes = [c.index for c in chunks]
    ends = [c.index + c.samples for c in chunks]
    assert indexes[1:] == ends[:-1]
    assert abs(chunks[0].start_ms - listener.clock.at(begun)) < 60


def test_nan_and_infinite_samples_become_silence() -> None:
    listener = Listener(Feed())
    deliver = listener.feed.opened.get(timeout=PATIENCE_S)
    block = noise(0.1)
    block[::3] = np.nan
    block[1::3] = np.inf
    block[2::3] = -np.inf
    deliver(Block(block, time.monotonic()))
    deliver(Block(noise(0.2), time.monotonic()))
    level = listener.next(Level)
    chunk = listener.next(Chunk)
    listener.capture.close()
    assert isinstance(chunk, Chunk) and isinstance(level, Level)
    assert np.isfinite(np.frombuffer(chunk.pcm, "<i2").astype(float)).all()
    assert 0 <= level.rms <= 1


def test_a_lost_device_is_told_and_tried_again_and_the_gap_is_marked() -> None:
    listener = Listener(Feed(failures=1))
    assert "cannot be opened" in listener.state("lost").message
    deliver = listener.feed.opened.get(timeout=PATIENCE_S)
    arrived = time.monotonic()
    for i in range(5):
        deliver(Block(noise(0.1), arrived + 0.1 * i))
    deliver(None)
    assert "stopped sending sound" in listener.state("lost").message
    deliver = listener.feed.opened.get(timeout=PATIENCE_S)
    for i in range(5):
        deliver(Block(noise(0.1), arrived + 3 + 0.1 * i))
    gap = listener.next(Gap)
    listener.capture.close()
    assert isinstance(gap, Gap)
    assert gap.reason == "device"
    assert 2300 <= gap.end_ms - gap.start_ms <= 2700


def test_closing_does_not_wait_for_a_device_that_hangs() -> None:
    listener = Listener(Feed())
    deliver = listener.feed.opened.get(timeout=PATIENCE_S)
    listener.capture.close()  # the feed's own close hangs until the end of the test
    deliver(Block(noise(0.1), time.monotonic()))
    listener.feed.hang.set()
    with pytest.raises(queue.Empty):
        while True:
            assert not isinstance(listener.events.get(timeout=0.3), Chunk)


def test_a_file_that_ends_is_not_tried_again() -> None:
    listener = Listener(Feed(live=False))
    listener.feed.hang.set()
    deliver = listener.feed.opened.get(timeout=PATIENCE_S)
    deliver(Block(noise(0.5), time.monotonic()))
    deliver(None)
    listener.state("ended")
    assert listener.feed.opened.empty()


def test_another_source_given_instead_is_told() -> None:
    listener = Listener(Feed())
    deliver = listener.feed.opened.get(timeout=PATIENCE_S)
    listener.feed.moved = Elsewhere("Webcam", gone=True)
    deliver(Block(noise(0.1), time.monotonic()))
    moved = listener.state("gone")
    assert moved.message == "Desk microphone is gone; listening to Webcam instead."
    assert (moved.source, bool(moved.hint)) == ("Webcam", True)
    listener.capture.close()


def test_two_sides_against_each_other_are_heard_and_not_called_silent() -> None:
    listener = Listener(Feed())
    deliver = listener.feed.opened.get(timeout=PATIENCE_S)
    listener.feed.hang.set()
    left = noise(0.2, channels=1)
    at = time.monotonic()
    for i in range(20):
        deliver(Block(np.hstack([left, -left]), at + 0.2 * (i + 1)))
    levels: list[float] = []
    told: list[str] = []
    while len(levels) < 20:
        event = listener.events.get(timeout=PATIENCE_S)
        levels += [event.rms] if isinstance(event, Level) else []
        told += [event.kind] if isinstance(event, SoundState) else []
    listener.capture.close()
    assert min(levels) > 0.08 and max(levels) < 0.12
    assert told == ["flowing"]


class Frozen(Feed):
    """A source of a server that is frozen after its first sound, and tells so when opened again.

    `first`: that sound. `thaws`: more of it comes as the last opening begins.
    """

    def __init__(self, opens: int, first: Block | None = None, thaws: bool = False) -> None:
        super().__init__()
        self.opens = opens
        self.closed = 0
        self._first, self._thaws = first, thaws
        self._frozen: Deliver | None = None

    def open(self, deliver: Deliver) -> Frozen:
        if not self.opens:
            raise UserError("Desk microphone cannot be opened.", "It is tried again.")
        self.opens -= 1
        if self._frozen is not None and self._thaws and not self.opens:
            self._frozen(Block(noise(0.1), time.monotonic()))
        if self._frozen is None and self._first is not None:
            deliver(self._first)
        self._frozen = self._frozen or deliver
        self.opened.put(deliver)
        return self

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def soon_stalled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "STALLED_S", 0.05)


def test_a_frozen_server_hands_over_what_it_kept_and_nothing_is_lost(soon_stalled: None) -> None:
    begun = time.monotonic()
    listener = Listener(Frozen(1, Block(noise(0.1), begun)))
    deliver = listener.feed.opened.get(timeout=PATIENCE_S)
    listener.state("stalled")
    assert listener.state("lost").message == "Desk microphone cannot be opened."
    thawed = time.monotonic()
    missed = round((thawed - begun) * 10) + 1
    deliver(Block(noise(0.1 * missed), thawed))
    listener.state("flowing")
    heard_ms, until = 0.0, begun + missed / 10 - 0.2
    while heard_ms < listener.clock.at(until):
        event = listener.events.get(timeout=PATIENCE_S)
        assert not isinstance(event, Gap)
        heard_ms = event.end_ms if isinstance(event, Chunk) else heard_ms
    listener.capture.close()


def test_a_source_that_stays_stalled_is_let_go_once_it_could_be_opened_again(
    soon_stalled: None,
) -> None:
    feed = Frozen(2, Block(noise(0.1), time.monotonic()))
    listener = Listener(feed)
    feed.opened.get(timeout=PATIENCE_S)
    listener.state("stalled")
    second = feed.opened.get(timeout=PATIENCE_S)
    second(Block(noise(0.1), time.monotonic()))
    listener.state("flowing")
    listener.capture.close()
    assert listener.capture.join(PATIENCE_S) and feed.closed == 2


def test_what_comes_while_it_is_opened_again_is_kept_and_the_other_opening_let_go(
    soon_stalled: None,
) -> None:
    feed = Frozen(2, Block(noise(0.1), time.monotonic()), thaws=True)
    listener = Listener(feed)
    first = feed.opened.get(timeout=PATIENCE_S)
    second = feed.opened.get(timeout=PATIENCE_S)
    second(Block(np.zeros((4800, 2), np.float32), time.monotonic()))
    for _ in range(3):
        first(Block(noise(0.1), time.monotonic()))
    levels = [listener.next(Level).rms for _ in range(5)]
    assert min(levels) > 0.05, "all of the first opening's, and nothing else"
    listener.capture.close()
    assert listener.capture.join(PATIENCE_S) and feed.closed == 2


def test_what_follows_the_desktop_is_heard_until_the_other_source_gives_something() -> None:
    listener = Listener(Frozen(3))
    first = listener.feed.opened.get(timeout=PATIENCE_S)
    begun = time.monotonic()
    for i in range(1, 4):
        first(Block(noise(0.1), begun + 0.1 * i))
    first(Condition(muted=True))
    first(Superseded())
    listener.state("muted")
    second = listener.feed.opened.get(timeout=PATIENCE_S)
    listener.feed.name = "Headset"
    first(Block(noise(0.1), begun + 0.4))
    listener.next(Level)  # of the first one still
    for i in range(5, 12):
        second(Block(noise(0.1), begun + 0.1 * i))
    assert listener.state("flowing").source == "Headset", "which is not muted"
    until_ms = 0
    while until_ms < listener.clock.at(begun + 0.9):
        event = listener.events.get(timeout=PATIENCE_S)
        assert not isinstance(event, Gap)
        until_ms = event.end_ms if isinstance(event, Chunk) else until_ms
    listener.capture.close()


def test_an_end_with_a_reason_is_told_with_it() -> None:
    listener = Listener(Feed())
    deliver = listener.feed.opened.get(timeout=PATIENCE_S)
    deliver(Block(noise(0.1), time.monotonic()))
    deliver(UserError("The sound server has stopped.", "It is tried again by itself."))
    assert listener.state("lost").message == "The sound server has stopped."
    listener.feed.opened.get(timeout=PATIENCE_S)
    listener.capture.close()


def test_what_the_system_says_of_a_source_is_told() -> None:
    listener = Listener(Feed())
    deliver = listener.feed.opened.get(timeout=PATIENCE_S)
    deliver(Condition(muted=True))
    assert listener.state("muted").message == "Desk microphone is muted."
    deliver(Condition())
    listener.state("flowing")
    listener.capture.close()
