"""A page that scrolls where there is too little room for it, and is otherwise as it is.

What is told on such a page is brought into view.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from app.ui.widgets import worded
from app.ui.widgets.following import FollowFocus

_MARGIN = 8  # px


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


def bring_into_view(widget: QWidget) -> None:
    """Scroll to what has just been shown or has other words, once it has its place."""
    QTimer.singleShot(0, widget, lambda: _scroll_to(widget))


def _scroll_to(widget: QWidget) -> None:
    around = widget.parentWidget()
    while around is not None and not isinstance(around, QScrollArea):
        around = around.parentWidget()
    page = around.widget() if around is not None else None
    if around is None or page is None or not widget.isVisible():
        return
    layout = page.layout()
    if layout is not None:
        layout.activate()
    place = QRect(widget.mapTo(page, QPoint(0, 0)), widget.size())
    around.ensureVisible(place.center().x(), place.bottom(), 0, _MARGIN)
    around.ensureVisible(place.center().x(), place.top(), 0, _MARGIN)  # sooner its beginning
