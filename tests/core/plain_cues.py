"""The grouping of words into cues, written for reading only: every division is worked out in full.

`app.core.cues` leaves out what cannot win; its results must be these, to the last millisecond.
"""

from __future__ import annotations

import pytest

from app.core import cues as fast
from app.core.timeline import Gap
from model_backends.base import Word


class PlainLaneCues(fast._LaneCues):
    """No bound, no bisection."""

    def _furthest(self, columns: int) -> list[int]:
        found, end = [], 0
        for first in range(len(self._units)):
            end = max(end, first + 1)
            while end < len(self._units) and self._width(first, end + 1) <= columns:
                end += 1
            found.append(end)
        return found

    def _best_cues(self, first: int, end: int) -> list[tuple[int, int]]:
        best = {first: 0.0}
        came_from: dict[int, int] = {}
        for start in range(first, end):
            for stop in range(start + 1, min(self._fits_cue[start], end) + 1):
                cost = best[start] + self._cue_cost(start, stop, end)
                if cost < best.get(stop, float("inf")):
                    best[stop], came_from[stop] = cost, start
        ranges = []
        while end > first:
            ranges.append((came_from[end], end))
            end = came_from[end]
        return ranges[::-1]


def plain_cues(words: list[Word], gaps: list[Gap]) -> list[fast.Cue]:
    """`cues()` by the plain way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast, "_LaneCues", PlainLaneCues)
        patch.setattr(
            fast, "gap_between", lambda cuts, after, until: any(after < c <= until for c in cuts)
        )
        return fast.cues(words, gaps)
