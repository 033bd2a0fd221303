"""One engine for many: a worker process whose lanes are the streams of whoever was let in.

A stream has a lane of its own from its first sound to its end. How many there may be is a number;
besides, nobody is taken in while somebody who speaks live is behind, and whoever came last is
ended when that does not get better. Knows no network and no dialect.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from app.core.chunk import Chunk
from app.core.timeline import Gap
from app.share.lateness import LATE_MS, Lateness
from app.worker import messages as m
from app.worker.client import ClientEvent, Restarting
from app.worker.serving import ServingClient
from model_backends.base import Acting, Notice, Progress, Sentence, Tail, UserError, Word

log = logging.getLogger(__name__)

AHEAD_MS = 5_000  # of unheard sound a stream may be: its sender waits until it is less
_JITTER_MS = 2_000  # of live sound on its way
_WAIT_S = 0.1
_WATCH_S = 1.0
_SPARED_S = 20.0

Heard: TypeAlias = Word | Progress | m.Speech | Notice | Gap  # in the stream's own time
MakeClient: TypeAlias = Callable[[m.Start, Callable[[ClientEvent], None]], ServingClient]


class OverloadError(UserError):
    """The engine hears as many streams as it can."""


class Stream:
    """One voice. `take` gets what is said on it, from the engine's reader thread."""

    def __init__(self, hub: Hub, lane: str, base_ms: int, take: Callable[[Heard], None]) -> None:
        self.lane = lane
        self.lateness = Lateness()
        self.pushed_ms = 0
        self.began_s: float | None = None  # when its first sound came
        self.ended: OverloadError | None = None  # why the hub wants it to go
        self._hub = hub
        self._base_ms = base_ms
        self._take = take

    def push(self, start_ms: int, index: int, pcm: bytes) -> None:
        """Sound in the stream's own time (see `Chunk`); waits for room. Raises OverloadError."""
        self._hub.wait_for_room(self)
        chunk = Chunk(self.lane, self._base_ms + start_ms, index, pcm)
        self.pushed_ms += chunk.samples // 16
        self._hub.client.push(chunk)

    def pause(self) -> None:
        """What was said is heard out; more may come."""
        self._hub.client.pause(self.lane)

    def close(self) -> None:
        """No more comes, and nothing more is told."""
        self._hub.leave(self)

    def deliver(self, event: ClientEvent) -> None:
        """An event of this lane, in the stream's own time."""
        base = self._base_ms
        match event:
            case Word() | Gap():
                self._take(
                    replace(event, start_ms=event.start_ms - base, end_ms=event.end_ms - base)
                )
            case Progress():
                heard, settled = event.heard_ms - base, event.settled_ms - base
                self._take(replace(event, heard_ms=heard, settled_ms=settled))
            case m.Speech():
                self._take(replace(event, at_ms=event.at_ms - base))
            case Notice(code="stream-refused"):
                self.ended = OverloadError(event.message, event.hint)
                self._take(event)
            case Notice():
                self._take(event)


class Hub:
    """From `start()` to `close()`."""

    def __init__(
        self,
        start: m.Start,
        most: int,
        make_client: MakeClient = ServingClient,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`most`: streams at once. `clock` in seconds."""
        self.most = most
        self.client = make_client(start, self._deliver)
        self.ready = threading.Event()  # loaded, for the first time
        self.over = threading.Event()  # there is no engine any more
        self.failure: m.Failure | None = None
        self.model = ""
        self.tell: Callable[[str], None] = lambda sentence: None  # how the engine is doing
        self._clock = clock
        self._began_s = clock()
        self._lock = threading.Lock()
        self._streams: dict[str, Stream] = {}  # whoever came first comes first
        self._numbers = itertools.count(1)
        self._spared_until_s = 0.0  # the engine is given time to catch up

    def start(self) -> None:
        """Load the engine; returns at once."""
        self.client.start()
        threading.Thread(target=self._watch, daemon=True, name="serving watch").start()

    def join(self, take: Callable[[Heard], None], language: str | None) -> Stream:
        """Take a stream in. Raises OverloadError."""
        with self._lock:
            if len(self._streams) >= self.most:
                raise OverloadError(
                    Sentence("Voxline hears {most} streams at once, and has them.", most=self.most)
                )
            if any(s.lateness.late_ms > LATE_MS for s in self._streams.values()):
                raise OverloadError(Sentence("This computer is behind with those it hears."))
            lane = f"stream {next(self._numbers)}"
            base_ms = round((self._clock() - self._began_s) * 1000)
            stream = self._streams[lane] = Stream(self, lane, base_ms, take)
        self.client.enter(lane, language)
        return stream

    def leave(self, stream: Stream) -> None:
        """The stream is over."""
        with self._lock:
            known = self._streams.pop(stream.lane, None)
        if known is not None:
            self.client.leave(stream.lane)

    @property
    def streams(self) -> int:
        with self._lock:
            return len(self._streams)

    def wait_for_room(self, stream: Stream) -> None:
        """Hold a sender up that is ahead of the engine, and one that nobody waits for while
        somebody who speaks live is behind. Raises OverloadError."""
        while not self.over.is_set():
            if stream.ended is not None:
                raise stream.ended
            far = self.client.lag_ms(stream.lane) >= AHEAD_MS and self._is_ahead(stream)
            if not far and not self._must_wait(stream):
                return
            self.over.wait(_WAIT_S)

    def close(self) -> None:
        """End the engine now."""
        self.over.set()
        self.client.close()

    def _is_ahead(self, stream: Stream) -> bool:
        """It has sent more than could be said in the time: reading it may wait."""
        return stream.pushed_ms > self._elapsed_ms(stream) + _JITTER_MS

    def _elapsed_ms(self, stream: Stream) -> int:
        if stream.began_s is None:
            stream.began_s = self._clock()
        return round((self._clock() - stream.began_s) * 1000)

    def _must_wait(self, stream: Stream) -> bool:
        if not stream.lateness.patient:
            return False
        with self._lock:
            return any(
                each.lateness.late_ms > LATE_MS // 2
                for each in self._streams.values()
                if not each.lateness.patient
            )

    # --- the engine's reader thread --------------------------------------------------------

    def _deliver(self, event: ClientEvent) -> None:
        match event:
            case m.Ready():
                self.model = event.model
                self.ready.set()
                self.tell(Sentence("The engine is ready: {model}.", model=event.model))
            case m.Loading() | m.Hello() | m.Left() | Tail() | Acting():
                pass
            case m.Failure():
                self.failure = event
                self.over.set()
            case m.Finished():
                self.over.set()
            case Restarting():
                self.tell(event.message)
            case Notice(lane=""):
                if event.message:
                    self.tell(f"{event.message} {event.hint}".strip())
                for stream in self._all():
                    stream.deliver(event)
            case Word() | Progress() | m.Speech() | Gap() | Notice():
                self._route(event)

    def _route(self, event: Word | Progress | m.Speech | Gap | Notice) -> None:
        with self._lock:
            stream = self._streams.get(event.lane)
        if stream is not None:
            stream.deliver(event)

    def _all(self) -> list[Stream]:
        with self._lock:
            return list(self._streams.values())

    # --- the watching thread ---------------------------------------------------------------

    def _watch(self) -> None:
        self.ready.wait()
        while not self.over.wait(_WATCH_S):
            self.look()

    def look(self) -> None:
        """See how late everybody is; the last to come has to go if that is hopeless. One goes at
        a time, and whoever is alone stays: it would fare no better the next time."""
        streams = self._all()
        for stream in streams:
            lag_ms = self.client.lag_ms(stream.lane)
            stream.lateness.look(self._elapsed_ms(stream), stream.pushed_ms, lag_ms)
        live = [stream for stream in streams if not stream.lateness.patient]
        if len(live) < 2 or self._clock() < self._spared_until_s:
            return
        if any(stream.lateness.hopeless for stream in live):
            self._spared_until_s = self._clock() + _SPARED_S
            last = live[-1]
            last.ended = OverloadError(Sentence("This computer cannot keep up with so many."))
            self.leave(last)
