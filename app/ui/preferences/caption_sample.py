"""A caption as it will look, over a landscape, so that colours can be chosen before speech."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPixmap
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.language import chosen, say
from app.settings import OverlaySettings
from app.ui.overlay.caption_view import CaptionView, line_height
from app.ui.preferences.scenery import paint_scenery
from app.ui.widgets import worded
from model_backends.base import Sentence, Word

_TEXT = Sentence("Captions will look like this.")
_MARGIN, _PADDING, _RADIUS = 14, 10, 10
_HEIGHTS = (76, 150)  # least and most: a huge font is shown in part


class CaptionSample(QWidget):
    """Painted by the view that paints the real captions."""

    def __init__(self, settings: OverlaySettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._scenery = QPixmap()
        self._view = CaptionView(settings)
        worded.name(self, Sentence("Sample caption"))
        box = QVBoxLayout(self)
        edge = _MARGIN + _PADDING
        box.setContentsMargins(edge, edge, edge, edge)
        self._box = box
        box.addWidget(self._view)
        self._speak()
        worded.follow(self, self._speak)
        self.apply(settings)

    def _speak(self) -> None:
        """The sentence, as if somebody said it in the language of now."""
        before, self._view = self._view, CaptionView(self._settings)
        self._box.replaceWidget(before, self._view)
        before.setParent(None)
        before.deleteLater()
        for number, text in enumerate(say(_TEXT).split()):
            at = number * 300
            self._view.add_word(Word("me", 0, 0, f" {text}", at, at + 250, chosen()))

    def apply(self, settings: OverlaySettings) -> None:
        """Look as these settings say."""
        self._settings = settings
        self._view.apply(settings)
        least, most = _HEIGHTS
        wanted = line_height(settings) + 2 * (_MARGIN + _PADDING)
        self.setFixedHeight(max(least, min(most, wanted)))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setOpacity(1.0)
        self._paint_scenery(painter)
        painter.setOpacity(self._settings.window_opacity)
        box = QColor(self._settings.background_color)
        box.setAlphaF(self._settings.background_opacity)
        painter.setBrush(box)
        room = QRectF(self.rect()).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        painter.drawRoundedRect(room, _RADIUS, _RADIUS)

    def _paint_scenery(self, painter: QPainter) -> None:
        """From bright to dark, for captions may lie on anything; drawn but once for a size."""
        size = self.size() * self.devicePixelRatioF()
        if self._scenery.size() != size:
            self._scenery = QPixmap(size)
            self._scenery.setDevicePixelRatio(self.devicePixelRatioF())
            self._scenery.fill(Qt.GlobalColor.transparent)
            drawing = QPainter(self._scenery)
            drawing.setRenderHint(QPainter.RenderHint.Antialiasing)
            shape = QPainterPath()
            shape.addRoundedRect(QRectF(self.rect()), _RADIUS, _RADIUS)
            drawing.setClipPath(shape)
            paint_scenery(drawing, QRectF(self.rect()))
            drawing.end()
        painter.drawPixmap(0, 0, self._scenery)
