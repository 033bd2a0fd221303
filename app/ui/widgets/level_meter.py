"""How loud a sound is, as a row of bars; a word of it for whoever does not see them.

Knows nothing of where the sound comes from.
"""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QStyle

from app.ui.widgets import theme
from app.ui.widgets.level import in_words, loudness

_BAR = 7  # px from one bar of the meter to the next


class LevelMeter(QLabel):
    """How loud the sound is that arrives, as a row of bars: what is not lit is a short mark.

    A label for assistive technology, which is told a word; what is seen is painted here.
    """

    BARS = 12

    def __init__(self) -> None:
        super().__init__()
        self.level = 0.0  # RMS amplitude, 0..1
        self.lit = 0
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Sound level")
        self.setAccessibleDescription(in_words(0.0))
        self.setToolTip("Sound level")

    def sizeHint(self) -> QSize:
        return QSize(self.BARS * _BAR, 18)

    def set_level(self, level: float) -> None:
        """Paints only the bars that are lit now and were not, or the other way round."""
        self.level = min(1.0, max(0.0, level))
        lit = round(self.BARS * loudness(self.level))
        if lit == self.lit:
            return
        first, beyond = sorted((self.lit, lit))
        self.lit = lit
        if self.accessibleDescription() != in_words(self.level):
            self.setAccessibleDescription(in_words(self.level))
        changed = QRect(first * _BAR, 0, (beyond - first) * _BAR, self.height())
        self.update(QStyle.visualRect(self.layoutDirection(), self.rect(), changed))

    def paintEvent(self, event: QPaintEvent) -> None:
        look = theme.colors()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painted = QStyle.visualRect(self.layoutDirection(), self.rect(), event.rect())
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            painter.translate(self.width(), 0)
            painter.scale(-1, 1)
        for bar in range(painted.left() // _BAR, min(self.BARS, painted.right() // _BAR + 1)):
            lit = bar < self.lit
            height = self.height() - 4 if lit else 4
            painter.setBrush(QColor(look.good if lit else look.border))
            top = (self.height() - height) / 2
            painter.drawRoundedRect(QRectF(bar * _BAR, top, 4, height), 2, 2)
