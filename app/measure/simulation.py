"""A session on a simulated clock: the real lane, engine and replay buffer, and a worker that fails.

Audio comes in at its own pace, every decode moves the clock on by what it costs, and at chosen
moments the worker is killed, and another takes its place, or stands still for a while. Nothing
sleeps and no process is started, so a run is the same each time. What is left out: the pipe, the
client's threads, and the change to a smaller model.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.core.chunk import Chunk
from app.measure.decodes import KeptRecognizer
from app.worker.lane import Lane
from app.worker.messages import Break, Message
from app.worker.outgoing import AHEAD_MS
from app.worker.replay_buffer import ReplayBuffer
from app.worker.vad import SileroVad
from model_backends.base import Event, Pcm, Progress, Word
from model_backends.embedded.engine import EmbeddedEngine
from model_backends.embedded.weights import Weights

_LANE = "me"
_CHUNK = 512  # samples: 32 ms, about what a sound server delivers at once
_MS = 16  # samples in a millisecond
_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Fault:
    """The worker dies at `at_ms`, or, with `stall_ms`, stands still for so long."""

    at_ms: int
    stall_ms: int | None = None

    @property
    def kind(self) -> str:
        return "kill" if self.stall_ms is None else f"stall of {self.stall_ms / 1000:.1f} s"


@dataclass(frozen=True, slots=True)
class Shown:
    """A word and the moment it was delivered."""

    word: Word
    at_ms: float


class Simulation:
    """One recording, one lane, one delay, and the faults in its way."""

    def __init__(
        self,
        recognizer: KeptRecognizer,
        pcm: Pcm,
        faults: Sequence[Fault] = (),
        delay_ms: int = 1000,
        load_ms: int = 1500,
        language: str | None = None,
        realtime: bool = True,
    ) -> None:
        """`pcm`: float32, 16 kHz. `load_ms`: from a worker's start until it listens. Not
        `realtime`: the second hearing, for which nobody waits."""
        self.shown: list[Shown] = []
        self.told: list[tuple[float, Word | Progress]] = []  # all that was delivered, and when
        self.now_ms = 0.0
        self._recognizer = recognizer
        self._chunks = deque(_chunks(pcm))
        self._faults = deque(sorted(faults, key=lambda fault: fault.at_ms))
        self._delay_ms, self._load_ms, self._language = delay_ms, load_ms, language
        self._realtime = realtime
        self._buffer = ReplayBuffer((delay_ms,))
        self._utterances = itertools.count()
        self._spoken: dict[str, str] = {}  # as the client tells the next worker
        self._listening_ms = 0.0  # when the worker is there (again)
        self._finishing = False
        self._begin_worker()

    def run(self) -> list[Word]:
        """The whole recording; every word that was delivered, in order."""
        while not self._over():
            self._take_audio()
            if self._fault_ms <= self.now_ms:
                self._fail()
            elif self.now_ms < self._listening_ms:
                self._wait_until(self._listening_ms)
            else:
                self._work()
        for word in self._buffer.finish():
            self._show(word)
        return [shown.word for shown in self.shown]

    # --- the app's side ----------------------------------------------------------------------

    def _take_audio(self) -> None:
        while self._chunks and self._chunks[0].end_ms <= self.now_ms:
            self._buffer.push(self._chunks.popleft())

    def _receive(self, message: Message) -> None:
        """The client's bookkeeping."""
        if isinstance(message, Word):
            for word in self._buffer.commit(message):
                self._show(word)
        elif isinstance(message, Progress):
            for event in self._buffer.progress(message):
                if isinstance(event, Word):
                    self._show(event)
                else:
                    self.told.append((self.now_ms, event))

    def _show(self, word: Word) -> None:
        self.shown.append(Shown(word, self.now_ms))
        self.told.append((self.now_ms, word))
        if word.language is not None:
            self._spoken[word.lane] = word.language

    # --- the worker's side -------------------------------------------------------------------

    def _begin_worker(self) -> None:
        recognizer: Any = self._recognizer  # has the verbs an engine uses
        weights = Weights(recognizer, "simulated", load_small=None)
        self._engine = EmbeddedEngine(
            weights, spoken=self._spoken, clock=lambda: self.now_ms / 1000
        )
        self._lane = Lane(
            _LANE,
            self._engine,
            SileroVad(),
            (self._delay_ms,),
            self._receive,
            next_utterance=lambda: next(self._utterances),
            language=self._language,
            realtime=self._realtime,
        )
        self._finishing = False

    def _work(self) -> None:
        """One turn of the worker's loop."""
        while self._buffer.has_next(AHEAD_MS):
            message = self._buffer.next(AHEAD_MS)
            if isinstance(message, Break):
                self._lane.pause()
            elif isinstance(message, Chunk):
                self._lane.take(message)
        if not self._chunks and not self._finishing:
            self._finishing = True
            self._lane.pause()
        self._lane.feed()
        if self._engine.idle and not self._lane.ready:
            self._wait_until(self._chunks[0].end_ms if self._chunks else self.now_ms)
            return
        events = self._engine.advance()
        if self._spend(self._recognizer.take_cost_ms()):
            self._deliver(events)

    def _spend(self, ms: float) -> bool:
        """The clock moves on by a decode's cost; False if the worker dies before it is done."""
        while self._fault_ms <= self.now_ms + ms:
            fault = self._faults.popleft()
            if fault.stall_ms is None:
                self.now_ms = max(self.now_ms, fault.at_ms)
                self._replace_worker()
                return False
            ms += fault.stall_ms
        self.now_ms += ms
        return True

    def _deliver(self, events: Sequence[Event]) -> None:
        self._take_audio()  # what came in meanwhile
        for event in events:
            self._receive(self._lane.annotate(event))

    # --- faults ------------------------------------------------------------------------------

    @property
    def _fault_ms(self) -> float:
        return self._faults[0].at_ms if self._faults else _NEVER

    def _fail(self) -> None:
        fault = self._faults.popleft()
        if fault.stall_ms is None:
            self._replace_worker()
        else:
            self._listening_ms = self.now_ms + fault.stall_ms

    def _replace_worker(self) -> None:
        self._buffer.rewind()
        self._begin_worker()
        self._listening_ms = self.now_ms + self._load_ms

    def _wait_until(self, ms: float) -> None:
        self.now_ms = min(max(ms, self.now_ms), max(self._fault_ms, self.now_ms))

    def _over(self) -> bool:
        if self._chunks or not self._finishing or self._buffer.has_next(None):
            return False
        return self._engine.idle and self._lane.quiet


def _chunks(pcm: Pcm) -> list[Chunk]:
    samples = (np.clip(pcm, -1, 1) * 32767).astype("<i2")
    return [
        Chunk(_LANE, at // _MS, at, samples[at : at + _CHUNK].tobytes())
        for at in range(0, len(samples), _CHUNK)
    ]
