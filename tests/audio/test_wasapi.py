"""What a Windows computer plays: the door, against a stand-in with the library's own shape.

Not run on hardware: that the stand-in behaves as the library does is taken from its source and
from what others report of it.
"""

from __future__ import annotations

import ctypes
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from app.audio import sources
from app.audio.choice import Device, SystemSound
from app.audio.devices import portaudio, wasapi, windows_output
from app.audio.devices.base import AbsentSourceError, NoSourceError, SourceError, SourceInfo
from app.audio.feeds import feed_for
from app.audio.sources import choose, list_sources
from tests.audio.heard import PATIENCE_S, Heard
from tests.support.likeness import assert_like
from tests.support.wheels import shape_of

Callback = Callable[[bytes, int, dict[str, float], int], tuple[None, int]]


def device(index: int, name: str, inputs: int = 2, rate: float = 48000.0) -> dict[str, Any]:
    """As `PyAudio.get_device_info_by_index` gives them."""
    return {
        "index": index,
        "structVersion": 2,
        "name": name,
        "hostApi": 0,
        "maxInputChannels": inputs,
        "maxOutputChannels": 0,
        "defaultSampleRate": rate,
        "isLoopbackDevice": True,
    }


DESK = [
    device(4, "Speakers (Realtek(R) Audio) [Loopback]"),
    device(5, "LG HDR 4K (NVIDIA High Definition Audio) [Loopback]", 8, 96000.0),
    device(6, "Headphones (WH-1000XM4/2) 🎧 [Loopback]", 2, 44100.0),
    device(7, "Headphones (WH-1000XM4/2) 🎧 [Loopback]", 2, 44100.0),
]


class Computer:
    """The outputs of a desk, and what is done to them."""

    def __init__(self) -> None:
        self.devices = list(DESK)
        self.default: dict[str, Any] | None = DESK[0]
        self.refusal: OSError | None = None
        self.streams: queue.Queue[Stream] = queue.Queue()
        self.users = 0  # of PortAudio now


class Stream:
    """`pyaudiowpatch.Stream`, of a loopback: it calls back only while something plays."""

    def __init__(
        self,
        PA_manager: PyAudio,  # noqa: N803
        rate: int,
        channels: int,
        format: int,
        input: bool = False,
        output: bool = False,
        input_device_index: int | None = None,
        output_device_index: int | None = None,
        frames_per_buffer: int | str = "pa.paFramesPerBufferUnspecified",
        start: bool = True,
        input_host_api_specific_stream_info: None = None,
        output_host_api_specific_stream_info: None = None,
        stream_callback: Callback | None = None,
    ) -> None:
        computer = PA_manager._computer
        if computer.refusal:
            raise computer.refusal
        [of] = [d for d in computer.devices if d["index"] == input_device_index]
        if (rate, channels) != (of["defaultSampleRate"], of["maxInputChannels"]):
            raise OSError(-9997, "Invalid sample rate")  # as shared mode does
        assert input and not output and format == library.paFloat32 and stream_callback
        self._callback, self._channels = stream_callback, channels
        self._active = True
        self._thread = threading.current_thread()
        computer.streams.put(self)

    def play(self, samples: np.ndarray[Any, np.dtype[np.float32]]) -> None:
        """Shape (frames, channels)."""
        answer = self._callback(samples.astype("<f4").tobytes(), len(samples), {}, 0)
        assert answer == (None, library.paContinue)

    def die(self) -> None:
        """Its output has gone."""
        self._active = False

    def is_active(self) -> bool:
        return self._active

    def close(self) -> None:
        assert threading.current_thread() is self._thread, "COM objects are of one thread"
        self._active = False


class PyAudio:
    """`pyaudiowpatch.PyAudio`."""

    def __init__(self) -> None:
        self._computer = library.computer
        self._computer.users += 1

    def terminate(self) -> None:
        self._computer.users -= 1

    def open(self, *args: Any, **kwargs: Any) -> Stream:
        return Stream(self, *args, **kwargs)

    def get_loopback_device_info_generator(self) -> Iterator[dict[str, Any]]:
        yield from self._computer.devices

    def get_default_wasapi_loopback(self) -> dict[str, Any]:
        if self._computer.default is None:
            raise LookupError("No analogue is found for passed device")
        return self._computer.default


class Library:
    """`pyaudiowpatch`."""

    paFloat32, paContinue = 1, 0  # noqa: N815

    def __init__(self) -> None:
        self.PyAudio, self.Stream = PyAudio, Stream
        self.computer = Computer()


library = Library()


def test_the_stand_ins_have_the_shape_of_the_library() -> None:
    real = shape_of("pyaudiowpatch", "__init__.py")
    assert_like(PyAudio, real.PyAudio)
    assert_like(Stream, real.Stream, own={"play", "die"})


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Computer:
    """A Windows desk whose only microphone has gone."""
    global library
    library = Library()
    monkeypatch.setitem(sys.modules, "pyaudiowpatch", library)
    monkeypatch.setattr(sources, "DESKTOP", "windows")
    monkeypatch.setattr(portaudio, "sources", list)
    monkeypatch.setattr(wasapi, "default_output", lambda: "{0.0.0.00000000}.{speakers}")
    monkeypatch.setattr(wasapi, "_LOOK_S", 0.01)
    return library.computer


def test_every_output_is_listed_by_its_own_name_and_found_again(desk: Computer) -> None:
    listed = [source for source in list_sources() if source.kind == "system"]
    assert [(source.name, source.default) for source in listed] == [
        ("Speakers (Realtek(R) Audio)", True),
        ("Headphones (WH-1000XM4/2) 🎧", False),
        ("Headphones (WH-1000XM4/2) 🎧 (2)", False),
        ("LG HDR 4K (NVIDIA High Definition Audio)", False),
    ]
    for source in listed:
        assert (
            choose(source.choice if isinstance(source.choice, Device) else SystemSound()) == source
        )
    assert desk.users == 0, "whoever has looked leaves PortAudio to look anew"


def test_one_application_is_listed_with_the_reason_why_not(desk: Computer) -> None:
    [one] = [source for source in list_sources() if source.kind == "application"]
    assert not one.usable and "Windows gives the sound of an output as a whole" in one.why_not


def test_without_the_library_it_is_said_what_is_missing(
    desk: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyaudiowpatch", None)
    assert "PyAudioWPatch, which is not installed" in wasapi.why_not()
    with pytest.raises(NoSourceError, match="PyAudioWPatch"):
        feed_for(SystemSound())


def test_an_output_is_recorded_at_its_own_rate_with_all_its_channels(desk: Computer) -> None:
    screen = next(s for s in list_sources() if s.name.startswith("LG"))
    heard = Heard()
    opened = wasapi.feed(screen).open(heard.blocks.put)
    assert opened.rate == 96_000
    sound = np.zeros((3072, 8), dtype=np.float32)
    sound[:, 5] = 0.5
    desk.streams.get(timeout=PATIENCE_S).play(sound)
    block = heard.until(lambda block: bool(block.samples.any()))
    assert np.array_equal(block.samples, sound)
    opened.close()


def test_while_nothing_plays_there_is_silence_as_long_as_the_time(desk: Computer) -> None:
    heard = Heard()
    opened = feed_for(SystemSound()).open(heard.blocks.put)
    first = heard.until(lambda block: True)
    last = heard.until(lambda block: block.arrived - first.arrived > 0.2)
    opened.close()
    assert not last.samples.any() and last.samples.shape[1] == 2


def test_an_output_that_goes_ends_the_sound_and_what_is_opened_next_is_the_default(
    desk: Computer,
) -> None:
    feed = feed_for(SystemSound())
    assert feed.name == "Speakers (Realtek(R) Audio) (this computer’s sound)"
    heard = Heard()
    feed.open(heard.blocks.put)
    desk.streams.get(timeout=PATIENCE_S).die()
    heard.end()
    desk.default = desk.devices[1]
    del desk.devices[0]
    opened = feed.open(heard.blocks.put)
    assert feed.name.startswith("LG HDR 4K") and opened.rate == 96_000
    opened.close()


def test_another_default_output_is_followed(
    desk: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Heard()
    feed_for(SystemSound()).open(heard.blocks.put)
    monkeypatch.setattr(wasapi, "default_output", lambda: "{0.0.0.00000000}.{screen}")
    heard.end()


def test_a_chosen_output_is_kept_whatever_the_default_is(
    desk: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Heard()
    opened = wasapi.feed(list_sources()[1]).open(heard.blocks.put)
    monkeypatch.setattr(wasapi, "default_output", lambda: "{0.0.0.00000000}.{screen}")
    first = heard.until(lambda block: True)
    heard.until(lambda block: block.arrived - first.arrived > 0.3)
    opened.close()


def test_what_is_refused_is_said_in_the_systems_words(desk: Computer) -> None:
    feed = feed_for(SystemSound())
    desk.refusal = OSError(-9996, "Invalid device [PaErrorCode -9996]")
    with pytest.raises(SourceError, match=r"Speakers .*cannot be opened: Inv"):
        feed.open(lambda block: None)
    assert desk.users == 0
    gone = SourceInfo("wasapi:Gone", "Gone 2.0", "system")
    with pytest.raises(AbsentSourceError, match=r"Gone 2\.0 .*is not connected any more"):
        wasapi.feed(gone).open(lambda block: None)


# --- which output is the default ------------------------------------------------------------------


class WinMM:
    """winmm.dll: `waveOutMessage` as Microsoft's documentation has it."""

    def __init__(self, preferred: int, ids: dict[int, str]) -> None:
        self.preferred, self.ids = preferred, ids

    def waveOutMessage(self, hwo: ctypes.c_void_p, message: int, dw1: Any, dw2: Any) -> int:  # noqa: N802
        if message == 0x2015 and hwo.value == 0xFFFFFFFF:
            dw1._obj.value, dw2._obj.value = self.preferred, 0
            return 0
        ident = self.ids.get(hwo.value or 0)
        if ident is None:
            return 2  # MMSYSERR_BADDEVICEID
        bytes_needed = (len(ident) + 1) * ctypes.sizeof(ctypes.c_wchar)
        if message == 0x0812:
            dw1._obj.value = bytes_needed
            return 0
        assert message == 0x0811 and dw2.value == bytes_needed
        dw1.value = ident
        return 0


def test_windows_tells_the_id_of_the_output_it_prefers() -> None:
    speakers = "{0.0.0.00000000}.{1c2d3f4e-0000-4a6b-9c1d-2e3f4a5b6c7d}"
    assert windows_output._endpoint(WinMM(1, {0: "{other}", 1: speakers})) == speakers
    assert windows_output._endpoint(WinMM(0xFFFFFFFF, {})) == "", "there is none"
    assert windows_output._endpoint(WinMM(3, {})) == "", "it has just gone"
    if sys.platform != "win32":
        assert windows_output.default_output() == ""
