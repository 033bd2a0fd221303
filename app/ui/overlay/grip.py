"""Moving and resizing a frameless box with the mouse: which edge is held, where the box goes.

Arithmetic only; the window that owns the box turns mouse events into it. `step` makes heights
snap, so that a caption box never shows part of a line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, Qt

MARGIN = 9  # px along each edge in which it can be held
SNAP = 12  # px from an edge or the middle of the screen in which a box is drawn to it
CORNER = 18  # px along both edges: corners are held more easily than edges

NO_EDGE = Qt.Edge(0)
_CURSORS = {
    Qt.Edge.LeftEdge: Qt.CursorShape.SizeHorCursor,
    Qt.Edge.RightEdge: Qt.CursorShape.SizeHorCursor,
    Qt.Edge.TopEdge: Qt.CursorShape.SizeVerCursor,
    Qt.Edge.BottomEdge: Qt.CursorShape.SizeVerCursor,
    Qt.Edge.LeftEdge | Qt.Edge.TopEdge: Qt.CursorShape.SizeFDiagCursor,
    Qt.Edge.RightEdge | Qt.Edge.BottomEdge: Qt.CursorShape.SizeFDiagCursor,
    Qt.Edge.RightEdge | Qt.Edge.TopEdge: Qt.CursorShape.SizeBDiagCursor,
    Qt.Edge.LeftEdge | Qt.Edge.BottomEdge: Qt.CursorShape.SizeBDiagCursor,
}


def edges_at(point: QPoint, box: QRect) -> Qt.Edge:
    """The edge or corner of `box` that a press at `point` takes hold of; none in the middle."""
    left, right = point.x() - box.left(), box.right() - point.x()
    top, bottom = point.y() - box.top(), box.bottom() - point.y()
    near_side, near_end = min(left, right), min(top, bottom)
    side = Qt.Edge.LeftEdge if left <= right else Qt.Edge.RightEdge
    end = Qt.Edge.TopEdge if top <= bottom else Qt.Edge.BottomEdge
    if near_side < CORNER and near_end < CORNER:
        return side | end
    if near_side < MARGIN:
        return side
    return end if near_end < MARGIN else NO_EDGE


def cursor_for(edges: Qt.Edge) -> Qt.CursorShape:
    return _CURSORS.get(edges, Qt.CursorShape.SizeAllCursor)


@dataclass(frozen=True, slots=True)
class Drag:
    """One press of the mouse until its release. `edges` is empty when the box is moved whole."""

    edges: Qt.Edge
    start: QPoint  # of the pointer, on the screen
    box: QRect  # at the start

    def box_at(self, pointer: QPoint, least_width: int, step: Callable[[int], int]) -> QRect:
        """The box now. `step` turns a height wished for into the nearest one allowed."""
        moved = pointer - self.start
        if self.edges == NO_EDGE:
            return self.box.translated(moved)
        return self._across(self._down(QRect(self.box), moved.y(), step), moved.x(), least_width)

    def _across(self, box: QRect, by: int, least: int) -> QRect:
        if self.edges & Qt.Edge.RightEdge:
            box.setWidth(max(least, box.width() + by))
        elif self.edges & Qt.Edge.LeftEdge:
            box.setLeft(box.right() + 1 - max(least, box.width() - by))
        return box

    def _down(self, box: QRect, by: int, step: Callable[[int], int]) -> QRect:
        if self.edges & Qt.Edge.BottomEdge:
            box.setHeight(step(box.height() + by))
        elif self.edges & Qt.Edge.TopEdge:
            box.setTop(box.bottom() + 1 - step(box.height() - by))
        return box


def snapped(box: QRect, areas: Iterable[QRect], distance: int = SNAP) -> QRect:
    """The box moved to the edge or the middle of one of the areas, if it is as near as that."""
    across: list[int] = []
    down: list[int] = []
    for area in areas:
        middle = area.center() - box.center()
        across += [area.left() - box.left(), area.right() - box.right(), middle.x()]
        down += [area.top() - box.top(), area.bottom() - box.bottom(), middle.y()]
    return box.translated(_least(across, distance), _least(down, distance))


def _least(moves: list[int], most: int) -> int:
    """The shortest of the moves that are no longer than that; none if there is none."""
    return min((move for move in moves if abs(move) <= most), key=abs, default=0)
