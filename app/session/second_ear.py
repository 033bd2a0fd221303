"""What hears a session's sound once more, with nobody waiting: another worker of the same engine.

It is given all sound that the captions are given, and is started with the first caption; until
then nothing is done but to keep it. It gives way to everything else on the computer. Where the
engine makes the record by itself, or none is wanted, all of this does nothing. Called from the
session's and from the captures' threads; knows no words.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, TypeAlias

import psutil

from app.core.chunk import Chunk, joined
from app.session import events as e
from app.session.start import start_message
from app.session.status import RecordWay, SessionOptions
from app.worker import messages as m
from app.worker.client import ClientEvent
from model_backends import describe
from model_backends.base import EngineInfo, EngineOptions, Sentence

log = logging.getLogger(__name__)

_AT_ONCE_MS = 1_000  # of sound that is handed on together: nobody waits, and each hand-over costs
_LEAST_MEMORY = 800_000_000  # bytes that must be free for another model, and be left for the rest


class Second(Protocol):
    """What is needed of `BackgroundClient`."""

    def start(self) -> None: ...
    def push(self, chunk: Chunk) -> None: ...
    def pause(self, lane: str) -> None: ...
    def hold(self, held: bool) -> None: ...
    def finish(self) -> None: ...
    def kill(self) -> None: ...


MakeSecond: TypeAlias = Callable[[m.Start, Callable[[ClientEvent], None]], Second]


def record_way(options: SessionOptions, info: EngineInfo, delay_ms: int) -> RecordWay:
    """Where the record of captions at this delay comes from."""
    if not options.hear_again:
        return RecordWay.NONE
    if info.record_track_ms(delay_ms) is not None:
        return RecordWay.TRACK
    return RecordWay.WORKER if info.hears_again else RecordWay.NONE


def record_track_ms(way: RecordWay, info: EngineInfo, delay_ms: int) -> int | None:
    """The delay of the record's track, if there is one."""
    return info.record_track_ms(delay_ms) if way is RecordWay.TRACK else None


def patient_start(engine: EngineOptions) -> m.Start:
    """What a worker is told that hears everything once more: as a file, at the longest delay."""
    delay_ms = max(describe(engine.engine).delays_ms)
    start = start_message(replace(engine, delay_ms=delay_ms), realtime=False)
    return replace(start, background=True)


class SecondEar:
    """One session's; does nothing unless the way is another worker."""

    def __init__(
        self,
        way: RecordWay,
        engine: EngineOptions,
        make: MakeSecond,
        put: Callable[[e.Again], None],
    ) -> None:
        """`put` gets all that its worker says, in the worker client's thread."""
        self._client: Second | None = None
        self._put = put
        self._gathering = threading.Lock()
        self._gathered: defaultdict[str, list[Chunk]] = defaultdict(list)  # by lane
        if way is RecordWay.WORKER:
            self._client = make(patient_start(engine), lambda event: put(e.Again(event)))

    def start(self) -> None:
        """Hear what there is, and what comes; unless there is no memory for it."""
        if self._client is None:
            return
        free = psutil.virtual_memory().available
        if free < _LEAST_MEMORY:
            log.warning("nothing is heard a second time: %d MB of memory are free", free >> 20)
            self._put(e.Again(m.Failure(Sentence("There is no memory for a second hearing."))))
        else:
            self._client.start()

    def push(self, chunk: Chunk) -> None:
        """More sound; never blocks."""
        if self._client is None:
            return
        with self._gathering:
            gathered = self._gathered[chunk.lane]
            if gathered and not chunk.follows(gathered[-1]):
                self._hand_on(chunk.lane)
            gathered.append(chunk)
            if chunk.end_ms - gathered[0].start_ms >= _AT_ONCE_MS:
                self._hand_on(chunk.lane)

    def pause(self, lane: str) -> None:
        """A lane's sound ends here for now."""
        if self._client is not None:
            with self._gathering:
                self._hand_on(lane)
                self._client.pause(lane)

    def hold(self, held: bool) -> None:
        """Stand still, or go on."""
        if self._client is not None:
            self._client.hold(held)

    def finish(self) -> None:
        """No more sound comes."""
        if self._client is not None:
            with self._gathering:
                for lane in list(self._gathered):
                    self._hand_on(lane)
            self._client.hold(False)
            self._client.finish()

    def kill(self) -> None:
        """Hear nothing more."""
        if self._client is not None:
            self._client.kill()

    def _hand_on(self, lane: str) -> None:
        """What has been gathered of a lane; with the lock held."""
        gathered = self._gathered[lane]
        if gathered and self._client is not None:
            self._client.push(joined(gathered))
            gathered.clear()
