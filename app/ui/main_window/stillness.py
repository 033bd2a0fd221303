"""Changing a text that somebody is reading: what is in sight, and what is selected, stays.

Knows nothing of what the text says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from PySide6.QtCore import QPoint
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QTextEdit


@dataclass(frozen=True, slots=True)
class Move:
    """Characters from `begin` to `end` were replaced by so many others."""

    begin: int
    end: int
    length: int

    def moved(self, position: int) -> int:
        """Where a place in the text is now; one inside what was replaced is no further than it."""
        if position <= self.begin:
            return position
        if position >= self.end:
            return position + self.length - (self.end - self.begin)
        return min(position, self.begin + self.length)


@contextmanager
def still(view: QTextEdit) -> Iterator[list[Move]]:
    """Note every change that is made to the text meanwhile, in the order of making it."""
    moves: list[Move] = []
    top = view.cursorForPosition(QPoint(0, 0)).position()
    height = _height(view, top)
    cursor = view.textCursor()
    anchor, position = cursor.anchor(), cursor.position()
    bar = view.verticalScrollBar()
    at_end = bar.value() >= bar.maximum()
    yield moves
    if (anchor, position) != (0, 0):
        _select(view, _moved(moves, anchor), _moved(moves, position))
    if not at_end:  # else whoever follows the end brings it into sight
        bar.setValue(bar.value() + _height(view, _moved(moves, top)) - height)


def _moved(moves: Sequence[Move], position: int) -> int:
    for move in moves:
        position = move.moved(position)
    return position


def _height(view: QTextEdit, position: int) -> int:
    """Where a place in the text is, from the top of what is in sight, px."""
    cursor = QTextCursor(view.document())
    cursor.setPosition(position)
    return view.cursorRect(cursor).top()


def _select(view: QTextEdit, anchor: int, position: int) -> None:
    cursor = view.textCursor()
    if (cursor.anchor(), cursor.position()) == (anchor, position):
        return
    bar = view.verticalScrollBar()
    value = bar.value()
    cursor.setPosition(anchor)
    cursor.setPosition(position, QTextCursor.MoveMode.KeepAnchor)
    view.setTextCursor(cursor)
    bar.setValue(value)  # Qt has brought the cursor into sight
