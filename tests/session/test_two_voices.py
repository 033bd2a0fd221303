"""A session with two voices, whole: real captures and a real worker, its journal and its file."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app import paths
from app.audio.capture import Block, Capture, CaptureEvent, Feed, Opened
from app.audio.choice import Meeting, SourceChoice, SystemSound
from app.audio.clock import GAP_MS, SessionClock
from app.core.chunk import Chunk
from app.core.voices import ME, THEM
from app.session import ending, journal, state
from app.session.session import Session
from app.session.sources import Found
from app.session.status import SessionOptions
from model_backends.base import EngineOptions, Pcm, Word
from tests.support.rooms import noise, played, said, spoken

SECONDS = 10.0
_BEFORE = np.zeros(16_000, dtype=np.float32)  # until both captures have begun
SOUND = {
    THEM: np.concatenate([_BEFORE, played(SECONDS)]),
    ME: said(SECONDS + 1, 1.0) + noise(round((SECONDS + 1) * 16_000)),
}
SCRIPTS = {
    lane: [(f" {lane}{n}", start, end) for n, (start, end) in enumerate(spoken(pcm))]
    for lane, pcm in SOUND.items()
}


class Device:
    """A sound card that delivers what it is given as time goes by, from `origin` on."""

    live, notes = True, ()

    def __init__(
        self,
        name: str,
        pcm: Pcm,
        system: bool = False,
        origin: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name, self.system = name, system
        self._pcm, self._origin_of = pcm, origin
        self._closed, self.played = threading.Event(), threading.Event()

    def open(self, deliver: Callable[[Block | None], None]) -> Opened:
        threading.Thread(target=self._play, args=(deliver,), daemon=True).start()
        return Open(16_000, self._closed)

    def _play(self, deliver: Callable[[Block | None], None]) -> None:
        """From its first sample on, however late it was opened: as a card that has a buffer."""
        begun = self._origin_of()
        for at in range(0, len(self._pcm), 800):
            due = begun + (at + 800) / 16_000
            if self._closed.wait(max(0.0, due - time.monotonic())):
                return
            deliver(Block(self._pcm[at : at + 800, np.newaxis], due))  # however busy we are
        self.played.set()


class Open:
    """Satisfies `capture.Opened`."""

    def __init__(self, rate: int, closed: threading.Event) -> None:
        self.rate, self._closed = rate, closed

    def close(self) -> None:
        self._closed.set()

    def moved_to(self) -> None:
        return None


def meeting(options: SessionOptions) -> tuple[Session, list[Device]]:
    """Sound's own time is the session's: what the script says then is what is said."""
    devices: list[Device] = []

    def search(source: SourceChoice, answer: Callable[[Found], None]) -> None:
        theirs = source == SystemSound()
        pcm, name = (SOUND[THEM], "Speakers") if theirs else (SOUND[ME], "Headset")
        devices.append(Device(name, pcm, theirs, lambda: session._clock.monotonic(0)))
        feed: Feed = devices[-1]
        answer(feed)

    session = Session(options, search=search)
    return session, devices


@pytest.fixture
def options(tmp_path: Path) -> SessionOptions:
    script = tmp_path / "scripts.json"
    script.write_text(json.dumps({"script": SCRIPTS}))
    engine = EngineOptions("scripted", model=str(script))
    return SessionOptions(engine, Meeting(), srt=tmp_path / "meeting.srt", names=NAMES)


NAMES = {ME: "Ada", THEM: "Team"}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop waits for the last words, however busy the computer is."""
    for name in ("STOP_MS", "LONGEST_STOP_MS"):
        for module in (ending, state):
            monkeypatch.setattr(module, name, 60_000)


def run(session: Session, devices: list[Device], each: Callable[[list[Word]], None]) -> None:
    """To its end; it is stopped, once, when all has been played and heard: whoever stops again does
    not wait for the last words."""
    words: list[Word] = []
    stopped = False
    session.start()
    deadline = time.monotonic() + 120
    while not session.over:
        assert time.monotonic() < deadline, session.status
        events = session.wait(0.1)
        words += [event for event in events if isinstance(event, Word)]
        each(words)
        lag_ms = max(session._client.lag_ms(lane) for lane in SOUND)
        played = [device.played.is_set() for device in devices]
        if played == [True, True] and lag_ms < 1_000 and not stopped:
            stopped = True
            session.stop()


def test_a_meeting_is_kept_and_saved_though_its_worker_dies(options: SessionOptions) -> None:
    session, devices = meeting(options)
    every = sum(map(len, SCRIPTS.values()))
    killed: list[int] = []

    def kill(words: list[Word]) -> None:
        heard = {word.lane for word in words}
        if not killed and len(heard) == 2 and len(words) > 8 and session.worker_pid:
            killed.append(session.worker_pid)
            os.kill(session.worker_pid, signal.SIGKILL)

    run(session, devices, kill)
    assert killed
    for lane, script in SCRIPTS.items():
        found = session.timeline.words(lane)
        assert [word.text for word in found] == [text for text, _, _ in script], "0 lost, 0 doubled"
    merged = session.timeline.words()
    assert [w.start_ms for w in merged] == sorted(w.start_ms for w in merged)
    assert options.srt is not None
    srt = options.srt.read_text("utf-8")
    assert "\nAda: me0" in srt and "\nTeam: them0" in srt
    said_in_srt = re.findall(r"(?:me|them)\d+", srt)
    assert len(said_in_srt) == len(set(said_in_srt)) == every


def test_a_meeting_that_was_cut_off_is_recovered_with_who_spoke(
    options: SessionOptions, tmp_path: Path
) -> None:
    session, _ = meeting(options)
    session.start()
    words: list[Word] = []
    while {word.lane for word in words} != {ME, THEM} or len(words) < 6:
        words += [event for event in session.wait(0.1) if isinstance(event, Word)]
    session.abort()
    (path,) = paths.journal_dir().glob("*.jsonl")
    deadline = time.monotonic() + 60
    while sum(each.text in path.read_text("utf-8") for each in words) < len(words):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    text = journal.recover(path, tmp_path / "recovered.srt").read_text("utf-8")
    assert "Ada: me0" in text and "Team: them0" in text
    assert all(word.text.strip() in text for word in words)


# --- times -------------------------------------------------------------------------------------

CLICKS_S = (3.0, 17.5, 31.0, 52.25)


class LateDevice(Device):
    """Clicks at known times; blocks come late by what its driver takes, never twice the same."""

    def __init__(self, rate: int, begin_s: float, latency_s: float, origin: float) -> None:
        super().__init__("clicks", np.zeros(0, dtype=np.float32))
        self._rate, self._begin, self._latency, self._origin = rate, begin_s, latency_s, origin

    def open(self, deliver: Callable[[Block | None], None]) -> Opened:
        chance = np.random.default_rng(self._rate)
        samples = np.zeros(round((60 - self._begin) * self._rate), dtype=np.float32)
        for at in CLICKS_S:
            begin = round((at - self._begin) * self._rate)
            samples[begin : begin + self._rate // 100] = 0.5
        step = self._rate // 50
        for at in range(0, len(samples), step):
            complete = self._origin + self._begin + (at + step) / self._rate
            late = self._latency + chance.uniform(0, 0.03)
            deliver(Block(samples[at : at + step, np.newaxis], complete + late))
        return Open(self._rate, self._closed)


def clicks_heard(lane: str, device: LateDevice, clock: SessionClock) -> list[int]:
    """When each click was, by the session's clock, ms."""
    chunks: list[Chunk] = []
    done = threading.Event()

    def take(event: CaptureEvent) -> None:
        if isinstance(event, Chunk):
            chunks.append(event)
            if event.end_ms > 59_000:
                done.set()

    capture = Capture(device, lane, clock, take)
    capture.start()
    assert done.wait(60)
    capture.close()
    found: list[int] = []
    for chunk in chunks:
        pcm = np.frombuffer(chunk.pcm, dtype="<i2")
        loud = np.flatnonzero(np.abs(pcm) > 8_000)
        if len(loud):
            at_ms = chunk.start_ms + int(loud[0]) // 16
            if not found or at_ms - found[-1] > 1_000:
                found.append(at_ms)
    return found


def test_both_voices_stand_on_one_clock() -> None:
    """Begun at other times, at other rates, through drivers that take their time."""
    clock = SessionClock()
    origin = clock.monotonic(0)
    theirs = clicks_heard(THEM, LateDevice(48_000, 0.2, 0.02, origin), clock)
    mine = clicks_heard(ME, LateDevice(44_100, 1.1, 0.05, origin), clock)
    truth = [round(at * 1_000) for at in CLICKS_S]
    assert len(theirs) == len(mine) == len(truth)
    for true_ms, their_ms, my_ms in zip(truth, theirs, mine, strict=True):
        assert abs(their_ms - true_ms) <= GAP_MS and abs(my_ms - true_ms) <= GAP_MS
