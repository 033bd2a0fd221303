"""Lends the keyboard to a window that otherwise never takes it, and gives it back to its owner.

Knows windows, ours by Qt and others by their number; knows nothing of captions.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from app import native


class KeyboardLoan:
    """`on` while the window has the keyboard by our doing."""

    def __init__(self, window: QWidget) -> None:
        self._window = window
        self._platform = QGuiApplication.platformName()
        self.on = False
        self._came_from = 0  # what had it before

    def take(self) -> None:
        """Make the window the active one."""
        if not self.on:
            self._came_from = self._has_it_now()
        self.on = True
        self._accept_focus(True)
        self._window.activateWindow()

    def give_back(self) -> None:
        """To the window that had it when it was taken."""
        came_from, self._came_from = self._came_from, 0
        self.drop()
        ours = QWidget.find(came_from)
        if ours is not None and ours is not self._window:
            ours.activateWindow()
        elif came_from and came_from != int(self._window.winId()):
            native.activate(came_from, self._platform)

    def drop(self) -> None:
        """It is another window's already, or is to be nobody's."""
        self.on = False
        focused = self._window.focusWidget()
        if focused is not None:
            focused.clearFocus()
        self._accept_focus(False)

    def _has_it_now(self) -> int:
        """A window of ours, or of whoever's it is."""
        ours = QApplication.activeWindow()
        if ours is not None and ours is not self._window:
            return int(ours.winId())
        return native.active_window(self._platform)

    def _accept_focus(self, on: bool) -> None:
        flag = Qt.WindowType.WindowDoesNotAcceptFocus
        self._window.windowHandle().setFlag(flag, not on)
