"""A microphone (or any source of the sound server) as a feed, through PortAudio.

The callback only copies bytes out; everything else happens on the capture thread. On Linux the
server may silently move us to another source when ours is unplugged, without any error from
PortAudio, so the server itself is asked once a second where we are connected.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from app.audio.advice import advice
from app.audio.capture import Block
from app.audio.devices.base import SourceError, SourceInfo, portaudio_device

BLOCK_S = 0.032  # the voice detector's frame
_WATCH_S = 1.0
_portaudio = threading.Lock()  # PortAudio's own start-up and shutdown are not thread-safe
_lost = threading.Event()  # a device has gone since PortAudio last looked


class Microphone:
    """Satisfies `capture.Feed`."""

    live = True
    notes: Sequence[str] = ()  # a microphone says nothing of itself

    def __init__(self, source: SourceInfo) -> None:
        self.name = source.name
        self.system = source.kind == "system"
        self._source = source

    def open(self, deliver: Callable[[Block | None], None]) -> _OpenMicrophone:
        """Open at the device's own rate. Raises SourceError with the user's sentence."""
        try:
            import sounddevice as sd
        except OSError as error:
            raise SourceError(
                "The sound library PortAudio is missing.",
                "Install it: on Debian and Ubuntu, `apt install libportaudio2`.",
            ) from error
        try:
            with _portaudio:
                return _OpenMicrophone(sd, self._source, deliver)
        except (sd.PortAudioError, ValueError) as error:
            raise SourceError(
                f"{self.name} cannot be opened: {_reason(error)}.",
                "Another app may hold it, or it was unplugged. " + advice("lost"),
            ) from error


class _OpenMicrophone:
    """Satisfies `capture.Opened`: one PortAudio stream and the watch over where it hangs."""

    def __init__(
        self, sd: Any, source: SourceInfo, deliver: Callable[[Block | None], None]
    ) -> None:
        self._source = source
        self._closed = threading.Event()
        self._moved: str | None = None
        _refresh(sd)
        device = portaudio_device(source)
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
            channels=min(2, int(info["max_input_channels"])),
            dtype="float32",
            latency="low",
            callback=block,
            finished_callback=finished,
        )
        self._stream.start()
        if not source.id.startswith("portaudio:"):
            threading.Thread(target=self._watch, daemon=True, name="source watch").start()

    def close(self) -> None:
        """Stop; may hang while a sound server is stuck."""
        self._closed.set()
        self._stream.abort(ignore_errors=True)
        self._stream.close(ignore_errors=True)

    def moved_to(self) -> str | None:
        return self._moved

    def _watch(self) -> None:
        """Keep `_moved` current. A frozen server blocks this thread and no other."""
        import pulsectl

        try:
            with pulsectl.Pulse("voxline-watch", connect=False) as pulse:
                pulse.connect(timeout=2)
                while not self._closed.wait(_WATCH_S):
                    self._moved = self._other_source(pulse)
        except pulsectl.PulseError:
            return  # the server is gone: PortAudio's finished callback tells

    def _other_source(self, pulse: Any) -> str | None:
        """The source our recording hangs on now, if it is not the one that was chosen."""
        names = {s.index: s for s in pulse.source_list()}
        ours = [
            names.get(output.source)
            for output in pulse.source_output_list()
            if output.proplist.get("application.process.id") == str(os.getpid())
        ]
        on = [s for s in ours if s is not None]
        if not on or any(s.name == self._source.id for s in on):
            return None
        return str(on[0].description or on[0].name)


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
