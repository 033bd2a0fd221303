"""Whether who is behind comes nearer: to be late is no fault of an engine that is catching up.

Numbers in, an answer out; times are handed in. Knows nothing of what is late, how late is too late,
or what is done about it.
"""

from __future__ import annotations

from collections import deque


class Behind:
    """Call `look()` about once a second."""

    def __init__(self, for_ms: int, nearer_ms: int) -> None:
        """`for_ms`: how long it is looked at. `nearer_ms`: how much less late it has to be at the
        end of that than at the beginning, to have come nearer."""
        self._for_ms, self._nearer_ms = for_ms, nearer_ms
        self._seen: deque[tuple[int, int]] = deque()  # when, and how late it was

    def forget(self) -> None:
        """Begin anew."""
        self._seen.clear()

    def look(self, now_ms: int, late_ms: int) -> None:
        """It is so late now."""
        self._seen.append((now_ms, late_ms))
        while len(self._seen) > 1 and now_ms - self._seen[1][0] >= self._for_ms:
            self._seen.popleft()

    @property
    def stays(self) -> bool:
        """It has been looked at for long enough, and has come no nearer."""
        if not self._seen:
            return False
        (since_ms, before_ms), (now_ms, late_ms) = self._seen[0], self._seen[-1]
        return now_ms - since_ms >= self._for_ms and late_ms > before_ms - self._nearer_ms
