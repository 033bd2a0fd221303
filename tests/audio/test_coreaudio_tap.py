"""What a Mac plays: the door, against a stand-in with the library's own shape.

Not run on hardware: that the stand-in behaves as the library does is taken from its source.
"""

from __future__ import annotations

import os
import platform
import queue
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.audio import sources
from app.audio.choice import Application, Microphone, SystemSound
from app.audio.devices import coreaudio_tap, portaudio
from app.audio.devices.base import NoSourceError, SourceError
from app.audio.feeds import feed_for
from app.audio.listening import Block
from app.audio.sources import automatic, choice_named, choose, list_sources
from tests.audio.heard import PATIENCE_S, Heard
from tests.support.likeness import assert_like
from tests.support.wheels import shape_of


@dataclass
class AudioProcess:
    """`catap.AudioProcess`."""

    audio_object_id: int
    pid: int
    bundle_id: str | None
    name: str
    is_outputting: bool
    is_running: bool = False
    is_inputting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioStreamFormat:
    """`catap.AudioStreamFormat`."""

    sample_rate: float = 48_000.0
    num_channels: int = 2
    bits_per_sample: int = 32
    sample_type: str = "float"
    format_id: str = "lpcm"

    @property
    def bytes_per_sample(self) -> int:
        return self.bits_per_sample // 8

    @property
    def is_float(self) -> bool:
        return self.sample_type == "float"


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioBuffer:
    """`catap.AudioBuffer`."""

    data: bytes
    frame_count: int
    format: AudioStreamFormat
    input_sample_time: float | None = None


OnBuffer = Callable[[AudioBuffer], None]


class RecordingSession:
    """`catap.RecordingSession`, of some processes, or of all: then `tapped` is None."""

    def __init__(
        self,
        tap_description: tuple[int, ...] | None,
        output_path: str | Path | None = None,
        on_buffer: OnBuffer | None = None,
        *,
        max_pending_buffers: int = 256,
        drift_compensation_quality: None = None,
        _backend: None = None,
    ) -> None:
        assert on_buffer is not None
        self.tapped = tap_description
        self._on_buffer = on_buffer
        self._mac = library.mac
        self.capture_failed = False
        self._started = False

    @property
    def stream_format(self) -> AudioStreamFormat | None:
        return self._mac.format if self._started else None

    def start(self) -> None:
        if self._mac.refusal:
            raise self._mac.refusal
        self._started = True
        self._mac.sessions.put(self)

    def close(self) -> None:
        self._started = False

    def set_processes(self, processes: Sequence[str | AudioProcess]) -> None:
        if self._mac.allowed is False:
            raise PermissionError("Core Audio refuses the modification")
        self.tapped = tuple(p.audio_object_id for p in processes if isinstance(p, AudioProcess))

    def play(self, samples: np.ndarray[Any, Any]) -> None:
        """Shape (frames, channels), in the type of the tap's format."""
        shape = self._mac.format
        self._on_buffer(AudioBuffer(data=samples.tobytes(), frame_count=len(samples), format=shape))


class Mac:
    """What plays on it, and what its taps do."""

    def __init__(self) -> None:
        own = AudioProcess(90, os.getpid(), "org.voxline", "Voxline", True)
        self.processes = [
            own,
            AudioProcess(101, 501, "com.apple.Safari", "Safari", False),
            AudioProcess(102, 502, "us.zoom.xos", "zoom.us", True, True, True),
            AudioProcess(103, 503, "com.google.Chrome.helper", "Google Chrome Helper", True),
            AudioProcess(104, 504, "com.hnc.Discord.helper", "Discord Helper (Renderer)", True),
        ]
        self.format = AudioStreamFormat()
        self.refusal: Exception | None = None
        self.allowed: bool | None = None
        self.sessions: queue.Queue[RecordingSession] = queue.Queue()


class Library:
    """`catap`."""

    def __init__(self) -> None:
        self.mac = Mac()

    def list_audio_processes(self) -> list[AudioProcess]:
        return list(self.mac.processes)

    def record_system_audio(
        self,
        output_path: str | Path | None = None,
        *,
        exclude: Sequence[str | AudioProcess] = (),
        mute: bool = False,
        mono: bool = False,
        visible: bool = False,
        on_buffer: OnBuffer | None = None,
        max_pending_buffers: int = 256,
        drift_compensation_quality: None = None,
    ) -> RecordingSession:
        return RecordingSession(None, output_path, on_buffer)

    def record_processes(
        self,
        processes: Sequence[str | AudioProcess],
        output_path: str | Path | None = None,
        *,
        mute: bool = False,
        mono: bool = False,
        visible: bool = False,
        on_buffer: OnBuffer | None = None,
        max_pending_buffers: int = 256,
        drift_compensation_quality: None = None,
    ) -> RecordingSession:
        ids = tuple(p.audio_object_id for p in processes if isinstance(p, AudioProcess))
        return RecordingSession(ids, output_path, on_buffer)


library = Library()


def test_the_stand_ins_have_the_shape_of_the_library() -> None:
    modules = ("catap/_recording_support.py", "catap/session.py", "bindings/process.py")
    real = shape_of("catap", *modules, "catap/audio_buffer.py")
    assert_like(RecordingSession, real.RecordingSession, own={"play", "tapped"})
    for stand_in in (AudioProcess, AudioStreamFormat, AudioBuffer):
        assert_like(stand_in, getattr(real, stand_in.__name__))
    assert_like(Library, real, own={"mac"})


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> Mac:
    """macOS 14.5, with four applications that use sound."""
    global library
    library = Library()
    monkeypatch.setitem(sys.modules, "catap", library)
    monkeypatch.setattr(platform, "mac_ver", lambda: ("14.5", ("", "", ""), "arm64"))
    monkeypatch.setattr(sources, "DESKTOP", "macos")
    monkeypatch.setattr(portaudio, "sources", list)
    monkeypatch.setattr(coreaudio_tap, "_LOOK_S", 0.01)
    return library.mac


def sounds(block: Block) -> bool:
    return bool(block.samples.any())


def test_all_of_it_and_each_application_that_plays_are_listed_for_people(mac: Mac) -> None:
    listed = [(source.kind, source.name) for source in list_sources()]
    assert listed == [
        ("system", "This computer’s sound"),
        ("application", "Discord"),
        ("application", "Google Chrome"),
        ("application", "zoom.us"),
    ]
    assert [choose(source.choice).name for source in list_sources()] == [n for _, n in listed]
    assert choice_named("app:google") == Application("Google Chrome")
    assert choice_named("system") == SystemSound()


@pytest.mark.parametrize("version", ["13.6.1", "14.3", ""])
def test_an_older_macos_lists_it_with_the_reason_and_automatic_is_the_microphone(
    mac: Mac, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr(platform, "mac_ver", lambda: (version, ("", "", ""), "arm64"))
    listed = list_sources()
    assert [source.kind for source in listed] == ["system", "application"]
    assert all("since 14.4" in source.why_not for source in listed)
    with pytest.raises(NoSourceError, match=r"since 14\.4"):
        feed_for(SystemSound())
    with pytest.raises(NoSourceError, match=r"since 14\.4"):
        feed_for(Application("Safari"))
    assert automatic() == Microphone()


def test_without_the_library_it_is_said_what_is_missing(
    mac: Mac, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "catap", None)
    assert "catap, which is not installed" in coreaudio_tap.why_not()


@pytest.mark.parametrize(
    ("shape", "sound"),
    [
        (AudioStreamFormat(sample_rate=44_100.0), np.array([[0.5, -0.25]] * 441, dtype="<f4")),
        (
            AudioStreamFormat(bits_per_sample=16, sample_type="signed_integer"),
            np.array([[16384, -8192]] * 480, dtype="<i2"),
        ),
    ],
)
def test_all_of_it_is_heard_in_whatever_format_it_comes(
    mac: Mac, shape: AudioStreamFormat, sound: np.ndarray[Any, Any]
) -> None:
    mac.format = shape
    heard = Heard()
    opened = feed_for(SystemSound()).open(heard.blocks.put)
    assert opened.rate == shape.sample_rate
    session = mac.sessions.get(timeout=PATIENCE_S)
    assert session.tapped is None
    session.play(sound)
    block = heard.until(sounds)
    assert block.samples.dtype == np.float32 and block.samples.shape == sound.shape
    assert np.allclose(block.samples[0], [0.5, -0.25])
    opened.close()


def test_an_application_is_heard_by_all_of_its_processes_as_they_come(mac: Mac) -> None:
    heard = Heard()
    opened = feed_for(Application("Google Chrome")).open(heard.blocks.put)
    session = mac.sessions.get(timeout=PATIENCE_S)
    tapped = [session.tapped]
    assert tapped == [(103,)]
    another = AudioProcess(205, 605, "com.google.Chrome.helper", "Google Chrome Helper", True)
    mac.processes.append(another)
    until = time.monotonic() + PATIENCE_S
    while tapped[-1] != (103, 205):
        tapped.append(session.tapped)
        assert time.monotonic() < until
        time.sleep(0.001)
    opened.close()


def test_an_application_that_plays_nothing_is_silence_until_it_does(mac: Mac) -> None:
    del mac.processes[1]
    feed, heard = feed_for(Application("Safari")), Heard()
    feed.open(heard.blocks.put)
    assert not sounds(heard.until(lambda block: True))
    mac.processes.append(AudioProcess(301, 701, "com.apple.Safari", "Safari", True))
    heard.end()  # to be opened anew, at the rate of its tap
    opened = feed.open(heard.blocks.put)
    mac.sessions.get(timeout=PATIENCE_S).play(np.full((480, 2), 0.1, dtype="<f4"))
    heard.until(sounds)
    opened.close()


def test_a_tap_that_fails_or_may_not_be_changed_is_opened_anew(mac: Mac) -> None:
    heard = Heard()
    feed_for(SystemSound()).open(heard.blocks.put)
    mac.sessions.get(timeout=PATIENCE_S).capture_failed = True
    heard.end()
    mac.allowed = False
    feed_for(Application("zoom.us")).open(heard.blocks.put)
    mac.processes.append(AudioProcess(401, 801, "us.zoom.xos", "zoom.us", True))
    heard.end()


def test_what_is_refused_is_told_with_the_next_step(mac: Mac) -> None:
    mac.refusal = OSError("AudioHardwareCreateProcessTap failed with status 'nope'.")
    with pytest.raises(SourceError, match="cannot be opened: AudioHardwareCreate") as refused:
        feed_for(SystemSound()).open(lambda block: None)
    assert "Screen & System Audio Recording" in refused.value.hint
