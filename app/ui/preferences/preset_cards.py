"""Whole looks of captions, side by side as they look: one click each.

Knows `OverlaySettings` and the presets; the choice goes out as the preset's name.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QWidget

from app.core.lines import Line
from app.settings import OverlaySettings
from app.ui.overlay import look
from app.ui.overlay.caption_view import caption_font
from app.ui.overlay.line_pictures import LinePictures
from app.ui.preferences.scenery import paint_scenery
from app.ui.widgets import plain, theme, worded
from app.ui.widgets.languages import LTR

_PICTURE = QSize(74, 52)
_LABEL_HEIGHT, _RADIUS, _BORDER = 24, 8.0, 2.5
_SAMPLE, _SHRUNK = "Abc", 0.5  # of the look's size: the proportions are what is shown


class PresetCards(QWidget):
    """`chosen` brings the name of the look that was taken."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.cards = {preset.name: PresetCard(preset) for preset in look.presets()}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for name, card in self.cards.items():
            row.addWidget(card, 1)
            card.clicked.connect(lambda _=False, name=name: self.chosen.emit(name))

    def show_settings(self, settings: OverlaySettings) -> None:
        for card in self.cards.values():
            card.setChecked(card.preset.is_that_of(settings))


class PresetCard(QAbstractButton):
    """A picture of a look with its name below; ringed while it is in use."""

    def __init__(self, preset: look.Preset) -> None:
        super().__init__()
        self.preset = preset
        self._look = preset.applied_to(OverlaySettings())
        self.setCheckable(True)
        worded.text(self, preset.label)
        worded.name(self, preset.label)
        plain.set_tip(self, preset.told)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def nextCheckState(self) -> None:
        """What is ticked is what is set, not what was pressed."""

    def sizeHint(self) -> QSize:
        text = self.fontMetrics().horizontalAdvance(self.text()) + 6
        return QSize(max(_PICTURE.width(), text), _PICTURE.height() + _LABEL_HEIGHT + 4)

    def minimumSizeHint(self) -> QSize:
        return QSize(_PICTURE.width(), self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colors = theme.colors()
        picture = QRectF(2, 2, self.width() - 4, _PICTURE.height())
        frame = QPainterPath()
        frame.addRoundedRect(picture, _RADIUS, _RADIUS)
        painter.setClipPath(frame)
        paint_scenery(painter, picture)
        self._paint_caption(painter, picture)
        painter.setClipping(False)
        ringed = self.isChecked() or self.hasFocus()
        border = QColor(colors.accent if ringed else colors.border)
        painter.setPen(QPen(border, _BORDER if ringed else 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(frame)
        if self.isChecked():
            self._paint_tick(painter, picture, colors)
        painter.setPen(QColor(colors.text))
        label = QRectF(0, picture.bottom() + 2, self.width(), _LABEL_HEIGHT)
        font = self.font()
        font.setUnderline(self.hasFocus())
        painter.setFont(font)
        painter.drawText(label, Qt.AlignmentFlag.AlignCenter, self.text())

    def _paint_caption(self, painter: QPainter, picture: QRectF) -> None:
        font = caption_font(self._look)
        font.setPointSizeF(self._look.font_size * _SHRUNK)
        box = picture.adjusted(7, 8, -7, -8)
        ground = QColor(self._look.background_color)
        ground.setAlphaF(self._look.background_opacity)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(box, 5, 5)
        lines = LinePictures(
            self._look, font, box.size().toSize() - QSize(12, 0), self.devicePixelRatioF()
        )
        painter.save()
        painter.translate(box.left() + 6, box.top())
        lines.paint(painter, Line(_SAMPLE, "", "en", "me"), LTR, 0)
        painter.restore()

    def _paint_tick(self, painter: QPainter, picture: QRectF, colors: theme.Colors) -> None:
        """Chosen is told by shape, too."""
        spot = QRectF(picture.right() - 19, picture.top() + 3, 16, 16)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colors.accent))
        painter.drawEllipse(spot)
        pen = QPen(QColor(colors.on_accent), 2)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        tick = QPainterPath(spot.topLeft() + QPointF(4, 8.4))
        tick.lineTo(spot.topLeft() + QPointF(7, 11.4))
        tick.lineTo(spot.topLeft() + QPointF(12, 5.2))
        painter.drawPath(tick)
