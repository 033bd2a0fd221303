"""The library as the window asks it: in the background, only the latest question answered.

Knows no widget.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.core.search import sought
from app.session.library import UNDO_MS, Found, Library
from app.session.stored import Stored
from app.ui.sessions.rows import Row, rows_of
from app.ui.state.background import in_background
from model_backends.base import Sentence, UserError, Word

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_AT_ONCE = 30  # sessions that are shown before the rest has been searched


class Shelf(QObject):
    """Signals come in the UI thread."""

    listed = Signal(object, str)  # list[Row], and what was looked for in them
    opened = Signal(object)  # Stored
    changed = Signal(object)  # Stored, with another name or other words
    deleted = Signal(object)  # Entry: it can be had back for UNDO_MS
    gone = Signal(int)  # … and now it cannot
    restored = Signal(int)
    failed = Signal(object, object)  # a sentence and what to do

    _begun = Signal(int, object, str)  # the first rows of a search, from its thread

    def __init__(self, library: Library, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._latest: dict[str, int] = {}
        self._begun.connect(self._take_begun, Qt.ConnectionType.QueuedConnection)

    def look(self, query: str) -> None:
        """All sessions; or, of those in which this was said, the hits."""
        wanted = sought(query)
        number = self._latest.get("look", 0) + 1

        def rows() -> list[Row]:
            if wanted:
                return self._find(query, wanted, number)
            return rows_of(self._library.sessions())

        self._ask("look", rows, lambda rows: self.listed.emit(rows, wanted))

    def _find(self, query: str, wanted: str, number: int) -> list[Row]:
        """In the background: the first hits are told at once, and nothing once more is typed."""
        found: list[Found] = []
        for each in self._library.search(query):
            found.append(each)
            if len(found) == _AT_ONCE:
                self._begun.emit(number, rows_of(found), wanted)
            if self._latest["look"] != number:
                break
        return rows_of(found)

    def _take_begun(self, number: int, rows: list[Row], wanted: str) -> None:
        if self._latest["look"] == number:
            self.listed.emit(rows, wanted)

    def open(self, session: int) -> None:
        """Read one."""
        self._ask("open", lambda: self._library.read(session), self.opened.emit)

    def rename(self, session: int, title: str) -> None:
        self._change(session, lambda: self._library.rename(session, title))

    def edit(self, session: int, words: Sequence[Word]) -> None:
        """Other words for a session."""
        self._change(session, lambda: self._library.edit(session, words))

    def unedit(self, session: int) -> None:
        """Back to what was heard."""
        self._change(session, lambda: self._library.unedit(session))

    def delete(self, stored: Stored) -> None:
        """Gone from the list now, and for good a little later."""
        session = stored.entry.id

        def done(_: None) -> None:
            self.deleted.emit(stored.entry)
            QTimer.singleShot(UNDO_MS, self, lambda: self._purge(session))

        self._do(lambda: self._library.delete(session), done)

    def restore(self, session: int) -> None:
        """Undo that."""
        self._do(lambda: self._library.restore(session), lambda _: self.restored.emit(session))

    def _purge(self, session: int) -> None:
        self._do(lambda: self._library.purge(UNDO_MS - 500), lambda _: self.gone.emit(session))

    def _change(self, session: int, change: Callable[[], None]) -> None:
        def changed() -> Stored:
            change()
            return self._library.read(session)

        self._do(changed, self.changed.emit)

    def _ask(self, kind: str, ask: Callable[[], _T], done: Callable[[_T], object]) -> None:
        """Only the answer to the latest question of a kind counts."""
        number = self._latest[kind] = self._latest.get(kind, 0) + 1

        def answered(answer: _T) -> None:
            if self._latest[kind] == number:
                done(answer)

        self._do(ask, answered)

    def _do(self, ask: Callable[[], _T], done: Callable[[_T], object]) -> None:
        def take(answer: _T) -> None:
            done(answer)

        in_background(ask, take, self._fail, owner=self)

    def _fail(self, error: Exception) -> None:
        if isinstance(error, UserError):
            self.failed.emit(error.message, error.hint)
        else:
            log.error("the library", exc_info=error)
            told = Sentence("The library of sessions cannot be used: {why}.", why=error)
            self.failed.emit(told, Sentence("The log has the details."))
