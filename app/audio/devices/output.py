"""Where sound is played to: the sound server on Linux, PortAudio elsewhere and where there is none.

Both take int16 little-endian, stereo, 48 kHz, and hold a fifth of a second of it, so that a stop
is a stop. Calls block; they belong in a thread of their own.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_void_p
from functools import cache
from typing import Any, Protocol

from app.audio.devices.base import SourceError
from app.audio.devices.libpulse import Buffer, Spec
from model_backends.base import Sentence

RATE = 48_000  # Hz
CHANNELS = 2
_HELD_S = 0.2
_S16, _PLAYBACK, _USUAL = 3, 1, 0xFFFFFFFF  # PA_SAMPLE_S16LE, PA_STREAM_PLAYBACK, (uint32_t) -1


class Output(Protocol):
    """An opened way to the loudspeakers."""

    def write(self, data: bytes) -> None:
        """Play this after all before it; waits for room."""

    def finish(self) -> None:
        """Wait until all of it was heard."""

    def close(self) -> None:
        """Silence, at once."""


def open_output() -> Output:
    """The desktop's usual output. Raises SourceError where there is none."""
    try:
        return PulseOutput()
    except OSError:  # no library, as everywhere but on Linux, or no server
        pass
    try:
        return PortAudioOutput()
    except Exception as error:  # OSError: no library; PortAudioError: no device
        raise SourceError(
            Sentence("Nothing can be played on this computer: {why}.", why=error),
            Sentence("Is there a loudspeaker or headset, and is it on?"),
        ) from error


class PulseOutput:
    """PulseAudio, or PipeWire in its place, by its simple interface. Raises OSError."""

    def __init__(self) -> None:
        self._pa = _simple()
        spec = Spec(_S16, RATE, CHANNELS)
        held = round(RATE * _HELD_S) * CHANNELS * 2
        buffer = Buffer(_USUAL, held, _USUAL, _USUAL, _USUAL)
        error = c_int()
        self._stream = self._pa.pa_simple_new(
            None, b"Voxline", _PLAYBACK, None, b"File", byref(spec), None, byref(buffer),
            byref(error),
        )  # fmt: skip
        if not self._stream:
            raise OSError(error.value, Sentence("the sound server does not answer"))

    def write(self, data: bytes) -> None:
        error = c_int()
        if self._pa.pa_simple_write(self._stream, data, len(data), byref(error)) < 0:
            raise OSError(error.value, Sentence("the sound server has gone"))

    def finish(self) -> None:
        self._pa.pa_simple_drain(self._stream, None)

    def close(self) -> None:
        if self._stream:
            self._pa.pa_simple_flush(self._stream, None)
            self._pa.pa_simple_free(self._stream)
        self._stream = None


class PortAudioOutput:
    """PortAudio, by sounddevice. Raises OSError or PortAudioError."""

    def __init__(self) -> None:
        import sounddevice as sd

        self._stream = sd.RawOutputStream(
            samplerate=RATE, channels=CHANNELS, dtype="int16", latency=_HELD_S
        )
        self._stream.start()

    def write(self, data: bytes) -> None:
        self._stream.write(data)

    def finish(self) -> None:
        self._stream.stop()

    def close(self) -> None:
        self._stream.abort()
        self._stream.close()


@cache
def _simple() -> Any:
    """libpulse-simple with its functions declared. Raises OSError where there is none."""
    pa = ctypes.CDLL("libpulse-simple.so.0")
    pa.pa_simple_new.restype = c_void_p
    pa.pa_simple_new.argtypes = (
        c_char_p, c_char_p, c_int, c_char_p, c_char_p, POINTER(Spec), c_void_p, POINTER(Buffer),
        POINTER(c_int),
    )  # fmt: skip
    pa.pa_simple_write.argtypes = (c_void_p, c_char_p, c_size_t, POINTER(c_int))
    pa.pa_simple_free.argtypes = (c_void_p,)
    for name in ("drain", "flush"):
        getattr(pa, f"pa_simple_{name}").argtypes = (c_void_p, POINTER(c_int))
    return pa
