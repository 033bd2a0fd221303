"""What is left of hidden captions, so that nobody is left with nothing: a way back.

    ● Captions are hidden, still listening. Click here to show them.     for a moment
    ● Voxline                                                            where there is no tray

A click shows the captions; it can be dragged away from what it covers. Knows nothing of captions.
"""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QGuiApplication,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from app import native
from app.ui.overlay import placement
from app.ui.overlay.round_off import round_off
from app.ui.widgets import worded
from app.ui.widgets.theme import CAPTIONS
from model_backends.base import Sentence

NAME = "Voxline"
SHOWS = Sentence("Show captions")
TELLS_MS = 8000
_HEIGHT, _LEAST_WIDTH, _PADDING, _DOT = 36, 120, 14, 5.0
_TEXT_PX = 14
_ABOVE_AND_BELOW = 8  # px, of a text of several lines
_WRAPPED = int(Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap)


class Pill(QAbstractButton):
    """A button that floats. `clicked` asks for the captions."""

    told = Signal()  # the sentence has been there long enough

    def __init__(self) -> None:
        super().__init__()
        self._kind = "quiet"
        self._pressed_at: QPoint | None = None
        self._widest = 10_000  # px: the screen
        self._font = QFont()
        self._font.setPixelSize(_TEXT_PX)
        self._font.setWeight(QFont.Weight.Medium)
        self._telling = QTimer(self, singleShot=True, interval=TELLS_MS)
        self._telling.timeout.connect(self.told)
        float_above(self)
        worded.follow(self, self._fit)
        worded.title(self, Sentence("Captions are hidden"))
        worded.tip(self, SHOWS)

    def show_kind(self, kind: str) -> None:
        """The colour of the dot: trouble is seen here, too."""
        self._kind = kind
        self.update()

    def tell(self, text: str, corner_of: QRect) -> None:
        """Show a sentence where the captions were, at the bottom left; `told` when it was read."""
        self._show(text, corner_of)
        self._telling.start()

    def stay(self, corner_of: QRect) -> None:
        """Shrink to the name, or appear as such."""
        self._telling.stop()
        self._show(NAME, self.geometry() if self.isVisible() else corner_of)

    def sizeHint(self) -> QSize:
        """In several lines where the screen is too narrow for one: it says how to get back."""
        around = round(3 * _PADDING + 2 * _DOT)
        room = QRectF(0, 0, self._widest - around, 10_000)
        text = QFontMetricsF(self._font).boundingRect(room, _WRAPPED, self.text())
        height = max(_HEIGHT, ceil(text.height()) + 2 * _ABOVE_AND_BELOW)
        return QSize(max(_LEAST_WIDTH, ceil(text.width()) + around), height)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed_at = event.globalPosition().toPoint() - self.pos()
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed_at is None:
            return
        corner = event.globalPosition().toPoint() - self._pressed_at
        if self.isDown() and (corner - self.pos()).manhattanLength() > (
            QApplication.startDragDistance()
        ):
            self.setDown(False)  # a drag, no click
            if not native.overlay_traits(QGuiApplication.platformName()).places_itself:
                self.windowHandle().startSystemMove()
        if not self.isDown():
            self.move(corner)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed_at = None
        super().mouseReleaseEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        round_off(self, _HEIGHT / 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(CAPTIONS.accent if self.hasFocus() else CAPTIONS.edge), 1))
        painter.setBrush(QColor(CAPTIONS.selected if self.underMouse() else CAPTIONS.surface))
        room = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(room, room.height() / 2, room.height() / 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(getattr(CAPTIONS, self._kind)))
        painter.drawEllipse(QRectF(_PADDING, room.center().y() - _DOT, 2 * _DOT, 2 * _DOT))
        painter.setPen(QColor(CAPTIONS.ink))
        painter.setFont(self._font)
        left = 2 * _PADDING + 2 * _DOT - 4
        painter.drawText(room.adjusted(left, 0, 0, 0), _WRAPPED, self.text())

    def _fit(self) -> None:
        """Other words are longer or shorter."""
        self.resize(self.sizeHint())

    def _show(self, text: str, corner_of: QRect) -> None:
        worded.text(self, text)
        told = text if text != NAME else Sentence("{name}. {shows}.", name=NAME, shows=SHOWS)
        worded.name(self, told)
        screen = QGuiApplication.screenAt(corner_of.center()) or QGuiApplication.primaryScreen()
        self._widest = screen.geometry().width()
        size = self.sizeHint()
        corner = QPoint(corner_of.left(), corner_of.bottom() + 1 - size.height())
        self.setGeometry(placement.kept_on(QRect(corner, size), screen.geometry()))
        self.show()
        self.raise_()


def float_above(window: QWidget) -> None:
    """Make this a small window above all others that takes no keyboard and ends nothing."""
    flags = (
        Qt.WindowType.FramelessWindowHint
        | Qt.WindowType.WindowStaysOnTopHint
        | Qt.WindowType.Tool
        | Qt.WindowType.NoDropShadowWindowHint
        | Qt.WindowType.WindowDoesNotAcceptFocus
    )
    if native.overlay_traits(QGuiApplication.platformName()).bypass_window_manager:
        flags |= Qt.WindowType.X11BypassWindowManagerHint
    window.setWindowFlags(flags)
    for attribute in (
        Qt.WidgetAttribute.WA_TranslucentBackground,
        Qt.WidgetAttribute.WA_ShowWithoutActivating,
        Qt.WidgetAttribute.WA_MacAlwaysShowToolWindow,
        Qt.WidgetAttribute.WA_AlwaysShowToolTips,
        Qt.WidgetAttribute.WA_Hover,
    ):
        window.setAttribute(attribute)
    window.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
    _OnEveryDesktop(window)


class _OnEveryDesktop(QObject):
    """Whoever turns to another virtual desktop finds it there, too, each time it is shown.

    Told once it can be seen: before, X11's window managers do not know it yet.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Show and watched is self._window:
            self._window.windowHandle().installEventFilter(self)
        elif event.type() is QEvent.Type.Expose and self._window.windowHandle().isExposed():
            native.keep_above(int(self._window.winId()), QGuiApplication.platformName())
        return False
