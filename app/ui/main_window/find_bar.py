"""Looking for words in the transcript: a line to type in, how often they occur, next, previous."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QWidget

from app.ui.main_window.transcript import Transcript
from app.ui.widgets import plain, worded
from model_backends.base import Counted, Sentence

COUNT_AFTER_MS = 300  # words keep coming while one looks


class FindBar(QWidget):
    """Hidden until `open()`; Enter and Shift+Enter walk through the matches, Escape closes."""

    def __init__(self, transcript: Transcript, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._transcript = transcript
        self.entry = QLineEdit()
        worded.placeholder(self.entry, Sentence("Find in the transcript"))
        worded.name(self.entry, Sentence("Find"))
        self.entry.setClearButtonEnabled(True)
        self.count = plain.label(name="dim")
        self.previous = worded.text(QPushButton(), Sentence("Previous"))
        self.next = worded.text(QPushButton(), Sentence("Next"))
        self.done = worded.text(QPushButton(), Sentence("Close"))
        worded.tip(self.previous, Sentence("Shift+Enter"))
        worded.tip(self.next, Sentence("Enter"))
        worded.tip(self.done, Sentence("Escape"))
        self._recount = QTimer(self, singleShot=True, interval=COUNT_AFTER_MS)
        self._arrange()
        self.entry.textChanged.connect(self._seek_first)
        self.previous.clicked.connect(self.find_previous)
        self.next.clicked.connect(self.find_next)
        self.done.clicked.connect(self.close_bar)
        self._recount.timeout.connect(self._mark)
        transcript.document().contentsChange.connect(self._text_grew)
        self.hide()

    def open(self) -> None:
        """Show the bar with what is selected, if that is a word or a few."""
        selected = self._transcript.textCursor().selectedText()
        if selected and "\u2029" not in selected:  # within one paragraph
            self.entry.setText(selected)
        self.show()
        self.entry.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.entry.selectAll()

    def close_bar(self) -> None:
        self.hide()
        self._transcript.mark("")
        self._transcript.setFocus()

    def find_next(self) -> None:
        self._transcript.go_to(self.entry.text())
        self._count()

    def find_previous(self) -> None:
        self._transcript.go_to(self.entry.text(), backward=True)
        self._count()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._mark()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_bar()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            back = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            self.find_previous() if back else self.find_next()
        else:
            super().keyPressEvent(event)

    def _arrange(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.entry, 1)
        for widget in (self.count, self.previous, self.next, self.done):
            row.addWidget(widget)

    def _seek_first(self, sought: str) -> None:
        if sought:
            self._transcript.go_to(sought, onward=False)
        self._mark()

    def _text_grew(self, _at: int, _removed: int, _added: int) -> None:
        if self.isVisible():
            self._recount.start()

    def _mark(self) -> None:
        self._transcript.mark(self.entry.text() if self.isVisible() else "")
        self._count()

    def _count(self) -> None:
        """Which of how many is selected."""
        here, of = self._transcript.place_among_marks()
        if not self.entry.text():
            worded.text(self.count, "")
        elif not of:
            worded.text(self.count, Sentence("Not found"))
        elif here:
            worded.text(self.count, Sentence("{here} of {count}", here=here, count=of))
        else:
            worded.text(self.count, Counted("1 match", "{count} matches", count=of))
