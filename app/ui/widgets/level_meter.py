"""How loud a sound is, as a row of bars; a word of it for whoever does not see them.

Knows nothing of where the sound comes from.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter

from app.ui.widgets import theme, worded
from app.ui.widgets.level import loudness
from app.ui.widgets.meter import Meter
from model_backends.base import Sentence

_BAR = 7  # px from one bar of the meter to the next


class LevelMeter(Meter):
    """How loud the sound is that arrives, as a row of bars: what is not lit is a short mark."""

    def __init__(self, bars: int = 12) -> None:
        super().__init__()
        self.bars = bars
        self.level = 0.0  # RMS amplitude, 0..1
        self.lit = 0
        self.setFixedSize(QSize(bars * _BAR, 18))
        worded.tip(self, Sentence("Sound level"))
        self._show()

    def set_level(self, level: float) -> None:
        """RMS amplitude, 0..1."""
        self.level = min(1.0, max(0.0, level))
        lit = round(self.bars * loudness(self.level))
        if lit != self.lit:
            self.lit = lit
            self.tell(self.level)
            self._show()

    def changeEvent(self, event: QEvent) -> None:
        """The desktop has turned dark or light, or reads the other way."""
        kinds = QEvent.Type
        if event.type() in (kinds.PaletteChange, kinds.StyleChange, kinds.LayoutDirectionChange):
            self.forget()
            self._show()
        super().changeEvent(event)

    def _show(self) -> None:
        self.show_one(self.lit, lambda: QColor(theme.colors().window), self._paint)

    def _paint(self, painter: QPainter) -> None:
        look = theme.colors()
        painter.setPen(Qt.PenStyle.NoPen)
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            painter.translate(self.width(), 0)
            painter.scale(-1, 1)
        for bar in range(self.bars):
            lit = bar < self.lit
            height = self.height() - 4 if lit else 4
            painter.setBrush(QColor(look.good if lit else look.border))
            top = (self.height() - height) / 2
            painter.drawRoundedRect(QRectF(bar * _BAR, top, 4, height), 2, 2)
