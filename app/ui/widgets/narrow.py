"""Screens of 512 points, which is 1024 × 600 at 200 %: what windows do there and nowhere else.

A window asks `is_narrow()` and puts below each other what stands side by side elsewhere. Knows
nothing of what is in a window.
"""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QCheckBox, QLabel, QWidget

from app.ui.widgets import worded

_ORDINARY = 800  # px; from here on every window has room for its sentences, in every language
_TICK = 34  # px that a box with its tick takes beside its words


def is_narrow(window: QWidget) -> bool:
    """Whether the screen that the window is on, or will be on, has no room for its usual width."""
    return window.screen().availableGeometry().width() < _ORDINARY


class Wrapped(QObject):
    """What a page says goes on in another line, in whatever language; it ends with the page."""

    def __init__(self, page: QWidget, width: int) -> None:
        """`width`: of what stands beside a tick, in px; labels have what their layout gives."""
        super().__init__(page)
        self._page, self._width = page, width
        worded.follow(self, self._wrap)
        self._wrap()

    def _wrap(self) -> None:
        for label in self._page.findChildren(QLabel):
            label.setWordWrap(True)
        for box in self._page.findChildren(QCheckBox):  # which Qt cannot wrap
            box.ensurePolished()
            box.setText(_broken(box.text(), box.fontMetrics(), self._width - _TICK))


def _broken(text: str, metrics: QFontMetrics, width: int) -> str:
    """The text in lines of no more than so many px."""
    first, *others = text.split()
    lines = [first]
    for word in others:
        longer = f"{lines[-1]} {word}"
        if metrics.horizontalAdvance(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return "\n".join(lines)
