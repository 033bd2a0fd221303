"""The real way of sound: PulseAudio null sink → its door → capture, and all that can go wrong."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.audio.capture import Capture, CaptureEvent, SoundState
from app.audio.choice import Device, Microphone, SystemSound
from app.audio.clock import SessionClock
from app.audio.devices import libpulse
from app.audio.devices import pulse as door
from app.audio.devices.base import AbsentSourceError, NoSourceError, SourceError, SourceInfo
from app.audio.feeds import feed_for
from app.audio.sources import choice_named, choose, list_sources
from app.core.chunk import Chunk
from app.core.timeline import Gap
from tests.support.pulse import PulseServer

pytestmark = pytest.mark.audio

PATIENCE_S = 60.0  # then what is waited for is not going to come


MICROPHONE = Microphone()


class Recorder:
    """A capture of the virtual microphone, and what it has delivered."""

    def __init__(self, choice: Device | Microphone | SystemSound = MICROPHONE) -> None:
        self.events: queue.Queue[CaptureEvent] = queue.Queue()
        self.clock = SessionClock()
        self.chunks: list[Chunk] = []
        self.capture = Capture(feed_for(choice), "me", self.clock, self.events.put)
        self.capture.start()

    def next(self, kind: type, until: float | None = None) -> CaptureEvent:
        until = until or time.monotonic() + PATIENCE_S
        while True:
            event = self.events.get(timeout=max(0.0, until - time.monotonic()))
            if isinstance(event, Chunk):
                self.chunks.append(event)
            if isinstance(event, kind):
                return event

    def state(self, *kinds: str) -> SoundState:
        until = time.monotonic() + PATIENCE_S
        while True:
            event = self.next(SoundState, until)
            assert isinstance(event, SoundState)
            if event.kind in kinds:
                return event


@pytest.fixture
def recorder(pulse: PulseServer) -> Iterator[Recorder]:
    recorder = Recorder()
    yield recorder
    recorder.capture.close()
    assert recorder.capture.join(PATIENCE_S), "before its server goes"


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
    assert choose(sources[-1].choice) == sources[-1]
    assert choice_named(sources[-1].name.upper()) == sources[-1].choice
    with pytest.raises(SourceError, match="no source here") as refused:
        choice_named("Nobody's microphone")
    assert sources[0].name in refused.value.hint


def test_without_a_microphone_it_says_so(pulse: PulseServer) -> None:
    pulse.unplug()
    with pytest.raises(NoSourceError, match="No microphone"):
        choose(Microphone())


def test_a_tone_is_heard_whole_at_its_level(
    pulse: PulseServer, recorder: Recorder, tone: Path
) -> None:
    recorder.next(Chunk)  # an idle sink may take 1.7 s to send its first
    pulse.play(tone)
    recorder.state("flowing")
    recorder.state("silent")  # the tone is over
    heard = np.concatenate([np.frombuffer(c.pcm, "<i2") for c in recorder.chunks]) / 32768
    loud = np.abs(heard) > 0.05
    assert 1.9 < loud.sum() / 16_000 / (1 - 2 / np.pi * np.arcsin(0.1)) < 2.1
    spectrum = np.abs(np.fft.rfft(heard[loud.argmax() :][:16_000]))
    assert abs(int(spectrum.argmax()) - 440) <= 1
    assert 0.45 < np.abs(heard).max() < 0.55
    ends = [c.end_ms for c in recorder.chunks]
    assert all(abs(c.start_ms - e) <= 1 for c, e in zip(recorder.chunks[1:], ends, strict=False))


def test_blocks_are_as_long_as_asked_for_whatever_pieces_the_server_sends(
    pulse: PulseServer, tone: Path
) -> None:
    """Some servers send three frames at a time; each block costs the same, long or short."""
    took: queue.Queue[int] = queue.Queue()
    recording = libpulse.Recording(
        pulse.source, 0.032, lambda sound: took.put(len(sound)), lambda: None, lambda ident: None
    )
    try:
        pulse.play(tone, wait=False)
        lengths = [took.get(timeout=PATIENCE_S) for _ in range(40)]
        assert min(lengths) >= round(0.032 * recording.rate)
    finally:
        recording.close()


def test_zeros_are_told(pulse: PulseServer, recorder: Recorder) -> None:
    state = recorder.state("silent")
    assert "No sound is arriving" in state.message and state.hint


def test_a_suspended_source_is_told_and_heard_again(
    pulse: PulseServer, recorder: Recorder, tone: Path
) -> None:
    recorder.next(Chunk)
    pulse.suspend()
    while "put to sleep" not in recorder.state("stalled").message:
        pass  # it was seen that nothing comes before it was heard why
    pulse.suspend(on=False)
    pulse.play(tone, wait=False)
    recorder.state("flowing")


def test_an_unplugged_microphone_is_told_and_what_the_computer_plays_is_not_heard_for_it(
    pulse: PulseServer, recorder: Recorder, tone: Path
) -> None:
    """PulseAudio gives a recorder that has lost its microphone the monitor of an output."""
    recorder.next(Chunk)
    pulse.unplug()
    lost = recorder.state("lost")
    assert lost.message == f"{recorder.capture.name} is not connected." and lost.hint
    recorder.chunks.clear()
    pulse.play(tone, sink=pulse.system_sink)
    pulse.plug()
    recorder.state("silent")
    assert not any(np.frombuffer(chunk.pcm, "<i2").any() for chunk in recorder.chunks)


def test_a_muted_microphone_is_told_and_taken_back(pulse: PulseServer, recorder: Recorder) -> None:
    recorder.next(Chunk)
    pulse.pactl("set-source-mute", pulse.source, "1")
    muted = recorder.state("muted")
    assert muted.message == f"{recorder.capture.name} is muted." and muted.hint
    pulse.pactl("set-source-mute", pulse.source, "0")
    recorder.state("flowing")


def test_an_output_that_is_muted_is_told_where_that_keeps_it_from_being_heard(
    pulse: PulseServer,
) -> None:
    recorder = Recorder(SystemSound())
    try:
        recorder.state("flowing")
        pulse.pactl("set-sink-mute", pulse.system_sink, "1")
        assert "is muted, and may not be heard" in recorder.state("unheard").message
        pulse.pactl("set-sink-mute", pulse.system_sink, "0")
        recorder.state("flowing")
    finally:
        recorder.capture.close()
        assert recorder.capture.join(PATIENCE_S)


def _is_recorded(pulse: PulseServer, source: str) -> bool:
    """Whether we record this one: ours is the only output in floating point."""
    indexes = {
        line.split()[1]: line.split()[0]
        for line in pulse.pactl("list", "short", "sources").splitlines()
    }
    outputs = [
        line.split("\t") for line in pulse.pactl("list", "short", "source-outputs").splitlines()
    ]
    return [fields[1] for fields in outputs if "float32le" in fields[4]] == [indexes[source]]


def _all(recorder: Recorder) -> list[CaptureEvent]:
    return [recorder.events.get() for _ in range(recorder.events.qsize())]


def test_a_chosen_device_stays_though_the_default_changes(
    pulse: PulseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PulseAudio takes everybody along to a new default, also who had asked for another one."""
    monkeypatch.setattr(door, "_LED_AWAY_S", PATIENCE_S)  # where all is slow, that is, too
    pulse.add_source("usb_headset", "USB Headset 7.1")
    recorder = Recorder(Device(pulse.source))
    try:
        recorder.state("silent")
        pulse.pactl("set-default-source", "usb_headset")
        told: list[str] = []
        until = time.monotonic() + PATIENCE_S
        while not _is_recorded(pulse, pulse.source):
            assert time.monotonic() < until
            told += [event.kind for event in _all(recorder) if isinstance(event, SoundState)]
        pulse.pactl("set-source-mute", pulse.source, "1")
        recorder.state("muted")
        # (where nobody gets any processor time, no sound comes for a moment)
        assert {"moved", "gone", "back", "lost"}.isdisjoint(told), "nobody has to know"
    finally:
        recorder.capture.close()
        assert recorder.capture.join(PATIENCE_S)


def test_a_sound_server_that_dies_and_comes_back_is_a_marked_gap(
    pulse: PulseServer, recorder: Recorder, tone: Path
) -> None:
    recorder.next(Chunk)
    pulse.play(tone, wait=False)
    recorder.state("flowing")
    pulse.kill()
    assert recorder.state("lost").message == "The sound server has stopped."
    pulse.start()
    gap = recorder.next(Gap)
    assert isinstance(gap, Gap) and gap.reason == "device"
    pulse.play(tone, wait=False)
    recorder.state("flowing")


def test_closing_does_not_wait_for_a_frozen_sound_server(
    pulse: PulseServer, recorder: Recorder
) -> None:
    recorder.next(Chunk)
    pulse.freeze()
    try:
        recorder.capture.close()  # returns; a hang here would be the test's time-out
    finally:
        pulse.freeze(on=False)


def test_a_source_the_user_moves_us_from_is_not_called_gone_and_is_told_when_back(
    pulse: PulseServer, recorder: Recorder, tone: Path
) -> None:
    recorder.next(Chunk)
    pulse.add_source("usb_headset", "USB Headset 7.1")
    (ours,) = [
        line.split()[0]
        for line in pulse.pactl("list", "short", "source-outputs").splitlines()
        if "float32le" in line
    ]
    pulse.pactl("move-source-output", ours, "usb_headset")
    moved = recorder.state("moved")
    assert moved.source == "USB Headset 7.1" and "gone" not in moved.message
    pulse.play(tone, wait=False)
    recorder.state("flowing")
    pulse.pactl("move-source-output", ours, pulse.source)
    assert recorder.state("back").source == recorder.capture.name


def test_speech_on_the_fourth_channel_of_an_interface_is_heard(
    pulse: PulseServer, tone: Path, tmp_path: Path
) -> None:
    """An interface names its channels AUX0 … AUX7, and the server has no left or right to give."""
    names = ",".join(f"aux{i}" for i in range(8))
    pulse.pactl(
        *("load-module", "module-null-sink", "sink_name=eight", "channels=8"),
        f"channel_map={names}",
    )
    pulse.pactl(
        *("load-module", "module-remap-source", "source_name=iface", "master=eight.monitor"),
        *("channels=8", f"channel_map={names}", f"master_channel_map={names}", "remix=no"),
        "source_properties=device.description=Interface",
    )
    at = np.arange(2 * 48_000) / 48_000
    samples = np.zeros((len(at), 8))
    samples[:, 3] = 0.5 * np.sin(2 * np.pi * 440 * at)
    soundfile.write(tmp_path / "eight.wav", samples, 48_000)
    recorder = Recorder(Device("iface"))
    try:
        recorder.next(Chunk)
        map_ = f"--channel-map={names}"
        pulse.play(tmp_path / "eight.wav", wait=False, sink="eight", options=[map_, "--no-remap"])
        recorder.state("flowing")
        loudest, until = 0.0, time.monotonic() + PATIENCE_S
        while loudest < 0.4:
            chunk = recorder.next(Chunk, until)
            assert isinstance(chunk, Chunk)
            loudest = float(np.abs(np.frombuffer(chunk.pcm, "<i2")).max()) / 32768
    finally:
        recorder.capture.close()
        assert recorder.capture.join(PATIENCE_S)


def test_a_source_that_is_not_there_is_refused_with_a_sentence(pulse: PulseServer) -> None:
    gone = door.feed(SourceInfo("alsa_input.gone", "Gone 2.0", "microphone"))
    with pytest.raises(AbsentSourceError, match=r"Gone 2\.0 is not connected"):
        gone.open(lambda block: None)
    pulse.kill()
    with pytest.raises(SourceError, match="The sound server has stopped"):
        gone.open(lambda block: None)
