"""How far the end of a session has come, and how long it may take. Knows no events."""

from __future__ import annotations

from dataclasses import dataclass, field

from model_backends.base import Notice, Sentence, UserError

STOP_MS = 5_000  # how long a stop waits for the last words, and anew with each progress
LONGEST_STOP_MS = 30_000  # … in all: then what is still unheard is told of
PATIENCE_MS = 30_000  # … and an end that nobody waits for, as that of a file, for any progress


@dataclass(slots=True)
class Ending:
    """How far the end has come, once it has begun."""

    stop_by_ms: int | None = None  # None: not asked to stop
    no_later_ms: int = 0  # … however much progress there is
    patient: bool = False  # nobody waits: all is heard out, for as long as that goes on
    dying: bool = False  # the worker is being ended: what it has said still counts
    heard_out: bool = False  # every word is out
    saving: bool = False  # … and all of it is being written
    fault: UserError | None = field(default=None)  # why, if not because it was asked for

    def goes_on(self, now_ms: int) -> None:
        """The engine has come further: what waits to be heard may still be heard."""
        if self.patient:
            self.stop_by_ms = now_ms + PATIENCE_MS
        elif self.stop_by_ms is not None:
            later = min(now_ms + STOP_MS, self.no_later_ms)
            self.stop_by_ms = max(self.stop_by_ms, later)


def late_notice(lane: str, lag_ms: int) -> Notice:
    return Notice(
        lane,
        "cut-off",
        Sentence(
            "The last {seconds:.1f} s were not heard out: the engine was too slow.",
            seconds=lag_ms / 1000,
        ),
        Sentence("A smaller model or a longer delay keeps up better."),
    )
