"""The caption window: what it shows of a session, and what its controls ask for.

Reports what the user wants; acts on no session itself. Knows `Captioning` by its signals
only; where the window stands and that it stays on top is `floating`'s part.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QContextMenuEvent,
    QEnterEvent,
    QHideEvent,
    QKeyEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from shiboken6 import isValid

from app import native, paths
from app.audio.devices.base import SourceInfo
from app.audio.sources import list_sources
from app.session.status import Stage, Status
from app.settings import OverlaySettings
from app.ui.overlay.caption_view import CaptionView
from app.ui.overlay.controls import ControlsBar
from app.ui.overlay.floating import FloatingWindow
from app.ui.overlay.menus import SHEET
from app.ui.overlay.pill import Pill
from app.ui.overlay.status_row import StatusRow
from app.ui.overlay.toast import Message
from app.ui.state.background import in_background
from app.ui.state.engines import EngineChoice, list_engines
from app.ui.widgets import stages
from app.ui.widgets.theme import CAPTIONS
from model_backends.base import Notice, Tail, Word

if TYPE_CHECKING:
    from app.session.record import Saved
    from app.session.session import Session  # with it come decoders: half of the time to start
    from app.ui.state.captioning import Captioning

log = logging.getLogger(__name__)

HOVER_MS = 120  # a pointer that only crosses the captions calls up nothing
LEAVE_MS = 700
_HIDDEN = "Captions are hidden, still listening. Click here, or the Voxline icon, to show them."
_HIDDEN_WITHOUT_TRAY = "Captions are hidden, still listening. Click here to show them."
_HIDDEN_WHILE_OFF = "Captions are hidden. Click here to show them."


class CaptionOverlay(FloatingWindow):
    """Captions on top of everything. `save` gets new settings when they are moved or resized."""

    quit_requested = Signal()
    main_window_requested = Signal()
    preferences_requested = Signal()
    visibility_changed = Signal(bool)  # by whatever way they were shown or hidden
    engine_chosen = Signal(str)
    source_chosen = Signal(str)
    delay_chosen = Signal(int)
    pause_toggled = Signal()

    def __init__(
        self,
        settings: OverlaySettings,
        save: Callable[[OverlaySettings], object],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(settings, save, parent)
        self._captioning: Captioning | None = None
        self._keyboard = False
        self._came_from = 0  # what had the keyboard before the controls took it
        self._stage = Stage.IDLE
        # Whether a tray icon can bring hidden captions back. If not, a pill stays in their place.
        self.has_tray: Callable[[], bool] = lambda: False
        self._pill: Pill | None = None
        self._ending = False  # the app is ending: nothing is to stay on the screen
        self._hovering = self._timer(HOVER_MS, self._show_controls)
        self._leaving = self._timer(LEAVE_MS, self._maybe_hide_controls)
        self.setWindowTitle("Captions")
        self.menu = self._make_menu()
        self._connect()
        self.apply(settings)
        if self._traits.advice:
            self._strip.show_notice(Message(self._traits.advice))

    @property
    def captions(self) -> CaptionView:
        """Paints the words; `captions.on_painted` and `captions.painted_text` tell which."""
        return self._box.captions

    @property
    def controls(self) -> ControlsBar:
        return self._strip.controls

    @property
    def status_row(self) -> StatusRow:
        return self._box.status_row

    @property
    def message(self) -> Message | None:
        """What is told beside the captions now."""
        return self._strip.message

    @property
    def _session(self) -> Session | None:
        return self._captioning.session if self._captioning else None

    def apply(self, settings: OverlaySettings) -> None:
        super().apply(settings)
        self.controls.set_language_shown(not settings.show_language)

    # --- what is shown ---------------------------------------------------------------------

    def follow(self, captioning: Captioning) -> None:
        """Show what it reports, of whatever session, for the whole run."""
        self._captioning = captioning
        captioning.session_changed.connect(lambda _: self._begin_session())
        captioning.word.connect(self._take_word)
        captioning.tail.connect(self._take_tail)
        captioning.status.connect(self.show_status)
        captioning.notice.connect(self._take_notice)
        captioning.saved.connect(self._take_saved)
        captioning.level.connect(self._take_level)
        captioning.choices_changed.connect(self._show_choices)
        self.show_status(captioning.last_status)

    def _begin_session(self) -> None:
        self.captions.begin_session()
        self._show_language(None)
        self._show_choices()

    def tell(self, text: str, hint: str = "") -> None:
        """Say something beside the captions for a while."""
        self._strip.show_notice(Message(text, hint))

    def focus_controls(self) -> None:
        """Bring the controls to the keyboard: Tab moves on, Escape returns to where one was."""
        if not self._keyboard:
            self._came_from = self._has_keyboard_now()
        self._keyboard = True
        self._accept_focus(True)
        self._show_controls()
        self.activateWindow()
        self.controls.focus_first()

    # --- hiding, and the way back ----------------------------------------------------------

    def hide_captions(self) -> None:
        """As whoever closes a floating window expects: it is gone, nothing else is."""
        if self._keyboard:
            self._give_keyboard_back()
        self.hide()
        self._tell_hidden()

    def end(self) -> None:
        """The app is ending: from now on nothing stays in place of hidden captions."""
        self._ending = True
        if self._pill is not None:
            self._pill.hide()

    def closeEvent(self, event: QCloseEvent) -> None:
        """The desktop's way to close a window is ours to hide the captions, until the app ends."""
        if self._ending:
            super().closeEvent(event)
            return
        event.ignore()
        self.hide_captions()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self.reframing and not event.spontaneous():
            if self._pill is not None:
                self._pill.hide()
            self.visibility_changed.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if not self.reframing and not event.spontaneous():
            self.visibility_changed.emit(False)
            if not self._ending and not self.has_tray():
                self._the_pill().stay(self.box_on_screen)

    def _tell_hidden(self) -> None:
        if self._ending:
            return
        text = _HIDDEN if self.has_tray() else _HIDDEN_WITHOUT_TRAY
        if self._stage in (*stages.OFF, Stage.PAUSED):
            text = _HIDDEN_WHILE_OFF
        self._the_pill().tell(text, self.box_on_screen)

    def _the_pill(self) -> Pill:
        if self._pill is None:
            self._pill = Pill()
            self._pill.clicked.connect(self.show)
            self._pill.told.connect(self._pill_has_told)
            self._pill.show_kind(stages.kind(self._stage))
        return self._pill

    def _pill_has_told(self) -> None:
        pill = self._the_pill()
        pill.hide() if self.has_tray() else pill.stay(pill.geometry())

    # --- what the session says -------------------------------------------------------------

    def _take_word(self, word: Word) -> None:
        self.captions.add_word(word)
        timeline = self._captioning.timeline if self._captioning else None
        if timeline is not None:
            self._show_language(timeline.language())

    def _take_tail(self, tail: Tail) -> None:
        self.captions.set_tail(tail.text)

    def show_status(self, status: Status) -> None:
        """Tell what is happening, also where no session could be made."""
        self._stage = status.stage
        self._box.show_status(status)
        self.controls.show_status(status)
        self._strip.show_status(status)
        self._pause_action.setText(stages.does_next(status.stage))
        self._pause_action.setEnabled(stages.can_toggle(status.stage))
        if self._pill is not None:
            self._pill.show_kind(stages.kind(status.stage))
        self._show_choices()

    def _take_level(self, level: float) -> None:
        self.status_row.set_level(level)

    def _take_notice(self, notice: Notice) -> None:
        if notice.message:  # without one it takes another back, which has long left the captions
            self._strip.show_notice(Message(notice.message, notice.hint))

    def _take_saved(self, saved: Saved) -> None:
        self._strip.show_notice(Message("The transcript is saved.", str(saved.path), CAPTIONS.good))

    def _show_language(self, code: str | None) -> None:
        self.status_row.set_language(code)
        self.controls.show_language(code)

    def _show_choices(self) -> None:
        """What the session listens to, with what, how patiently."""
        session = self._session
        if session is None:
            return
        info = session.info
        self.controls.show_source(session.source_name)
        self.controls.show_engine(info.name, info.label)
        self.controls.show_delays(info.delays_ms, session.delay_ms, info.word_error_rate)

    # --- controls come and go --------------------------------------------------------------

    def _show_controls(self) -> None:
        if not self.controls.isHidden():
            return
        self._box.set_lit(True)
        self._strip.show_controls(True)
        engine = self._session.info.name if self._session else ""
        in_background(list_sources, self._offer_sources, _log_failure)
        in_background(
            partial(list_engines, paths.models_dir(), engine), self._offer_engines, _log_failure
        )

    def _offer_sources(self, sources: list[SourceInfo]) -> None:
        if isValid(self):  # the answer may come after the window has gone
            chosen = self._captioning.source if self._captioning else ""
            self.controls.show_sources(sources, chosen)

    def _offer_engines(self, engines: list[EngineChoice]) -> None:
        if isValid(self):
            self.controls.show_engines(engines)

    def _maybe_hide_controls(self) -> None:
        if self._menu_is_open or self._drag is not None:
            self._leaving.start()
        elif not self._keyboard and not self.underMouse():
            self._strip.show_controls(False)
            self._box.set_lit(False)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._leaving.stop()
        self._hovering.start()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovering.stop()
        self._leaving.start()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._keyboard:
            self._give_keyboard_back()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        lost = event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow()
        if lost and self._keyboard and not self._menu_is_open:
            self._leave_keyboard()
        super().changeEvent(event)

    @property
    def _menu_is_open(self) -> bool:
        return self.menu.isVisible() or self.controls.menu_is_open

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu.popup(event.globalPos())

    def _open_menu(self, corner: QPoint) -> None:
        """Beside the button that asks for it, away from the captions."""
        if self.controls.menus_open_upwards:
            corner -= QPoint(0, self.menu.sizeHint().height() + 7)
        self.menu.popup(corner + QPoint(0, 0 if self.controls.menus_open_upwards else 7))

    def _has_keyboard_now(self) -> int:
        """A window of ours, or of whoever's it is."""
        ours = QApplication.activeWindow()
        if ours is not None and ours is not self:
            return int(ours.winId())
        return native.active_window(self._platform)

    def _give_keyboard_back(self) -> None:
        """To the window that had it when the controls took it."""
        came_from, self._came_from = self._came_from, 0
        self._leave_keyboard()
        ours = QWidget.find(came_from)
        if ours is not None and ours is not self:
            ours.activateWindow()
        elif came_from and came_from != int(self.winId()):
            native.activate(came_from, self._platform)

    def _leave_keyboard(self) -> None:
        self._keyboard = False
        focused = self.focusWidget()
        if focused is not None:
            focused.clearFocus()
        self._accept_focus(False)
        self._leaving.start()

    def _accept_focus(self, on: bool) -> None:
        self.windowHandle().setFlag(Qt.WindowType.WindowDoesNotAcceptFocus, not on)

    def _timer(self, ms: int, act: Callable[[], None]) -> QTimer:
        timer = QTimer(self, interval=ms, singleShot=True)
        timer.timeout.connect(act)
        return timer

    def _connect(self) -> None:
        bar = self.controls
        bar.pause_toggled.connect(self.pause_toggled)
        bar.source_chosen.connect(self.source_chosen)
        bar.engine_chosen.connect(self.engine_chosen)
        bar.delay_chosen.connect(self.delay_chosen)
        bar.main_window_requested.connect(self.main_window_requested)
        bar.more_requested.connect(self._open_menu)
        bar.hide_requested.connect(self.hide_captions)
        self._box.start_requested.connect(self.pause_toggled)

    def _make_menu(self) -> QMenu:
        """What ⋯ and a right click offer."""
        menu = QMenu(self)
        menu.setStyleSheet(SHEET)
        self._pause_action = menu.addAction(stages.does_next(Stage.IDLE))
        self._pause_action.triggered.connect(lambda: self.pause_toggled.emit())
        menu.addSeparator()
        for text, asked in (
            ("Transcript", self.main_window_requested),
            ("Preferences…", self.preferences_requested),
        ):
            menu.addAction(text).triggered.connect(lambda _=False, asked=asked: asked.emit())
        menu.addSeparator()
        menu.addAction("Hide captions").triggered.connect(self.hide_captions)
        menu.addAction("Quit Voxline").triggered.connect(lambda: self.quit_requested.emit())
        return menu


def _log_failure(error: Exception) -> None:
    log.warning("a list for the caption controls could not be had", exc_info=error)
