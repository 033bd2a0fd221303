"""The menu behind ⋯ and the right mouse button: everything that can be asked of the captions.

    Pause listening
    Catch me up · Copy the last minute
    Delay ▸ · Style ▸ · Place ▸
    Let clicks through
    Transcript · Preferences… · Quit Voxline

It acts on nothing: signals say what was asked, `show_…` functions what is the case.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QPoint, Signal, SignalInstance
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from app.session.status import Stage
from app.settings import OverlaySettings
from app.ui.overlay import look
from app.ui.overlay.delay_menu import DelayMenu
from app.ui.overlay.menus import SHEET
from app.ui.widgets import stages, worded
from model_backends.base import Sentence, joined

_CLICK_THROUGH = Sentence("Let clicks through")
_GAP = 7
_PLACES = {
    "": Sentence("Float"),
    "top": Sentence("Dock at the top"),
    "bottom": Sentence("Dock at the bottom"),
}


class MoreMenu(QMenu):
    """`look_chosen` and `dock_chosen` bring a preset's name and one of `settings.DOCKS`."""

    pause_toggled = Signal()
    catch_up_requested = Signal()
    copy_requested = Signal()
    look_chosen = Signal(str)
    customise_requested = Signal()
    dock_chosen = Signal(str)
    reset_requested = Signal()
    click_through_toggled = Signal(bool)
    main_window_requested = Signal()
    preferences_requested = Signal()
    quit_requested = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setStyleSheet(SHEET)
        self._keys: Mapping[str, str] = {}
        self._pause_does = stages.does_next(Stage.IDLE)
        self.pause = self._add(self, self._pause_does, self.pause_toggled)
        self.addSeparator()
        self.catch_up = self._add(self, Sentence("Catch me up"), self.catch_up_requested)
        self.copy = self._add(self, Sentence("Copy the last minute"), self.copy_requested)
        self.addSeparator()
        self.delay = DelayMenu(self)
        self.addMenu(self.delay)
        self._looks = self._style_menu()
        self._places = self._place_menu()
        self.click_through = worded.action(self, _CLICK_THROUGH)
        self.click_through.setCheckable(True)
        self.click_through.triggered.connect(self.click_through_toggled)
        self.addSeparator()
        self._add(self, Sentence("Transcript"), self.main_window_requested)
        self._add(self, Sentence("Preferences…"), self.preferences_requested)
        self.addSeparator()
        self._add(self, Sentence("Quit Voxline"), self.quit_requested)
        self.show_reading(catch_up=False, copy=False)

    def show_stage(self, stage: Stage) -> None:
        """The first entry says what it would do now."""
        self._pause_does = stages.does_next(stage)
        self._write(self.pause, "pause", self._pause_does)
        worded.tip(self.pause, stages.does_next_in_full(stage))
        self.pause.setEnabled(stages.can_toggle(stage))

    def show_reading(self, catch_up: bool, copy: bool) -> None:
        """Whether there is something unread to go back to, and something to copy."""
        self.catch_up.setEnabled(catch_up)
        self.copy.setEnabled(copy)

    def show_delays(
        self,
        delays_ms: tuple[int, ...],
        chosen_ms: int,
        usual_ms: int,
        word_error_rate: Mapping[int, float],
        why_fixed: str = "",
    ) -> None:
        """`why_fixed`: who else decides, if somebody does."""
        self.delay.menuAction().setEnabled(bool(delays_ms))
        if why_fixed:
            self.delay.explain(why_fixed)
        else:
            self.delay.offer(delays_ms, chosen_ms, usual_ms, word_error_rate)

    def show_settings(self, settings: OverlaySettings) -> None:
        """Tick what is so."""
        for preset in look.presets():
            self._looks[preset.name].setChecked(preset.is_that_of(settings))
        self._places[settings.dock].setChecked(True)
        self.click_through.setChecked(settings.click_through)

    def show_keys(self, keys: Mapping[str, str]) -> None:
        """Write the keys that do the same from anywhere beside what they do.

        Keys that are in use are given to whoever listens for them, not to Qt: here they are text.
        """
        self._keys = dict(keys)
        self._write(self.pause, "pause", self._pause_does)
        self._write(self.click_through, "click-through", _CLICK_THROUGH)

    def open_beside(self, corner: QPoint, upwards: bool) -> None:
        """At the corner of the button that asks for it, away from the captions."""
        rise = self.sizeHint().height() + _GAP if upwards else -_GAP
        self.popup(corner - QPoint(0, rise))

    def _write(self, action: QAction, name: str, text: str) -> None:
        key = self._keys.get(name)
        worded.text(action, joined(text, key or "", between="\t"))

    def _style_menu(self) -> dict[str, QAction]:
        menu = self._submenu(Sentence("Style"))
        group = QActionGroup(menu)
        group.setExclusionPolicy(QActionGroup.ExclusionPolicy.ExclusiveOptional)
        made = {}
        for preset in look.presets():
            action = made[preset.name] = worded.action(
                menu, Sentence("{look}: {told}", look=preset.label, told=preset.told)
            )
            action.setCheckable(True)
            group.addAction(action)
            action.triggered.connect(lambda _=False, name=preset.name: self.look_chosen.emit(name))
        menu.addSeparator()
        self._add(menu, Sentence("Customise…"), self.customise_requested)
        return made

    def _place_menu(self) -> dict[str, QAction]:
        menu = self._submenu(Sentence("Place"))
        group = QActionGroup(menu)
        made = {}
        for dock, text in _PLACES.items():
            action = made[dock] = worded.action(menu, text)
            action.setCheckable(True)
            group.addAction(action)
            action.triggered.connect(lambda _=False, dock=dock: self.dock_chosen.emit(dock))
        menu.addSeparator()
        self._add(menu, Sentence("Reset place and size"), self.reset_requested)
        return made

    def _submenu(self, title: str) -> QMenu:
        menu = worded.text(QMenu(self), title)
        menu.setStyleSheet(SHEET)
        self.addMenu(menu)
        return menu

    def _add(self, menu: QMenu, text: str, asked: SignalInstance) -> QAction:
        action = worded.action(menu, text)
        action.triggered.connect(lambda: asked.emit())
        return action
