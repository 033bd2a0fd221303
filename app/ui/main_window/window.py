"""The main window: the transcript, what the session is doing, and every choice.

The captions themselves are the overlay's; this window may be closed while they go on. It asks
`Captioning` and changes settings through the store; it knows nothing of sessions' insides.
"""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QRect, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QMainWindow,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app import paths
from app.audio.devices.base import SourceInfo
from app.audio.sources import list_sources
from app.session.status import Stage, Status
from app.settings import Settings
from app.ui.main_window import help as help_texts
from app.ui.main_window import report, save_as
from app.ui.main_window.choices import ChoicesPanel
from app.ui.main_window.find_bar import FindBar
from app.ui.main_window.menus import Menus
from app.ui.main_window.state_header import StateHeader
from app.ui.main_window.transcript import Transcript
from app.ui.overlay import placement
from app.ui.state.background import in_background
from app.ui.state.captioning import Captioning
from app.ui.state.captions_page import CaptionsPage
from app.ui.state.commands import PAUSE, Commands
from app.ui.state.engines import EngineChoice, info_of, list_engines, suited_info
from app.ui.state.models import Models
from app.ui.state.packs import Packs
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import beside_captions, narrow, stages, worded
from app.ui.widgets.banner import BannerStack
from model_backends.base import EngineInfo, Notice, Sentence, UserError

if TYPE_CHECKING:
    from app.ui.desktop.hotkeys import Hotkeys
    from app.ui.preferences.window import Preferences

log = logging.getLogger(__name__)

_SIZE, _LEAST = QSize(720, 520), QSize(560, 400)
_ORDINARY_SCREEN = 700  # px; on a lower one it may be lower than that
_TRANSCRIPT_LEAST = 80  # px, whatever else there is to show
# px on a screen of 512 × 300: else the title bar would be above its upper edge
_NARROW_TRANSCRIPT, _NARROW_BANNERS = 40, 64
_QUIET_NOTICES = ("restarting", "moved", "measured")  # told, but nothing the user has to act on
# Notices about a state that another notice, or its end, makes untrue: code and what it is about.
_STATES = {
    "restarting": "worker",
    "moved": "source",
    "no-microphone": "source",
    "refused": "source",
    "behind": "speed",
    "smaller-model": "speed",
    "two-voices": "voices",
    "mute": "engine",
    "light-vad": "engine",
    "longer-delay": "speed",
    "one-voice": "voices",
}


class MainWindow(QMainWindow):
    """One window for the whole run; sessions come and go within it."""

    controls_wanted = Signal()  # the caption window's, at the keyboard
    closed = Signal()  # by the user; captions go on
    quit_requested = Signal()
    erase_wanted = Signal()  # of all that is kept

    def __init__(self, captioning: Captioning, store: SettingsStore) -> None:
        super().__init__()
        self._captioning, self._store = captioning, store
        self._engines: list[EngineChoice] = []
        self._preferences: Preferences | None = None
        self._hotkeys: Hotkeys | None = None
        self._commands: Commands | None = None
        self.header = StateHeader()
        self.banners = BannerStack()
        self.choices = ChoicesPanel()
        self.captions_page = CaptionsPage(captioning, store, self)
        self.models = Models(self)
        self.packs = Packs(self)
        self.transcript = Transcript()
        self.find_bar = FindBar(self.transcript)
        self.latest = worded.text(QPushButton(self.transcript), Sentence("&Latest words"))
        self.setWindowTitle("Voxline")
        self.menus = Menus(self)
        self._arrange()
        self._connect()
        self._show_settings(store.settings)
        self._show_status(captioning.last_status)
        self._tell_what_is_kept()

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

            self._preferences = Preferences(
                self._store,
                self._hotkeys,
                self._commands,
                self.engine_info,
                models=self.models,
                packs=self.packs,
            )
            self._preferences.show_engines(self._engines)
            self._preferences.privacy.erase_wanted.connect(self.erase_wanted)
            self._preferences.listening.follow(self._captioning)
            self._preferences.listening.source.about_to_open.connect(self._look_for_sources)
            self._look_for_sources()
        self._preferences.come_forward()
        return self._preferences

    def show_saved(self, path: Path) -> None:
        """Say where a subtitle file is, with a way to get there."""
        banner = self.banners.tell("good", Sentence("Saved: {path}", path=path), about="saved")
        if banner.button_count == 1:  # not one that was shown already
            banner.add_button(
                Sentence("Open folder"), lambda: save_as.open_folder(path.parent), stays=True
            )

    def follow(self, commands: Commands, hotkeys: Hotkeys) -> None:
        """Show what can be done with the captions, and by which keys."""
        self._commands, self._hotkeys = commands, hotkeys
        self.menus.offer(commands)
        hotkeys.changed.connect(self._show_keys)
        self._show_keys()

    def _show_keys(self) -> None:
        if self._hotkeys is not None:
            self.menus.show_keys(self._hotkeys)
            self.header.show_key(self._hotkeys.shown(PAUSE.name))

    def show_leaving(self) -> None:
        """From now on everything waits for the transcript to be saved."""
        if self.isVisible():  # else its place was remembered when it closed, or there was none
            self._remember_place()
        worded.title(self, Sentence("Saving the transcript…"))
        self.page.setEnabled(False)
        self.menuBar().setEnabled(False)

    def place_clear_of(self, captions: QRect) -> None:
        """Where the captions do not cover it, unless the user has put it somewhere already."""
        if self._store.settings.window:
            return
        self.ensurePolished()
        available, frame = self.screen().availableGeometry(), beside_captions.frame_of(self)
        least = self.minimumSizeHint().expandedTo(self.minimumSize()) + frame
        place = placement.beside(captions, available, _SIZE + frame, least)
        self.move(place.topLeft())
        self.resize(place.size() - frame)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Closing is closing: captions go on, and their strip leads back here."""
        self._remember_place()
        super().closeEvent(event)
        self.closed.emit()

    def _remember_place(self) -> None:
        self._store.change(window=self.saveGeometry().toBase64().toStdString())

    # --- building ----------------------------------------------------------------------------

    def _arrange(self) -> None:
        worded.tip(self.latest, Sentence("Follow the words as they come"))
        self.latest.hide()
        self.page = QWidget()
        column = QVBoxLayout(self.page)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(12)
        # What is typed into is near the top: captions are below on the smallest of screens, too.
        for widget in (self.header, self.choices, self.find_bar, self.banners):
            column.addWidget(widget)
        column.addWidget(self.transcript, 1)
        self.transcript.setMinimumHeight(_TRANSCRIPT_LEAST)
        self.setCentralWidget(self.page)
        over = QVBoxLayout(self.transcript.viewport())
        over.addWidget(self.latest, 0, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignHCenter)
        if narrow.is_narrow(self):
            column.setContentsMargins(16, 8, 16, 8)
            column.setSpacing(6)
            self.transcript.setMinimumHeight(_NARROW_TRANSCRIPT)
            self.banners.lowest = _NARROW_BANNERS
        available = self.screen().availableGeometry().size() - beside_captions.frame_of(self)
        self.setMinimumWidth(min(_LEAST.width(), available.width()))
        if available.height() >= _ORDINARY_SCREEN:  # else as low as it can be: captions need room
            self.setMinimumHeight(_LEAST.height())
        self.resize(_SIZE.boundedTo(available))
        if self._store.settings.window:
            self.restoreGeometry(QByteArray.fromBase64(self._store.settings.window.encode()))
        self.transcript.setFocus()

    def _connect(self) -> None:
        captioning, store = self._captioning, self._store
        menus = self.menus
        for pressed, act in (
            (self.header.toggle.clicked, captioning.toggle_pause),
            (self.header.save.clicked, self.save_transcript),
            (menus.toggle.triggered, captioning.toggle_pause),
            (menus.new.triggered, captioning.start_another),
            (menus.stop.triggered, captioning.stop),
            (menus.save.triggered, self.save_transcript),
            (menus.save_shown.triggered, partial(self.save_transcript, as_shown=True)),
            (menus.folder.triggered, self._open_transcripts),
            (menus.close.triggered, self.close),
            (menus.quit.triggered, self.quit_requested.emit),
            (menus.copy.triggered, self.transcript.copy_selection_or_all),
            (menus.find.triggered, self.find_bar.open),
            (menus.find_next.triggered, self.find_bar.find_next),
            (menus.find_previous.triggered, self.find_bar.find_previous),
            (menus.preferences.triggered, self.open_preferences),
            (menus.controls.triggered, self.controls_wanted.emit),
            (menus.latest.triggered, self.transcript.show_end),
            (self.latest.clicked, self.transcript.show_end),
            (menus.page.triggered, self._show_captions_page),
            (menus.shortcuts.triggered, self._show_shortcuts),
            (menus.kept.triggered, self._show_kept),
            (menus.report.triggered, self._report),
            (menus.about.triggered, lambda: help_texts.show_about(self)),
            (menus.log.triggered, lambda: self._open(paths.log_dir())),
            (menus.releases.triggered, self._open_releases),
        ):
            pressed.connect(lambda *_, act=act: act())
        self.transcript.follow_changed.connect(self.latest.setHidden)
        self.choices.source.about_to_open.connect(self._look_for_sources)
        self.choices.source_chosen.connect(lambda source: store.change(source=source))
        self.choices.language_chosen.connect(lambda code: store.change(language=code))
        self.models.settled.connect(self.look_around)
        self.packs.settled.connect(self.look_around)
        self.packs.settled.connect(self.models.look)
        store.changed.connect(self._follow_settings)
        store.problem.connect(lambda text: self.banners.tell("warning", text))
        captioning.status.connect(self._show_status)
        captioning.level.connect(self.header.show_level)
        captioning.word.connect(self.transcript.add_word)
        captioning.gap.connect(self.transcript.add_gap)
        captioning.reheard.connect(self.transcript.replace)
        captioning.notice.connect(self._show_notice)
        captioning.saved.connect(lambda saved: self.show_saved(saved.path))
        captioning.session_changed.connect(lambda _: self._begin_session())

    # --- following ---------------------------------------------------------------------------

    def _begin_session(self) -> None:
        self.banners.end(*_STATES.values())
        self.transcript.begin_session(f"{datetime.now():%H:%M}")
        self._show_settings(self._store.settings)

    def _show_status(self, status: Status) -> None:
        running = self._captioning.running
        self.header.show_status(status)
        if status.stage in stages.WELL:
            self.banners.end("worker")
        worded.text(self.menus.toggle, stages.start_label(status.stage))
        self.menus.toggle.setEnabled(stages.can_toggle(status.stage))
        for action in (self.menus.new, self.menus.stop):
            ending = status.stage is Stage.STOPPING and not status.can_hurry
            action.setEnabled(running and not ending)

    def _show_notice(self, notice: Notice) -> None:
        about = _STATES.get(notice.code, "")
        if not notice.message:  # taken back: it is no longer so
            self.banners.end(about)
            return
        kind = "info" if notice.code in _QUIET_NOTICES else "warning"
        self.banners.tell(kind, notice.message, notice.hint, about=about)

    def _follow_settings(self, now: Settings, before: Settings) -> None:
        if now.source != before.source:
            self.banners.end("source")  # whatever it was, the user has chosen anew
        self._show_settings(now)

    def _tell_what_is_kept(self) -> None:
        """Once: nobody should find out later that what they said was written down."""
        settings = self._store.settings
        if not settings.keep_transcripts or settings.told.get("kept"):
            return
        self._store.change(told={**settings.told, "kept": True})
        banner = self.banners.tell(
            "info",
            Sentence("What is said is kept as a transcript on this computer, and nowhere else."),
            Sentence("Transcripts are in {folder}.", folder=paths.transcripts_dir()),
            about="kept",
        )
        banner.add_button(Sentence("Keep nothing"), self._keep_nothing)

    def _keep_nothing(self) -> None:
        self._store.change(keep_transcripts=False)
        self.banners.tell(
            "good",
            Sentence("From the next session on nothing is kept."),
            Sentence("Preferences, Privacy turns it on again."),
            about="kept",
        )

    def _show_settings(self, settings: Settings) -> None:
        self.transcript.names = settings.voice_names
        info = suited_info(self.engine_info(settings.engine), settings)
        if info:
            self.choices.show_settings(settings, info)

    def engine_info(self, name: str) -> EngineInfo | None:
        """What is known of an engine, of the one that runs the most; None of one that is broken."""
        running = self._captioning.info
        if running and running.name == name:
            return running
        return info_of(name) or running  # "voxtral" is known once it runs

    def _look_for_sources(self) -> None:
        in_background(list_sources, self._take_sources, _log_failure, owner=self)

    def _take_sources(self, sources: list[SourceInfo]) -> None:
        self.choices.show_sources(sources)
        if self._preferences:
            self._preferences.show_sources(sources)

    def _take_engines(self, engines: list[EngineChoice]) -> None:
        self._engines = engines
        if self._preferences:
            self._preferences.show_engines(engines)

    # --- the transcript ----------------------------------------------------------------------

    def save_transcript(self, as_shown: bool = False) -> QFileDialog | None:
        """Ask where, and save a copy; what was said meanwhile is in it. `as_shown`: of what was
        read, where the transcript has heard better since."""
        timeline = self._captioning.timeline
        if timeline is None or not timeline.words():
            self.banners.tell("info", Sentence("There is nothing to save yet: nobody has spoken."))
            return None
        return save_as.ask_where(self, partial(self._write, as_shown))

    def _write(self, as_shown: bool, path: Path, chosen_filter: str) -> None:
        """In the background: subtitles of hours take seconds to make."""
        timeline = self._captioning.timeline
        if timeline is not None:
            settings = self._store.settings
            write = partial(save_as.write, timeline, path, chosen_filter, settings, as_shown)
            in_background(write, self.show_saved, self._tell_not_written, owner=self)

    def _tell_not_written(self, error: Exception) -> None:
        if isinstance(error, UserError):
            self.banners.tell("failure", error.message, error.hint)
        else:
            log.error("the transcript could not be written", exc_info=error)
            self.banners.tell(
                "failure", Sentence("The transcript could not be written."), Sentence("Try again.")
            )

    def _open_transcripts(self) -> None:
        folder = paths.transcripts_dir()
        if folder.is_dir():
            self._open(folder)
        else:
            told = Sentence(
                "No transcript has been saved yet. They will be in {folder}.", folder=folder
            )
            self.banners.tell("info", told)

    def _open(self, folder: Path) -> None:
        if not save_as.open_folder(folder):
            here = Sentence("Here it is: {folder}", folder=folder)
            self.banners.tell("info", here, Sentence("No file manager could be opened."))

    def _open_releases(self) -> None:
        if not help_texts.open_releases():
            page = help_texts.releases_page()
            here = Sentence("Newer versions are at {page}", page=page)
            self.banners.tell("info", here, Sentence("No browser could be opened."))

    def _show_captions_page(self) -> None:
        from app.ui.main_window import captions_page

        captions_page.show(self.captions_page, self)

    def _show_shortcuts(self) -> None:
        help_texts.show_shortcuts(self, self.menus.with_keys(), self._global_keys())

    def _global_keys(self) -> list[tuple[str, str]]:
        """What does what in every program: verbs in words, and their keys."""
        hotkeys = self._hotkeys
        if hotkeys is None or self._commands is None:
            return []
        return [
            (verb.label, hotkeys.shown(verb.name))
            for verb in self._commands.offered()
            if hotkeys.works_everywhere(verb.name)
        ]

    def _report(self) -> None:
        report.show_report(self, self._captioning, self._store.settings)

    def _show_kept(self) -> None:
        keeps = self._store.settings.keep_transcripts
        help_texts.show_kept(self, keeps, self.erase_wanted.emit)


def _log_failure(error: Exception) -> None:
    log.error("a question in the background failed", exc_info=error)
