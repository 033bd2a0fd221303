"""PortAudio: the door to sound on Windows and macOS, and on a Linux without a sound server.

The callback only copies bytes out; everything else happens on the capture thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from app.audio.advice import advice
from app.audio.devices.base import AbsentSourceError, SourceError, SourceInfo, told_apart
from app.audio.listening import BLOCK_S, Block
from app.native import DESKTOP
from model_backends.base import Sentence

_MOST_CHANNELS = 64
_portaudio = threading.Lock()  # PortAudio's own start-up and shutdown are not thread-safe
_lost = threading.Event()  # a device has gone since PortAudio last looked
_MARK = "portaudio:"  # begins the ids of this door; no sound server's id has a colon there
_INSTALL = Sentence("Install it: on Debian and Ubuntu, `apt install libportaudio2`.")
_NO_LIBRARY = Sentence("Its library is missing or does not start. {install}", install=_INSTALL)
NAME = "PortAudio"
HEARS = Sentence("microphones")


def why_not() -> str:
    """Why this door leads nowhere; "" if it does not. Blocks while a driver does."""
    try:
        import sounddevice as sd

        if _inputs(sd):
            return ""
    except ImportError:
        return Sentence("sounddevice is not installed.")
    except Exception:  # OSError: no library; PortAudioError: it cannot initialise
        return _NO_LIBRARY
    return Sentence("It finds no microphone.")


def sources() -> list[SourceInfo] | None:
    """Every input; None where PortAudio cannot be had. Blocks while a driver does."""
    try:
        import sounddevice as sd

        default = sd.default.device[0]
        inputs = _inputs(sd)
    except Exception:  # OSError: no PortAudio library; PortAudioError: it cannot initialise
        return None
    return [
        SourceInfo(ident, device["name"], "microphone", device["index"] == default)
        for ident, device in inputs.items()
    ]


def is_ours(source: SourceInfo) -> bool:
    """Whether a source was listed by this door."""
    return source.id.startswith(_MARK)


def feed(source: SourceInfo, follows: bool = False) -> Microphone:
    """One of the sources, to be opened; `follows`: the default one of then, at each opening."""
    return Microphone(source, follows)


def _inputs(sd: Any) -> dict[str, Any]:
    """PortAudio's description of each input by our id: its name, numbered among equals."""
    api = _host_api(sd)
    inputs = [
        device
        for device in sd.query_devices()
        if device["max_input_channels"] > 0 and (api is None or device["hostapi"] == api)
    ]
    # PortAudio's own numbers change with every plug; a name may hold any white space
    names = told_apart(" ".join(device["name"].split()) for device in inputs)
    return {f"{_MARK}{name}": device for name, device in zip(names, inputs, strict=True)}


def _host_api(sd: Any) -> int | None:
    """On Windows each microphone is listed once an API: take WASAPI's, the modern one."""
    if DESKTOP != "windows":
        return None
    names = [api["name"] for api in sd.query_hostapis()]
    return names.index("Windows WASAPI") if "Windows WASAPI" in names else None


def _device(sd: Any, source: SourceInfo) -> int:
    """PortAudio's number for this source now. Raises AbsentSourceError."""
    device = _inputs(sd).get(source.id)
    if device is None:
        _lost.set()  # it may come back: only a new look would see it
        raise AbsentSourceError(
            Sentence("{name} is not connected any more.", name=source.name), advice("lost")
        )
    return int(device["index"])


def _channels(device: Any) -> int:
    """How many to ask for: every one there is, since speech may be on any of them.

    ALSA's converting devices promise 32 to 128 that no hardware has; its real ones say "hw:".
    """
    most = int(device["max_input_channels"])
    made_up = DESKTOP == "linux" and "hw:" not in device["name"]
    return min(most, 2 if made_up else _MOST_CHANNELS)


class Microphone:
    """Satisfies `capture.Feed`."""

    live = True
    notes: Sequence[str] = ()  # a microphone says nothing of itself

    def __init__(self, source: SourceInfo, follows: bool = False) -> None:
        self.name = source.name
        self.system = source.kind == "system"
        self._source = source
        self._follows = follows

    def open(self, deliver: Callable[[Block | None], None]) -> _OpenMicrophone:
        """Open at the device's own rate. Raises SourceError with the user's sentence."""
        try:
            import sounddevice as sd
        except OSError as error:
            raise SourceError(
                Sentence("The sound library PortAudio is missing."), _INSTALL
            ) from error
        try:
            with _portaudio:
                _refresh(sd)
                if self._follows:
                    self._follow(sd)
                return _OpenMicrophone(sd, self._source, deliver)
        except (sd.PortAudioError, ValueError) as error:
            raise SourceError(
                Sentence(
                    "{name} cannot be opened: {reason}.", name=self.name, reason=_reason(error)
                ),
                advice("refused"),
            ) from error

    def _follow(self, sd: Any) -> None:
        """Take the default microphone of now, which may be another than the one that was found."""
        default = sd.default.device[0]
        for ident, device in _inputs(sd).items():
            if device["index"] == default:
                self._source = SourceInfo(ident, device["name"], "microphone", default=True)
                self.name = self._source.name


class _OpenMicrophone:
    """Satisfies `capture.Opened`: one PortAudio stream."""

    def __init__(
        self, sd: Any, source: SourceInfo, deliver: Callable[[Block | None], None]
    ) -> None:
        self._closed = threading.Event()
        device = _device(sd, source)
        info = sd.query_devices(device, "input")
        self.rate = int(info["default_samplerate"])

        def block(data: Any, frames: int, when: Any, status: Any) -> None:
            arrived = time.monotonic()
            samples = np.frombuffer(data, dtype=np.float32).reshape(frames, -1)
            deliver(Block(samples.copy(), arrived))

        def finished() -> None:
            if not self._closed.is_set():
                _lost.set()
                deliver(None)

        self._stream = sd.RawInputStream(
            samplerate=self.rate,
            blocksize=round(self.rate * BLOCK_S),
            device=device,
            channels=_channels(info),
            dtype="float32",
            latency="low",
            callback=block,
            finished_callback=finished,
        )
        self._stream.start()

    def close(self) -> None:
        """Stop; may hang while a driver is stuck."""
        self._closed.set()
        self._stream.abort(ignore_errors=True)
        self._stream.close(ignore_errors=True)

    def moved_to(self) -> None:
        """Nowhere: these systems end a stream whose device goes."""


def _refresh(sd: Any) -> None:
    """Make PortAudio see devices that came or went. Ends every stream, so only after a loss, or
    when it sees no device at all (the sound server was started after us)."""
    if _lost.is_set() or not len(sd.query_devices()):
        _lost.clear()
        sd._terminate()
        sd._initialize()


def _reason(error: Exception) -> str:
    """PortAudio's words without its numbers."""
    text = str(error.args[0]) if error.args else str(error)
    return text.split(" [PaErrorCode")[0].rstrip(".")
