"""A voice on a stage: servers of nothing but talk, a clock that is moved by hand, sound that tells
when it was made. Everything happens as in the engine, without a thread or a socket."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Sequence
from typing import Any

from app.measure.position import sound
from app.measure.stand_in_model import Line, Script
from app.measure.stand_in_talk import MODEL, Ended, Plan, Talk
from model_backends.base import Event, Notice, Progress, StreamOptions, Word
from model_backends.remote.addresses import read
from model_backends.remote.commands import Connect, Drop, Send
from model_backends.remote.dialects.base import Dialect, Wishes
from model_backends.remote.dialects.vllm import Vllm
from model_backends.remote.servers import Lost, Servers
from model_backends.remote.voice import Voice

FRAME = 512
STEP_S = FRAME / 16_000
WIRE_S = 0.02  # one way


def words_every(ms: int, count: int, first_ms: int = 300) -> list[Line]:
    """A script: numbered words, each a little shorter than its place."""
    return [(f" w{i}", first_ms + i * ms, first_ms + i * ms + ms * 3 // 4) for i in range(count)]


class Stage:
    """`plan(server, connection)` says what goes wrong with a server's n-th connection."""

    def __init__(
        self,
        lines: Sequence[Line],
        servers: int = 1,
        plan: Callable[[int, int], Plan] = lambda server, number: Plan(),
        max_model_len: int = 16_384,
        asks: bool = True,
        talk: Callable[[Plan], Any] | None = None,
        dialect: Callable[[Wishes], Dialect] = Vllm,
    ) -> None:
        """`talk`: another server's conversation, `greeting()` and `take(frame)`; in its dialect."""
        addresses = [read(f"ws://server{i}:8000") for i in range(servers)]
        self.servers = Servers(addresses, random.Random(1))
        for server in self.servers.all if asks else ():
            server.capacity_steps, server.model = max_model_len - 32, MODEL
        self._plan = plan
        self.now = 100.0
        self.events: list[Event] = []
        self.connections: list[int] = []  # the server of each
        self._made = [0] * servers
        self._order = itertools.count()
        self._due: list[tuple[float, int, Callable[[], Any]]] = []
        self._talks: dict[int, Any] = {}
        self._talk = talk or (lambda plan: Talk(lambda: Script(lines), plan, max_model_len))
        self.voice = Voice(self.servers, lambda server, wishes: dialect(wishes), Wishes(MODEL))
        self._sample = 0

    # --- what a test does ------------------------------------------------------------------

    def say(self, seconds: float, speech: Callable[[int], float] = lambda ms: 0.9) -> Stage:
        """So much sound, at its own pace; `speech`: the detector's score at a session's time."""
        for _ in range(round(seconds / STEP_S)):
            self.voice.push(sound(self._sample, FRAME), speech(self._sample // 16))
            self._sample += FRAME
            self.wait(STEP_S)
        return self

    def wait(self, seconds: float) -> Stage:
        """Time passes, without sound."""
        until = self.now + seconds
        self._turn()
        while self._due and self._due[0][0] <= until:
            at, _, happen = heapq.heappop(self._due)
            self.now = max(self.now, at)
            happen()
            self._turn()
        self.now = until
        self._turn()
        return self

    def open(self, utterance: int = 0) -> Stage:
        self.voice.open(StreamOptions("me", utterance, (480,), self._sample // 16))
        return self

    def finish(self, patience_s: float = 60.0) -> Stage:
        """No more sound; until all of it is out."""
        self.voice.finish()
        end = self.now + patience_s
        while self.voice.busy and self.now < end:
            self.wait(0.1)
        assert not self.voice.busy, f"not over after {patience_s} s"
        return self

    def cut_wires(self, server: int) -> None:
        """Every connection to this server is lost now."""
        for number in [n for n in self._talks if self.connections[n] == server]:
            self._lose(number, Lost("closed", "1006"))

    # --- what a test reads -----------------------------------------------------------------

    @property
    def text(self) -> str:
        return "".join(each.text for each in self.words)

    @property
    def words(self) -> list[Word]:
        return [each for each in self.events if isinstance(each, Word)]

    @property
    def notices(self) -> list[str]:
        return [each.message for each in self.events if isinstance(each, Notice)]

    @property
    def progress(self) -> list[Progress]:
        return [each for each in self.events if isinstance(each, Progress)]

    # --- behind the scenes -----------------------------------------------------------------

    def _turn(self) -> None:
        self.voice.tick(self.now)
        commands, events = self.voice.take()
        self.events += events
        for command in commands:
            if isinstance(command, Connect):
                self._connect(command)
            elif isinstance(command, Send):
                for frame in command.frames:
                    self._later(lambda n=command.link, f=frame: self._hear(n, f))  # type: ignore[misc]
            elif isinstance(command, Drop):
                self._talks.pop(command.link, None)

    def _later(self, happen: Callable[[], Any], wires: int = 1) -> None:
        heapq.heappush(self._due, (self.now + wires * WIRE_S, next(self._order), happen))

    def _connect(self, command: Connect) -> None:
        index = self.servers.all.index(command.server)
        plan = self._plan(index, self._made[index])
        self._made[index] += 1
        number = command.link
        assert number == len(self.connections)
        self.connections.append(index)
        if plan.status:
            kind = {401: "refused", 503: "full"}[plan.status]
            retry = float(plan.retry_after) if plan.retry_after else None
            self._talks[number] = None
            self._later(lambda: self._lose(number, Lost(kind, "", retry)), 2)
            return
        self._talks[number] = self._talk(plan)
        self._later(lambda: self._open(number), 2)

    def _open(self, number: int) -> None:
        if number in self._talks:
            self.voice.opened(number, self.now)
            self._answer(number, self._talks[number].greeting())

    def _hear(self, number: int, frame: str) -> None:
        if number not in self._talks:
            return
        try:
            self._answer(number, self._talks[number].take(frame))
        except Ended as end:
            self._answer(number, end.frames)
            code = "1006" if end.code is None else str(end.code)
            self._later(lambda: self._lose(number, Lost("closed", code)))

    def _answer(self, number: int, frames: list[str]) -> None:
        for frame in frames:
            self._later(lambda f=frame: self._say(number, f))  # type: ignore[misc]

    def _say(self, number: int, frame: str) -> None:
        if number in self._talks:
            self.voice.received(number, frame, self.now)

    def _lose(self, number: int, lost: Lost) -> None:
        if number in self._talks:
            del self._talks[number]
            self.voice.lost(number, lost, self.now)
