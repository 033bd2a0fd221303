"""Whether captions come later and later because the engine is too slow for this computer. Pure;
times are handed in.

To be behind is not enough: a worker that was restarted, or whose model took long to load, is behind
too, and comes nearer. What counts is to be far behind for a while and no nearer at its end. A delay
that has just become another counts as a new beginning: an engine whose chunk grows where it lags
(`model_backends/ggml/pace`) has done so within seconds each time, so that one which is still behind
has no longer chunk left, or none that would help. Knows no engine's delays: where a longer one
costs the same, the longest need never act.
"""

from __future__ import annotations

import math

from app.core.behind import Behind
from app.session.start import BASE
from app.session.status import Status
from model_backends.base import EngineInfo

# Twice what is told as "behind": two sentences, with which nobody can answer in a conversation.
TOO_LATE_MS = 8_000
# A chunk grows every four seconds of sound, four times at most. Longer would leave more to be heard
# out by the slow engine than a session's end waits for.
FOR_S = 30.0
_NEARER_MS = 2_000  # what is told moves by whole seconds
_UNWATCHED_S = 10.0  # between two looks; if longer, the computer slept


def may_give_way(info: EngineInfo) -> bool:
    """Whether the built-in engine may do better: a server's speed is not this computer's."""
    return info.name != BASE and not info.takes_server


class Lagging:
    """Call `look()` about once a second, and with each status."""

    def __init__(self) -> None:
        self._behind = Behind(round(FOR_S * 1000), _NEARER_MS)
        self._looked_s = -math.inf
        self._delay_ms = 0

    def forget(self) -> None:
        """Begin anew: another session, or sound that nobody waits for."""
        self._behind.forget()

    def look(self, now: float, status: Status, delay_ms: int) -> bool:
        """Whether it has been too late for FOR_S seconds and come no nearer. `now`: monotonic
        seconds. `delay_ms`: the one that acts."""
        late_ms = status.lag_ms - delay_ms
        slept = now - self._looked_s > _UNWATCHED_S
        if slept or delay_ms != self._delay_ms:
            self.forget()
        self._looked_s, self._delay_ms = now, delay_ms
        if late_ms <= TOO_LATE_MS:  # nothing is told of it but while catching up
            self.forget()
            return False
        self._behind.look(round(now * 1000), late_ms)
        return self._behind.stays
