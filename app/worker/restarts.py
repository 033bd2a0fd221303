"""When to bring a dead worker back: at once, after a while, or not any more.

A worker that once ran is brought back for as long as someone listens, more slowly the more often
it dies; one that never came to hear anything will not do so the sixth time. Sound at which one
after another dies has to be left out. Pure: times are handed in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from app.core.timeline import Gap
from app.worker.ending import Ending
from model_backends.base import Notice, Sentence, joined

_WINDOW_S = 120.0  # deaths longer ago than this are forgiven


class Verdict(Enum):
    """What to do about a death."""

    AGAIN = auto()  # start another
    SKIP = auto()  # start another, past the sound at which so many died
    GIVE_UP = auto()


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often, and after how many seconds."""

    waits_s: tuple[float, ...] = (0, 0, 0, 1, 2, 5, 10, 20, 30)  # by deaths in the last 2 minutes
    most_unready: int = 6  # deaths in a row of a client that never had a worker ready
    most_stuck: int = 6  # deaths in a row without any sound heard between


class Restarts:
    """Follows the workers of one client. `live`: somebody speaks on whatever happens."""

    def __init__(self, backoff: Backoff, live: bool) -> None:
        self._backoff = backoff
        self._live = live
        self._deaths: deque[float] = deque()
        self._stuck = 0
        self._was_ready = False
        self.count = 0  # of deaths, for the message

    def ready(self) -> None:
        """A worker has loaded its engine."""
        self._was_ready = True

    def progressed(self) -> None:
        """More sound has been heard to its end than ever before."""
        self._stuck = 0

    def died(self, now: float) -> Verdict:
        """A worker has died at this monotonic time."""
        self.count += 1
        self._stuck += 1
        self._deaths.append(now)
        while now - self._deaths[0] > _WINDOW_S:
            self._deaths.popleft()
        if not self._was_ready:
            over = self._stuck >= self._backoff.most_unready
            return Verdict.GIVE_UP if over else Verdict.AGAIN
        if self._stuck < self._backoff.most_stuck:
            return Verdict.AGAIN
        if not self._live:
            return Verdict.GIVE_UP
        self._stuck = self._backoff.most_stuck // 2
        return Verdict.SKIP

    def advice(self, ending: Ending) -> str:
        """What to do once it is given up, after the last worker ended so."""
        loads = self._was_ready or ending.kind != "crashed"
        return joined("" if loads else _NEVER_LOADED, _LOG)

    @property
    def wait_s(self) -> float:
        """How long to wait before the next is started."""
        waits = self._backoff.waits_s
        return waits[min(len(self._deaths), len(waits)) - 1] if self._deaths else 0.0


_LOG = Sentence("The log has the details; see `voxline doctor`.")
_NEVER_LOADED = Sentence(
    "It crashes on loading the model, whose file may be damaged: download it again, or choose "
    "another model."
)


def skipped_notice(gaps: Sequence[Gap]) -> Notice:
    """What the user is told of sound that was left out."""
    first = gaps[0]
    return Notice(
        first.lane,
        "skipped",
        Sentence(
            "The speech engine stopped again and again at the same sound: {seconds:.0f} s of it "
            "are left out.",
            seconds=sum(gap.end_ms - gap.start_ms for gap in gaps) / 1000,
        ),
        Sentence("The gap is marked. Another model may hear it."),
    )
