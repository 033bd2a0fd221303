"""A page that scrolls where there is too little room for it, and is otherwise as it is."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from app.ui.widgets import worded
from app.ui.widgets.following import FollowFocus


class _Scrolled(QScrollArea):
    """As large as its page wherever there is room; Tab stops at it only where it scrolls."""

    def __init__(self, page: QWidget, narrowest: int) -> None:
        super().__init__()
        self._narrowest = narrowest
        self.setWidget(page)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        FollowFocus(self)
        worded.follow(self, self._fit)
        self._fit()

    def _fit(self) -> None:
        page = self.widget()
        least = page.minimumSizeHint().width() if page is not None else 0
        bar = self.verticalScrollBar().sizeHint().width()
        self.setMinimumWidth(min(self._narrowest, least + bar))

    def sizeHint(self) -> QSize:
        page = self.widget()
        return page.sizeHint() + QSize(2, 2) if page else super().sizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        bars = (self.verticalScrollBar(), self.horizontalScrollBar())
        scrolls = any(bar.maximum() > 0 for bar in bars)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if scrolls else Qt.FocusPolicy.NoFocus)


def scrolled(page: QWidget, narrowest: int) -> QScrollArea:
    """The page, `narrowest` pixels wide at the least if it can be as narrow."""
    return _Scrolled(page, narrowest)
