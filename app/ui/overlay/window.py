"""The caption window: what it shows of a session, and what its controls ask for.

Reports what the user wants; acts on no session itself. Knows `Captioning` by its signals
only; where the window stands and that it stays on top is `floating`'s part.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QEnterEvent, QKeyEvent
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from app import paths
from app.audio.devices.base import SourceInfo
from app.audio.sources import list_sources
from app.session.status import Status
from app.settings import OverlaySettings
from app.ui.overlay.caption_view import CaptionView
from app.ui.overlay.controls import ControlsBar
from app.ui.overlay.floating import FloatingWindow
from app.ui.overlay.status_row import StatusRow
from app.ui.overlay.toast import Message
from app.ui.state.background import in_background
from app.ui.state.engines import EngineChoice, list_engines
from model_backends.base import Notice, Tail, Word

if TYPE_CHECKING:
    from app.session.record import Saved
    from app.session.session import Session  # with it come decoders: half of the time to start
    from app.ui.state.captioning import Captioning

log = logging.getLogger(__name__)

HOVER_MS = 120  # a pointer that only crosses the captions calls up nothing
LEAVE_MS = 700


class CaptionOverlay(FloatingWindow):
    """Captions on top of everything. `save` gets new settings when they are moved or resized."""

    quit_requested = Signal()
    main_window_requested = Signal()
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
        self._hovering = self._timer(HOVER_MS, self._show_controls)
        self._leaving = self._timer(LEAVE_MS, self._maybe_hide_controls)
        self.setWindowTitle("Voxline captions")
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

    def focus_controls(self) -> None:
        """Bring the controls to the keyboard: Tab moves on, Escape returns to where one was."""
        self._keyboard = True
        self._accept_focus(True)
        self._show_controls()
        self.activateWindow()
        self.controls.focus_first()

    def _take_word(self, word: Word) -> None:
        self.captions.add_word(word)
        timeline = self._captioning.timeline if self._captioning else None
        if timeline is not None:
            self._show_language(timeline.language())

    def _take_tail(self, tail: Tail) -> None:
        self.captions.set_tail(tail.text)

    def show_status(self, status: Status) -> None:
        """Tell what is happening, also where no session could be made."""
        self.status_row.set_status(status)
        self.controls.show_status(status)
        self._strip.show_status(status)
        self._show_choices()

    def _take_level(self, level: float) -> None:
        self.status_row.set_level(level)

    def _take_notice(self, notice: Notice) -> None:
        self._strip.show_notice(Message(notice.message, notice.hint))

    def _take_saved(self, saved: Saved) -> None:
        self._strip.show_notice(Message("The transcript is saved.", str(saved.path), "#4cd07d"))

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
            chosen = self._session.source_name if self._session else ""
            self.controls.show_sources(sources, chosen)

    def _offer_engines(self, engines: list[EngineChoice]) -> None:
        if isValid(self):
            self.controls.show_engines(engines)

    def _maybe_hide_controls(self) -> None:
        if self.controls.menu_is_open or self._drag is not None:
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
            self._leave_keyboard()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        lost = event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow()
        if lost and self._keyboard and not self.controls.menu_is_open:
            self._leave_keyboard()
        super().changeEvent(event)

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
        bar.quit_requested.connect(self.quit_requested)


def _log_failure(error: Exception) -> None:
    log.warning("a list for the caption controls could not be had", exc_info=error)
