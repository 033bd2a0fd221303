"""A session's text to read: paragraphs with times, hits painted, every word known by its place.

Knows nothing of where sessions are kept.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QWidget

from app.core.paragraphs import paragraphs
from app.core.search import places
from app.core.voices import label_of
from app.language import said_names
from app.session.stored import Stored
from app.ui.main_window.transcript import MOST_MATCHES, Transcript, clock
from app.ui.widgets import worded
from app.ui.widgets.languages import direction
from model_backends.base import Sentence, Word


@dataclass(frozen=True, slots=True)
class _Shown:
    """A paragraph in the document: where its text begins, and where each word begins in that."""

    words: Sequence[Word]
    at: int  # position in the document, in UTF-16 units as Qt counts
    starts: Sequence[int]  # of the words, from `at`


class SessionText(Transcript):
    """Read-only; `word_chosen` tells the time of a word that was clicked on."""

    word_chosen = Signal(int)  # milliseconds

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        worded.name(self, Sentence("What was said"))
        worded.placeholder(self, "")
        self._shown: list[_Shown] = []
        self._hits: list[QTextCursor] = []
        self._hit = -1

    def show_session(self, stored: Stored | None) -> None:
        """This session, from its beginning; None: nothing."""
        self.setExtraSelections([])
        self._shown, self._hits, self._hit = [], [], -1
        self.clear()
        self.follows = False
        if stored is None:
            return
        whole = QTextCursor(self.document())
        whole.beginEditBlock()  # laid out once, at the end
        try:
            self._fill(stored)
        finally:
            whole.endEditBlock()
        self.moveCursor(QTextCursor.MoveOperation.Start)

    def _fill(self, stored: Stored) -> None:
        several = len({word.lane for word in stored.words}) > 1
        stops = sorted(stored.gaps, key=lambda gap: gap.start_ms)
        for words in paragraphs(stored.words, stored.gaps):
            while stops and stops[0].start_ms <= words[0].start_ms:
                self.add_gap(stops.pop(0))
            self._add_paragraph(
                words, label_of(words[0].lane, said_names(stored.names)) if several else ""
            )
        for gap in stops:
            self.add_gap(gap)

    def find_all(self, sought: str) -> int:
        """Paint every place where the folded query is; how many. None of them is chosen yet."""
        self._hit = -1
        self._hits = []
        for shown in self._shown if sought else ():
            for place in places([word.text for word in shown.words], sought):
                self._hits.append(self._cursor(shown, place.first, place.last))
        self.setExtraSelections([self._mark_at(hit) for hit in self._hits[:MOST_MATCHES]])
        return len(self._hits)

    def go_to_hit(self, step: int) -> int:
        """Choose the next hit (1) or the one before (-1), around the end; its number from 1 on."""
        if not self._hits:
            return 0
        first = 0 if step > 0 else len(self._hits) - 1
        self._hit = first if self._hit < 0 else (self._hit + step) % len(self._hits)
        self.setTextCursor(self._hits[self._hit])
        self.ensureCursorVisible()
        return self._hit + 1

    @property
    def hit_count(self) -> int:
        """How many hits there are."""
        return len(self._hits)

    @property
    def hit_number(self) -> int:
        """Which of them is chosen, from 1 on; 0: none."""
        return self._hit + 1

    @property
    def at_last_hit(self) -> bool:
        """The next one would be the first again."""
        return self._hit == len(self._hits) - 1

    def chosen_times(self) -> tuple[int, int] | None:
        """From when to when the selected words were said; None if there are none."""
        cursor = self.textCursor()
        start, end = cursor.selectionStart(), cursor.selectionEnd()
        times = [
            (word.start_ms, word.end_ms)
            for shown in self._shown
            for word, begin in zip(shown.words, shown.starts, strict=True)
            if shown.at + begin < end and shown.at + begin + _units(word.text.strip()) > start
        ]
        if not cursor.hasSelection() or not times:
            return None
        return min(start for start, _ in times), max(end for _, end in times)

    def paragraph_at_cursor(self) -> Sequence[Word] | None:
        """The words of the paragraph in which the cursor is."""
        block = self.textCursor().blockNumber()
        for shown in self._shown:
            if self.document().findBlock(shown.at).blockNumber() == block:
                return shown.words
        return None

    def word_at(self, position: int) -> Word | None:
        """The word at a position in the document."""
        at = bisect_right(self._shown, position, key=lambda shown: shown.at) - 1
        if at < 0:
            return None
        shown = self._shown[at]
        if position > shown.at + shown.starts[-1] + _units(shown.words[-1].text):
            return None
        return shown.words[max(0, bisect_right(shown.starts, position - shown.at) - 1)]

    def time_at_cursor(self) -> int:
        """When the word at the cursor was said, or the first of the paragraph."""
        word = self.word_at(self.textCursor().selectionStart())
        if word is None:
            words = self.paragraph_at_cursor()
            word = words[0] if words else None
        return word.start_ms if word is not None else 0

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and not self.textCursor().hasSelection():
            word = self.word_at(self.cursorForPosition(event.position().toPoint()).position())
            if word is not None:
                self.word_chosen.emit(word.start_ms)

    def _add_paragraph(self, words: Sequence[Word], label: str) -> None:
        prefix = f"{clock(words[0].start_ms)}\t{label}"
        texts = [_on_one_line(word.text) for word in words]
        texts[0] = texts[0].lstrip()
        block = self._append_line(prefix, direction(words[0].language, texts[0]))
        at = self.document().findBlockByNumber(block).position() + _units(prefix)
        self._insert(block, "".join(texts), QTextCharFormat())
        starts, length = [], 0
        for text in texts:
            starts.append(length + _units(text) - _units(text.lstrip()))
            length += _units(text)
        self._shown.append(_Shown(words, at, starts))

    def _cursor(self, shown: _Shown, first: int, last: int) -> QTextCursor:
        cursor = QTextCursor(self.document())
        cursor.setPosition(shown.at + shown.starts[first])
        end = shown.at + shown.starts[last] + _units(shown.words[last].text.strip())
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        return cursor


def _on_one_line(text: str) -> str:
    return "".join(" " if char in "\n\r\u2028\u2029" else char for char in text)


def _units(text: str) -> int:
    """How many characters it is for Qt."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
