"""What can be done with the session that is open: a row of buttons. Does nothing itself."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.ui.widgets import worded
from model_backends.base import Sentence


class _OnceInAHaste(QPushButton):
    """A double click is one: the second would be for the session that came in the first's place."""

    def __init__(self) -> None:
        super().__init__()
        self._pressed = QElapsedTimer()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        before_ms = self._pressed.restart() if self._pressed.isValid() else None
        self._pressed.start()
        if before_ms is None or before_ms > QApplication.doubleClickInterval():
            super().mousePressEvent(event)


class Actions(QWidget):
    """Listen, copy, export, correct, name, delete."""

    copy_wanted = Signal(bool)  # with times?
    export_wanted = Signal(bool)  # only what is selected?

    def __init__(self, in_two_rows: bool = False, parent: QWidget | None = None) -> None:
        """`in_two_rows`: for a screen that has no room for one."""
        super().__init__(parent)
        copy, export, correct = QMenu(self), QMenu(self), QMenu(self)
        worded.action(copy, Sentence("&Text")).triggered.connect(
            lambda: self.copy_wanted.emit(False)
        )
        worded.action(copy, Sentence("Text with ti&mes")).triggered.connect(
            lambda: self.copy_wanted.emit(True)
        )
        self.export_all = worded.action(export, Sentence("&All of it…"))
        self.export_all.triggered.connect(lambda: self.export_wanted.emit(False))
        self.export_part = worded.action(export, Sentence("What is &selected…"))
        self.export_part.triggered.connect(lambda: self.export_wanted.emit(True))
        self.correct_here = worded.action(correct, Sentence("This &paragraph…"))
        self.restore = worded.action(correct, Sentence("&Back to what was heard"))
        self.copy = _menu_button(Sentence("&Copy"), copy)
        self.export = _menu_button(Sentence("&Export"), export)
        self.correct = _menu_button(Sentence("Co&rrect"), correct)
        self.name = worded.text(QPushButton(), Sentence("Re&name"))
        worded.tip(self.name, Sentence("F2 in the list"))
        self.delete = worded.text(_OnceInAHaste(), Sentence("&Delete"))
        worded.tip(self.delete, Sentence("It can be undone for ten seconds"))
        self.play = worded.text(QPushButton(), Sentence("&Listen"))
        worded.tip(
            self.play, Sentence("Hear the file from the cursor on; a click on a word does the same")
        )
        self.menus = (copy, export, correct)
        for menu in self.menus:
            menu.setObjectName("menu")
        rows = QVBoxLayout(self) if in_two_rows else QHBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(8)
        rows.addLayout(_row(self.play, self.copy, self.export))
        rows.addLayout(_row(self.correct, self.name, None, self.delete), 1)
        for button in (self.play, self.name, self.delete):
            button.setAutoDefault(False)

    def show_playing(self, plays: bool) -> None:
        """What the button would do now."""
        worded.text(self.play, Sentence("S&top") if plays else Sentence("&Listen"))

    def offer(self, edited: bool, selected: bool) -> None:
        """What there is to be done; called before a menu is shown."""
        self.restore.setEnabled(edited)
        self.export_part.setEnabled(selected)


def _row(*buttons: QWidget | None) -> QHBoxLayout:
    """None: what room there is."""
    row = QHBoxLayout()
    row.setSpacing(8)
    for button in buttons:
        if button is None:
            row.addStretch(1)
        else:
            button.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
            row.addWidget(button)
    return row


def _menu_button(text: str, menu: QMenu) -> QToolButton:
    button = QToolButton()
    button.setObjectName("button")
    worded.text(button, text)
    button.setMenu(menu)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button
