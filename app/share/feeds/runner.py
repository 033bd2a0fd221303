"""A feed on a thread of its own: what is said goes to one outlet, which may be slow or gone.

Whoever tells never waits. Where the outlet fails, it is opened again after a while, longer each
time; how it is doing is told when it changes. Knows no outlet.
"""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections.abc import Callable
from typing import Protocol, TypeAlias

from app.core.timeline import Gap
from model_backends.base import Sentence, UserError, Word

log = logging.getLogger(__name__)

Heard: TypeAlias = Word | Gap
_TICK_S = 0.2
_WAITS_S = (1.0, 2.0, 5.0, 10.0, 20.0)
_LEAVE_S = 5.0  # for what is still to be sent at the end


class OutletError(UserError):
    """The outlet does not take anything now; it is tried again."""


class Outlet(Protocol):
    """Where a feed leads. Used from one thread; every method may raise OutletError, and what was
    taken is not lost by that."""

    name: Sentence  # for people: "Zoom"

    def open(self) -> None:
        """Reach it; called again after each failure."""

    def take(self, heard: Heard) -> None:
        """Something was said; only noted down."""

    def send(self, last: bool = False) -> None:
        """Several times a second: send what is due; `last`: all there is."""

    def close(self) -> None:
        """Let it go; raises nothing."""


class Feed:
    """From `start()` to `close()`. `tell` gets sentences for the user, in the feed's thread."""

    def __init__(
        self,
        outlet: Outlet,
        tell: Callable[[Sentence], None],
        waits_s: tuple[float, ...] = _WAITS_S,
    ) -> None:
        self._outlet = outlet
        self._tell = tell
        self._waits_s = waits_s
        self._queue: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._failures = 0
        self._told: object = None  # how it is doing, as last told: True, or an error's sentence
        self._thread = threading.Thread(target=self._run, daemon=True, name="feed")

    def start(self) -> None:
        self._thread.start()

    def take(self, heard: Heard) -> None:
        """Never waits."""
        self._queue.put(heard)

    def close(self, timeout: float = _LEAVE_S) -> None:
        """Send what there is, then let the outlet go; waits for that, but not for ever."""
        self._stopping.set()
        self._thread.join(timeout)

    # --- the feed's thread -----------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._try()
        except Exception:  # a feed that breaks must not end in silence
            log.exception("feed")
            self._say(Sentence("{name}: something went wrong; it stops.", name=self._outlet.name))
        finally:
            self._outlet.close()

    def _try(self) -> None:
        try:
            self._outlet.open()
            self._well()
            while not self._stopping.wait(_TICK_S):
                self._pass_on()
            self._pass_on(last=True)
        except OutletError as error:
            self._failed(error)

    def _pass_on(self, last: bool = False) -> None:
        self._note()
        self._outlet.send(last)
        self._failures = 0

    def _note(self) -> None:
        for _ in range(self._queue.qsize()):
            self._outlet.take(self._queue.get())

    def _failed(self, error: OutletError) -> None:
        what = f"{error.message} {error.hint}".strip()
        self._say(Sentence("{name}: {problem}", name=self._outlet.name, problem=what))
        wait_s = self._waits_s[min(self._failures, len(self._waits_s) - 1)]
        self._failures += 1
        ends = time.monotonic() + wait_s * random.uniform(0.75, 1.25)
        while time.monotonic() < ends and not self._stopping.wait(min(_TICK_S, wait_s)):
            self._note()

    def _well(self) -> None:
        self._say(Sentence("{name}: connected.", name=self._outlet.name))

    def _say(self, sentence: Sentence) -> None:
        if sentence != self._told:
            self._told = sentence
            self._tell(sentence)
