"""Pages that scroll show what has the keyboard, by whatever way it got there.

Qt's own scroll where Tab moves on inside them; not where the keyboard comes from outside: by
Shift+Tab from the buttons below, or by a letter with Alt. Knows nothing of what is on the page.
"""

from __future__ import annotations

from typing import cast

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QScrollArea, QWidget
from shiboken6 import isValid

_AROUND = 12  # px that are seen around it


class FollowFocus(QObject):
    """Belongs to the area, and ends with it."""

    def __init__(self, area: QScrollArea) -> None:
        super().__init__(area)
        self._area = area
        cast(QApplication, QApplication.instance()).focusChanged.connect(self._show)

    def _show(self, before: QWidget | None, now: QWidget | None) -> None:
        if not isValid(self._area):  # the keyboard leaves a window that is being deleted
            return
        page = self._area.widget()
        if now is not None and page is not None and page.isAncestorOf(now):
            self._area.ensureWidgetVisible(now, _AROUND, _AROUND)
