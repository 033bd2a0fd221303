"""A floating box in the hand: moved and sized by mouse and by keys, drawn to edges and the middle.

Knows nothing of what the box shows.
"""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import QMouseEvent

from app.settings import LINES
from app.ui.overlay import floating, placement
from app.ui.overlay.caption_box import lines_in, minimum_width
from app.ui.overlay.floating import FloatingWindow
from app.ui.overlay.grip import NO_EDGE, Drag, cursor_for, edges_at, snapped

_FREE_FROM_PX = 24  # how far a docked box must be dragged to come off


class HandledWindow(FloatingWindow):
    """`undock_requested`: it has been dragged off the edge; whoever owns the settings says so."""

    undock_requested = Signal()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        edges = self._edges_at(event.position().toPoint())
        if self._traits.places_itself:
            self._drag = Drag(edges, event.globalPosition().toPoint(), self.box_on_screen)
        elif edges == NO_EDGE:
            self.windowHandle().startSystemMove()
        else:
            self.windowHandle().startSystemResize(edges)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is None:
            self.setCursor(cursor_for(self._edges_at(event.position().toPoint())))
            return
        pointer = event.globalPosition().toPoint()
        if self._settings.dock and self._drag.edges == NO_EDGE:
            self._drag_off(pointer)
            return
        box = self._drag.box_at(pointer, minimum_width(self._settings), self._step)
        shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if self._drag.edges == NO_EDGE and not shift:
            box = snapped(box, self._snaps_to(pointer))
        self._put_box(box)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None:
            self._drag = self._chosen_width = None
            self._displaced = False
            self.place_is_certain = True
            self._settle()

    def nudge(self, by: QPoint) -> None:
        """Move it by keys; not off the screen, and not off the edge it is docked to."""
        if not self._settings.dock:
            self._move_to(self._box_asked_for().translated(by))

    def stretch(self, by: int, lines: int) -> None:
        """Make it wider by so many pixels, higher by so many lines; what is less shrinks it."""
        fewest, most = LINES
        rest = self.resting_box
        wanted = lines_in(rest.height(), self._settings) + lines
        if fewest <= wanted <= most and lines:
            self._save(replace(self._settings, lines=wanted))
        elif by and not self._settings.dock:
            box = self._box_asked_for()
            box.setWidth(max(minimum_width(self._settings), box.width() + by))
            self._move_to(box)

    def _box_asked_for(self) -> QRect:
        """While the last key's move is under way, Qt may take the place before it for the place."""
        return QRect(self._asked_for if self._settling.isActive() else self.box_on_screen)

    def _move_to(self, box: QRect) -> None:
        self._displaced, self._chosen_width = False, None
        self._put_box(placement.kept_on(box, self._screen_now()[1]))
        self._settling.start()

    def _edges_at(self, point: QPoint) -> Qt.Edge:
        """What a press there takes hold of: of what can be changed now."""
        edges = edges_at(point, self._box.geometry())
        if self._growth is not None:
            edges &= ~(Qt.Edge.TopEdge | Qt.Edge.BottomEdge)
        if self._settings.dock:
            inner = Qt.Edge.BottomEdge if self._settings.dock == "top" else Qt.Edge.TopEdge
            edges &= inner
        return edges

    def _drag_off(self, pointer: QPoint) -> None:
        """A docked box comes off its edge once it is dragged far enough, into the hand."""
        drag = self._drag
        if drag is None or (pointer - drag.start).manhattanLength() < _FREE_FROM_PX:
            return
        self.undock_requested.emit()  # which changes the settings, and the box with them
        box = QRect(self.box_on_screen)
        box.moveCenter(pointer)
        self._put_box(box)
        self._drag = Drag(NO_EDGE, pointer, box)

    def _snaps_to(self, pointer: QPoint) -> list[QRect]:
        """The screen under the pointer, with and without its panels."""
        for name, screen in floating.screens().items():
            if screen.contains(pointer):
                return [screen, self._dock.room(name, screen)]
        return []
