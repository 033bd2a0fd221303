"""WASAPI loopback: what a Windows computer plays, output by output, through PyAudioWPatch.

Not yet run on hardware: written from the library's own source and tested against a stand-in that
has its shape. What one application plays cannot be heard this way; that is listed as lacking.

PortAudio looks for devices once and no more while anybody uses it, so an output that is plugged in
while another one is recorded is listed only after that recording has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from app.audio.advice import advice
from app.audio.devices.base import (
    AbsentSourceError,
    SourceError,
    SourceInfo,
    lacking,
    told_apart,
)
from app.audio.devices.silence import SilenceFilled
from app.audio.devices.windows_output import default_output
from app.audio.listening import BLOCK_S, Deliver
from model_backends.base import Sentence

_LOOK_S = 0.5  # between looks whether the recording still runs
_OPEN_S = 4.0
_MARK = "wasapi:"
_LOOPBACK = " [Loopback]"  # ends the names that the library gives these devices
_portaudio = threading.Lock()  # its start-up and shutdown are not thread-safe
_SYSTEM = Sentence("This computer’s sound")
_NOT_INSTALLED = Sentence(
    "This computer’s sound is heard through PyAudioWPatch, which is not installed."
)
NAME = "WASAPI loopback"
HEARS = Sentence("what each output plays")


def why_not() -> str:
    """Why this door leads nowhere; "" if it does not. Blocks while a driver does."""
    system = [source for source in sources() or [] if source.kind == "system"]
    return system[0].why_not


def sources() -> list[SourceInfo] | None:
    """Every output's sound, and why there is none. Blocks while a driver does."""
    one = Sentence("Windows gives the sound of an output as a whole, not one application’s.")
    application = lacking("application", Sentence("One application"), one)
    try:
        import pyaudiowpatch
    except (ImportError, OSError):
        return [lacking("system", _SYSTEM, _NOT_INSTALLED), application]
    try:
        with _library(pyaudiowpatch) as audio:
            default = _default_name(audio)
            found = [
                SourceInfo(ident, _name(device), "system", device["name"] == default)
                for ident, device in _outputs(audio).items()
            ]
    except OSError:  # there is no WASAPI, or it cannot start
        found = []
    none = Sentence("No output was found.")
    return [*(found or [lacking("system", _SYSTEM, none)]), application]


def is_ours(source: SourceInfo) -> bool:
    """Whether a source was listed by this door."""
    return source.id.startswith(_MARK)


def feed(source: SourceInfo, follows: bool = False) -> Loopback:
    """One of the sources, to be opened; `follows`: the default output, whichever it is."""
    return Loopback(source, follows)


@contextmanager
def _library(pyaudiowpatch: Any) -> Iterator[Any]:
    """A PortAudio that has looked for devices, if nobody else uses it. Raises OSError."""
    with _portaudio:
        audio = pyaudiowpatch.PyAudio()
    try:
        yield audio
    finally:
        with _portaudio:
            audio.terminate()


def _outputs(audio: Any) -> dict[str, Any]:
    """The library's description of each output's loopback, by our id. Raises OSError."""
    devices = list(audio.get_loopback_device_info_generator())
    names = told_apart(_name(device) for device in devices)
    return {f"{_MARK}{name}": device for name, device in zip(names, devices, strict=True)}


def _name(device: Any) -> str:
    return " ".join(device["name"].removesuffix(_LOOPBACK).split())


def _default_name(audio: Any) -> str:
    """The default output's loopback, by the library's name; "" if there is none."""
    try:
        return str(audio.get_default_wasapi_loopback()["name"])
    except (OSError, LookupError, ValueError):
        return ""


class Loopback:
    """Satisfies `capture.Feed`."""

    live = True
    system = True
    notes: Sequence[str] = ()

    def __init__(self, source: SourceInfo, follows: bool = False) -> None:
        self.name = source.full_name
        self._source = source
        self._follows = follows

    def open(self, deliver: Deliver) -> _Opened:
        """Record at the output's own rate with all its channels. Raises SourceError within 4 s."""
        import pyaudiowpatch

        opened = _Opened(pyaudiowpatch, self._which, self._follows, deliver)
        error = opened.begin(_OPEN_S)
        if isinstance(error, SourceError):
            raise error
        if error is not None:
            reason = _reason(error)
            raise SourceError(
                Sentence("{name} cannot be opened: {reason}.", name=self.name, reason=reason),
                advice("refused"),
            ) from error
        return opened

    def _which(self, audio: Any) -> Any:
        """The library's description of what is to be recorded now. Raises AbsentSourceError."""
        outputs = _outputs(audio)
        if self._follows:
            default = _default_name(audio)
            for ident, device in outputs.items():
                if device["name"] == default:
                    self._source = SourceInfo(ident, _name(device), "system", default=True)
                    self.name = self._source.full_name
        device = outputs.get(self._source.id)
        if device is None:
            raise AbsentSourceError(
                Sentence("{name} is not connected any more.", name=self.name), advice("lost")
            )
        return device


class _Opened:
    """Satisfies `capture.Opened`. One thread opens, watches and closes: WASAPI is COM."""

    def __init__(
        self,
        pyaudiowpatch: Any,
        which: Callable[[Any], Any],
        follows: bool,
        deliver: Deliver,
    ) -> None:
        self._library = pyaudiowpatch
        self._which = which
        self._follows = follows
        self._deliver = deliver
        self.rate = 0
        self._begun = threading.Event()
        self._error: Exception | None = None
        self._closed = threading.Event()

    def begin(self, within_s: float) -> Exception | None:
        """What went wrong, if it did; afterwards there is sound until `close()`."""
        threading.Thread(target=self._work, daemon=True, name="WASAPI loopback").start()
        if not self._begun.wait(within_s):
            self.close()
            return SourceError(Sentence("Windows does not open its sound."), advice("stalled"))
        return self._error

    def close(self) -> None:
        """Stop; waits for no driver."""
        self._closed.set()

    def moved_to(self) -> None:
        """Nowhere: Windows ends the sound of an output that goes."""

    def _work(self) -> None:
        try:
            with _library(self._library) as audio:
                self._record(audio, self._which(audio))
        except (SourceError, OSError, ValueError) as error:
            self._error = error
            if self._begun.is_set():  # it had begun: it is lost
                self._lost()
        finally:
            self._begun.set()

    def _record(self, audio: Any, device: Any) -> None:
        self.rate, channels = int(device["defaultSampleRate"]), int(device["maxInputChannels"])
        filled = SilenceFilled(self.rate, channels, self._deliver)

        def block(data: bytes, frames: int, when: Any, status: int) -> tuple[None, int]:
            filled.take(np.frombuffer(data, dtype="<f4").reshape(frames, channels).copy())
            return None, self._library.paContinue

        try:
            stream = audio.open(
                rate=self.rate,
                channels=channels,
                format=self._library.paFloat32,
                input=True,
                input_device_index=device["index"],
                frames_per_buffer=round(self.rate * BLOCK_S),
                stream_callback=block,
            )
            self._begun.set()
            self._watch(stream)
            stream.close()
        finally:
            filled.close()

    def _watch(self, stream: Any) -> None:
        """Until it is closed, or cannot go on: its output is gone, or another is the default."""
        output = default_output() if self._follows else ""
        while not self._closed.wait(_LOOK_S):
            now = default_output() if self._follows else ""
            if not stream.is_active() or now != output:
                self._lost()
                return

    def _lost(self) -> None:
        if not self._closed.is_set():
            self._deliver(None)


def _reason(error: Exception) -> str:
    """PortAudio's words without its numbers: its errors are (number, words) or (words, number)."""
    words = [str(each) for each in error.args if isinstance(each, str)]
    return (words[0] if words else str(error)).split(" [PaErrorCode")[0].rstrip(".")
