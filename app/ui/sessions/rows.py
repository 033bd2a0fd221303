"""The sessions as rows of a list: a heading for each day, a line for each session, hits in place.

A Qt model that is handed its sessions; it knows nothing of where they are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from PySide6.QtCore import (
    QAbstractListModel,
    QDate,
    QLocale,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from app.language import say
from app.session.library import Found, Snippet
from app.session.stored import FILE, RECOVERED, Entry
from app.ui.main_window.transcript import clock
from app.ui.widgets import plain
from model_backends.base import Counted, Sentence, joined

ROW = Qt.ItemDataRole.UserRole  # the Row itself
Index: TypeAlias = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Row:
    """A session, or the heading above those of a day."""

    day: date
    entry: Entry | None = None
    count: int = 0  # how often what is looked for was said
    snippet: Snippet | None = None

    @property
    def facts(self) -> str:
        """When it was and how much was said."""
        entry = self.entry
        if entry is None:
            return day_name(self.day)
        if entry.origin == FILE:  # when that was said, nobody knows
            name = Path(entry.file or "").name
            return joined(name, clock(entry.duration_ms), _amount(self), between=" · ")
        facts = [f"{entry.started:%H:%M}–{entry.ended:%H:%M}", _amount(self)]
        if entry.origin == RECOVERED:
            facts.append(Sentence("Recovered"))
        return joined(*facts, between=" · ")

    @property
    def text(self) -> str:
        """What tells it from the others: its name and what was said."""
        if self.entry is None:
            return ""
        if self.snippet is not None:
            return self.snippet.before + self.snippet.hit + self.snippet.after
        return self.entry.preview


def _amount(row: Row) -> str:
    assert row.entry is not None
    if row.snippet is not None:
        return Counted("1 place", "{count:,} places", count=row.count)
    return Counted("1 word", "{count:,} words", count=row.entry.words)


def day_name(day: date, today: date | None = None) -> str:
    """As people say it."""
    today = today or datetime.now().date()
    if day == today:
        return Sentence("Today")
    if day == today - timedelta(days=1):
        return Sentence("Yesterday")
    written = QLocale().toString(QDate(day.year, day.month, day.day), QLocale.FormatType.LongFormat)
    return str(written)


def rows_of(sessions: Iterable[Entry | Found]) -> list[Row]:
    """With a heading before the first of each day."""
    rows: list[Row] = []
    for each in sessions:
        entry = each.entry if isinstance(each, Found) else each
        day = entry.started.date()
        if not rows or rows[-1].day != day:
            rows.append(Row(day))
        if isinstance(each, Found):
            rows.append(Row(day, entry, each.count, each.snippet))
        else:
            rows.append(Row(day, entry))
    return rows


class SessionRows(QAbstractListModel):
    """Rows for a list view. Naming a session in the list is told, and done by whoever listens."""

    renamed = Signal(int, str)

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []

    def show(self, rows: Sequence[Row]) -> None:
        """Exactly these."""
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()

    def change(self, entry: Entry) -> None:
        """A session has another name, or other words."""
        for at, row in enumerate(self.rows):
            if row.entry is not None and row.entry.id == entry.id:
                self.rows[at] = replace(row, entry=entry)
                self.dataChanged.emit(self.index(at), self.index(at))

    def row_of(self, session: int) -> int:
        """Where a session is; -1 if it is not in the list."""
        for at, row in enumerate(self.rows):
            if row.entry is not None and row.entry.id == session:
                return at
        return -1

    def session_rows(self) -> list[int]:
        """The rows that are sessions."""
        return [at for at, row in enumerate(self.rows) if row.entry is not None]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.rows[index.row()]
        if role == ROW:
            return row
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            title = row.entry.title if row.entry else ""
            return say(joined(row.facts, title, row.text, between=" · "))
        if role == Qt.ItemDataRole.ToolTipRole and row.entry is not None:
            return plain.tip(joined(row.facts, row.entry.title, row.text, between="\n"))
        if role == Qt.ItemDataRole.EditRole and row.entry is not None:
            return row.entry.title
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if self.rows[index.row()].entry is None:
            return Qt.ItemFlag.ItemIsEnabled  # read, never chosen
        return (
            Qt.ItemFlag.ItemIsEnabled
            | Qt.ItemFlag.ItemIsSelectable
            | Qt.ItemFlag.ItemIsEditable
            | Qt.ItemFlag.ItemNeverHasChildren
        )

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        entry = self.rows[index.row()].entry
        title = " ".join(str(value).split())
        if entry is None or role != Qt.ItemDataRole.EditRole or title == entry.title:
            return False
        self.change(replace(entry, title=title))
        self.renamed.emit(entry.id, title)
        return True
