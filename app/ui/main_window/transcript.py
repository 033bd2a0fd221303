"""The transcript while it grows: paragraphs with a time each.

Words stay in the paragraph in which they were shown. They change only where a stretch was heard
a second time, in place: what is read, selected or found does not move. Who says them is told once
there is more than one voice, then also of what stands there already. The view follows the newest
words only while its end is in sight, so that whoever scrolled back is left in peace. Knows nothing
of sessions, files or sound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QMoveEvent,
    QResizeEvent,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
)
from PySide6.QtWidgets import QTextEdit, QWidget

from app.core.paragraphs import Paragraph
from app.core.reheard import Reheard
from app.core.timeline import Gap
from app.core.voices import NAMES, label_of
from app.language import said_names, say
from app.ui.main_window.standing_words import Rewriting, StandingWords
from app.ui.main_window.stillness import Move, still
from app.ui.widgets import theme, worded
from app.ui.widgets.languages import LTR, direction
from model_backends.base import Sentence, Word

MOST_MATCHES = 2000  # painted at once
# Of earlier sessions: two hours of talk, for which Qt takes some 10 MB. The library has them all.
KEPT_CHARACTERS = 100_000
_HEADING = 1  # a block's user state: a session begins below
_FONT_SCALE = 1.15  # of the desktop's font: this is text to read, not a control
_LINE_HEIGHT = 125  # per cent
_TIME_GAP = 10  # px between the time and its paragraph
_PARAGRAPH_GAP = 8  # px
_DIM = QTextFormat.Property.UserProperty.value  # marks what is dim, whatever its colour
_MATCH_COLOR = QColor(255, 196, 0, 110)


def clock(ms: int) -> str:
    """Session time as h:mm:ss."""
    seconds = ms // 1000
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


@dataclass(slots=True)
class _Open:
    """The paragraph that a lane is still speaking in, and where it stands."""

    block: int  # number of its text block; blocks are only ever added at the end
    paragraph: Paragraph
    language: str | None  # the first that was known


@dataclass(frozen=True, slots=True)
class _Unnamed:
    """A paragraph of this session that was begun while one voice only had been heard."""

    block: int
    lane: str


class Transcript(QTextEdit):
    """Read-only text; `add_word` and `add_gap` append to it."""

    follow_changed = Signal(bool)  # whether the newest words stay in sight

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        worded.name(self, Sentence("Transcript"))
        worded.placeholder(self, Sentence("What is said appears here, with the time it was said."))
        self.setUndoRedoEnabled(False)
        self.setAcceptRichText(False)
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * _FONT_SCALE)
        self.setFont(font)
        self._time_width = self.fontMetrics().horizontalAdvance("0:00:00 ") + _TIME_GAP
        self.setTabStopDistance(self._time_width)
        self._open: dict[str, _Open] = {}  # by lane
        self._standing = StandingWords()
        self._marks: list[tuple[int, int]] = []  # where each match begins and ends
        self._lanes: set[str] = set()
        self._unnamed: list[_Unnamed] = []
        self.names: Mapping[str, str] = NAMES  # of the voices
        self._moved_by = 0  # px down, by what is above; until the size that goes with it comes
        self.follows = True  # until the reader scrolls back
        # Of text that runs from right to left Qt counts the column of times twice, and scrolls.
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.horizontalScrollBar().valueChanged.connect(self._stay_at_the_side)
        self.verticalScrollBar().valueChanged.connect(self._take_scroll)
        self.verticalScrollBar().rangeChanged.connect(self._keep_up)

    def begin_session(self, title: str) -> None:
        """What follows is another session. The one before stays readable above it, and others as
        far as they are not long."""
        self._open.clear()
        self._unnamed.clear()
        self._standing.clear()
        if not self.document().isEmpty():
            if self.follows and not self._marks and not self.textCursor().hasSelection():
                self._forget_oldest()
            heading = self._append_line(f"— {title} —")
            self.document().findBlockByNumber(heading).setUserState(_HEADING)

    def add_word(self, word: Word) -> None:
        """Append a committed word to its lane's paragraph, or begin one."""
        if word.track != 0:
            return
        current = self._open.get(word.lane)
        if current and current.paragraph.takes(word):
            self._insert(current.block, word.text, QTextCharFormat())
            current.paragraph.add(word)
            self._standing.add(word)
            if current.language is None:
                self._learn_language(current, word)
        elif word.text.strip():  # else there is nothing to read in it
            self._begin_paragraph(word)

    def add_gap(self, gap: Gap) -> None:
        """Say where nothing was heard, and why."""
        self._open.pop(gap.lane, None)
        why = say(gap.why)
        told = Sentence(
            "{why}, {begin} to {end}",
            why=why[:1].upper() + why[1:],
            begin=clock(gap.start_ms),
            end=clock(gap.end_ms),
        )
        self._append_line(f"— {say(told)} —")

    def replace(self, stretch: Reheard) -> None:
        """Put what was heard a second time in the place of what was shown."""
        rewritings = self._standing.replace(stretch)
        if rewritings:
            with still(self) as moves:
                for rewriting in rewritings:
                    moves += self._rewrite(rewriting)

    def show_end(self) -> None:
        bar = self.verticalScrollBar()
        bar.setValue(bar.maximum())

    def copy_selection_or_all(self) -> None:
        """What is selected; everything, if nothing is."""
        if self.textCursor().hasSelection():
            self.copy()
            return
        kept = self.textCursor()
        self.selectAll()
        self.copy()
        self.setTextCursor(kept)

    def mark(self, sought: str) -> int:
        """Paint every place where the text occurs, whatever its case; how many there are."""
        marks: list[QTextEdit.ExtraSelection] = []
        cursor = self.document().find(sought) if sought else QTextCursor()
        while not cursor.isNull() and len(marks) < MOST_MATCHES:
            marks.append(self._mark_at(cursor))
            cursor = self.document().find(sought, cursor)
        self.setExtraSelections(marks)
        self._marks = [(m.cursor.selectionStart(), m.cursor.selectionEnd()) for m in marks]
        return len(marks)

    def place_among_marks(self) -> tuple[int, int]:
        """Which match is selected, from 1 on (0: none of them), and how many there are."""
        cursor = self.textCursor()
        selected = cursor.selectionStart(), cursor.selectionEnd()
        here = self._marks.index(selected) + 1 if selected in self._marks else 0
        return here, len(self._marks)

    def go_to(self, sought: str, backward: bool = False, onward: bool = True) -> bool:
        """Select the next (or previous) place where the text occurs, around the end if need be.

        Not `onward`: stay where one is if the text occurs there, as while it is being typed.
        """
        flags = QTextDocument.FindFlag.FindBackward if backward else QTextDocument.FindFlag(0)
        here = self.textCursor()
        if not onward:
            here.setPosition(here.selectionStart())
        found = self.document().find(sought, here, flags)
        if found.isNull():
            edge = QTextCursor(self.document())
            edge.movePosition(
                QTextCursor.MoveOperation.End if backward else QTextCursor.MoveOperation.Start
            )
            found = self.document().find(sought, edge, flags)
        if found.isNull():
            return False
        self.setTextCursor(found)
        return True

    def _begin_paragraph(self, word: Word) -> None:
        self._lanes.add(word.lane)
        prefix = clock(word.start_ms) + "\t"
        several = len(self._lanes) > 1
        if several:
            self._name_earlier()
            prefix += self._label(word.lane)
        block = self._append_line(prefix, direction(word.language, word.text))
        if not several:
            self._unnamed.append(_Unnamed(block, word.lane))
        self._insert(block, word.text.lstrip(), QTextCharFormat())
        self._standing.begin(block, word, word.text.lstrip())
        self._open[word.lane] = _Open(block, Paragraph.begun(word), word.language)

    def _forget_oldest(self) -> None:
        """Take the oldest sessions away, whole, but never the latest, until what is left is short
        enough: an app that is never closed would hold every word for ever."""
        too_many = self.document().characterCount() - KEPT_CHARACTERS
        block, kept_from = self.document().begin().next(), 0
        while block.isValid() and kept_from < too_many:
            if block.userState() == _HEADING:
                kept_from = block.position()
            block = block.next()
        cursor = QTextCursor(self.document())
        cursor.setPosition(kept_from, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()

    def _name_earlier(self) -> None:
        """Whose words those were nobody could ask before somebody else was heard."""
        for paragraph in self._unnamed:
            block = self.document().findBlockByNumber(paragraph.block)
            cursor = QTextCursor(block)
            cursor.setPosition(block.position() + block.text().index("\t") + 1)
            cursor.insertText(self._label(paragraph.lane), self._dim())
        self._unnamed.clear()

    def _label(self, lane: str) -> str:
        return label_of(lane, said_names(self.names))

    def _rewrite(self, rewriting: Rewriting) -> list[Move]:
        block = self.document().findBlockByNumber(rewriting.block)
        first = block.position() + len(block.text()) - rewriting.length
        cursor = QTextCursor(self.document())
        moves = []
        for edit in reversed(rewriting.edits):
            cursor.setPosition(first + edit.begin)
            cursor.setPosition(first + edit.end, QTextCursor.MoveMode.KeepAnchor)
            cursor.insertText(edit.text, QTextCharFormat())
            moves.append(Move(first + edit.begin, first + edit.end, len(edit.text)))
        return [*moves, *self._hide(block)] if rewriting.empty else moves

    def _hide(self, block: QTextBlock) -> list[Move]:
        """Nothing was said there after all: its time goes, too, and no word is added to it."""
        self._open = {lane: o for lane, o in self._open.items() if o.block != block.blockNumber()}
        begin, length = block.position(), len(block.text())
        cursor = QTextCursor(block)
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        block.setVisible(False)
        self.document().markContentsDirty(begin, 1)
        return [Move(begin, begin + length, 0)]

    def _learn_language(self, current: _Open, word: Word) -> None:
        """Before, its first letter said which way it runs; now its language does."""
        current.language = word.language
        block = self.document().findBlockByNumber(current.block)
        way = direction(word.language)
        if word.language and block.blockFormat().layoutDirection() != way:
            QTextCursor(block).setBlockFormat(self._shape(way))

    def _append_line(self, text: str, way: Qt.LayoutDirection = LTR) -> int:
        """Add a text block that begins with `text`, dim, at the end; its number."""
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        if self.document().isEmpty():
            cursor.setBlockFormat(self._shape(way))
        else:
            cursor.insertBlock(self._shape(way))
        cursor.insertText(text, self._dim())
        return cursor.blockNumber()

    def _shape(self, way: Qt.LayoutDirection) -> QTextBlockFormat:
        """Times in a column of their own, beside the text."""
        shape = QTextBlockFormat()
        shape.setLayoutDirection(way)
        if way == LTR:
            shape.setLeftMargin(self._time_width)
        else:
            shape.setRightMargin(self._time_width)
        shape.setTextIndent(-self._time_width)
        shape.setBottomMargin(_PARAGRAPH_GAP)
        shape.setLineHeight(_LINE_HEIGHT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        return shape

    def _insert(self, block_number: int, text: str, style: QTextCharFormat) -> None:
        block = self.document().findBlockByNumber(block_number)
        cursor = QTextCursor(block)
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock)
        cursor.insertText(text, style)

    def moveEvent(self, event: QMoveEvent) -> None:
        super().moveEvent(event)
        self._moved_by = event.pos().y() - event.oldPos().y()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What is above has grown or shrunk: the lines that are read stay where they are."""
        super().resizeEvent(event)
        moved_by, self._moved_by = self._moved_by, 0
        lower_by = event.oldSize().height() - event.size().height()
        if moved_by and moved_by == lower_by and not self.follows:
            bar = self.verticalScrollBar()
            bar.setValue(bar.value() + moved_by)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:  # the desktop turned dark or light
            self._dim_again()

    def _dim_again(self) -> None:
        cursor = QTextCursor(self.document())
        block = self.document().begin()
        while block.isValid():
            start = block.begin()
            # Of an empty block Qt would look for the first fragment for ever.
            opening = None if start.atEnd() else start.fragment()
            if opening is not None and opening.charFormat().hasProperty(_DIM):
                cursor.setPosition(opening.position())
                cursor.setPosition(
                    opening.position() + opening.length(), QTextCursor.MoveMode.KeepAnchor
                )
                cursor.mergeCharFormat(self._dim())
            block = block.next()

    def _dim(self) -> QTextCharFormat:
        style = QTextCharFormat()
        style.setProperty(_DIM, True)
        style.setForeground(QColor(theme.colors().dim))
        return style

    def _mark_at(self, cursor: QTextCursor) -> QTextEdit.ExtraSelection:
        mark = QTextEdit.ExtraSelection()
        mark.cursor = cursor
        mark.format.setBackground(_MATCH_COLOR)
        return mark

    def _take_scroll(self, value: int) -> None:
        follows = value >= self.verticalScrollBar().maximum()
        if follows != self.follows:
            self.follows = follows
            self.follow_changed.emit(follows)

    def _stay_at_the_side(self) -> None:
        """Lines are wrapped: there is nothing to the right."""
        self.horizontalScrollBar().setValue(0)

    def _keep_up(self) -> None:
        """The text or the window has changed its size, and all of it may be in sight now."""
        if self.follows:
            self.show_end()
        self._take_scroll(self.verticalScrollBar().value())
