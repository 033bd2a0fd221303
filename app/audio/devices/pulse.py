"""The sound server of Linux desktops: PulseAudio, or PipeWire in its place."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from app.audio.advice import advice
from app.audio.capture import Block, Elsewhere
from app.audio.devices.base import SourceError, SourceInfo
from app.audio.devices.libpulse import Recording, RecordingError, Samples
from model_backends.base import Sentence

BLOCK_S = 0.032  # the voice detector's frame


def sources() -> list[SourceInfo] | None:
    """The server's sources; None where there is no server, or no library to reach one.

    Blocks for as long as a stuck server does; milliseconds when it is not stuck.
    """
    try:
        import pulsectl
    except (ImportError, OSError):  # no pulsectl, or no libpulse
        return None
    try:
        with pulsectl.Pulse("Voxline", connect=False) as server:
            server.connect()  # with pulsectl's own time-out it always takes the whole of it
            default = server.server_info().default_source_name
            return [_info(source, default) for source in server.source_list()]
    except (pulsectl.PulseError, pulsectl.PulseDisconnected):
        return None


def feed(source: SourceInfo) -> ServerSource:
    """One of the server's sources, to be opened."""
    return ServerSource(source)


def _info(source: Any, default: str) -> SourceInfo:
    # a monitor's monitor_of_sink is its sink; a microphone's is "no index"
    monitor = source.proplist.get("device.class") == "monitor" or source.name.endswith(".monitor")
    kind = "system" if monitor else "microphone"
    return SourceInfo(source.name, source.description or source.name, kind, source.name == default)


class ServerSource:
    """Satisfies `capture.Feed`."""

    live = True
    notes: Sequence[str] = ()  # a microphone says nothing of itself

    def __init__(self, source: SourceInfo) -> None:
        self.name = source.name
        self.system = source.kind == "system"
        self._source = source

    def open(self, deliver: Callable[[Block | None], None]) -> _Opened:
        """Record with all the channels of the source. Raises SourceError within 4 s."""
        try:
            return _Opened(self._source, deliver)
        except (RecordingError, OSError) as error:
            raise SourceError(
                Sentence("{name} cannot be opened: {reason}.", name=self.name, reason=str(error)),
                advice("refused"),
            ) from error


class _Opened:
    """Satisfies `capture.Opened`."""

    def __init__(self, source: SourceInfo, deliver: Callable[[Block | None], None]) -> None:
        self._source = source
        self._deliver = deliver
        self._elsewhere: Elsewhere | None = None
        self._moves = 0  # what is found out about an earlier one is old
        self._recording = Recording(
            source.id, BLOCK_S, self._take, lambda: deliver(None), self._moved
        )
        self.rate = self._recording.rate

    def close(self) -> None:
        self._recording.close()

    def moved_to(self) -> Elsewhere | None:
        return self._elsewhere

    def _take(self, samples: Samples) -> None:
        self._deliver(Block(samples, time.monotonic()))

    def _moved(self, ident: str) -> None:
        """In the library's thread, which must not ask the server and wait."""
        self._moves += 1
        if ident == self._source.id:
            self._elsewhere = None
            return
        finding = threading.Thread(
            target=self._find_out, args=(ident, self._moves), daemon=True, name="moved to where"
        )
        finding.start()

    def _find_out(self, ident: str, move: int) -> None:
        """What people call the source we hang on now, and what became of the one chosen."""
        listed = {source.id: source for source in sources() or []}
        name = listed[ident].name if ident in listed else ident
        if move == self._moves:
            self._elsewhere = Elsewhere(name, gone=self._source.id not in listed)
