"""One paragraph of a session to be corrected by hand; the times of its words are not in the way."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut, QTextCursor
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout, QWidget

from app.ui.widgets import plain, worded
from model_backends.base import Sentence


class CorrectionDialog(QDialog):
    """`then(text)` once it is saved with another text."""

    def __init__(self, parent: QWidget, text: str, then: Callable[[str], None]) -> None:
        super().__init__(parent)
        self._before, self._then = text, then
        worded.title(self, Sentence("Correct the text"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.text = QPlainTextEdit(text)
        worded.name(self.text, Sentence("The paragraph"))
        self.text.setTabChangesFocus(True)
        self.text.setMinimumSize(440, 140)
        self.text.moveCursor(QTextCursor.MoveOperation.End)
        told = plain.label(
            Sentence("Every word keeps its time. What was heard is kept too, and can be had back."),
            "dim",
            wrap=True,
        )
        roles = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(roles.Save | roles.Cancel)
        worded.tip(buttons.button(roles.Save), Sentence("Ctrl+Enter"))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 16)
        column.setSpacing(12)
        for widget in (self.text, told, buttons):
            column.addWidget(widget)
        QShortcut(QKeySequence("Ctrl+Return"), self, self.accept)
        self.accepted.connect(self._tell)

    def _tell(self) -> None:
        text = " ".join(self.text.toPlainText().split())
        if text != " ".join(self._before.split()):
            self._then(text)
