"""Lets every click reach what is below the captions, and keeps one small place to end that.

The window takes no input at all then; the way back is a window of its own, a handle at its top
right corner. Knows nothing of captions.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

from app import native
from app.ui.overlay.pill import float_above
from app.ui.overlay.round_off import round_off
from app.ui.widgets import plain, worded
from app.ui.widgets.theme import CAPTIONS
from model_backends.base import Sentence

SIDE = 28
TELLS = Sentence("Clicks go through the captions.")
_INSET, _RADIUS = 4, 7


def how_back(key: str) -> Sentence:
    """The way to take hold of them again; `key` does so from anywhere, if there is one."""
    if key:
        return Sentence(
            "To take hold of them again: {key}, or the handle at their top right corner.", key=key
        )
    return Sentence("To take hold of them again, click the handle at their top right corner.")


class ClickThrough(QObject):
    """`ended` when the handle was clicked: whoever owns the settings switches it off."""

    ended = Signal()

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._platform = QGuiApplication.platformName()
        self._docked = False
        self.on = False
        self.handle: Handle | None = None

    def set(self, on: bool, box: QRect) -> None:
        """Switch it; the window is not hidden for a moment."""
        self.on = on
        self.hold(box)

    def hold(self, box: QRect) -> None:
        """Make it so, again: after the window was made anew, moved, shown or hidden."""
        flag = Qt.WindowType.WindowTransparentForInput
        window = self._window.windowHandle()
        if window is not None and bool(window.flags() & flag) != self.on:
            window.setFlag(flag, self.on)
        if self._window.isVisible():
            native.pass_clicks(int(self._window.winId()), self.on, self._platform)
        self._place_handle(box)

    def set_docked(self, docked: bool, box: QRect) -> None:
        """Docked captions have another kind of handle."""
        if docked != self._docked:
            self._docked = docked
            if self.handle is not None:
                self.handle.hide()
                self.handle.deleteLater()
                self.handle = None
            self.hold(box)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The handle has come: metacity puts what takes no keyboard below all others of its kind.

        Before, it would be asked about a window that it does not manage yet.
        """
        if event.type() == QEvent.Type.Expose:
            self.raise_handle()
        return super().eventFilter(watched, event)

    def raise_handle(self) -> None:
        """The captions were raised: above them again, which not every window manager sees to."""
        if self.handle is not None and self.handle.isVisible():
            self.handle.raise_()

    def _place_handle(self, box: QRect) -> None:
        shown = self.on and self._window.isVisible()
        if self.handle is None:
            if not shown:
                return
            self.handle = Handle(self._docked)
            self.handle.clicked.connect(self.ended)
        corner = QPoint(box.right() + 1 - SIDE - _INSET, box.top() + _INSET)
        self.handle.setGeometry(QRect(corner, QSize(SIDE, SIDE)))
        if shown:
            self.handle.winId()  # makes the window, which is told to stay above the captions:
            self.handle.windowHandle().setTransientParent(self._window.windowHandle())
            self.handle.windowHandle().installEventFilter(self)
        self.handle.setVisible(shown)


class Handle(QAbstractButton):
    """A small square that can be clicked whatever lies below.

    `docked` is what it lies on. X11's window managers move all but docks out of the room that is
    kept free for docked captions; a dock that lies on floating ones metacity puts below them.
    """

    def __init__(self, docked: bool = False) -> None:
        super().__init__()
        float_above(self)
        self.setAttribute(Qt.WidgetAttribute.WA_X11NetWmWindowTypeDock, docked)
        worded.title(self, Sentence("Caption handle"))
        worded.name(self, Sentence("Take hold of the captions again"))
        plain.set_tip(self, Sentence("Take hold of the captions again"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def showEvent(self, event: QShowEvent) -> None:
        round_off(self, _RADIUS)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A hand's grip: nine dots."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(CAPTIONS.edge), 1))
        painter.setBrush(QColor(CAPTIONS.selected if self.underMouse() else CAPTIONS.surface))
        room = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(room, _RADIUS, _RADIUS)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(CAPTIONS.ink))
        for x in (-6, 0, 6):
            for y in (-6, 0, 6):
                painter.drawEllipse(room.center() + QPoint(x, y), 1.6, 1.6)
