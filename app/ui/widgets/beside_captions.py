"""Windows of ours open where the captions are not: neither covers what one reads in the other.

`follow()` is told by whoever shows captions where they are; `put()` places a window before it is
shown. Knows nothing of captions but their place. Where the desktop places windows itself (Wayland)
nothing comes of it.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtWidgets import QStyle, QWidget

from app.ui.overlay import placement

_EDGES = QSize(2, 8)  # px that a desktop's frame takes around a window, besides its title
_captions: Callable[[], QRect] = QRect


def follow(captions: Callable[[], QRect]) -> None:
    """From now on `captions()` is what windows are kept clear of; empty: nothing is shown."""
    global _captions
    _captions = captions


def put(window: QWidget, wanted: QSize) -> bool:
    """Give the window this size, or less, and a place beside the captions; whether it needs one.

    False, and nothing but the size is set, where it would not lie over them anyway: where it is
    or, before it is shown, over the middle of its parent. It is not made smaller than its least
    size, and is on the screen.
    """
    available, captions = window.screen().availableGeometry(), _captions()
    frame = frame_of(window)
    window.resize(wanted.boundedTo(available.size() - frame))
    usual = _usual(window, frame, available)
    if not usual.intersects(captions):
        if window.parentWidget() is None and not captions.isEmpty() and not window.isVisible():
            window.move(usual.topLeft())  # or the desktop might put it over them after all
        return False
    window.ensurePolished()
    least = window.minimumSizeHint().expandedTo(window.minimumSize()) + frame
    place = placement.beside(captions, available, window.size() + frame, least)
    window.resize(place.size() - frame)
    window.move(place.topLeft())
    return True


def frame_of(window: QWidget) -> QSize:
    """What a desktop adds around a window, as far as can be said before it is shown."""
    title = window.style().pixelMetric(QStyle.PixelMetric.PM_TitleBarHeight, None, window)
    return QSize(_EDGES.width(), _EDGES.height() + title)


def _usual(window: QWidget, frame: QSize, available: QRect) -> QRect:
    """Where it would be without us."""
    if window.isVisible():
        place = QRect(window.frameGeometry().topLeft(), window.size() + frame)
        return placement.kept_on(place, available)
    parent = window.parentWidget()
    over = parent.window().frameGeometry() if parent is not None else available
    usual = QRect(QPoint(0, 0), window.size() + frame)
    usual.moveCenter(over.center())
    return placement.kept_on(usual, available)
