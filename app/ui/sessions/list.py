"""The list of sessions, with the keys that do something to the chosen one."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from app.session.stored import Entry
from app.ui.sessions.painting import SessionPainter
from app.ui.sessions.rows import ROW, SessionRows
from app.ui.widgets import worded
from model_backends.base import Sentence


class SessionList(QListView):
    """F2 names a session, Delete asks to delete it, Enter to read it."""

    chosen = Signal(object)  # the Entry that is current now
    delete_pressed = Signal()
    enter_pressed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = SessionRows()
        self.setModel(self.rows)
        self.setItemDelegate(SessionPainter(self))
        worded.name(self, Sentence("Sessions"))
        self.setObjectName("list")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)  # F2
        self.setMinimumWidth(200)
        self.selectionModel().currentChanged.connect(lambda now, _before: self._tell(now.data(ROW)))

    def choose(self, session: int | None) -> bool:
        """Make this one current, or the newest if it is not there; False if there is none."""
        places = self.rows.session_rows()
        at = -1 if session is None else self.rows.row_of(session)
        if places:
            self.setCurrentIndex(self.rows.index(at if at >= 0 else places[0]))
        return bool(places)

    def choose_next(self) -> bool:
        """Make the session below current; False if there is none."""
        here = self.currentIndex().row()
        below = [at for at in self.rows.session_rows() if at > here]
        if below:
            self.setCurrentIndex(self.rows.index(below[0]))
        return bool(below)

    def beside(self, session: int) -> int | None:
        """Which one is to be current when this one goes: the one below, else above."""
        at, places = self.rows.row_of(session), self.rows.session_rows()
        beside = [place for place in places if place > at] or [p for p in places if p < at][-1:]
        entry = self.rows.rows[beside[0]].entry if beside else None
        return entry.id if entry else None

    def ask_name(self, session: int) -> None:
        """Let the user type another name for this one."""
        self.setFocus()
        self.edit(self.rows.index(self.rows.row_of(session)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            if not event.isAutoRepeat():  # a key held too long means one session
                self.delete_pressed.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.enter_pressed.emit()
        else:
            super().keyPressEvent(event)

    def _tell(self, row: object) -> None:
        entry = getattr(row, "entry", None)
        if isinstance(entry, Entry):
            self.chosen.emit(entry)
