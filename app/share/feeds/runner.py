"""A feed on a thread of its own: what is said goes to one outlet, which may be slow or gone.

Whoever tells never waits. Where the outlet fails, it is opened again after a while, longer each
time; how it is doing is told when it changes, and can be asked at any moment. Knows no outlet.
"""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias

from app.core.timeline import Gap
from model_backends.base import Sentence, UserError, Word, joined

log = logging.getLogger(__name__)

Heard: TypeAlias = Word | Gap
_TICK_S = 0.2
_WAITS_S = (1.0, 2.0, 5.0, 10.0, 20.0)
_LEAVE_S = 5.0  # for what is still to be sent at the end
BROKEN = Sentence("something went wrong; it stops.")


class OutletError(UserError):
    """The outlet does not take anything now; it is tried again."""


class Outlet(Protocol):
    """Where a feed leads. Used from one thread; every method may raise OutletError, and what was
    taken is not lost by that."""

    name: Sentence  # for people: "Zoom"
    sent: int  # words that have arrived there

    def open(self) -> None:
        """Reach it; called again after each failure."""

    def take(self, heard: Heard) -> None:
        """Something was said; only noted down."""

    def send(self, last: bool = False) -> None:
        """Several times a second: send what is due; `last`: all there is."""

    def close(self) -> None:
        """Let it go; raises nothing."""


class Way(Enum):
    """Where a feed is on its way from its start to its end."""

    OPENING = "opening"
    CONNECTED = "connected"
    AGAIN = "again"  # it was lost, or could not be reached: it is tried again
    OVER = "over"
    BROKEN = "broken"  # by a fault of ours


@dataclass(frozen=True, slots=True)
class Doing:
    """How a feed is doing. `problem`: why it is not connected, and what to do; else empty."""

    way: Way
    sent: int  # words that have arrived
    problem: str = ""


class Feed:
    """From `start()` to `end()` or `close()`. `tell` gets sentences for the user, in the feed's
    thread."""

    def __init__(
        self,
        outlet: Outlet,
        tell: Callable[[Sentence], None],
        waits_s: tuple[float, ...] = _WAITS_S,
        after: Feed | None = None,
    ) -> None:
        """`after`: the feed that led to the same place, and may have to send its last words yet:
        two at once would take each other's numbers, or lines."""
        self._outlet = outlet
        self._tell = tell
        self._waits_s = waits_s
        self._after = after
        self._queue: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._failures = 0
        self._told: object = None  # how it is doing, as last told: True, or an error's sentence
        self._way, self._problem = Way.OPENING, ""
        self._thread = threading.Thread(target=self._run, daemon=True, name="feed")

    @property
    def doing(self) -> Doing:
        """How it is doing now; from any thread."""
        return Doing(self._way, self._outlet.sent, self._problem)

    def start(self) -> None:
        self._thread.start()

    def take(self, heard: Heard) -> None:
        """Never waits."""
        self._queue.put(heard)

    def end(self) -> None:
        """Nothing more comes: what there is is sent, then the outlet let go. Never waits."""
        self._stopping.set()

    def close(self, timeout: float = _LEAVE_S) -> None:
        """`end()`, and wait for that; but not for ever."""
        self.end()
        self.wait(timeout)

    def wait(self, timeout: float) -> None:
        """Until it is over, so long at most."""
        self._thread.join(max(0.0, timeout))

    # --- the feed's thread -----------------------------------------------------------------

    def _run(self) -> None:
        if self._after is not None:
            self._after.wait(_LEAVE_S)
            self._after = None
        try:
            over = False
            while not over:
                last = self._stopping.is_set()  # once more, for what could not be sent
                over = self._try() or last
            self._way, self._problem = Way.OVER, ""
        except Exception:  # a feed that breaks must not end in silence
            log.exception("feed")
            self._way, self._problem = Way.BROKEN, BROKEN
            self._say(Sentence("{name}: {problem}", name=self._outlet.name, problem=BROKEN))
        finally:
            self._outlet.close()

    def _try(self) -> bool:
        """Until it fails, or everything has been sent at the end: then True."""
        try:
            self._outlet.open()
            self._well()
            while not self._stopping.wait(_TICK_S):
                self._pass_on()
            self._pass_on(last=True)
        except OutletError as error:
            self._failed(error)
            return False
        return True

    def _pass_on(self, last: bool = False) -> None:
        self._note()
        self._outlet.send(last)
        self._failures = 0

    def _note(self) -> None:
        for _ in range(self._queue.qsize()):
            self._outlet.take(self._queue.get())

    def _failed(self, error: OutletError) -> None:
        what = joined(error.message, error.hint)
        self._way, self._problem = Way.AGAIN, what
        self._say(Sentence("{name}: {problem}", name=self._outlet.name, problem=what))
        wait_s = self._waits_s[min(self._failures, len(self._waits_s) - 1)]
        self._failures += 1
        ends = time.monotonic() + wait_s * random.uniform(0.75, 1.25)
        while time.monotonic() < ends and not self._stopping.wait(min(_TICK_S, wait_s)):
            self._note()

    def _well(self) -> None:
        self._way, self._problem = Way.CONNECTED, ""
        self._say(Sentence("{name}: connected.", name=self._outlet.name))

    def _say(self, sentence: Sentence) -> None:
        if sentence != self._told:
            self._told = sentence
            self._tell(sentence)
