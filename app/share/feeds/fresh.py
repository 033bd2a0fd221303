"""Text on its way to a screen elsewhere: what is too old to be read with the picture is left out.

Pure; seconds are handed in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

TOO_OLD_S = 20.0  # a caption that comes later than this belongs to another picture


class Fresh:
    """Pieces of text in the order they came, with when that was."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._pieces: deque[tuple[float, str]] = deque()

    def add(self, text: str) -> None:
        self._pieces.append((self._clock(), text))

    def text(self) -> str:
        """All that is still worth sending."""
        oldest = self._clock() - TOO_OLD_S
        while self._pieces and self._pieces[0][0] < oldest:
            self._pieces.popleft()
        return "".join(text for _, text in self._pieces)

    def __len__(self) -> int:
        """How many pieces `text()` gave."""
        return len(self._pieces)

    def sent(self) -> None:
        """What `text()` gave has arrived."""
        self._pieces.clear()
