"""The main window: the transcript, what the session is doing, and every choice.

The captions themselves are the overlay's; this window may be closed while they go on. It asks
`Captioning` and changes settings through the store; it knows nothing of sessions' insides.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, Qt, Signal
from PySide6.QtGui import QAction, QCloseEvent, QKeySequence
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QMainWindow,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app import paths
from app.audio.sources import list_sources
from app.session.status import Stage, Status
from app.settings import Settings
from app.ui.main_window import save_as
from app.ui.main_window.choices import ChoicesPanel
from app.ui.main_window.find_bar import FindBar
from app.ui.main_window.state_header import StateHeader, can_toggle, start_label
from app.ui.main_window.transcript import Transcript
from app.ui.state.background import in_background
from app.ui.state.captioning import Captioning
from app.ui.state.engines import EngineChoice, list_engines
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets.banner import BannerStack
from model_backends import describe
from model_backends.base import EngineInfo, Notice, UserError

if TYPE_CHECKING:
    from app.ui.preferences.window import Preferences

log = logging.getLogger(__name__)

_SIZE = (760, 600)
_QUIET_NOTICES = ("restarting", "moved")  # told, but nothing the user has to act on


class MainWindow(QMainWindow):
    """One window for the whole run; sessions come and go within it."""

    captions_toggled = Signal(bool)
    controls_wanted = Signal()  # the caption window's, at the keyboard
    quit_requested = Signal()

    def __init__(self, captioning: Captioning, store: SettingsStore) -> None:
        super().__init__()
        self._captioning, self._store = captioning, store
        self._engines: list[EngineChoice] = []
        self._preferences: Preferences | None = None
        # Whether to close this window is to quit: not where a tray icon brings it back.
        self.close_quits: Callable[[], bool] = lambda: True
        self.header = StateHeader()
        self.banners = BannerStack()
        self.choices = ChoicesPanel()
        self.transcript = Transcript()
        self.find_bar = FindBar(self.transcript)
        self.latest = QPushButton("&Latest words", self.transcript)
        self.setWindowTitle("Voxline")
        self._make_menus()
        self._arrange()
        self._connect()
        self._show_settings(store.settings)
        self._show_status(captioning.last_status)

    def look_around(self) -> None:
        """Find out, in the background, what sources and engines there are."""
        self._look_for_sources()
        models_dir, also = paths.models_dir(), self._store.settings.engine
        in_background(
            lambda: list_engines(models_dir, also), self._take_engines, _log_failure, owner=self
        )

    def come_forward(self) -> None:
        """Show the window, unfold it if it was minimised, and bring it before the others."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def open_preferences(self) -> Preferences:
        """The preferences, made when first asked for: their list of fonts takes a moment."""
        if self._preferences is None:
            from app.ui.preferences.window import Preferences

            self._preferences = Preferences(self._store)
            self._preferences.show_engines(self._engines)
        self._preferences.come_forward()
        return self._preferences

    def show_saved(self, path: Path) -> None:
        """Say where a subtitle file is, with a way to get there."""
        banner = self.banners.tell("good", f"Saved: {path}")
        if banner.button_count == 1:  # not one that was shown already
            banner.add_button("Open folder", lambda: save_as.open_folder(path.parent), stays=True)

    def show_captions_visible(self, visible: bool) -> None:
        self.captions_action.setChecked(visible)

    def show_leaving(self) -> None:
        """From now on everything waits for the transcript to be saved."""
        self._remember_place()
        self.setWindowTitle("Voxline: saving the transcript…")
        self.page.setEnabled(False)
        self.menuBar().setEnabled(False)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._remember_place()
        if self.close_quits():
            event.ignore()  # it stays to show that it is saving
            self.quit_requested.emit()
        else:
            super().closeEvent(event)

    def _remember_place(self) -> None:
        self._store.change(window=self.saveGeometry().toBase64().toStdString())

    # --- building ----------------------------------------------------------------------------

    def _arrange(self) -> None:
        self.latest.setToolTip("Follow the words as they come")
        self.latest.hide()
        self.page = QWidget()
        column = QVBoxLayout(self.page)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(12)
        for widget in (self.header, self.banners, self.choices):
            column.addWidget(widget)
        column.addWidget(self.transcript, 1)
        foot = QHBoxLayout()
        foot.addWidget(self.find_bar, 1)
        column.addLayout(foot)
        self.setCentralWidget(self.page)
        over = QVBoxLayout(self.transcript.viewport())
        over.addWidget(self.latest, 0, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignHCenter)
        self.resize(*_SIZE)
        if self._store.settings.window:
            self.restoreGeometry(QByteArray.fromBase64(self._store.settings.window.encode()))
        self.transcript.setFocus()

    def _make_menus(self) -> None:
        session = self.menuBar().addMenu("Sess&ion")
        self.toggle_action = self._action(session, "&Start", "Ctrl+P")
        self.new_action = self._action(session, "&New session", QKeySequence.StandardKey.New)
        self.stop_action = self._action(session, "S&top and save", "Ctrl+T")
        session.addSeparator()
        self.save_action = self._action(
            session, "Save transcript &as…", QKeySequence.StandardKey.Save
        )
        self.folder_action = self._action(session, "&Open transcripts folder", "Ctrl+O")
        session.addSeparator()
        self.quit_action = self._action(session, "&Quit", "Ctrl+Q")
        self.quit_action.setMenuRole(QAction.MenuRole.QuitRole)
        edit = self.menuBar().addMenu("&Edit")
        self.copy_action = self._action(edit, "&Copy transcript", "Ctrl+Shift+C")
        self.find_action = self._action(edit, "&Find…", QKeySequence.StandardKey.Find)
        self.next_action = self._action(edit, "Find &next", QKeySequence.StandardKey.FindNext)
        edit.addSeparator()
        self.preferences_action = self._action(edit, "P&references…", "Ctrl+,")
        self.preferences_action.setMenuRole(QAction.MenuRole.PreferencesRole)
        view = self.menuBar().addMenu("&View")
        self.captions_action = self._action(view, "Show &captions", "Ctrl+Shift+V")
        self.captions_action.setCheckable(True)
        self.captions_action.setChecked(True)
        self.controls_action = self._action(view, "Caption c&ontrols", "Ctrl+Shift+K")
        self.latest_action = self._action(view, "&Latest words", "Ctrl+End")
        help_menu = self.menuBar().addMenu("&Help")
        self.log_action = self._action(help_menu, "Open &log folder", "")

    def _action(self, menu: QWidget, text: str, keys: QKeySequence.StandardKey | str) -> QAction:
        action = QAction(text, self)
        action.setShortcut(QKeySequence(keys))
        menu.addAction(action)
        return action

    def _connect(self) -> None:
        captioning, store = self._captioning, self._store
        for pressed, act in (
            (self.header.toggle.clicked, captioning.toggle_pause),
            (self.header.new_session.clicked, captioning.start_another),
            (self.toggle_action.triggered, captioning.toggle_pause),
            (self.new_action.triggered, captioning.start_another),
            (self.stop_action.triggered, captioning.stop),
            (self.save_action.triggered, self.save_transcript),
            (self.folder_action.triggered, self._open_transcripts),
            (self.quit_action.triggered, self.quit_requested.emit),
            (self.copy_action.triggered, self.transcript.copy_selection_or_all),
            (self.find_action.triggered, self.find_bar.open),
            (self.next_action.triggered, self.find_bar.find_next),
            (self.preferences_action.triggered, self.open_preferences),
            (self.latest_action.triggered, self.transcript.show_end),
            (self.latest.clicked, self.transcript.show_end),
            (self.log_action.triggered, lambda: self._open(paths.log_dir())),
        ):
            pressed.connect(lambda *_, act=act: act())
        self.captions_action.triggered.connect(self.captions_toggled)
        self.controls_action.triggered.connect(self.controls_wanted)
        self.transcript.follow_changed.connect(self.latest.setHidden)
        self.choices.source.about_to_open.connect(self._look_for_sources)
        self.choices.source_chosen.connect(lambda source: store.change(source=source))
        self.choices.engine_chosen.connect(lambda name: store.change(engine=name, model=""))
        self.choices.language_chosen.connect(lambda code: store.change(language=code))
        self.choices.delay_chosen.connect(store.change_delay)
        store.changed.connect(lambda now, _before: self._show_settings(now))
        store.problem.connect(lambda text: self.banners.tell("warning", text))
        captioning.status.connect(self._show_status)
        captioning.level.connect(self.header.meter.set_level)
        captioning.word.connect(self.transcript.add_word)
        captioning.gap.connect(self.transcript.add_gap)
        captioning.notice.connect(self._show_notice)
        captioning.saved.connect(lambda saved: self.show_saved(saved.path))
        captioning.session_changed.connect(lambda _: self._begin_session())

    # --- following ---------------------------------------------------------------------------

    def _begin_session(self) -> None:
        self.transcript.begin_session(f"{datetime.now():%H:%M}")
        self._show_settings(self._store.settings)

    def _show_status(self, status: Status) -> None:
        running = self._captioning.running
        self.header.show_status(status)
        self.toggle_action.setText(start_label(status.stage))
        self.toggle_action.setEnabled(can_toggle(status.stage))
        for action in (self.new_action, self.stop_action):
            action.setEnabled(running and status.stage != Stage.STOPPING)

    def _show_notice(self, notice: Notice) -> None:
        kind = "info" if notice.code in _QUIET_NOTICES else "warning"
        self.banners.tell(kind, notice.message, notice.hint)

    def _show_settings(self, settings: Settings) -> None:
        info = self._engine_info(settings.engine)
        if info:
            self.choices.show_settings(settings, info)

    def _engine_info(self, name: str) -> EngineInfo | None:
        running = self._captioning.info
        if running and running.name == name:
            return running
        try:
            return describe(name)
        except Exception:
            # "voxtral", whose better half is known once it runs, or one that is broken
            return running

    def _look_for_sources(self) -> None:
        in_background(list_sources, self.choices.show_sources, _log_failure, owner=self)

    def _take_engines(self, engines: list[EngineChoice]) -> None:
        self._engines = engines
        self.choices.show_engines(engines)
        if self._preferences:
            self._preferences.show_engines(engines)

    # --- the transcript ----------------------------------------------------------------------

    def save_transcript(self) -> QFileDialog | None:
        """Ask where, and save a copy; what was said meanwhile is in it."""
        timeline = self._captioning.timeline
        if timeline is None or not timeline.words():
            self.banners.tell("info", "There is nothing to save yet: nobody has spoken.")
            return None
        return save_as.ask_where(self, self._write)

    def _write(self, path: Path, chosen_filter: str) -> None:
        """In the background: subtitles of hours take seconds to make."""
        timeline = self._captioning.timeline
        if timeline is not None:
            write = partial(save_as.write, timeline, path, chosen_filter)
            in_background(write, self.show_saved, self._tell_not_written, owner=self)

    def _tell_not_written(self, error: Exception) -> None:
        if isinstance(error, UserError):
            self.banners.tell("failure", error.message, error.hint)
        else:
            log.error("the transcript could not be written", exc_info=error)
            self.banners.tell("failure", "The transcript could not be written.", "Try again.")

    def _open_transcripts(self) -> None:
        folder = paths.transcripts_dir()
        if folder.is_dir():
            self._open(folder)
        else:
            self.banners.tell(
                "info", f"No transcript has been saved yet. They will be in {folder}."
            )

    def _open(self, folder: Path) -> None:
        if not save_as.open_folder(folder):
            self.banners.tell("info", f"Here it is: {folder}", "No file manager could be opened.")


def _log_failure(error: Exception) -> None:
    log.error("a question in the background failed", exc_info=error)
