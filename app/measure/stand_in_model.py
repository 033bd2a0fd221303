"""What a stand-in server "hears": two models without weights that keep Voxtral's grammar.

In each step of 80 ms a model says nothing or one piece of text; a word is announced by an empty
step when it has ended and the delay has passed, then its pieces follow one a step. Pure.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.measure.position import position

BLOCK = 1280  # samples of a step
BLOCK_MS = 80
Samples: TypeAlias = NDArray[np.int16]
Line: TypeAlias = tuple[str, int, int]  # text, start_ms, end_ms of the session

FOX = (
    " The", " quick", " b", "rown", " fo", "x", " j", "um", "ps", " over", " the", " la", "zy",
    " d", "og", ".",
)  # fmt: skip
SENTENCE = "".join(FOX)
_LOUD = 300  # root mean square of PCM16, above a room's hiss
_PIECE = 4  # letters of a piece of a word


class Model(Protocol):
    """One session's decoder."""

    def hear(self, block: Samples) -> str:
        """The next 80 ms of sound: what is said in this step."""


class Fox:
    """Says one sentence again and again while it is loud, as the tiny test checkpoint does."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque()

    def hear(self, block: Samples) -> str:
        if self._waiting:
            return self._waiting.popleft()
        if np.sqrt(np.mean(block.astype(np.float64) ** 2)) > _LOUD:
            self._waiting.extend(FOX)
        return ""


class Script:
    """Says what a script has at the session's time, which it reads from the sound: whoever sends
    the same sound again hears the same words. A word whose beginning was not sent is not heard."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = sorted(lines, key=_end_ms)
        self._waiting: deque[str] = deque()
        self._at_ms: int | None = None  # of the next block
        self._begun_ms = 0
        self._silent = False

    def hear(self, block: Samples) -> str:
        if self._at_ms is None:
            self._at_ms = self._begun_ms = position(block) // 16
        until_ms = self._at_ms + BLOCK_MS
        if block.any():  # what the server itself adds at the end is silence
            self._announce(self._at_ms, until_ms)
        elif not self._silent:
            self._guess(self._at_ms)
        self._silent = not block.any()
        self._at_ms = until_ms
        return self._waiting.popleft() if self._waiting else ""

    def _announce(self, from_ms: int, until_ms: int) -> None:
        """Words that end in this time and begin in what was sent."""
        first = bisect_left(self._lines, from_ms, key=_end_ms)
        for text, start_ms, end_ms in islice(self._lines, first, None):
            if end_ms >= until_ms:
                return
            if start_ms >= self._begun_ms:
                self._waiting.extend(["", *_pieces(text)])

    def _guess(self, cut_ms: int) -> None:
        """A word that is cut off: as a true model would, say something like its beginning."""
        for text, start_ms, end_ms in self._lines:
            if self._begun_ms <= start_ms < cut_ms <= end_ms:
                self._waiting.extend(["", text[: len(text) // 2 + 1]])


def _pieces(text: str) -> list[str]:
    head = len(text) - len(text.lstrip()) + _PIECE
    return [text[:head], *(text[at : at + _PIECE] for at in range(head, len(text), _PIECE))]


def _end_ms(line: Line) -> int:
    return line[2]
