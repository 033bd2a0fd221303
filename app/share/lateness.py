"""Whether an engine keeps up with a stream, or falls behind for good. Pure; times are handed in.

A stream that is sent faster than it was spoken (a file) is not late: it is read more slowly. What
was spoken live is late by what a listener waits; that it once was is no reason to end it, only
that it does not get better.
"""

from __future__ import annotations

from app.core.behind import Behind

LATE_MS = 5_000  # nobody more is taken in while somebody is this late
TOO_LATE_MS = 15_000  # and does not catch up: better ended with a word than late for ever
_FOR_MS = 10_000
_NEARER_MS = 1  # the least that counts as nearer
_AHEAD_MS = 10_000  # of the clock: it is no live speech


class Lateness:
    """Call `look()` about once a second."""

    def __init__(self) -> None:
        self.late_ms = 0
        self.patient = False  # sent ahead of the clock: nobody waits for its words
        self._behind = Behind(_FOR_MS, _NEARER_MS)

    def look(self, elapsed_ms: int, pushed_ms: int, unheard_ms: int) -> None:
        """`elapsed_ms` after its first sound came, `pushed_ms` have come, `unheard_ms` of which
        the engine has not heard."""
        ahead_ms = max(0, pushed_ms - elapsed_ms)
        self.patient = self.patient or ahead_ms > _AHEAD_MS
        self.late_ms = 0 if self.patient else max(0, unheard_ms - ahead_ms)
        self._behind.look(elapsed_ms, self.late_ms)

    @property
    def hopeless(self) -> bool:
        """Too late, and no better than ten seconds ago."""
        return self.late_ms > TOO_LATE_MS and self._behind.stays
