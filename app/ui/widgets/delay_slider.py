"""A slider with one stop per delay an engine offers, and the words that explain a stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSlider, QWidget

_HANDLE = 7.0  # px, radius
_GROOVE = 4.0
_GROOVE_COLOR = QColor("#4a505c")
_DONE_COLOR = QColor("#7cc4ff")
_HANDLE_COLOR = QColor("#ffffff")


def delay_label(ms: int) -> str:
    """Short: "480 ms"."""
    return f"{ms} ms"


def delay_description(ms: int, word_error_rate: Mapping[int, float]) -> str:
    """With the published share of wrong words where there is one, and nothing invented else."""
    if ms not in word_error_rate:
        return delay_label(ms)
    return f"{delay_label(ms)} · about {word_error_rate[ms]:.1f} % of words wrong"


class DelaySlider(QSlider):
    """Position i is the i-th delay. `delay_chosen` comes when the user has settled on one.

    While the handle is being dragged only `valueChanged` tells, so that an engine is not sent
    through every delay on the way.
    """

    delay_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.delays_ms: tuple[int, ...] = ()
        self.setSingleStep(1)
        self.setPageStep(1)
        self.setAccessibleName("Delay")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._settled = 0
        self.valueChanged.connect(self._maybe_settle)
        self.sliderReleased.connect(self._settle)

    @property
    def delay_ms(self) -> int | None:
        """The delay under the handle; None before there are any."""
        return self.delays_ms[self.value()] if self.delays_ms else None

    def offer(self, delays_ms: Sequence[int], chosen_ms: int) -> None:
        """Show exactly these stops, without telling anyone. A drag going on is left alone."""
        if self.isSliderDown() and tuple(delays_ms) == self.delays_ms:
            return
        self.delays_ms = tuple(delays_ms)
        blocked = self.blockSignals(True)
        self.setRange(0, max(0, len(self.delays_ms) - 1))
        if chosen_ms in self.delays_ms:
            self.setValue(self.delays_ms.index(chosen_ms))
        self.blockSignals(blocked)
        self._settled = self.value()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(120, 28)

    def minimumSizeHint(self) -> QSize:
        return QSize(84, 28)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self.setSliderPosition(self._nearest(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self.setSliderPosition(self._nearest(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.setSliderDown(False)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        stops = [self._at(index) for index in range(max(1, len(self.delays_ms)))]
        here = stops[min(self.value(), len(stops) - 1)]
        self._paint_groove(painter, stops[0], stops[-1], _GROOVE_COLOR)
        self._paint_groove(painter, stops[0], here, _DONE_COLOR)
        painter.setPen(Qt.PenStyle.NoPen)
        for stop in stops:
            painter.setBrush(_DONE_COLOR if stop.x() <= here.x() else QColor("#8b93a1"))
            painter.drawEllipse(stop, 3.0, 3.0)
        if self.hasFocus():
            painter.setBrush(QColor(124, 196, 255, 110))
            painter.drawEllipse(here, _HANDLE + 4, _HANDLE + 4)
        painter.setBrush(_HANDLE_COLOR)
        painter.drawEllipse(here, _HANDLE, _HANDLE)

    def _paint_groove(self, painter: QPainter, start: QPointF, end: QPointF, color: QColor) -> None:
        pen = QPen(color, _GROOVE)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawLine(start, end)

    def _nearest(self, x: float) -> int:
        return min(range(self.maximum() + 1), key=lambda index: abs(self._at(index).x() - x))

    def _at(self, index: int) -> QPointF:
        """Centre of a stop."""
        room = QRectF(self.rect()).adjusted(_HANDLE + 4, 0, -_HANDLE - 4, 0)
        share = index / max(1, len(self.delays_ms) - 1)
        return QPointF(room.left() + share * room.width(), room.center().y())

    def _maybe_settle(self) -> None:
        if not self.isSliderDown():
            self._settle()

    def _settle(self) -> None:
        chosen = self.delay_ms
        if chosen is not None and self.value() != self._settled:
            self._settled = self.value()
            self.delay_chosen.emit(chosen)
