"""A message beside the captions: what is wrong and what to do, or what has just happened.

It takes the place of the controls while the pointer is elsewhere, so that nothing moves.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from app.language import say
from app.ui.overlay.controls import BAR_HEIGHT, INK, RADIUS, SURFACE
from app.ui.widgets import plain, worded
from app.ui.widgets.theme import CAPTIONS
from model_backends.base import joined

TEXT_PX = 14
_PADDING = 14.0
_STRIPE = 4.0
_WRAPPED_SHARE = 0.9  # of two lines: what wrapping between words leaves to use


@dataclass(frozen=True, slots=True)
class Message:
    """What it is, and what to do next; or one sentence alone."""

    text: str
    hint: str = ""
    color: str = CAPTIONS.accent  # of the stripe at its side


class Toast(QLabel):
    """Shows one `Message`. A label for assistive technology; what is seen is painted here."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._message = Message("")
        self._font = QFont()
        self._font.setPixelSize(TEXT_PX)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFixedHeight(BAR_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    @property
    def message(self) -> Message:
        return self._message

    def show_message(self, message: Message) -> None:
        self._message = message
        worded.text(self, joined(message.text, message.hint))
        plain.set_tip(self, joined(message.text, message.hint, between="\n"))
        self.setAccessibleDescription(" ")  # or the tooltip would be read out after the text
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(self._bold())
        rows = (say(self._message.text), say(self._message.hint))
        widest = max(metrics.horizontalAdvance(text) for text in rows)
        return QSize(round(widest + 2 * _PADDING + _STRIPE) + 2, BAR_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(round(4 * _PADDING), BAR_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(CAPTIONS.edge), 1))
        painter.setBrush(SURFACE)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._message.color))
        painter.drawRoundedRect(QRectF(7, 9, _STRIPE, self.height() - 18), 2, 2)
        self._paint_rows(painter)

    def _paint_rows(self, painter: QPainter) -> None:
        """Text above hint, or text alone on as many of the two lines as it needs."""
        room = QRectF(self.rect()).adjusted(_PADDING + _STRIPE, 4, -_PADDING, -4)
        if not self._message.hint:
            self._paint_text(painter, room, self._message.text, self._font, lines=2)
            return
        upper, lower = (
            room.adjusted(0, 0, 0, -room.height() / 2),
            room.adjusted(0, room.height() / 2, 0, 0),
        )
        self._paint_text(painter, upper, self._message.text, self._bold())
        self._paint_text(painter, lower, self._message.hint, self._font)

    def _paint_text(
        self, painter: QPainter, room: QRectF, text: str, font: QFont, lines: int = 1
    ) -> None:
        width = room.width() if lines == 1 else lines * room.width() * _WRAPPED_SHARE
        shown = QFontMetricsF(font).elidedText(say(text), Qt.TextElideMode.ElideRight, width)
        painter.setFont(font)
        painter.setPen(INK)
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(room, int(flags), shown)

    def _bold(self) -> QFont:
        bold = QFont(self._font)
        bold.setWeight(QFont.Weight.DemiBold)
        return bold
