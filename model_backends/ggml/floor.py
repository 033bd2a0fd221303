"""The shortest delay that this computer carries now, as found out by hearing: it grows at once
where a delay is too short, and what was chosen is tried again when there seems to be room. Pure;
the clock is handed in, in seconds.

It is tried where an utterance begins, so that nothing is heard twice for it: two minutes after the
chunk grew, if hearing has taken less than half of the time since. If that was too early, the next
try waits twice as long.
"""

from __future__ import annotations

from collections.abc import Callable

_FIRST_WAIT_S, _LONGEST_WAIT_S = 120.0, 1920.0
_ROOM = 0.5  # of real time that hearing may take at the longer delay: a shorter one costs more
_TRIAL_S = 120.0  # a delay that was tried again and is given up within this was tried too early


class Floor:
    """`ms`: no stream is heard with less; 0: with whatever was chosen."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.ms = 0
        self.is_news = False  # the user is to be told
        self._clock = clock
        self._wait_s = _FIRST_WAIT_S
        self._grown_at = self._tried_at = float("-inf")

    def grow(self, ms: int) -> None:
        """This computer lags with less. What was tried too early is no news."""
        now = self._clock()
        early = now - self._tried_at < _TRIAL_S
        if early and not self.ms:
            self._wait_s = min(2 * self._wait_s, _LONGEST_WAIT_S)
        elif not early:
            self._wait_s = _FIRST_WAIT_S
        self.is_news = not early and ms > self.ms
        self.ms, self._grown_at = max(ms, self.ms), now

    def relax(self, load: float) -> None:
        """An utterance begins: whether what was chosen may be tried again. `load`: what hearing
        takes now; 0: not known."""
        now = self._clock()
        if self.ms and 0 < load < _ROOM and now - self._grown_at >= self._wait_s:
            self.ms, self._tried_at = 0, now

    def forget(self) -> None:
        """The user wants another delay: whether it is carried is found out anew."""
        self.ms, self.is_news = 0, False
        self._wait_s, self._tried_at = _FIRST_WAIT_S, float("-inf")
