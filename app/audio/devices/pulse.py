"""The sound server of Linux desktops: PulseAudio, or PipeWire in its place.

Its sources are microphones and what is played on each output (an output's monitor). What a single
application plays is for `pulse_application`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from app.audio.advice import advice
from app.audio.capture import Block, Elsewhere, Feed
from app.audio.devices.base import SourceError, SourceInfo
from app.audio.devices.libpulse import Recording, RecordingError, Samples
from app.audio.devices.pulse_application import PlayedBy, playing
from app.audio.devices.pulse_news import News
from model_backends.base import Sentence

BLOCK_S = 0.032  # the voice detector's frame
_MONITOR_OF = "Monitor of "
NAME = "PulseAudio or PipeWire"
HEARS = Sentence("microphones, what each output plays, what each application plays")


def why_not() -> str:
    """Why this door leads nowhere; "" if it does not. Blocks as `sources()` does."""
    try:
        import pulsectl
    except (ImportError, OSError):
        return Sentence("Its library is missing: on Debian and Ubuntu, `apt install libpulse0`.")
    try:
        with pulsectl.Pulse("Voxline", connect=False) as server:
            server.connect()
            return ""
    except (pulsectl.PulseError, pulsectl.PulseDisconnected):
        return Sentence("No sound server is running for this user.")


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
            return [*_recordable(server), *playing(server)]
    except (pulsectl.PulseError, pulsectl.PulseDisconnected):
        return None


def is_ours(source: SourceInfo) -> bool:
    """All that is listed where there is a server; PortAudio's ids have a mark of their own."""
    return not source.id.startswith("portaudio:")


def feed(source: SourceInfo, follows: bool = False) -> Feed:
    """One of the server's sources, to be opened.

    `follows`: whichever is the default one at the time; the server tells when that changes.
    """
    if source.kind == "application":
        return PlayedBy(source.name)
    return ServerSource(source, follows)


def _recordable(server: Any) -> list[SourceInfo]:
    info = server.server_info()
    outputs = {sink.monitor_source_name: sink for sink in server.sink_list()}
    found = []
    for source in server.source_list():
        name, sink = source.description or source.name, outputs.get(source.name)
        if sink is None and not source.name.endswith(".monitor"):
            default = source.name == info.default_source_name
            found.append(SourceInfo(source.name, name, "microphone", default))
            continue
        default = sink is not None and sink.name == info.default_sink_name
        name = (sink.description if sink else "") or name.removeprefix(_MONITOR_OF)
        found.append(SourceInfo(source.name, name, "system", default))
    return found


def _default(server: Any, kind: str) -> SourceInfo | None:
    """The source that is the default one of its kind now."""
    return next((s for s in _recordable(server) if s.kind == kind and s.default), None)


class ServerSource:
    """Satisfies `capture.Feed`."""

    live = True
    notes: Sequence[str] = ()  # a microphone says nothing of itself

    def __init__(self, source: SourceInfo, follows: bool = False) -> None:
        self.name = source.name
        self.system = source.kind == "system"
        self._source = source
        self._follows = follows

    def open(self, deliver: Callable[[Block | None], None]) -> _Opened:
        """Record with all the channels of the source. Raises SourceError within 4 s."""
        try:
            return _Opened(self, self._source, self._follows, deliver)
        except (RecordingError, OSError) as error:
            raise SourceError(
                Sentence("{name} cannot be opened: {reason}.", name=self.name, reason=str(error)),
                advice("refused"),
            ) from error

    def become(self, source: SourceInfo) -> None:
        """Another one is the default now; that is what is opened next time."""
        self._source, self.name = source, source.name


class _Opened:
    """Satisfies `capture.Opened`."""

    def __init__(
        self,
        feed: ServerSource,
        source: SourceInfo,
        follows: bool,
        deliver: Callable[[Block | None], None],
    ) -> None:
        self._feed = feed
        self._source = source
        self._deliver = deliver
        self._elsewhere: Elsewhere | None = None
        self._moves = 0  # what is found out about an earlier one is old
        self._recording = Recording(
            source.id, BLOCK_S, self._take, lambda: deliver(None), self._moved
        )
        self.rate = self._recording.rate
        self._news = News("server", self._follow) if follows else None

    def close(self) -> None:
        if self._news is not None:
            self._news.close()
        self._recording.close()

    def moved_to(self) -> Elsewhere | None:
        return self._elsewhere

    def _take(self, samples: Samples) -> None:
        self._deliver(Block(samples, time.monotonic()))

    def _follow(self, server: Any) -> None:
        """In the news' thread: if another source is the default now, have the server move us.

        The recording goes on meanwhile, and at its own rate: the server converts.
        """
        default = _default(server, self._source.kind)
        if default is None or default.id == self._source.id:
            return
        self._source = default
        self._elsewhere = None
        self._feed.become(default)
        index = next(s.index for s in server.source_list() if s.name == default.id)
        server.source_output_move(self._recording.index, index)

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
        name = listed[ident].full_name if ident in listed else ident
        if move == self._moves and ident != self._source.id:
            self._elsewhere = Elsewhere(name, gone=self._source.id not in listed)
