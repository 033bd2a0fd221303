"""Keeps room free for docked captions: windows that are maximised end where the captions begin.

Only at an edge of the whole desktop; between two screens no desktop keeps room. Knows rectangles
and the number of a window, nothing of captions.
"""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QRect
from PySide6.QtGui import QGuiApplication, QScreen

from app import native
from app.ui.overlay import placement


class Dock:
    """One docked window at a time."""

    def __init__(self) -> None:
        self._platform = QGuiApplication.platformName()
        self._kept: tuple[str, QRect] | None = None  # the edge and what is kept free there
        self._window_id = 0

    def room(self, name: str, screen: QRect) -> QRect:
        """What the desktop's panels leave of a screen, what is kept for us counted as free."""
        found = screen_called(name)
        free = found.availableGeometry() if found else QRect(screen)
        if self._kept is not None and screen.contains(self._kept[1].center()):
            edge, kept = self._kept
            if edge == "top" and free.top() == kept.bottom() + 1:
                free.setTop(kept.top())
            elif edge == "bottom" and free.bottom() == kept.top() - 1:
                free.setBottom(kept.bottom())
        return free

    def keep_free(self, window_id: int, edge: str, box: QRect, screens: Iterable[QRect]) -> bool:
        """Ask the desktop to; whether it does."""
        if not placement.reaches_edge(box, edge, screens):
            self.let_go()
            return False
        if not native.reserve(window_id, edge, _in_pixels(box), self._platform):
            return False
        self._kept, self._window_id = (edge, QRect(box)), window_id
        return True

    def let_go(self) -> None:
        """Other windows may have all of the screen again."""
        if self._kept is not None:
            native.release(self._window_id, self._platform)
            self._kept = None


def screen_called(name: str) -> QScreen | None:
    return next((s for s in QGuiApplication.screens() if s.name() == name), None)


def _in_pixels(box: QRect) -> tuple[int, int, int, int]:
    """x, y, width, height as the desktop counts; a screen's corner is the same for Qt and it."""
    screen = QGuiApplication.screenAt(box.center())
    if screen is None:
        return box.x(), box.y(), box.width(), box.height()
    ratio, corner = screen.devicePixelRatio(), screen.geometry().topLeft()
    left = corner.x() + round((box.left() - corner.x()) * ratio)
    top = corner.y() + round((box.top() - corner.y()) * ratio)
    return left, top, round(box.width() * ratio), round(box.height() * ratio)
