"""Is the worker still getting anywhere? Heartbeats and times in, a verdict out.

A worker tells every two seconds that it lives, whatever its working thread does; each beat says
how many steps that thread has taken and how much processor time the process has used. A slow
engine takes steps or uses the processor; one that hangs does neither. Pure: reads no clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.worker import messages as m

_WORTH_MS = 50  # processor time that is more than the heartbeats' own
_SUSPENDED_S = 10.0  # we were not asked for so long: it was we who stood still


@dataclass(frozen=True, slots=True)
class Patience:
    """How long each kind of silence is borne, in seconds; all far above what was ever seen.

    Loading is given more: importing a library of gigabytes from a slow disk may hold Python's
    lock, heartbeats and all, and a large tensor is one step without processor time.
    """

    silent_s: float = 30.0  # no heartbeat
    loading_silent_s: float = 120.0
    stuck_s: float = 60.0  # heartbeats, but neither a step nor processor time
    loading_stuck_s: float = 300.0
    step_s: float = 900.0  # processor time, but no step


class Watch:
    """Follows one worker from its start; times are monotonic seconds."""

    def __init__(self, patience: Patience, now: float) -> None:
        self._patience = patience
        self._loading = True
        self._asked = self._heard = self._worked = self._stepped = now
        self._steps, self._cpu_ms = -1, 0

    def heard(self, message: m.Message, now: float) -> None:
        """A message came."""
        self._heard = now
        if isinstance(message, m.Alive):
            self._beat(message, now)
        else:
            self._worked = self._stepped = now
        self._loading = self._loading and not isinstance(message, m.Ready)

    def _beat(self, beat: m.Alive, now: float) -> None:
        if beat.idle or beat.steps != self._steps:
            self._steps = beat.steps
            self._worked = self._stepped = now
        if beat.cpu_ms - self._cpu_ms >= _WORTH_MS:
            self._cpu_ms = beat.cpu_ms
            self._worked = now

    def hung(self, now: float) -> str:
        """Why the worker must be given up, for the log; empty while there is hope.

        To be asked about once a second.
        """
        if now - self._asked > _SUSPENDED_S:
            self._forgive(now - self._asked)
        self._asked = now
        patience = self._patience
        silent_s = patience.loading_silent_s if self._loading else patience.silent_s
        stuck_s = patience.loading_stuck_s if self._loading else patience.stuck_s
        while_ = " while loading" if self._loading else ""
        if now - self._heard > silent_s:
            return f"no sign of life for {now - self._heard:.0f} s{while_}"
        if now - self._worked > stuck_s:
            return f"no step and no processor time for {now - self._worked:.0f} s{while_}"
        if now - self._stepped > patience.step_s:
            return f"no step for {now - self._stepped:.0f} s{while_}"
        return ""

    def _forgive(self, seconds: float) -> None:
        """The computer slept, and the worker with it."""
        self._heard += seconds
        self._worked += seconds
        self._stepped += seconds
