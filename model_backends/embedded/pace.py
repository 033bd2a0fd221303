"""Whether decoding keeps up with speech. Numbers in, a verdict out; it reads no clock."""

from __future__ import annotations

from collections import deque
from statistics import median

TOO_SLOW_MS = 1_500  # a decode that takes longer shows words three seconds late and more
_REMEMBERED = 7  # decodes; the median of them ignores a hiccup


class Pace:
    """The recent cost of recognising one window again, for all lanes that share the model."""

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._costs_ms: deque[float] = deque(maxlen=remembered)

    def record(self, decode_ms: float, lanes: int) -> None:
        """One live decode took `decode_ms`, and `lanes` streams take turns."""
        self._costs_ms.append(decode_ms * max(lanes, 1))

    def reset(self) -> None:
        """Forget: the model has changed."""
        self._costs_ms.clear()

    @property
    def known(self) -> bool:
        """Enough has been recorded to judge."""
        return len(self._costs_ms) == self._costs_ms.maxlen

    @property
    def too_slow(self) -> bool:
        """Most recent decodes took so long that words come too late to follow speech."""
        return self.known and self.typical_ms > TOO_SLOW_MS

    @property
    def typical_ms(self) -> float:
        """The median of the recent costs, 0 before any."""
        return median(self._costs_ms) if self._costs_ms else 0.0
