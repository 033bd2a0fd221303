"""The sound server of Linux desktops: PulseAudio, or PipeWire in its place.

Its sources are microphones and what is played on each output (an output's monitor). What a single
application plays is for `pulse_application`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any

from app.audio.advice import advice
from app.audio.devices.base import AbsentSourceError, SourceError, SourceInfo
from app.audio.devices.libpulse import (
    NoSuchSourceError,
    Recording,
    RecordingError,
    Samples,
    ServerGoneError,
)
from app.audio.devices.pulse_application import PlayedBy, playing
from app.audio.devices.pulse_news import News
from app.audio.listening import BLOCK_S, Block, Condition, Deliver, Elsewhere, Feed, Superseded
from app.audio.patience import Question
from model_backends.base import Sentence

_ANSWER_S = 2.0
_LED_AWAY_S = 2.0  # between a new default and what the server makes of it
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
        self.name = source.full_name
        self.system = source.kind == "system"
        self.source = source
        self.follows = follows

    def open(self, deliver: Deliver) -> _Opened:
        """Record with all the channels of the source. Raises SourceError within 6 s."""
        try:
            if self.follows:
                self._find_default()
            return _Opened(self, deliver)
        except ServerGoneError as error:
            raise _server_gone() from error
        except NoSuchSourceError as error:
            raise _absent(self.name) from error
        except (RecordingError, OSError) as error:
            raise SourceError(
                Sentence("{name} cannot be opened: {reason}.", name=self.name, reason=str(error)),
                advice("refused"),
            ) from error

    def become(self, source: SourceInfo) -> None:
        """Another one is the default now; that is what is opened next time."""
        self.source, self.name = source, source.full_name

    def _find_default(self) -> None:
        """While nothing was open, another one may have become the default, or the first to come."""
        try:
            found = _SOURCES.answer(_ANSWER_S)
        except TimeoutError:
            raise RecordingError(Sentence("the sound server does not answer")) from None
        if found is None:
            raise _server_gone()
        of_kind = [source for source in found if source.kind == self.source.kind]
        if not of_kind:
            raise _absent(self.name)
        if self.source not in of_kind or not self.source.default:
            self.become(next((s for s in of_kind if s.default), of_kind[0]))


class _Opened:
    """Satisfies `capture.Opened`."""

    def __init__(self, feed: ServerSource, deliver: Deliver) -> None:
        self._feed = feed
        self._source = feed.source
        self._deliver = deliver
        self._elsewhere: Elsewhere | None = None
        self._condition = Condition()
        self._default: str | None = None  # the id of the default of its kind, when last looked
        self._led_away = 0.0  # monotonic s until which a move is the work of a new default
        self._order = threading.Lock()  # of what is delivered
        self._kept: list[Block] | None = None  # sound of a source we do not know yet
        self._moves = 0  # what is found out about an earlier one is old
        self._recording: Recording | None = None  # they may tell something before we have them
        self._news: News | None = None
        recording = Recording(self._source.id, BLOCK_S, self._take, self._ended, self._moved)
        self._recording = recording
        self.rate = recording.rate
        self._news = News(("server", "source", "sink"), self._look)

    def close(self) -> None:
        if self._news is not None:
            self._news.close()
        if self._recording is not None:
            self._recording.close()

    def moved_to(self) -> Elsewhere | None:
        return self._elsewhere

    # --- the library's thread, which must not ask the server and wait ------------------------

    def _take(self, samples: Samples) -> None:
        block = Block(samples, time.monotonic())
        with self._order:
            if self._kept is None:
                self._deliver(block)
            else:
                self._kept.append(block)

    def _ended(self) -> None:
        gone = self._recording is not None and self._recording.server_gone
        self._deliver(_server_gone() if gone else _absent(self._feed.name))

    def _moved(self, ident: str) -> None:
        with self._order:
            self._moves += 1
            if ident == self._source.id:
                self._elsewhere = None
                self._give_kept()
                return
            self._kept = self._kept or []
        finding = threading.Thread(
            target=self._find_out, args=(ident, self._moves), daemon=True, name="moved to where"
        )
        finding.start()

    def _give_kept(self) -> None:
        for block in self._kept or []:
            self._deliver(block)
        self._kept = None

    def _find_out(self, ident: str, move: int) -> None:
        """What people call the source we hang on now, and what became of the one chosen.

        In a thread of its own. A server gives whoever recorded a microphone that is gone what the
        computer plays, if there is no other: that is not what was chosen, and nobody hears it.
        """
        listed = {source.id: source for source in sources() or []}
        if self._source.id in listed and self._was_led_away(listed.values()):
            self._wait_for_way_back(move)
        with self._order:
            if move != self._moves:
                return
            here = listed.get(ident)
            gone = self._source.id not in listed
            if gone and (here is None or here.kind != self._source.kind):
                self._kept = []
                self._deliver(_absent(self._feed.name))
                return
            default_is_followed = self._feed.follows and here is not None and here.default
            if ident != self._source.id and not default_is_followed:  # else it is opened next
                name = here.full_name if here is not None else ident
                self._elsewhere = Elsewhere(name, gone)
            self._give_kept()

    def _wait_for_way_back(self, move: int) -> None:
        """For as long as a server may need to move us to where we were."""
        until = time.monotonic() + _LED_AWAY_S
        while move == self._moves and time.monotonic() < until:
            time.sleep(0.02)

    def _was_led_away(self, listed: Iterable[SourceInfo]) -> bool:
        """A default that changes takes along who did not choose it; we go back by ourselves."""
        default = next((s.id for s in listed if s.kind == self._source.kind and s.default), "")
        if self._feed.follows or self._news is None:
            return False
        if self._default not in (None, default):
            self._led_away = time.monotonic() + _LED_AWAY_S
        if time.monotonic() >= self._led_away:
            return False
        self._news.look_again()
        return True

    # --- the news' thread --------------------------------------------------------------------

    def _look(self, server: Any) -> None:
        default = _default(server, self._source.kind)
        ident = default.id if default is not None else ""
        if self._default not in (None, ident):
            self._led_away = time.monotonic() + _LED_AWAY_S
        self._default = ident
        if self._feed.follows:
            self._follow(default)
        elif self._kept is not None and time.monotonic() < self._led_away:
            self._move(server)
        self._tell_condition(server)

    def _follow(self, default: SourceInfo | None) -> None:
        """If another source is the default now, that is opened next, at its own rate.

        To have the server move us would lose less in PulseAudio, and half of all sound in PipeWire
        0.3 where the other source has fewer channels.
        """
        if default is not None and default.id != self._feed.source.id:
            self._feed.become(default)
            self._deliver(Superseded())

    def _move(self, server: Any) -> None:
        for source in server.source_list():
            if source.name == self._source.id and self._recording is not None:
                server.source_output_move(self._recording.index, source.index)

    def _tell_condition(self, server: Any) -> None:
        source = next((s for s in server.source_list() if s.name == self._source.id), None)
        if source is None:
            return
        outputs = [s for s in server.sink_list() if s.monitor_source_name == self._source.id]
        condition = Condition(
            muted=bool(source.mute),
            output_muted=any(bool(sink.mute) for sink in outputs),
            suspended=source.state == "suspended",
        )
        if condition != self._condition:
            self._condition = condition
            self._deliver(condition)


def _server_gone() -> SourceError:
    return SourceError(Sentence("The sound server has stopped."), advice("server"))


def _absent(name: str) -> AbsentSourceError:
    return AbsentSourceError(Sentence("{name} is not connected.", name=name), advice("lost"))


_SOURCES = Question(sources, "default source")
