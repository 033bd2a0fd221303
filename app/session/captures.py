"""A session's captures, and which of a lane's is heard while one hands over to the next.

A capture that comes after another is heard from its first sound on; what the one before still
brings is dropped then, so that nothing is lost and nothing heard twice. Captures are begun and let
go of by one thread, and deliver on threads of their own. Knows nothing of sources, engines or the
session's state.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Collection
from functools import partial
from typing import Protocol, TypeAlias

from app.audio.capture import CaptureEvent, Feed
from app.audio.clock import SessionClock
from app.core.chunk import Chunk
from app.session import events as e
from app.session.gathering import Gathering


class LiveCapture(Protocol):
    """What a session needs of `Capture`."""

    def start(self) -> None: ...
    def close(self) -> None: ...


MakeCapture: TypeAlias = Callable[
    [Feed, str, SessionClock, Callable[[CaptureEvent], None]], LiveCapture
]


class Captures:
    """By lane and number. `push` and `flush` are called from the captures' threads, too."""

    def __init__(
        self,
        make: MakeCapture,
        clock: SessionClock,
        push: Callable[[Chunk], None],
        flush: Callable[[str], None],
        tell: Callable[[e.Sound], None],
    ) -> None:
        """`push` gets the sound that is heard; `flush` the lane of which what was said is over;
        `tell` what is said of all sound."""
        self._make = make
        self._clock = clock
        self._push, self._flush, self._tell = push, flush, tell
        self._captures: dict[tuple[str, int], LiveCapture] = {}
        self._gathering: defaultdict[tuple[str, int], Gathering] = defaultdict(Gathering)
        self._sounding: dict[str, int] = {}  # per lane: the latest capture that has brought sound
        self._handing_over = threading.Lock()

    @property
    def sounding(self) -> Collection[str]:
        """The lanes that have brought sound."""
        return self._sounding.keys()

    def listen(self, listen: e.Listen) -> None:
        """Begin one."""
        deliver = partial(self._take, listen.lane, listen.capture)
        capture = self._make(listen.feed, listen.lane, self._clock, deliver)
        self._captures[listen.lane, listen.capture] = capture
        capture.start()

    def let_go(self, gone: e.LetGo) -> None:
        """What was said is finished, unless another capture has taken over in mid-sentence."""
        self._captures.pop((gone.lane, gone.capture)).close()
        with self._handing_over:
            if self._sounding.get(gone.lane, gone.capture) == gone.capture:
                self._flush(gone.lane)
            for told in self._gathering[gone.lane, gone.capture].rest():
                self._tell(e.Sound(gone.lane, gone.capture, told))

    def close(self) -> None:
        """End all of them, and tell nothing of it."""
        for capture in self._captures.values():
            capture.close()

    def _take(self, lane: str, capture: int, event: CaptureEvent) -> None:
        """In the capture's thread: sound goes straight on."""
        with self._handing_over:
            if not isinstance(event, Chunk):
                told = self._gathering[lane, capture].take(event)
            elif self._is_heard(lane, capture):
                self._push(event)
                told = self._gathering[lane, capture].take(e.Heard(event.start_ms, event.end_ms))
            else:
                return
            for each in told:
                self._tell(e.Sound(lane, capture, each))

    def _is_heard(self, lane: str, capture: int) -> bool:
        """Whether this one's sound counts; once a later capture brings some, only that one's."""
        sounding = self._sounding.get(lane, capture)
        if capture < sounding:
            return False
        if capture > sounding:
            self._flush(lane)
        self._sounding[lane] = capture
        return True
