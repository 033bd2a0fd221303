"""Capture with a feed that does as it is told: watching, gaps, lost devices, rubbish samples."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import pytest

from app.audio import capture as capture_module
from app.audio.capture import Block, Capture, CaptureEvent, Elsewhere, Level, SoundState, Watch
from app.audio.clock import SessionClock
from app.core.chunk import Chunk
from app.core.timeline import Gap
from model_backends.base import UserError
from tests.support.likeness import assert_like

T = TypeVar("T")


class Feed:
    """A microphone in the test's hand."""

    name = "Desk microphone"
    rate = 48_000  # also its own opening: `Opened` and `Feed` in one

    def __init__(self, live: bool = True, failures: int = 0) -> None:
        self.live = live
        self.system = False
        self.notes: list[str] = []
        self.failures = failures
        self.opened: queue.Queue[Callable[[Block | None], None]] = queue.Queue()
        self.hang = threading.Event()
        self.moved: Elsewhere | None = None

    def open(self, deliver: Callable[[Block | None], None]) -> Feed:
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
        while not isinstance(event := self.events.get(timeout=10), kind):
            pass
        return event

    def state(self, kind: str) -> SoundState:
        while True:
            event = self.next(SoundState)
            assert isinstance(event, SoundState)
            if event.kind == kind:
                return event


@pytest.fixture(autouse=True)
def fast_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_module, "_RETRY_S", (0.01,))


def noise(seconds: float, channels: int = 2) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (0.1 * rng.standard_normal((round(48_000 * seconds), channels))).astype(np.float32)


def test_native_blocks_become_16_khz_chunks_on_the_session_clock() -> None:
    listener = Listener(Feed())
    deliver = listener.feed.opened.get(timeout=10)
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
    deliver = listener.feed.opened.get(timeout=10)
    block = noise(0.1)
    block[::3] = np.nan
    block[1::3] = np.inf
    block[2::3] = -np.inf
    deliver(Block(block, time.monotonic()))
    deliver(Block(noise(0.2), time.monotonic()))
    chunk = listener.next(Chunk)
    level = listener.next(Level)
    listener.capture.close()
    assert isinstance(chunk, Chunk) and isinstance(level, Level)
    assert np.isfinite(np.frombuffer(chunk.pcm, "<i2").astype(float)).all()
    assert 0 <= level.rms <= 1


def test_a_lost_device_is_told_and_tried_again_and_the_gap_is_marked() -> None:
    listener = Listener(Feed(failures=1))
    assert "cannot be opened" in listener.state("lost").message
    deliver = listener.feed.opened.get(timeout=10)
    arrived = time.monotonic()
    for i in range(5):
        deliver(Block(noise(0.1), arrived + 0.1 * i))
    deliver(None)
    assert "stopped sending sound" in listener.state("lost").message
    deliver = listener.feed.opened.get(timeout=10)
    for i in range(5):
        deliver(Block(noise(0.1), arrived + 3 + 0.1 * i))
    gap = listener.next(Gap)
    listener.capture.close()
    assert isinstance(gap, Gap)
    assert gap.reason == "device"
    assert 2300 <= gap.end_ms - gap.start_ms <= 2700


def test_closing_does_not_wait_for_a_device_that_hangs() -> None:
    listener = Listener(Feed())
    deliver = listener.feed.opened.get(timeout=10)
    listener.capture.close()  # the feed's own close hangs until the end of the test
    deliver(Block(noise(0.1), time.monotonic()))
    listener.feed.hang.set()
    with pytest.raises(queue.Empty):
        while True:
            assert not isinstance(listener.events.get(timeout=0.3), Chunk)


def test_a_file_that_ends_is_not_tried_again() -> None:
    listener = Listener(Feed(live=False))
    listener.feed.hang.set()
    deliver = listener.feed.opened.get(timeout=10)
    deliver(Block(noise(0.5), time.monotonic()))
    deliver(None)
    listener.state("ended")
    assert listener.feed.opened.empty()


def test_another_source_given_instead_is_told() -> None:
    listener = Listener(Feed())
    deliver = listener.feed.opened.get(timeout=10)
    listener.feed.moved = Elsewhere("Webcam", gone=True)
    deliver(Block(noise(0.1), time.monotonic()))
    moved = listener.state("gone")
    assert moved.message == "Desk microphone is gone; listening to Webcam instead."
    assert (moved.source, bool(moved.hint)) == ("Webcam", True)
    listener.capture.close()


def test_moved_is_not_gone_and_the_name_is_the_one_sound_comes_from() -> None:
    watch = Watch("Desk microphone")
    watch.block(0.0, True, 0.1)
    moved = watch.moved(Elsewhere("Headset", gone=False))
    assert moved is not None and moved.source == "Headset"
    assert "gone" not in moved.message and "Desk microphone to Headset" in moved.message
    assert watch.moved(Elsewhere("Headset", gone=False)) is None, "told once"
    told = [watch.block(0.1 * i, False, 0.0) for i in range(1, 40)]
    assert [str(s.message) for s in told if s] == ["No sound is arriving from Headset."]
    back = watch.moved(None)
    assert back is not None
    assert (back.kind, back.source, back.message) == (
        *("back", "Desk microphone"),
        "Listening to Desk microphone again.",
    )
    (silent,) = [s for i in range(40, 90) if (s := watch.block(0.1 * i, False, 0.0))]
    assert silent.message == "No sound is arriving from Desk microphone."


def test_a_source_that_became_another_and_then_went_is_told_so() -> None:
    watch = Watch("Desk microphone")
    moved, gone = (watch.moved(Elsewhere("Headset", gone)) for gone in (False, True))
    assert moved is not None and gone is not None
    assert gone.message == "Desk microphone is gone; listening to Headset instead."


def states(watch: Watch, blocks: list[tuple[float, bool]], rms: float = 0.01) -> list[str]:
    told = [watch.block(at, sound, rms if sound else 0.0) for at, sound in blocks]
    return [state.kind for state in told if state]


def test_zeros_are_told_within_three_seconds_and_taken_back() -> None:
    watch = Watch("Desk microphone")
    zeros = [(0.1 * i, False) for i in range(40)]
    assert states(watch, zeros[:20]) == []
    assert states(watch, zeros[20:30]) == ["silent"]
    assert states(watch, zeros[30:]) == []
    assert states(watch, [(4.1, True)]) == ["flowing"]


def test_quiet_rooms_are_not_silence() -> None:
    watch = Watch("Desk microphone")
    assert states(watch, [(0.1 * i, i % 20 == 0) for i in range(100)]) == ["flowing"]


def test_a_pipe_that_stalls_is_waited_for_and_gets_no_advice_for_devices() -> None:
    watch = Watch("standard input", live=False)
    watch.block(0.0, True, 0.1)
    stalled = watch.nothing(2.1)
    assert stalled is not None and stalled.message == "No sound is arriving from standard input."
    assert "What writes it" in stalled.hint
    watch.nothing(600.0)
    assert not watch.hopeless, "what comes then is still to be heard"


def said(watch: Watch, dbfs: list[float]) -> list[str]:
    told = [watch.block(0.032 * i, True, 10 ** (db / 20)) for i, db in enumerate(dbfs)]
    return [state.kind for state in told if state]


def test_speech_too_quiet_is_told_once_and_taken_back() -> None:
    watch = Watch("Desk microphone")
    syllables = [-58.0, -60.0, -75.0, -80.0] * 250
    assert said(watch, syllables) == ["flowing", "quiet"]
    assert said(watch, [-30.0]) == ["flowing"]


def test_a_quiet_room_and_quiet_music_of_the_computer_are_no_trouble() -> None:
    hiss = list(np.random.default_rng(0).normal(-65, 1.0, 1000))
    assert said(Watch("Desk microphone"), hiss) == ["flowing"]
    assert said(Watch("Speakers", system=True), [-58.0, -75.0] * 500) == ["flowing"]
    now_and_then_loud = ([-60.0, -80.0] * 100 + [-40.0]) * 5
    assert said(Watch("Desk microphone"), now_and_then_loud) == ["flowing"]


def test_two_sides_against_each_other_are_heard_and_not_called_silent() -> None:
    listener = Listener(Feed())
    deliver = listener.feed.opened.get(timeout=10)
    listener.feed.hang.set()
    left = noise(0.2, channels=1)
    at = time.monotonic()
    for i in range(20):
        deliver(Block(np.hstack([left, -left]), at + 0.2 * (i + 1)))
    levels: list[float] = []
    told: list[str] = []
    while len(levels) < 20:
        event = listener.events.get(timeout=10)
        levels += [event.rms] if isinstance(event, Level) else []
        told += [event.kind] if isinstance(event, SoundState) else []
    listener.capture.close()
    assert min(levels) > 0.08 and max(levels) < 0.12
    assert told == ["flowing"]


def test_no_frames_are_told_once_and_soon_hopeless() -> None:
    watch = Watch("Desk microphone")
    watch.block(0.0, True, 0.1)
    assert watch.nothing(1.9) is None
    told = watch.nothing(2.1)
    assert told is not None and told.kind == "stalled" and told.hint
    assert watch.nothing(2.2) is None
    assert not watch.hopeless
    watch.nothing(6.0)
    assert watch.hopeless
