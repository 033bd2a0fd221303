"""Words → the lines a reader sees. A word once placed never moves, a break once made is final.

Lines break on committed words only, as each word arrives, so the result does not depend on how
words were batched. Where there are no spaces between words nobody knows how far a phrase will
reach: where an ordinary one would not fit, it begins another line (`phrases`). The tentative tail
is laid out after the committed text and never moves it.
What has scrolled away can be had again, the last half hour of it and more (`until()`).
Knows widths only through `measure`, which is passed in; knows nothing about fonts or windows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeAlias

from app.core.breaks import Break, break_between
from app.core.phrases import CONTEXT, Seam, Unit, tied, units
from app.core.script import clusters, pieces
from app.core.voices import label_of
from model_backends.base import Word

Measure: TypeAlias = Callable[[str], float]  # text → width, in the unit of the line's width
Span: TypeAlias = tuple[int, int]  # the first character, and the one behind the last

TURN_PAUSE_MS = 1500  # a new utterance after a longer silence starts a new line
_MOST_LABEL = 0.5  # of a line's width
_HISTORY_WORDS = 12_000  # an hour of English, half an hour of the fastest Japanese
_HISTORY_LINES = 6_000
_AT_ONCE = 1000  # words that reflow lays out; the ones before only when someone scrolls up to them
# How full a line must be before a good place to break is taken although the next word would fit.
_FULL_ENOUGH = {Break.SENTENCE: 0.6, Break.CLAUSE: 0.75, Break.PHRASE: 0.8}
_MOST_FOR_MARKS = 1 / 3  # of a line's width, for marks to come
_MOST_ROOM = 0.5  # of a line's width, for a phrase of which only the beginning is known


@dataclass(frozen=True, slots=True)
class Line:
    """One visible line: committed text, then tentative text (with its own leading space).

    `label`: who speaks, with a space after it; it stands before the text where a turn begins.
    `boxed`: what is pointed out, as places in `text`.
    """

    text: str
    tail: str
    language: str | None
    lane: str
    label: str = ""
    boxed: tuple[Span, ...] = ()


@dataclass(slots=True)
class _Row:
    lane: str = ""
    text: str = ""
    label: str = ""
    boxed: tuple[Span, ...] = ()
    language: str | None = None
    told: bool = False  # the language is that of a word on it, not of the line before
    words: int = 0  # how many were ever added when its last one was

    @property
    def line(self) -> Line:
        """As it is shown, without a tail."""
        return Line(self.text, "", self.language, self.lane, self.label, self.boxed)


class CaptionLines:
    """Breaks words into lines no wider than `width`, as measured by `measure`."""

    def __init__(self, measure: Measure, width: float) -> None:
        self._measure = measure
        self._width = width
        self._words: deque[tuple[int, Word]] = deque(maxlen=_HISTORY_WORDS)  # with its session
        self._session = self._last_session = 0
        self._rows: deque[_Row] = deque([_Row()], maxlen=_HISTORY_LINES)
        self._started = 1
        self._placed = 0  # words, of those ever added
        self._older = 0  # words at the left end of `_words` that are in no row yet
        self._last: Word | None = None  # the last word placed
        self._said = ""  # the end of the turn's text, as far as phrases depend on it
        self._names: Mapping[str, str] = {}  # of the voices; empty: who speaks is not said
        self._points_out: Callable[[Word], bool] = _nothing
        self._tail = ""
        self._spilled = False  # the tail has opened a row below the committed text

    @property
    def started(self) -> int:
        """How many rows were ever begun; grows by one whenever the text scrolls up by one."""
        return self._started + self._spilled

    @property
    def added(self) -> int:
        """How many words were ever added."""
        return self._placed

    @property
    def first(self) -> int:
        """The number of the oldest row there is now."""
        return self._started - len(self._rows)

    @property
    def newest(self) -> int:
        """The number of the row that the next word goes on, unless it begins another."""
        return self._started - 1

    def add(self, word: Word) -> None:
        """Place a committed word after all others; it never moves again. Clears the tail."""
        if self._older and len(self._words) == _HISTORY_WORDS:
            self._older -= 1
        self._words.append((self._session, word))
        self._tail = ""
        self._place(self._session, word)

    def begin_session(self) -> None:
        """What comes next is another session, its times begin anew: it gets a line of its own."""
        self._session += 1
        self.set_tail("")

    def name_voices(self, names: Mapping[str, str]) -> None:
        """From the next turn on say who speaks; with no names, do not."""
        self._names = names

    def point_out(self, which: Callable[[Word], bool]) -> None:
        """From the next word on put a box round these; a word keeps what it was placed with, until
        `reflow()`."""
        self._points_out = which

    def set_tail(self, text: str, lane: str | None = None) -> None:
        """Show tentative text after the committed; replaces the tail before it whole.

        That of another voice than the last word's is not shown: it would read as this one's.
        """
        if lane is not None and self._last is not None and lane != self._last.lane:
            return
        self._tail = text
        # Once the tail has needed a row below, the row stays until words fill it: taking it back
        # would move committed text down.
        self._spilled = self._spilled or bool(self._tail_rows()[1])

    def reflow(self, measure: Measure, width: float) -> None:
        """Lay all out anew for another font or width: the only thing that moves a break."""
        self._measure, self._width = measure, width
        self._rows.clear()
        self._rows.append(_Row())
        self._started, self._last, self._spilled = 1, None, False
        self._older = max(0, len(self._words) - _AT_ONCE)
        self._placed -= len(self._words) - self._older
        for session, word in islice(self._words, self._older, None):
            self._place(session, word)
        self.set_tail(self._tail)

    def until(self, end: int, count: int) -> list[Line]:
        """The `count` lines that end with row number `end`, oldest first; fewer at the beginning.

        Rows are numbered as they are begun, so that a number stays a row's own until `reflow()`.
        """
        if end - count < self.first and self._older:
            self._lay_out_older()
        start = max(0, end - count + 1 - self.first)
        rows = islice(self._rows, start, max(0, end + 1 - self.first))
        return [row.line for row in rows]

    def words_until(self, end: int) -> int:
        """How many words were ever added when the last one on row number `end` was."""
        at = min(max(end - self.first, 0), len(self._rows) - 1)
        return self._rows[at].words

    def row_of(self, words: int) -> int:
        """The number of the row that holds the last of so many words, or is nearest to it."""
        if self._older and words <= self._placed - (len(self._words) - self._older):
            self._lay_out_older()
        at = bisect_left(self._rows, words, key=lambda row: row.words)
        return self.first + min(at, len(self._rows) - 1)

    def latest(self, ms: int) -> list[Word]:
        """The words of the last so many milliseconds, counted back from the newest word's end."""
        if not self._words:
            return []
        of_session, newest = self._words[-1]
        found: list[Word] = []
        for session, word in reversed(self._words):
            if session != of_session or word.start_ms < newest.end_ms - ms:
                break
            found.append(word)
        return found[::-1]

    def _lay_out_older(self) -> None:
        """Rows for the words before those that `reflow()` has placed; none of its rows changes."""
        older = CaptionLines(self._measure, self._width)
        older._placed = self._placed - len(self._words)
        older._names, older._points_out = self._names, self._points_out
        for session, word in islice(self._words, self._older):
            older._place(session, word)
        self._older = 0
        room = _HISTORY_LINES - len(self._rows)
        self._rows.extendleft(islice(reversed(older._rows), room))

    def visible(self, count: int) -> list[Line]:
        """The last `count` lines, oldest first; fewer while there are fewer."""
        inline, below = self._tail_rows()
        lines = [self._rows[at].line for at in range(-min(count, len(self._rows)), 0)]
        lines[-1] = replace(lines[-1], tail=inline)
        if self._spilled and count > 1:  # a single line is kept for committed text
            lines.append(Line("", below, lines[-1].language, lines[-1].lane))
        lines = lines[-count:]
        return lines if any(line.text or line.tail for line in lines) else []

    # --- placing words ---------------------------------------------------------------------

    def _place(self, session: int, word: Word) -> None:
        self._placed += 1
        fresh = self._last is None or session != self._last_session
        if fresh or self._takes_turn(word):
            if not word.text.strip():
                return  # nothing to read: no line of its own
            self._new_row(word.lane)
            self._said = ""
            self._rows[-1].language = None  # whoever speaks now may speak another
            if fresh or (self._last is not None and word.lane != self._last.lane):
                self._rows[-1].label = self._label(word.lane)
        self._last_session = session
        before, from_row = len(self._rows[-1].text), self._started
        for unit in units(self._said, word.text, language=word.language):
            self._place_unit(unit, word.language)
            self._rows[-1].words = self._placed
        self._said = (self._said + word.text)[-CONTEXT:]
        if self._points_out(word):
            self._box(from_row, before)
        row = self._rows[-1]
        row.lane = word.lane
        if word.language and not row.told:
            # the first that is known stays: another could turn the line from left to right
            row.language, row.told = word.language, True
        self._last = word

    def _box(self, from_row: int, before: int) -> None:
        """Round all that stands behind the first `before` characters of this row."""
        for number in range(max(from_row, self.first + 1), self._started + 1):
            row = self._rows[number - self.first - 1]
            begin = before if number == from_row else 0
            begin += len(row.text[begin:]) - len(row.text[begin:].lstrip())
            if begin < len(row.text):
                row.boxed = (*row.boxed, (begin, len(row.text)))

    def _label(self, lane: str) -> str:
        """Who begins to speak; nothing where it would leave no room for what is said."""
        label = label_of(lane, self._names) if self._names else ""
        return label if self._measure(label) <= self._width * _MOST_LABEL else ""

    def _takes_turn(self, word: Word) -> bool:
        """Another voice, or the same one after a silence, begins a line of its own."""
        last = self._last
        if last is None:
            return False
        silence_ms = word.start_ms - last.end_ms
        return word.lane != last.lane or (
            word.utterance != last.utterance and silence_ms >= TURN_PAUSE_MS
        )

    def _place_unit(self, unit: Unit, language: str | None) -> None:
        row = self._rows[-1]
        if not row.text:
            if not self._fits(row.label + unit.text.lstrip()):
                row.label = ""  # sooner than a word cut in two
            self._fill(unit)
        elif unit.seam <= Seam.WORD:  # goes on with the word before it
            self._fill(unit)
        elif not self._has_room(row.label + row.text, unit) or self._prefers_break(
            row, unit.text, language
        ):
            self._new_row(row.lane)
            self._fill(unit)
        else:
            row.text += unit.text

    def _has_room(self, text: str, unit: Unit) -> bool:
        """Whether it fits on a line after `text`, with its phrase if that is no long one."""
        if not self._fits(text + unit.text, unit.marks):
            return False
        known = self._measure(unit.known)
        room = max(
            known if known <= self._width else 0.0,  # a line of its own would not hold it, either
            min(self._measure(unit.room), _MOST_ROOM * self._width),
        )
        return self._measure(text) + room <= self._width

    def _prefers_break(self, row: _Row, piece: str, language: str | None) -> bool:
        before = row.text.rsplit(maxsplit=1)[-1]
        wanted = _FULL_ENOUGH.get(break_between(before, piece, language))
        return wanted is not None and self._measure(row.label + row.text) >= wanted * self._width

    def _fill(self, unit: Unit) -> None:
        """Put it on the current row; what is wider than a row is cut, if it can be where the parts
        of a word may be apart."""
        row = self._rows[-1]
        text = unit.text if row.text else unit.text.lstrip()
        marks = "" if unit.seam is Seam.TIED else unit.marks
        if self._fits(row.label + row.text + text, marks):
            row.text += text
            return
        for part in tied(text):
            for some in [part] if self._fits(part) else clusters(part):
                row = self._rows[-1]
                if row.text and not self._fits(row.label + row.text + some, marks):
                    self._new_row(row.lane)
                self._rows[-1].text += some
            marks = unit.marks

    def _new_row(self, lane: str) -> None:
        if not self._rows[-1].text:
            self._rows[-1].lane = lane
            return
        self._rows.append(_Row(lane, language=self._rows[-1].language, words=self._placed))
        self._started += 1
        self._spilled = False

    def _fits(self, text: str, marks: str = "") -> bool:
        room = min(self._measure(marks), _MOST_FOR_MARKS * self._width) if marks else 0.0
        return self._measure(text.rstrip()) + room <= self._width

    # --- the tail --------------------------------------------------------------------------

    def _tail_rows(self) -> tuple[str, str]:
        """The tail's text on the last row and on the row below; what is longer is not shown."""
        rest = pieces(self._tail.rstrip())
        last = self._rows[-1]
        inline = self._take(rest, last.label + last.text)
        below = self._take(rest, "")
        return inline, below

    def _take(self, rest: list[str], text: str) -> str:
        """As many of the pieces as fit after `text`; removes them from `rest`."""
        taken = ""
        while rest:
            piece = rest[0] if text + taken else rest[0].lstrip()
            if not self._fits(text + taken + piece):
                break
            taken += piece
            rest.pop(0)
        return taken


def _nothing(word: Word) -> bool:
    return False
