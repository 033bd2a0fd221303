"""Menus beside the captions: they open away from the text, and nothing in them moves once open.

A list may come later than the click that asks for it. The menu then waits a moment; what comes
after it has opened is shown by opening it anew, or kept until it is closed. Knows nothing of what
is listed.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRect, QTimer
from PySide6.QtGui import QAction, QActionGroup, QGuiApplication
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from app.language import say
from app.ui.widgets import plain, worded
from app.ui.widgets.theme import CAPTIONS
from model_backends.base import Sentence

WAIT_MS = 300  # for a list, before the menu opens without it
_GAP = 7
_EXPECTED_PX = 8 * 34  # of a list that is not known yet: what comes makes the menu no smaller
_TEXT_PX = 14

SHEET = f"""
QMenu {{
    background: {CAPTIONS.menu}; color: {CAPTIONS.ink}; border: 1px solid {CAPTIONS.edge};
    padding: 6px; font-size: {_TEXT_PX}px;
}}
QMenu::item {{ padding: 7px 22px 7px 10px; border-radius: 6px; }}
QMenu::item:selected {{ background: {CAPTIONS.selected}; }}
QMenu::item:disabled {{ color: {CAPTIONS.dim}; }}
QMenu::icon {{ padding-left: 8px; }}
QMenu::separator {{ height: 1px; background: {CAPTIONS.edge}; margin: 5px 8px; }}
"""


class ListMenu(QMenu):
    """One of a list can be chosen. `fill` is called whenever the list is known anew."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setToolTipsVisible(True)
        self.setStyleSheet(SHEET)
        self._group = QActionGroup(self)
        self._filled = False
        self._list_all: Callable[[], None] = lambda: None
        self._later: Callable[[], None] | None = None  # the list that came while it was open
        self._button: QToolButton | None = None
        self._upwards = True
        self._waiting = QTimer(self, singleShot=True, interval=WAIT_MS)
        self._waiting.timeout.connect(self._open)
        worded.action(self, Sentence("Looking …")).setEnabled(False)
        self.setMinimumHeight(_EXPECTED_PX)
        self.aboutToHide.connect(self._closed)
        worded.follow(self, self._say_again)

    @property
    def awaited(self) -> bool:
        """Whether it was asked for and is still waiting for its list."""
        return self._waiting.isActive()

    def open_beside(self, button: QToolButton, upwards: bool) -> None:
        """Open above or below the button, as soon as there is something to show."""
        self._button, self._upwards = button, upwards
        button.setDown(True)
        if self._filled:
            self._open()
        else:
            self._waiting.start()

    def fill(self, list_all: Callable[[], None]) -> None:
        """Show what `list_all` adds; now, or once whoever reads the menu has closed it."""
        if self.isVisible() and self._filled:
            self._later = list_all
            return
        unread = self.isVisible()  # it only said that it was looking
        self._refill(list_all)
        if self.awaited or unread:
            self._open()

    def add_heading(self, text: str) -> QAction:
        """What the choices below it have in common."""
        action = worded.action(self, text)
        action.setEnabled(False)
        font = self.font()
        font.setBold(True)
        action.setFont(font)
        return action

    def add_choice(self, name: str, chosen: bool, whole: bool = False) -> QAction:
        """One of the list, by a name from outside, which is shortened; `whole`: it is not."""
        said = say(name)
        short = said if whole else plain.shortened(said)
        action = self.addAction(plain.unmnemonic(short))
        if short != said:
            worded.tip(action, name)
        self._group.addAction(action)
        action.setCheckable(True)
        action.setChecked(chosen)
        return action

    def _say_again(self) -> None:
        """In another language."""
        if self._filled:
            self.fill(self._list_all)

    def _refill(self, list_all: Callable[[], None]) -> None:
        self._list_all = list_all
        self.clear()
        self._group = QActionGroup(self)
        list_all()
        self._filled = True
        if not self.isVisible():
            self.setMinimumHeight(0)

    def _open(self) -> None:
        self._waiting.stop()
        if self._button is None or not self._button.isVisible():
            return
        button = QRect(self._button.mapToGlobal(QPoint(0, 0)), self._button.size())
        height = max(self.sizeHint().height(), self.minimumHeight())
        self.popup(place_beside(button, height, self._upwards))

    def _closed(self) -> None:
        if self._button is not None:
            self._button.setDown(False)
        if self._filled:
            self.setMinimumHeight(0)
        later, self._later = self._later, None
        if later is not None:
            # after the choice, which closing comes before, has been told
            QTimer.singleShot(0, self, lambda: self._refill(later))


def place_beside(button: QRect, height: int, upwards: bool) -> QPoint:
    """Where a menu of this height has its corner so as not to cover what is on the other side."""
    top = button.top() - height - _GAP if upwards else button.bottom() + 1 + _GAP
    screen = QGuiApplication.screenAt(button.center())
    if screen is not None:
        top = max(top, screen.availableGeometry().top())
    return QPoint(button.left(), top)
