"""Sliders for a share of something, with the percentage beside them."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSlider, QToolButton, QWidget

from app.ui.widgets import plain, worded

_STEP_PX = 32


class PercentSlider(QWidget):
    """0.0 to 1.0 in steps of 5 %; `chosen` comes while it is moved."""

    chosen = Signal(float)

    def __init__(self, name: str, low: float, high: float) -> None:
        super().__init__()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(round(low * 100), round(high * 100))
        self.slider.setSingleStep(5)
        self.slider.setPageStep(10)
        worded.name(self.slider, name)
        self.number = plain.label()
        self.number.setMinimumWidth(self.number.fontMetrics().horizontalAdvance("100 %") + 4)
        self.number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.slider, 1)
        row.addWidget(self.number)
        self.setFocusProxy(self.slider)
        self.slider.valueChanged.connect(self._moved)

    def show_value(self, value: float) -> None:
        """Show this share; tells nobody."""
        blocked = self.slider.blockSignals(True)
        self.slider.setValue(round(value * 100))
        self.slider.blockSignals(blocked)
        self._show_number()

    def _moved(self, percent: int) -> None:
        self._show_number()
        self.chosen.emit(percent / 100)

    def _show_number(self) -> None:
        percent = f"{self.slider.value()} %"
        worded.text(self.number, percent)
        worded.description(self.slider, percent)


class SteppedPercentSlider(PercentSlider):
    """With a button at each end for a step less or more, which `stepped` asks for."""

    stepped = Signal(bool)  # more

    def __init__(self, name: str, low: float, high: float, less: str, more: str) -> None:
        super().__init__(name, low, high)
        self.less, self.more = self._button("−", less, False), self._button("+", more, True)
        self._row.insertWidget(0, self.less)
        self._row.insertWidget(2, self.more)

    def show_value(self, value: float) -> None:
        super().show_value(value)
        self.less.setEnabled(self.slider.value() > self.slider.minimum())
        self.more.setEnabled(self.slider.value() < self.slider.maximum())

    def _button(self, sign: str, does: str, more: bool) -> QToolButton:
        button = QToolButton()
        button.setObjectName("step")
        worded.text(button, sign)
        worded.name(button, does)
        button.setMinimumSize(_STEP_PX, _STEP_PX)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        plain.set_tip(button, does)
        button.clicked.connect(lambda: self.stepped.emit(more))
        return button
