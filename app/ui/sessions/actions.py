"""What can be done with the session that is open: a row of buttons. Does nothing itself."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QSizePolicy, QToolButton, QWidget


class Actions(QWidget):
    """Listen, copy, export, correct, name, delete."""

    copy_wanted = Signal(bool)  # with times?
    export_wanted = Signal(bool)  # only what is selected?

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        copy, export, correct = QMenu(self), QMenu(self), QMenu(self)
        copy.addAction("&Text", lambda: self.copy_wanted.emit(False))
        copy.addAction("Text with &times", lambda: self.copy_wanted.emit(True))
        self.export_all = export.addAction("&All of it…", lambda: self.export_wanted.emit(False))
        self.export_part = export.addAction(
            "What is &selected…", lambda: self.export_wanted.emit(True)
        )
        self.correct_here = correct.addAction("This &paragraph…")
        self.restore = correct.addAction("&Back to what was heard")
        self.copy = _menu_button("&Copy", copy)
        self.export = _menu_button("&Export", export)
        self.correct = _menu_button("Co&rrect", correct)
        self.name = QPushButton("Re&name")
        self.name.setToolTip("F2 in the list")
        self.delete = QPushButton("&Delete")
        self.delete.setToolTip("It can be undone for ten seconds")
        self.play = QPushButton("&Listen")
        self.play.setToolTip("Hear the file from the cursor on; a click on a word does the same")
        self.menus = (copy, export, correct)
        for menu in self.menus:
            menu.setObjectName("menu")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row_of = (self.play, self.copy, self.export, self.correct, self.name, self.delete)
        for widget in row_of:
            widget.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
            row.addWidget(widget)
        row.insertStretch(len(row_of) - 1, 1)
        for button in (self.play, self.name, self.delete):
            button.setAutoDefault(False)

    def show_playing(self, plays: bool) -> None:
        """What the button would do now."""
        self.play.setText("S&top" if plays else "&Listen")

    def offer(self, edited: bool, selected: bool) -> None:
        """What there is to be done; called before a menu is shown."""
        self.restore.setEnabled(edited)
        self.export_part.setEnabled(selected)


def _menu_button(text: str, menu: QMenu) -> QToolButton:
    button = QToolButton()
    button.setObjectName("button")
    button.setText(text)
    button.setMenu(menu)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button
