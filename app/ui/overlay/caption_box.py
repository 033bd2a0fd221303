"""The box on the screen: background, state above, captions below, and its size in lines.

Its height is always a whole number of caption lines, so that no line is ever cut. Knows nothing
of where it stands.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.settings import LINES, OverlaySettings
from app.ui.overlay.caption_view import CaptionView, caption_font, line_height
from app.ui.overlay.controls import MINIMUM_WIDTH
from app.ui.overlay.status_row import PADDING, ROW_HEIGHT, StatusRow

RADIUS = 16.0
_SIDE, _TOP, _BETWEEN, _BOTTOM = 18, 9, 3, 13
_CHROME = _TOP + ROW_HEIGHT + _BETWEEN + _BOTTOM
_CHARACTERS = 42  # a line of broadcast captions
_GRIP = QColor(255, 255, 255, 150)


def box_height(settings: OverlaySettings) -> int:
    """Pixels needed for the chosen number of lines."""
    return _CHROME + settings.lines * line_height(settings)


def lines_in(height: float, settings: OverlaySettings) -> int:
    """The number of lines whose box is nearest to this height."""
    fewest, most = LINES
    return max(fewest, min(most, round((height - _CHROME) / line_height(settings))))


def minimum_width(settings: OverlaySettings) -> int:
    """Room for the controls, and for a long word."""
    word = QFontMetricsF(caption_font(settings)).averageCharWidth() * 12
    return max(MINIMUM_WIDTH, round(word) + 2 * _SIDE)


def comfortable_size(settings: OverlaySettings) -> QSize:
    """Lines as long as those of broadcast captions."""
    text = QFontMetricsF(caption_font(settings)).averageCharWidth() * _CHARACTERS
    return QSize(max(minimum_width(settings), round(text) + 2 * _SIDE), box_height(settings))


class CaptionBox(QWidget):
    """`opaque` is for desktops that cannot show what is behind; `lit` while the pointer is near."""

    def __init__(self, settings: OverlaySettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._opaque = self._lit = False
        self.status_row = StatusRow(settings)
        self.captions = CaptionView(settings)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, _TOP, 0, _BOTTOM)
        column.setSpacing(_BETWEEN)
        column.addLayout(_inset(self.status_row, _SIDE - PADDING))
        column.addLayout(_inset(self.captions, _SIDE - 4), 1)  # the edge's own room is the rest
        self.setMouseTracking(True)

    def apply(self, settings: OverlaySettings) -> None:
        self._settings = settings
        self.status_row.apply(settings)
        self.captions.apply(settings)
        self.update()

    def set_opaque(self, opaque: bool) -> None:
        if opaque != self._opaque:
            self._opaque = opaque
            self.update()

    def set_lit(self, lit: bool) -> None:
        """Show the border and the corner by which the box can be resized."""
        if lit != self._lit:
            self._lit = lit
            self.update()

    def outline(self) -> QPainterPath:
        """The rounded shape, in this widget's coordinates."""
        path = QPainterPath()
        path.addRoundedRect(QRectF(self.rect()), RADIUS, RADIUS)
        return path

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = QColor(self._settings.background_color)
        color.setAlphaF(1.0 if self._opaque else self._settings.background_opacity)
        painter.fillPath(self.outline(), color)
        if self._lit:
            self._paint_border(painter)

    def _paint_border(self, painter: QPainter) -> None:
        painter.setPen(QPen(QColor(255, 255, 255, 60), 1))
        edge = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(edge, RADIUS, RADIUS)
        pen = QPen(_GRIP, 1.6)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        corner = QPointF(self.width() - 6.5, self.height() - 6.5)
        for length in (4.0, 9.0):
            painter.drawLine(corner - QPointF(length, 0), corner - QPointF(0, length))


def _inset(widget: QWidget, side: int) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setContentsMargins(side, 0, side, 0)
    row.addWidget(widget)
    return row
