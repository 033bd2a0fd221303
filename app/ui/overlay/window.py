"""The caption window: what it shows of a session, and what its controls ask for.

Reports what the user wants; acts on no session itself. Knows `Captioning` by its signals only.
Where the window stands is `floating`'s part, holding and scrolling `reading`'s, what is chosen
rarely `more_menu`'s, the way back of what is hidden `hiding`'s.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QContextMenuEvent,
    QEnterEvent,
    QHideEvent,
    QKeyEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from app.audio.devices.base import SourceInfo
from app.audio.sources import list_sources
from app.core.voices import ME
from app.session.status import Stage, Status
from app.settings import OverlaySettings
from app.ui.overlay import keys, look
from app.ui.overlay.caption_view import CaptionView
from app.ui.overlay.click_through import TELLS, how_back
from app.ui.overlay.controls import ControlsBar
from app.ui.overlay.handled import HandledWindow
from app.ui.overlay.hiding import WayBack
from app.ui.overlay.keyboard import KeyboardLoan
from app.ui.overlay.more_menu import MoreMenu
from app.ui.overlay.quiet import Quiet
from app.ui.overlay.reading import Reading
from app.ui.overlay.status_row import StatusRow
from app.ui.overlay.toast import Message
from app.ui.state.background import in_background
from app.ui.widgets import stages, worded
from app.ui.widgets.theme import CAPTIONS
from model_backends.base import Counted, Notice, Sentence, Tail, Word

if TYPE_CHECKING:
    from app.session.record import Saved
    from app.session.session import Session  # with it come decoders: half of the time to start
    from app.ui.state.captioning import Captioning

log = logging.getLogger(__name__)

HOVER_MS = 120  # a pointer that only crosses the captions calls up nothing
LEAVE_MS = 700
_NO_ROOM = Sentence(
    "This desktop keeps no room free here: docked captions lie above other windows."
)
_SEEN_BY_OTHERS = Sentence(
    "This system does not hide the captions: others see them on a shared screen."
)


class CaptionOverlay(HandledWindow):
    """Captions on top of everything. `save` gets new settings whenever they are changed here."""

    quit_requested = Signal()
    main_window_requested = Signal()
    preferences_requested = Signal()
    visibility_changed = Signal(bool)  # by whatever way they were shown or hidden
    held_changed = Signal(bool)  # the text stands still, or goes on
    source_chosen = Signal(str)
    delay_chosen = Signal(int)
    pause_toggled = Signal()
    own_speech_chosen = Signal()  # to be shown, too

    def __init__(
        self,
        settings: OverlaySettings,
        save: Callable[[OverlaySettings], object],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(settings, save, parent)
        self._captioning: Captioning | None = None
        self._stage = Stage.IDLE
        self._language: str | None = ""  # that is shown; None is that it is not known
        self._few_lines = settings.lines  # what "Fewer lines" goes back to
        self._keys: Mapping[str, str] = {}
        self._keyboard = KeyboardLoan(self)
        self._way_back = WayBack(self, self.show)
        self._hovering = self._timer(HOVER_MS, self._show_controls)
        self._leaving = self._timer(LEAVE_MS, self._maybe_hide_controls)
        worded.title(self, Sentence("Captions"))
        self.menu = MoreMenu(self)
        self.reading = Reading(self.captions, self._box.live, self)
        self._quiet = Quiet(self)
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
    def has_tray(self) -> Callable[[], bool]:
        """Whether a tray icon can bring hidden captions back; if not, a pill stays instead."""
        return self._way_back.has_tray

    @has_tray.setter
    def has_tray(self, has_tray: Callable[[], bool]) -> None:
        self._way_back.has_tray = has_tray

    @property
    def _session(self) -> Session | None:
        return self._captioning.session if self._captioning else None

    def apply(self, settings: OverlaySettings) -> None:
        if not look.shows_many(settings.lines):
            self._few_lines = settings.lines
        super().apply(settings)
        if self._captioning is not None and self._captioning.shows(ME):
            self._box.show_own_unseen(False)
        least, most = look.SIZES_PERCENT
        percent = look.percent(settings.font_size)
        self.controls.set_language_shown(not settings.show_language)
        self.controls.show_many_lines(look.shows_many(settings.lines))
        self.controls.show_sizes_left(percent > least, percent < most)
        self.menu.show_settings(settings)

    def show_keys(self, names: Mapping[str, str]) -> None:
        """The keys that work from anywhere, by what they do: "show", "hold", "click-through" …"""
        self._keys = dict(names)
        self._way_back.key = names.get("show", "")
        self.controls.show_hiding_key(names.get("show", ""))
        self.menu.show_keys(names)

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
        captioning.level.connect(self.status_row.set_level)
        captioning.choices_changed.connect(self._show_choices)
        self.show_status(captioning.last_status)

    def _begin_session(self) -> None:
        self.captions.begin_session()
        self._box.show_own_unseen(False)
        self._show_language(None)
        self._show_choices()

    def tell(self, text: str, hint: str = "") -> None:
        """Say something beside the captions for a while."""
        self._strip.show_notice(Message(text, hint))

    def pulse(self) -> None:
        """Catch the eye, once."""
        self._box.pulse()

    def show_status(self, status: Status) -> None:
        """Tell what is happening, also where no session could be made."""
        self._box.show_status(status)
        told_in_full = self._box.tells_fault
        self._strip.show_status(replace(status, hint="") if told_in_full else status)
        before, self._stage = self._stage, status.stage
        if not stages.both_well(before, status.stage):
            self.menu.show_stage(status.stage)
            self._way_back.show_stage(status.stage)
            self._show_choices()

    def _take_word(self, word: Word) -> None:
        if self._captioning is not None:
            if not self._captioning.shows(word.lane):
                self._box.show_own_unseen(True)
                return
            self.captions.name_voices(self._captioning.labels)
        self.captions.add_word(word)
        self._quiet.word_came()
        self.reading.tell()
        self._box.word_came()
        timeline = self._captioning.timeline if self._captioning else None
        if timeline is not None:
            self._show_language(timeline.language())

    def _take_tail(self, tail: Tail) -> None:
        if self._captioning is None or self._captioning.shows(tail.lane):
            self.captions.set_tail(tail.text, tail.lane)

    def _take_notice(self, notice: Notice) -> None:
        if notice.message:  # without one it takes another back, which has long left the captions
            self._strip.show_notice(Message(notice.message, notice.hint))

    def _take_saved(self, saved: Saved) -> None:
        self._strip.show_notice(
            Message(Sentence("The transcript is saved."), str(saved.path), CAPTIONS.good)
        )

    def _show_language(self, code: str | None) -> None:
        if code == self._language:
            return  # it is told with every word
        self._language = code
        self.status_row.set_language(code)
        self.controls.show_language(code)

    def _show_choices(self) -> None:
        """What the session listens to, how patiently."""
        session = self._session
        if session is None:
            return
        info = session.info
        self.controls.show_source(session.source_name)
        rates, fixed = info.word_error_rate, info.decided_elsewhere.get("delay", "")
        usual_ms = info.default_delay_ms
        self.menu.show_delays(info.delays_ms, session.delay_ms, usual_ms, rates, fixed)

    # --- reading ---------------------------------------------------------------------------

    def toggle_hold(self) -> None:
        """Hold the text, or let it go on."""
        self.reading.toggle()

    def go_live(self) -> None:
        """Show the newest words as they come."""
        self.reading.go_live()

    def page(self, way: int) -> None:
        """Scroll by what is shown: 1 is down, -1 up."""
        self.reading.page(way)

    def catch_up(self) -> None:
        """Go to where reading stopped."""
        self.reading.catch_up()

    def mark(self) -> None:
        """Reading stops here, for now."""
        self.reading.mark()

    def _show_held(self, held: bool) -> None:
        self._box.show_held(held)
        self.grow(self.reading.lines_wanted) if held else self.shrink()
        self.controls.show_held(held)
        self.held_changed.emit(held)

    def copy_latest(self) -> None:
        """Copy the last minute of speech, and say so."""
        count = self.reading.copy_latest()
        if count:
            self.tell(
                Counted(
                    "The last minute is copied: 1 word.",
                    "The last minute is copied: {count} words.",
                    count=count,
                )
            )

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.reading.turn(event)

    # --- how it looks and where it is ------------------------------------------------------

    def resize_text(self, larger: bool) -> None:
        """A step larger or smaller."""
        self._save(look.resized(self._settings, larger))

    def toggle_lines(self) -> None:
        """Many lines, or as few as before."""
        self._save(look.with_more_or_fewer(self._settings, self._few_lines))

    def let_clicks_through(self, on: bool) -> None:
        """Switch it, and say how to get back."""
        self._save(replace(self._settings, click_through=on))
        if on:
            how = how_back(self._keys.get("click-through", ""))
            self._strip.show_controls(False)
            self.tell(TELLS, how)

    def dock(self, edge: str) -> None:
        """To the "top" or "bottom" of the screen; "": to where it floated."""
        self._save(replace(self._settings, dock=edge))

    def reset_place(self) -> None:
        """To where it was first, in the size that it had."""
        self._save(replace(self._settings, dock="", geometry={}))
        if not self._settings.geometry:
            self._restore_place()

    def _choose_look(self, name: str) -> None:
        self._save(look.chosen(name, self._settings))

    # --- hiding, and the way back ----------------------------------------------------------

    def hide_captions(self) -> None:
        """As whoever closes a floating window expects: it is gone, nothing else is."""
        if self._keyboard.on:
            self._give_keyboard_back()
        self.hide()
        self._way_back.tell(self.box_on_screen)

    def end(self) -> None:
        """The app is ending: from now on nothing stays in place of hidden captions."""
        self._way_back.end()

    def closeEvent(self, event: QCloseEvent) -> None:
        """The desktop's way to close a window is ours to hide the captions, until the app ends."""
        if self._way_back.ending:
            super().closeEvent(event)
            return
        event.ignore()
        self.hide_captions()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self.reframing and not event.spontaneous():
            self._way_back.window_is_back()
            self.visibility_changed.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if not self.reframing and not event.spontaneous():
            self.visibility_changed.emit(False)
            self._way_back.window_is_gone(self.box_on_screen)

    # --- controls come and go --------------------------------------------------------------

    def focus_controls(self) -> None:
        """Bring the controls to the keyboard: Tab moves on, Escape returns to where one was."""
        self._show_controls()
        self._keyboard.take()
        self.controls.focus_first()

    def choose_source(self) -> None:
        """Show what there is to listen to."""
        self._show_controls()
        self.controls.source.click()

    def _show_controls(self) -> None:
        if not self.controls.isHidden():
            return
        self._box.set_lit(True)
        self._strip.show_controls(True)
        in_background(list_sources, self._offer_sources, _log_failure)

    def _offer_sources(self, sources: list[SourceInfo]) -> None:
        if isValid(self):  # the answer may come after the window has gone
            chosen = self._captioning.source if self._captioning else ""
            self.controls.show_sources(sources, chosen)

    def _maybe_hide_controls(self) -> None:
        if self._menu_is_open or self._drag is not None:
            self._leaving.start()
        elif not self._keyboard.on and not self.underMouse():
            self._strip.show_controls(False)
            self._box.set_lit(False)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._leaving.stop()
        self._hovering.start()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovering.stop()
        self._leaving.start()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        act = keys.action_for(event)
        if event.key() == Qt.Key.Key_Escape and not self.reading.held and self._keyboard.on:
            self._give_keyboard_back()
        elif act is not None:
            act(self)
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        lost = event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow()
        if lost and self._keyboard.on and not self._menu_is_open:
            self._keyboard.drop()
            self._leaving.start()
        super().changeEvent(event)

    @property
    def _menu_is_open(self) -> bool:
        return self.menu.isVisible() or self.controls.menu_is_open

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Away from the captions, as that of the button: they are read on."""
        edge = self.geometry().top() if self._strip_above else self.geometry().bottom()
        self._open_menu(QPoint(event.globalPos().x(), edge))

    def _open_menu(self, corner: QPoint) -> None:
        """Beside the button that asks for it, away from the captions."""
        self._show_menu_state()
        self.menu.open_beside(corner, self.controls.menus_open_upwards)

    def _show_menu_state(self) -> None:
        self.menu.show_reading(self.reading.can_catch_up, self.reading.can_copy)

    def _give_keyboard_back(self) -> None:
        self._keyboard.give_back()
        self._leaving.start()

    def _timer(self, ms: int, act: Callable[[], None]) -> QTimer:
        timer = QTimer(self, interval=ms, singleShot=True)
        timer.timeout.connect(act)
        return timer

    def _connect(self) -> None:
        bar, menu = self.controls, self.menu
        for asked, does in (
            (bar.hold_toggled, self.toggle_hold),
            (bar.source_chosen, self.source_chosen),
            (bar.smaller_requested, lambda: self.resize_text(False)),
            (bar.larger_requested, lambda: self.resize_text(True)),
            (bar.lines_toggled, self.toggle_lines),
            (bar.more_requested, self._open_menu),
            (bar.hide_requested, self.hide_captions),
            (menu.pause_toggled, self.pause_toggled),
            (menu.catch_up_requested, self.catch_up),
            (menu.copy_requested, self.copy_latest),
            (menu.delay.delay_chosen, self.delay_chosen),
            (menu.look_chosen, self._choose_look),
            (menu.customise_requested, self.preferences_requested),
            (menu.dock_chosen, self.dock),
            (menu.reset_requested, self.reset_place),
            (menu.click_through_toggled, self.let_clicks_through),
            (menu.main_window_requested, self.main_window_requested),
            (menu.preferences_requested, self.preferences_requested),
            (menu.quit_requested, self.quit_requested),
            (self._box.start_requested, self.pause_toggled),
            (self._box.source_requested, self.choose_source),
            (self._box.own_requested, self.own_speech_chosen),
            (self.reading.held_changed, self._show_held),
            (self.no_room_kept, lambda: self.tell(_NO_ROOM)),
            (self.sharing_refused, lambda: self.tell(_SEEN_BY_OTHERS)),
            (self.undock_requested, lambda: self.dock("")),
            (self.click_through_ended, lambda: self.let_clicks_through(False)),
            (self._quiet.old, self.captions.grow_old),
            (self._quiet.since_changed, self.status_row.set_quiet_since),
        ):
            asked.connect(does)


def _log_failure(error: Exception) -> None:
    log.warning("what can be listened to could not be listed: %s", error)
