"""The window of what was said before: sessions by day, search over all of them, one to read.

It asks the library through `Shelf`; knows nothing of how sessions are kept or made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QAction, QGuiApplication, QHideEvent, QKeySequence
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSplitter,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from app.core.revising import put_in, revised
from app.session.importing import languages
from app.session.library import UNDO_MS, Library
from app.session.stored import Entry, Stored
from app.ui.sessions import saving
from app.ui.sessions.actions import Actions
from app.ui.sessions.correcting import CorrectionDialog
from app.ui.sessions.hits import HitsBar
from app.ui.sessions.import_dialog import Drops, ImportDialog, ask_for_files
from app.ui.sessions.imports import Imports, Job
from app.ui.sessions.imports_panel import ImportsPanel
from app.ui.sessions.list import SessionList
from app.ui.sessions.listening import Listening
from app.ui.sessions.rows import Row
from app.ui.sessions.shelf import Shelf
from app.ui.sessions.text import SessionText
from app.ui.state.background import in_background
from app.ui.widgets import beside_captions, narrow, plain, worded
from app.ui.widgets.banner import BannerStack
from model_backends.base import EngineOptions, Sentence, UserError, joined

_SIZE, _LEAST = QSize(960, 600), QSize(680, 360)
_NARROW_LIST, _NARROW_TEXT, _NARROW_LEAST = 160, 44, 256  # px: a width, two heights
_LONGEST_TITLE = 60  # characters; the whole title is in the tooltip
SEARCH_AFTER_MS = 150  # while somebody types
_NOTHING = Sentence(
    "Nothing has been kept yet. Every session you caption is listed here when it ends."
)
_NOT_KEPT = Sentence("Nothing is kept: that is turned off in Preferences, Privacy.")
_NOT_FOUND = Sentence("Nobody has said that in the sessions that are kept.")


class SessionsWindow(QWidget):
    """One for the whole run; it looks anew whenever it comes forward."""

    def __init__(
        self,
        library: Library | None = None,
        keeps: Callable[[], bool] = lambda: True,
        imports: Imports | None = None,
    ) -> None:
        """`keeps`: whether sessions are kept at all."""
        super().__init__()
        self._keeps = keeps
        self.imports = imports or Imports(EngineOptions, library, self)
        self.importing = ImportsPanel(self.imports)
        self.listening = Listening(self)
        self.choose_files = worded.text(QPushButton(), Sentence("&Import…"))
        self.shelf = Shelf(library or Library(), self)
        self.search = QLineEdit()
        self.list = SessionList()
        self.banners = BannerStack()
        self.text = SessionText()
        self.headline = plain.label(name="state", wrap=True)
        self.detail = plain.label(name="dim", wrap=True)
        self.empty = plain.label(name="dim", wrap=True)
        self.actions_row = Actions(in_two_rows=narrow.is_narrow(self))
        self.hits = HitsBar()
        self.stored: Stored | None = None
        self._placed = False  # from then on it stays where the user puts it
        self._sought = ""
        self._marked = ""  # what is looked for in the session that is open
        self._wanted: int | None = None  # the session to be chosen when the list is there
        self._typing = QTimer(self, singleShot=True, interval=SEARCH_AFTER_MS)
        worded.title(self, Sentence("Sessions"))
        self._arrange()
        self._connect()
        worded.follow(self, self._show_facts)
        self._show_stored(None)

    def hideEvent(self, event: QHideEvent) -> None:
        self.listening.stop()
        super().hideEvent(event)

    def come_forward(self) -> None:
        """Show the window before the others, with what is kept now."""
        if not self._placed:
            self._placed = True
            beside_captions.put(self, _SIZE)
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()
        self.look()

    def look(self) -> None:
        """Ask the library anew."""
        self._typing.stop()
        self.shelf.look(self.search.text())

    def show_session(self, session: int) -> None:
        """Open this one, whatever was looked for."""
        self._wanted = session
        self.search.clear()
        self.come_forward()

    # --- building ----------------------------------------------------------------------------

    def _arrange(self) -> None:
        worded.placeholder(self.search, Sentence("Search in all sessions"))
        worded.name(self.search, Sentence("Search in all sessions"))
        self.search.setClearButtonEnabled(True)
        worded.tip(self.search, Sentence("Enter: the next place"))
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._page = QStackedLayout()
        self._page.addWidget(self.text)
        self._page.addWidget(self.empty)
        worded.tip(
            self.choose_files, Sentence("Audio or video files; they can be dropped here, too")
        )
        self.choose_files.setAutoDefault(False)
        above = QWidget()
        row = QHBoxLayout(above)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.search, 1)
        row.addWidget(self.choose_files)
        left = _column(above, self.list, self.importing)
        right = _column(self.headline, self.detail, self.actions_row, self.banners)
        column = right.layout()
        assert isinstance(column, QVBoxLayout)
        column.addLayout(self._page, 1)
        column.addWidget(self.hits)
        self.splitter = QSplitter()
        self.splitter.setHandleWidth(12)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(left)
        self.splitter.addWidget(right)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setSizes([320, 640])
        whole = QHBoxLayout(self)
        whole.setContentsMargins(16, 14, 16, 14)
        whole.addWidget(self.splitter)
        if narrow.is_narrow(self):  # where it is as small as it can be
            whole.setContentsMargins(8, 8, 8, 8)
            self.splitter.setHandleWidth(8)
            self.text.setMinimumHeight(_NARROW_TEXT)
            self.setMinimumHeight(_NARROW_LEAST)  # a title in two lines has room
            self.list.setMinimumWidth(_NARROW_LIST)
            row.setDirection(QBoxLayout.Direction.TopToBottom)  # or few letters fit in the search
        else:
            self.setMinimumSize(_LEAST)

    def _connect(self) -> None:
        self._connect_shelf()
        self._connect_imports()
        self._connect_listening()
        actions, rows = self.actions_row, self.list
        rows.rows.renamed.connect(self.shelf.rename)
        rows.chosen.connect(self._open)
        rows.delete_pressed.connect(self.delete_session)
        rows.enter_pressed.connect(self._read)
        self.search.textChanged.connect(lambda _: self._typing.start())
        self.search.returnPressed.connect(self._enter)
        self._typing.timeout.connect(self.look)
        self.hits.walked.connect(self._walk)
        actions.copy_wanted.connect(self._copy)
        actions.export_wanted.connect(self._export)
        actions.correct_here.triggered.connect(self.correct_paragraph)
        actions.restore.triggered.connect(lambda: self._with_open(self.shelf.unedit))
        actions.name.clicked.connect(lambda: self._with_open(self.list.ask_name))
        actions.delete.clicked.connect(self.delete_session)
        for menu in actions.menus:
            menu.aboutToShow.connect(self._offer_actions)
        for keys, act in (
            (QKeySequence.StandardKey.Find, self._find),
            (QKeySequence.StandardKey.FindNext, lambda: self._walk(1)),
            (QKeySequence.StandardKey.FindPrevious, lambda: self._walk(-1)),
            (QKeySequence.StandardKey.Close, self.close),
        ):
            action = QAction(self)
            action.setShortcut(QKeySequence(keys))
            action.triggered.connect(lambda _=False, act=act: act())
            self.addAction(action)

    def _connect_imports(self) -> None:
        self.choose_files.clicked.connect(lambda: ask_for_files(self, self.import_files))
        self.imports.changed.connect(self._take_import)
        Drops(self, self.import_files)

    def _connect_listening(self) -> None:
        listening, actions = self.listening, self.actions_row
        listening.changed.connect(actions.show_playing)
        listening.failed.connect(partial(self.banners.tell, "failure"))
        actions.play.clicked.connect(self._listen_or_stop)
        self.text.word_chosen.connect(self._listen)

    def _connect_shelf(self) -> None:
        shelf = self.shelf
        shelf.listed.connect(self._show_rows)
        shelf.opened.connect(self._show_stored)
        shelf.changed.connect(self._take_change)
        shelf.deleted.connect(self._tell_deleted)
        shelf.gone.connect(lambda session: self.banners.end(f"deleted {session}"))
        shelf.restored.connect(self._take_back)
        shelf.failed.connect(partial(self.banners.tell, "failure"))

    # --- what is shown -----------------------------------------------------------------------

    def _show_rows(self, rows: list[Row], sought: str) -> None:
        self._sought = sought
        wanted, self._wanted = self._wanted, None
        if wanted is None and self.stored is not None:
            wanted = self.stored.entry.id
        self.list.rows.show(rows)
        if not self.list.choose(wanted):
            self._show_stored(None)
            nothing = _NOTHING if self._keeps() else _NOT_KEPT
            worded.text(self.empty, _NOT_FOUND if sought else nothing)

    def _open(self, entry: Entry) -> None:
        if self.stored is not None and self.stored.entry.id == entry.id:
            if self._marked != self._sought:  # else somebody may have gone on to another place
                self._mark_hits()
        else:
            self.shelf.open(entry.id)

    def _show_stored(self, stored: Stored | None) -> None:
        self.stored = stored
        self.text.show_session(stored)
        self._page.setCurrentWidget(self.empty if stored is None else self.text)
        self.actions_row.setEnabled(stored is not None)
        self.actions_row.play.setVisible(stored is not None and stored.entry.file is not None)
        self.listening.stop()
        self._show_facts()
        self._mark_hits()

    def _show_facts(self) -> None:
        entry = self.stored.entry if self.stored else None
        if entry is None:
            plain.show_name(self.headline, "")
            worded.text(self.detail, "")
            return
        when = Row(entry.started.date()).facts
        facts = [when] if entry.title else []
        facts.append(Row(entry.started.date(), entry).facts)
        facts += [Sentence("Corrected")] if entry.edited else []
        plain.show_name(self.headline, entry.title, _LONGEST_TITLE)
        if not entry.title:
            worded.text(self.headline, when)
        worded.text(self.detail, joined(*facts, between=" · "))

    def _offer_actions(self) -> None:
        edited = self.stored is not None and self.stored.entry.edited
        self.actions_row.offer(edited, self.text.chosen_times() is not None)

    def _take_change(self, stored: Stored) -> None:
        self.list.rows.change(stored.entry)
        if self.stored is None or self.stored.entry.id != stored.entry.id:
            return
        if self.stored.words != stored.words:
            place = self.text.verticalScrollBar().value()
            self.text.show_session(stored)
            self._mark_hits()
            self.text.verticalScrollBar().setValue(place)
        self.stored = stored
        self._show_facts()

    # --- search ------------------------------------------------------------------------------

    def _find(self) -> None:
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _enter(self) -> None:
        """The next place; the first, if what is typed has not been looked for yet."""
        if self._typing.isActive():
            self.look()
        else:
            self._walk(1)

    def _read(self) -> None:
        """Enter in the list."""
        if self._sought:
            self._walk(1)
        else:
            self.text.setFocus()

    def _mark_hits(self) -> None:
        self._marked = self._sought
        self.text.find_all(self._sought)
        self.text.go_to_hit(1)
        self._count_hits()

    def _walk(self, step: int) -> None:
        """To the next place, in the next session if there is none in this one."""
        if step > 0 and self.text.at_last_hit and self._sought and self.list.choose_next():
            return
        self.text.go_to_hit(step)
        self._count_hits()

    def _count_hits(self) -> None:
        self.hits.show_place(self.text.hit_number, self.text.hit_count)

    # --- what is done ------------------------------------------------------------------------

    def _with_open(self, act: Callable[[int], object]) -> None:
        if self.stored is not None:
            act(self.stored.entry.id)

    def _copy(self, times: bool) -> None:
        if self.stored is not None:
            copied = saving.text(self.stored, self.text.chosen_times(), times)
            QGuiApplication.clipboard().setText(copied)

    def _export(self, only_selected: bool) -> None:
        if self.stored is not None:
            chosen = self.text.chosen_times() if only_selected else None
            write = partial(self._write, self.stored, chosen)
            saving.ask_where(self, self.stored.entry, write)

    def _write(self, stored: Stored, chosen: saving.Times, path: Path, kind: str) -> None:
        write = partial(saving.write, stored, chosen, path, kind)
        in_background(write, self._tell_saved, self._tell_not_written, owner=self)

    def _tell_saved(self, path: Path) -> None:
        self.banners.tell("good", Sentence("Saved: {path}", path=path), about="saved")

    def _tell_not_written(self, error: Exception) -> None:
        if isinstance(error, UserError):
            self.banners.tell("failure", error.message, error.hint)
        else:
            self.banners.tell(
                "failure", Sentence("The session could not be written."), Sentence("Try again.")
            )

    def correct_paragraph(self) -> CorrectionDialog | None:
        """Ask for another text of the paragraph in which the cursor is."""
        stored, words = self.stored, self.text.paragraph_at_cursor()
        if stored is None or not words:
            return None

        def save(text: str) -> None:
            self.shelf.edit(stored.entry.id, put_in(stored.words, words, revised(words, text)))

        dialog = CorrectionDialog(self, "".join(word.text for word in words).strip(), save)
        beside_captions.put(dialog, dialog.sizeHint())
        dialog.open()
        return dialog

    def _listen(self, at_ms: int) -> None:
        if self.stored is not None:
            self.listening.play(self.stored, at_ms)

    def _listen_or_stop(self) -> None:
        if self.listening.playing:
            self.listening.stop()
        else:
            self._listen(self.text.time_at_cursor())

    def import_files(self, files: Sequence[Path]) -> ImportDialog:
        """Ask for the language of each, and begin."""
        try:
            known = languages(self.imports.options())
        except UserError:  # it is told when a file's turn comes
            known = ()
        dialog = ImportDialog(self, files, known, self.imports.add)
        beside_captions.put(dialog, dialog.sizeHint())
        dialog.open()
        return dialog

    def _take_import(self, job: Job) -> None:
        if job.session is not None:
            self._wanted = job.session if self.stored is None else None
            self.look()

    def delete_session(self) -> None:
        """The one that is open; it can be had back for a while."""
        if self.stored is not None:
            self.shelf.delete(self.stored)

    def _tell_deleted(self, entry: Entry) -> None:
        what = entry.title or Row(entry.started.date(), entry).facts
        banner = self.banners.tell(
            "info",
            Sentence("Deleted: {session}", session=what),
            Sentence("For good in {seconds} seconds.", seconds=UNDO_MS // 1000),
            about=f"deleted {entry.id}",
        )
        banner.add_button(Sentence("&Undo"), lambda: self.shelf.restore(entry.id))
        banner.asks = True  # whatever else is deleted meanwhile, there are ten seconds to undo it
        self._wanted = self.list.beside(entry.id)
        self.stored = None
        self.look()

    def _take_back(self, session: int) -> None:
        self._wanted = session
        self.look()


def _column(*widgets: QWidget) -> QWidget:
    made = QWidget()
    column = QVBoxLayout(made)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(8)
    for widget in widgets:
        column.addWidget(widget, int(isinstance(widget, SessionList)))
    return made
