"""The real way of sound: PulseAudio null sink → PortAudio → capture, and all that can go wrong."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.audio.capture import Capture, CaptureEvent, SoundState
from app.audio.clock import SessionClock
from app.audio.devices.base import NoSourceError, SourceError, choose_source, list_sources
from app.audio.devices.portaudio import Microphone
from app.core.chunk import Chunk
from app.core.timeline import Gap
from tests.support.pulse import PulseServer

pytestmark = pytest.mark.audio


class Ear:
    """A capture of the virtual microphone, and what it has delivered."""

    def __init__(self) -> None:
        self.events: queue.Queue[CaptureEvent] = queue.Queue()
        self.clock = SessionClock()
        self.chunks: list[Chunk] = []
        self.capture = Capture(Microphone(choose_source(None)), "me", self.clock, self.events.put)
        self.capture.start()

    def next(self, kind: type, timeout: float = 20.0) -> CaptureEvent:
        while True:
            event = self.events.get(timeout=timeout)
            if isinstance(event, Chunk):
                self.chunks.append(event)
            if isinstance(event, kind):
                return event

    def state(self, *kinds: str) -> SoundState:
        while True:
            event = self.next(SoundState)
            assert isinstance(event, SoundState)
            if event.kind in kinds:
                return event


@pytest.fixture
def ear(pulse: PulseServer) -> Iterator[Ear]:
    import sounddevice

    sounddevice._terminate()  # PortAudio reads the list of devices once; this server is new
    sounddevice._initialize()
    ear = Ear()
    yield ear
    ear.capture.close()
    assert ear.capture.join(20), "before its server goes: PortAudio hangs on what is still open"


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """Two seconds of 440 Hz at half of full scale."""
    path = tmp_path / "tone.wav"
    at = np.arange(2 * 48_000) / 48_000
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * 440 * at), 48_000)
    return path


def test_sources_carry_the_names_of_the_sound_server(pulse: PulseServer) -> None:
    sources = list_sources()
    assert sources[0].id == pulse.source
    assert sources[0].kind == "microphone" and sources[0].default
    assert {s.id for s in sources if s.kind == "system"} == {
        pulse.system_source,
        f"{pulse.sink}.monitor",
    }
    assert choose_source(sources[-1].name.upper()) == sources[-1]
    with pytest.raises(SourceError, match="not a source here") as refused:
        choose_source("Nobody's microphone")
    assert sources[0].name in refused.value.hint


def test_without_a_microphone_it_says_so(pulse: PulseServer) -> None:
    pulse.unplug()
    with pytest.raises(NoSourceError, match="No microphone"):
        choose_source(None)


def test_a_tone_is_heard_whole_at_its_level(pulse: PulseServer, ear: Ear, tone: Path) -> None:
    ear.next(Chunk)  # an idle sink may take 1.7 s to send its first
    pulse.play(tone)
    ear.state("flowing")
    ear.state("silent")  # the tone is over
    heard = np.concatenate([np.frombuffer(c.pcm, "<i2") for c in ear.chunks]) / 32768
    loud = np.abs(heard) > 0.05
    assert 1.9 < loud.sum() / 16_000 / (1 - 2 / np.pi * np.arcsin(0.1)) < 2.1
    spectrum = np.abs(np.fft.rfft(heard[loud.argmax() :][:16_000]))
    assert abs(int(spectrum.argmax()) - 440) <= 1
    assert 0.45 < np.abs(heard).max() < 0.55
    ends = [c.end_ms for c in ear.chunks]
    assert all(abs(c.start_ms - e) <= 1 for c, e in zip(ear.chunks[1:], ends, strict=False))


def test_zeros_are_told(pulse: PulseServer, ear: Ear) -> None:
    state = ear.state("silent")
    assert "No sound is arriving" in state.message and state.hint


def test_a_suspended_source_is_told_and_heard_again(
    pulse: PulseServer, ear: Ear, tone: Path
) -> None:
    ear.next(Chunk)
    pulse.suspend()
    assert "No sound is arriving" in ear.state("stalled").message
    pulse.suspend(on=False)
    pulse.play(tone, wait=False)
    ear.state("flowing")


def test_an_unplugged_microphone_is_told_although_portaudio_says_nothing(
    pulse: PulseServer, ear: Ear
) -> None:
    ear.next(Chunk)
    pulse.unplug()
    assert "instead" in ear.state("moved").message


def test_a_sound_server_that_dies_and_comes_back_is_a_marked_gap(
    pulse: PulseServer, ear: Ear, tone: Path
) -> None:
    ear.next(Chunk)
    pulse.play(tone, wait=False)
    ear.state("flowing")
    pulse.kill()
    ear.state("lost")
    pulse.start()
    gap = ear.next(Gap)
    assert isinstance(gap, Gap) and gap.reason == "device"
    pulse.play(tone, wait=False)
    ear.state("flowing")


def test_closing_does_not_wait_for_a_frozen_sound_server(pulse: PulseServer, ear: Ear) -> None:
    ear.next(Chunk)
    pulse.freeze()
    try:
        ear.capture.close()  # returns; a hang here would be the test's time-out
    finally:
        pulse.freeze(on=False)
