"""Keeps a window out of what others see of a shared screen, where the desktop can do so.

Knows nothing of captions.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from app import native


class Sharing(QObject):
    """`refused` is told once each time it is wished and the desktop does not do it."""

    refused = Signal()

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._platform = QGuiApplication.platformName()
        self._hidden = self._told = False

    def set(self, hidden: bool) -> None:
        """Whether others must not see the window."""
        if hidden != self._hidden:
            self._hidden, self._told = hidden, False
            self._ask()

    def hold(self) -> None:
        """Make it so, again: after the window was shown or made anew."""
        if self._hidden:
            self._ask()

    def _ask(self) -> None:
        if not self._window.isVisible():
            return
        done = native.hide_from_sharing(int(self._window.winId()), self._hidden, self._platform)
        if self._hidden and not done and not self._told:
            self._told = True
            self.refused.emit()
