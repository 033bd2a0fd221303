"""Which of how many places is chosen, and the way to the next; there only for hits."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from app.ui.widgets import plain, worded
from model_backends.base import Sentence


class HitsBar(QWidget):
    """Hidden until there are hits."""

    walked = Signal(int)  # 1: to the next; -1: to the one before

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.found = plain.label(name="dim")
        self.previous, self.next = (
            worded.text(QPushButton(), Sentence("Previous")),
            worded.text(QPushButton(), Sentence("Next")),
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.found, 1)
        for button, step, keys in ((self.previous, -1, Sentence("Shift+F3")), (self.next, 1, "F3")):
            button.setAutoDefault(False)
            worded.tip(button, keys)
            button.clicked.connect(lambda _=False, step=step: self.walked.emit(step))
            row.addWidget(button)
        self.hide()

    def show_place(self, here: int, of: int) -> None:
        """The chosen one, from 1 on, and how many there are."""
        self.setVisible(of > 0)
        worded.text(self.found, Sentence("{here} of {count}", here=here, count=of))
