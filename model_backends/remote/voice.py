"""One voice heard at a server: sound in, frames to send and words out. Pure: no socket, no clock.

The shell (`engine`) obeys the commands and brings what comes of them, with the time:

    Connect -> opened() -> received() ... -> lost()        Send, Drop

Sound is kept until no server can need it again. A connection that is lost, or stands still, is
replaced by one to whichever server is least busy; that hears the last seconds again for context,
and its words are aligned with those committed, so that none is lost or doubled. A segment is ended
at a pause before the server's model comes to its length, at the latest shortly before, and then
the next one hears the last seconds again, too.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias

from model_backends.base import Event, Pcm, Sentence, StreamOptions
from model_backends.remote.commands import Command, Connect, Drop, Send
from model_backends.remote.dialects.base import Dialect, Ended, Ready, Text, Trouble, Wishes
from model_backends.remote.kept import BLOCK_MS
from model_backends.remote.link import Link
from model_backends.remote.rotation import OVERLAP_BLOCKS, context_blocks, end_before_next
from model_backends.remote.segment import FORCED, PAUSE, UTTERANCE, Segment
from model_backends.remote.servers import Lost, Server, Servers
from model_backends.remote.telling import Telling
from model_backends.remote.utterance import Utterance

_IN_FLIGHT_BLOCKS = 60  # sent and unanswered: more would be lost with the connection
_SLOW_S, _DEAD_S = 5.0, 10.0  # without an answer: tell, and try another; give it up
_OPENING_S = 10.0  # for the server's first words


MakeDialect: TypeAlias = Callable[[Server, Wishes], Dialect]


class Voice:
    """One stream of a server, for one utterance after another."""

    def __init__(
        self,
        servers: Servers,
        make_dialect: MakeDialect,
        wishes: Wishes,
        numbers: Iterator[int] | None = None,
    ) -> None:
        self._servers = servers
        self._make_dialect = make_dialect
        self._wishes = wishes
        self._numbers = numbers or itertools.count()
        self._link: Link | None = None
        self._utterance: Utterance | None = None
        self._segment: Segment | None = None
        self._eager = False  # connect although nothing is to be heard
        self._commands: list[Command] = []
        self._events: list[Event] = []
        self._telling = Telling(servers)
        self.lane = ""
        self.opened_count = 0  # utterances so far

    # --- what the engine asks --------------------------------------------------------------

    def prepare(self) -> None:
        """Connect before there is something to hear."""
        self._eager = True

    def open(self, options: StreamOptions) -> None:
        """An utterance begins; the one before it is over."""
        self.lane = options.lane
        self.opened_count += 1
        self._utterance = Utterance(options)
        wishes = replace(self._wishes, delay_ms=options.delays_ms[0], language=options.language)
        link, self._wishes = self._link, wishes
        if link is not None and not link.dialect.stepped and link.wishes != wishes:
            self._let_go(link)

    def push(self, pcm: Pcm, speech: float) -> None:
        """More sound of the utterance."""
        if self._utterance is not None:
            self._utterance.kept.push(pcm, speech)

    def finish(self) -> None:
        """No more sound of it."""
        if self._utterance is not None:
            self._utterance.kept.finish()

    def close(self) -> None:
        """Drop the utterance. A server cannot be told to forget one: the connection goes, too."""
        if self._segment is not None and self._link is not None:
            self._let_go(self._link)
        self._utterance = self._segment = None

    def hang_up(self) -> None:
        """Drop the connection, too."""
        self.close()
        self._eager = False
        if self._link is not None:
            self._let_go(self._link)

    def hears(self, count: int) -> bool:
        """Whether the n-th utterance is the one that is open."""
        return self._utterance is not None and self.opened_count == count

    @property
    def busy(self) -> bool:
        """An utterance is open."""
        return self._utterance is not None

    @property
    def ready(self) -> bool:
        """A server waits for an utterance."""
        return self._link is not None and self._link.ready

    @property
    def server(self) -> Server | None:
        """The one it is connected to."""
        return self._link.server if self._link is not None and self._link.ready else None

    @property
    def waiting(self) -> bool:
        """Whether something will happen without more sound: an answer, or another try."""
        if self._utterance is None:
            return False
        if self._link is None or not self._link.ready or self._segment is None:
            return self._utterance.kept.count > 0 or self._utterance.kept.finished
        if not self._link.dialect.stepped:
            return True
        segment = self._segment
        return (
            bool(segment.ending) or self._link.owes(segment, ahead=1) > 0 or self._sendable(segment)
        )

    def take(self) -> tuple[list[Command], list[Event]]:
        """What is to be done, and what has come of it, since the last call."""
        commands, self._commands = self._commands, []
        events, self._events = self._events, []
        return commands, events

    # --- what happens ----------------------------------------------------------------------

    def opened(self, number: int, now: float) -> None:
        """The connection stands."""
        if self._link is not None and self._link.number == number:
            self._link.since = now
            self._servers.opened(self._link.server, now)
            self._send(self._link, self._link.dialect.opened())

    def received(self, number: int, frame: str, now: float) -> None:
        """A frame has come."""
        link = self._link
        if link is None or link.number != number:
            return
        said, answer = link.dialect.receive(frame)
        self._send(link, answer)
        for each in said:
            if isinstance(each, Ready):
                link.ready, self._eager = True, False
            elif isinstance(each, Text):
                self._text(link, each, now)
            elif isinstance(each, Ended):
                self._ended(link, each, now)
            else:
                self._trouble(link, each, now)

    def lost(self, number: int, lost: Lost, now: float) -> None:
        """The connection could not be had, or is no more."""
        link = self._link
        if link is None or link.number != number:
            return
        link.server.streams -= 1
        self._servers.failed(link.server, lost, now)
        self._link = None
        self._hear_again()
        if self._utterance is not None:  # else nobody misses it: a server may close what is idle
            self._telling.failed(lost, now)

    def tick(self, now: float) -> None:
        """Time has passed, or sound has come."""
        if self._link is None:
            self._connect(now)
        self._feed(now)
        self._watch(now)
        if self._utterance is not None:
            self._events += self._telling.news(self.lane, now)

    # --- connections -----------------------------------------------------------------------

    def _connect(self, now: float) -> None:
        if self._utterance is None and not self._eager:
            return
        server = self._servers.choose(now)
        if server is None:
            return
        wishes = self._wishes
        link = Link(next(self._numbers), server, self._make_dialect(server, wishes), wishes, now)
        server.streams += 1
        self._link = link
        self._commands.append(Connect(link.number, server, link.dialect))

    def _send(self, link: Link, frames: list[str]) -> None:
        if frames:
            self._commands.append(Send(link.number, tuple(frames)))

    def _let_go(self, link: Link) -> None:
        """Close a connection that is no failure."""
        self._commands.append(Drop(link.number))
        link.server.streams -= 1
        self._link = None

    def _trouble(self, link: Link, trouble: Trouble, now: float) -> None:
        kind = "closed" if trouble.kind == "lost" else trouble.kind
        self._give_up(link, Lost(kind, trouble.message), now)

    def _give_up(self, link: Link, lost: Lost, now: float) -> None:
        self._commands.append(Drop(link.number))
        self.lost(link.number, lost, now)

    def _watch(self, now: float) -> None:
        """Nothing tells that a server hangs but its silence."""
        link = self._link
        if link is None:
            return
        if not link.ready:
            if now - link.since > _OPENING_S:
                self._give_up(link, Lost("slow"), now)
            return
        segment = self._segment
        if segment is None or not (segment.ending or link.owes(segment) > 0):
            link.owed_since = None
            return
        if link.owed_since is None:
            link.owed_since = now
        silent_s = now - link.owed_since
        alone = not self._servers.others(link.server, now)
        if silent_s >= _DEAD_S or (silent_s >= _SLOW_S and not alone):
            self._give_up(link, Lost("slow"), now)
        elif silent_s >= _SLOW_S and not self._telling.troubled:
            self._telling.failed(Lost("slow"), link.owed_since)

    # --- sound to the server ---------------------------------------------------------------

    def _feed(self, now: float) -> None:
        link, utterance = self._link, self._utterance
        if link is None or utterance is None or not link.ready:
            return
        if self._segment is None and not self._begin(link, utterance):
            return
        segment = self._segment
        assert segment is not None
        frames: list[str] = []
        while not segment.ending and self._sendable(segment):
            segment.ending = self._end_now(link, segment, utterance)
            if segment.ending:
                frames += link.dialect.end()
            else:
                frames += link.dialect.append(utterance.kept.block(segment.next))
                segment.next += 1
        self._send(link, frames)

    def _begin(self, link: Link, utterance: Utterance) -> bool:
        """A segment, if there is something to hear; True if there is one now."""
        kept = utterance.kept
        first = max(utterance.next_first, kept.first)
        if kept.finished and first >= kept.count:
            self._over(utterance)
            return False
        if not link.dialect.ready or first >= kept.count:
            return False
        start_ms = utterance.time_of(first)
        again = [word for word in utterance.committed if word.end_ms > start_ms]
        stepped = link.dialect.stepped
        context = again if stepped else utterance.committed[-1:]
        self._segment = Segment(utterance.options, first, stepped, context, utterance.said)
        utterance.said = 0
        self._send(link, link.dialect.begin())
        return True

    def _sendable(self, segment: Segment) -> bool:
        """Whether a block, or the end, may be sent now."""
        link, utterance = self._link, self._utterance
        if link is None or utterance is None or segment.ending:
            return False
        kept = utterance.kept
        if segment.next >= kept.count:
            return kept.finished
        return not link.dialect.stepped or segment.sent - segment.steps < _IN_FLIGHT_BLOCKS

    @staticmethod
    def _end_now(link: Link, segment: Segment, utterance: Utterance) -> str:
        """Why the segment must end before the next block; "" if it must not."""
        if segment.next >= utterance.kept.count:
            return UTTERANCE
        capacity = link.server.capacity_steps
        return end_before_next(segment, utterance.kept, link.dialect, capacity)

    # --- text from the server --------------------------------------------------------------

    def _text(self, link: Link, text: Text, now: float) -> None:
        segment, utterance = self._segment, self._utterance
        if segment is None or utterance is None:
            return
        self._useful(link, now)
        heard_ms = link.heard_ms(segment)
        looked_at_ms = utterance.options.start_ms + heard_ms
        words = segment.text(text.text, _spoken_ms(segment, utterance), looked_at_ms)
        settled_ms = segment.settled_ms if segment.aligned else 0
        self._events += utterance.commit(words)
        self._events += utterance.progress(looked_at_ms, settled_ms)
        self._events += utterance.show_tail(segment.tail)

    def _ended(self, link: Link, ended: Ended, now: float) -> None:
        segment, utterance = self._segment, self._utterance
        if segment is None or utterance is None:
            return
        self._useful(link, now)
        if ended.delay_ms is not None:
            link.server.delay_ms = ended.delay_ms
        if not segment.stepped or (ended.asked and not link.fell_short(segment)):
            segment.ending = segment.ending or PAUSE
            self._segment_over(segment, utterance, ended.rest)
        else:
            self._start_over(link, segment, utterance, now)
        self._retire(link, now)

    def _start_over(self, link: Link, segment: Segment, utterance: Utterance, now: float) -> None:
        """The server has come to its model's length. What it was sent since lies in its queue
        and would come before what is heard again: another connection has none of it."""
        self._events += utterance.commit(segment.cut_off())
        self._hear_again()
        if segment.steps <= link.lead:  # one that ends at once would do so for ever
            self._give_up(link, Lost("closed", Sentence("it ended at once")), now)
        else:
            self._let_go(link)

    def _segment_over(self, segment: Segment, utterance: Utterance, rest: str) -> None:
        self._events += utterance.commit(segment.end(rest, _spoken_ms(segment, utterance)))
        self._segment = None
        utterance.next_first = segment.next
        if segment.ending == FORCED:
            utterance.next_first = max(segment.first + 1, segment.next - OVERLAP_BLOCKS)
            return
        end_ms = utterance.time_of(segment.next)
        self._events += utterance.progress(end_ms, end_ms)
        if segment.ending == UTTERANCE:
            self._over(utterance)

    def _over(self, utterance: Utterance) -> None:
        """All of the utterance is out."""
        self._events += utterance.over()
        self._utterance = self._segment = None

    def _retire(self, link: Link, now: float) -> None:
        """A connection for one utterance has had it; one that is old is replaced in time."""
        if self._link is not link or self._segment is not None:
            return
        lifetime_s = link.dialect.lifetime_s
        if link.dialect.once or (lifetime_s is not None and now - link.since > lifetime_s):
            self._let_go(link)
            self._eager = True

    def _hear_again(self) -> None:
        """The segment is no more: where the next one begins."""
        segment, utterance = self._segment, self._utterance
        self._segment = None
        if segment is None or utterance is None:
            return
        self._events += utterance.show_tail("")
        if not segment.stepped:
            utterance.next_first, utterance.said = segment.first, segment.passed
            return
        utterance.next_first = max(0, utterance.settled_block - self._context())

    def _context(self) -> int:
        return context_blocks(server.capacity_steps for server in self._servers.all)

    def _useful(self, link: Link, now: float) -> None:
        self._servers.useful(link.server)
        link.owed_since = now if link.owed_since is not None else None
        self._events += self._telling.useful(self.lane)


def _spoken_ms(segment: Segment, utterance: Utterance) -> int:
    """Up to where in the segment somebody has spoken, as far as it was sent."""
    until = utterance.spoken_until(segment.first, segment.next)
    return (until - segment.first) * BLOCK_MS
