"""Windows of ours open where the captions are not: neither covers what one reads in the other.

`follow()` is told by whoever shows captions where they are; `put()` places a window before it is
shown. Knows nothing of captions but their place. Where the desktop places windows itself (Wayland)
nothing comes of it.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRect, QSize, Qt, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from app.ui.overlay import placement

_EDGES = QSize(2, 8)  # px that a desktop's frame takes around a window, besides its title
_LOOK_MS = 250
_captions: Callable[[], QRect] = QRect
_with_strip: Callable[[], QRect] = QRect


def follow(captions: Callable[[], QRect], with_strip: Callable[[], QRect] | None = None) -> None:
    """From now on `captions()` is what windows are kept clear of; empty: nothing is shown.

    `with_strip()`: the same with the room in which their controls and messages come and go.
    """
    global _captions, _with_strip
    _captions, _with_strip = captions, with_strip or captions


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
    put_clear(window, window.size())
    return True


def put_clear(window: QWidget, wanted: QSize) -> None:
    """Put it into the middle of the room beside the captions, wherever it would be without us.

    Clear of what comes and goes beside them, too, unless it would have to shrink for that: then
    as far from the captions as it can be.
    """
    window.ensurePolished()
    frame, available = frame_of(window), window.screen().availableGeometry()
    least = window.minimumSizeHint().expandedTo(window.minimumSize()) + frame
    place = placement.beside(_with_strip(), available, wanted + frame, least)
    if place.height() < (wanted + frame).height():
        captions = _captions()
        place = placement.beside(captions, available, wanted + frame, least)
        above = place.center().y() < captions.center().y()
        place.moveTop(available.top() if above else available.bottom() + 1 - place.height())
    window.resize(place.size() - frame)
    window.move(place.topLeft())


class StaysClear(QTimer):
    """Keeps a window that stays open beside captions that grow, shrink and are moved.

    Not while a button of the mouse is down: nothing slips away from under the hand. What the user
    has sized keeps its size, and what is clear keeps its place.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window, interval=_LOOK_MS)
        self._window = window
        self._captions = self._placed_for = QRect()  # at the last look, and when it was placed
        self._shrunk = QSize()  # what it was made, with too little room for all of it
        self.timeout.connect(self.look)

    def place(self) -> None:
        """Put the window where it is to be, in the size it would have, and keep it clear."""
        wanted = self._window.sizeHint()
        put_clear(self._window, wanted)
        cut = self._window.height() < wanted.height()
        self._shrunk = self._window.size() if cut else QSize()
        self._captions = self._placed_for = _captions()
        self.start()

    def look(self) -> None:
        """Captions that lie where they lay at the last look have come to rest."""
        captions, before = _captions(), self._captions
        self._captions = captions
        held = QApplication.mouseButtons() != Qt.MouseButton.NoButton
        if captions != before or held or not self._window.isVisible():
            return
        may_grow = self._window.size() == self._shrunk and captions != self._placed_for
        if self._window.frameGeometry().intersects(captions) or may_grow:
            self.place()


def frame_of(window: QWidget) -> QSize:
    """What a desktop adds around a window; before it is shown, as far as can be said."""
    if window.isVisible():
        return window.frameGeometry().size() - window.size()
    from PySide6.QtWidgets import QStyle  # its lists take a while, before the captions are shown

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
