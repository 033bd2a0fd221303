"""The worker's loop: take what has come, feed the lanes, advance the engine, send the events.

Knows the protocols on both sides (messages, engine); the pipe itself is process.py's.
"""

from __future__ import annotations

import itertools
import queue
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from app import paths
from app.core.chunk import Chunk
from app.core.corrections import Corrector
from app.core.names import names_in
from app.worker import messages as m
from app.worker.echo import Echo
from app.worker.heartbeat import Heartbeat
from app.worker.lane import Lane
from app.worker.language import prepare
from app.worker.turns import Turns
from app.worker.vad import Vad, make_vad
from model_backends import load
from model_backends.base import (
    Engine,
    EngineError,
    LoadOptions,
    Notice,
    Progress,
    Sentence,
    Word,
)

Send = Callable[[m.Message], None]


def load_engine(start: m.Start, send: Send) -> Engine:
    """Load what `start` names, telling progress. Raises EngineError with the user's sentence."""
    begun = time.monotonic()
    options = LoadOptions(
        model=start.model,
        device=start.device,
        models_dir=Path(start.models_dir),
        language=start.language,
        realtime=start.realtime,
        extra=start.extra,
        adapted=start.adapted,
        spoken=start.spoken,
        cache_dir=paths.cache_dir(),
    )
    engine = load(start.engine, options, lambda fraction, text: send(m.Loading(fraction, text)))
    _begin(engine, start, send, round((time.monotonic() - begun) * 1000))
    return engine


def take_engine(engine: Engine, start: m.Start, send: Send) -> None:
    """Begin another session with an engine that is loaded. Raises EngineError as loading does."""
    _begin(engine, start, send, 0)


def _begin(engine: Engine, start: m.Start, send: Send, load_ms: int) -> None:
    for delay in start.delays_ms:
        engine.info.check_delay(delay)
    engine.info.check_language(start.language)
    send(m.Ready(start.engine, engine.model, engine.device, load_ms))


class Loop:
    """Owns the lanes; runs in the worker's one working thread."""

    def __init__(
        self,
        engine: Engine,
        start: m.Start,
        inbox: queue.Queue[m.Message],
        send: Send,
        heartbeat: Heartbeat,
    ) -> None:
        self._engine = engine
        self._start = start
        self._inbox = inbox
        self._send = send
        self._heartbeat = heartbeat
        self._model = engine.model  # as last told
        self._lanes: dict[str, Lane] = {}
        self._languages: dict[str, str | None] = {}  # of the lanes that entered
        self._leaving: set[str] = set()
        self._echo, self._turns = Echo(), Turns()
        self._corrector = Corrector(names_in(start.names))
        self._utterances = itertools.count(start.first_utterance)
        self._finishing = self._abandoned = False

    def run(self) -> None:
        """Until `Finish` has come and everything has been flushed, or `Abandon`; then sends
        `Finished`. The engine stays loaded, with no stream open."""
        while not (self._finishing and self._quiet):
            self._take()
            if self._abandoned:
                break
            self._feed()
            for event in self._engine.advance():
                lane_of = self._lanes.get(event.lane)
                self._tell(lane_of.annotate(event) if lane_of else event)
            self._send_all(self._echo.decided(at_once=self._quiet))
            for name, lane in self._lanes.items():
                if lane.quiet:
                    self._send_each(self._corrector.ended(name))
            self._forget_left()
            self._tell_adapted()
            self._heartbeat.step()
        for lane in self._lanes.values():
            lane.close()
        self._send(m.Finished())

    def _feed(self) -> None:
        waiting = self._turns.waiting(self._lanes, self._engine.idle)
        for name, lane in self._lanes.items():
            if name != waiting:
                self._feed_lane(name, lane)
        for notice in self._turns.news(self._lanes):
            self._send(notice)

    def _feed_lane(self, name: str, lane: Lane) -> None:
        """A lane that came to an engine that others use, too, must not end it for them."""
        try:
            lane.feed()
        except EngineError as error:
            if name not in self._languages:
                raise
            lane.drop()
            self._send(Notice(name, "stream-refused", error.message, error.hint))

    def _forget_left(self) -> None:
        """Lanes that no sound comes on any more go once everything on them has been told."""
        for name in [n for n in self._leaving if n not in self._lanes or self._lanes[n].quiet]:
            self._leaving.discard(name)
            self._lanes.pop(name, None)
            self._corrector.forget(name)
            self._languages.pop(name, None)
            self._send(m.Left(name))

    def _tell(self, message: m.Message) -> None:
        self._send_all(self._echo.take(message))

    def _send_all(self, messages: list[m.Message]) -> None:
        for message in messages:
            if isinstance(message, (Word, Progress)):
                self._send_each(self._corrector.take(message))
            else:
                self._send(message)

    def _send_each(self, messages: Sequence[m.Message]) -> None:
        for message in messages:
            self._send(message)

    @property
    def _quiet(self) -> bool:
        return self._engine.idle and all(lane.quiet for lane in self._lanes.values())

    def _tell_adapted(self) -> None:
        """A successor of this process shall not have to find out again."""
        if self._engine.model != self._model:
            self._model = self._engine.model
            self._send(m.Adapted(self._model))

    def _take(self) -> None:
        """Handle every message that is here; wait for one when there is nothing else to do."""
        busy = self._leaving or any(lane.ready for lane in self._lanes.values())
        wait = self._engine.idle and not busy
        if wait and not self._finishing:
            self._heartbeat.idle = True
            self._handle(self._inbox.get())
            self._heartbeat.idle = False
        while not self._abandoned:
            try:
                self._handle(self._inbox.get_nowait())
            except queue.Empty:
                return

    def _handle(self, message: m.Message) -> None:
        if isinstance(message, Chunk):
            self._echo.hear(message)
            self._lane(message.lane).take(message)
        elif isinstance(message, m.SetDelay):
            self._lane(message.lane).set_delay(message.track, message.ms)
        elif isinstance(message, m.Break):
            self._lane(message.lane).pause()
        elif isinstance(message, m.Enter):
            self._languages[message.lane] = message.language
        elif isinstance(message, m.Leave):
            self._leaving.add(message.lane)
            if message.lane in self._lanes:
                self._lanes[message.lane].pause()
        elif isinstance(message, m.Finish):
            self._finishing = True
            for lane in self._lanes.values():
                lane.pause()
        elif isinstance(message, m.Abandon):
            self._abandoned = True

    def _lane(self, name: str) -> Lane:
        if name not in self._lanes:
            if self._start.realtime and not self._engine.info.languages:
                prepare()  # the engine will not say what language its words are
            self._lanes[name] = Lane(
                name,
                self._engine,
                self._vad(name),
                self._start.delays_ms or (self._engine.info.default_delay_ms,),
                self._tell,
                next_utterance=lambda: next(self._utterances),
                language=self._languages.get(name, self._start.language),
                realtime=self._start.realtime,
            )
        return self._lanes[name]

    def _vad(self, lane: str) -> Vad:
        """The detector asked for, or the light one when it cannot be loaded."""
        try:
            return make_vad(self._start.vad)
        except Exception as error:  # onnxruntime raises its own kinds for a missing or broken file
            self._send(
                Notice(
                    lane,
                    "light-vad",
                    Sentence(
                        "The accurate voice detector could not be loaded ({error}).",
                        error=str(error),
                    ),
                    Sentence(
                        "A simpler one is used; music and typing may open captions for a moment."
                    ),
                )
            )
            return make_vad("webrtc")
