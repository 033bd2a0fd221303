"""When the first run is shown: to a newcomer at the start, and to anybody from the Help menu.

A newcomer is who has no settings yet, and who has never been through it, nor skipped it. That it
was seen is kept among what the user has been told. The window is made when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

if TYPE_CHECKING:
    from app.ui.desktop.hotkeys import Hotkeys
    from app.ui.first_run.window import FirstRunWindow
    from app.ui.state.captioning import Captioning
    from app.ui.state.commands import Commands
    from app.ui.state.settings_store import SettingsStore
    from model_backends.base import EngineInfo

TOLD = "first-run"  # among what the user has been told; False: begun and not ended


def is_due(told: Mapping[str, bool], none_kept: bool) -> bool:
    """Whether it is to be shown at the start. `none_kept`: there are no settings yet."""
    return not told.get(TOLD, not none_kept)


class FirstRun(QObject):
    """One for the whole run. `step_shown` brings 1 to 4, and 0 at its end."""

    step_shown = Signal(int)
    ended = Signal()

    def __init__(
        self,
        captioning: Captioning,
        store: SettingsStore,
        commands: Commands,
        hotkeys: Hotkeys,
        find_info: Callable[[str], EngineInfo | None],
    ) -> None:
        super().__init__()
        self._captioning, self._store = captioning, store
        self._commands, self._hotkeys = commands, hotkeys
        self._find_info = find_info
        self.window: FirstRunWindow | None = None
        self.all_seen = False  # in this run of the app

    def expect(self) -> None:
        """It is due: until it is ended or skipped it comes again with each start."""
        told = self._store.settings.told
        if TOLD not in told:
            self._store.change(told={**told, TOLD: False})

    def open(self) -> FirstRunWindow:
        """Show it, from its first step; one that is open comes forward as it is."""
        if self.window is None or not isValid(self.window):
            from app.ui.first_run.window import FirstRunWindow

            self.window = FirstRunWindow(
                self._captioning, self._store, self._commands, self._hotkeys, self._find_info
            )
            self.window.step_shown.connect(self._follow)
            self.window.ended.connect(self._end)
            self.window.show_step(0)
        self.window.come_forward()
        return self.window

    def leave(self) -> None:
        """The app is ending: it is neither ended nor skipped."""
        if self.window is not None:
            self.window.hide()

    def _follow(self, number: int, count: int) -> None:
        self.all_seen = self.all_seen or number == count
        self.step_shown.emit(number)

    def _end(self) -> None:
        self.window = None
        self._store.change(told={**self._store.settings.told, TOLD: True})
        self.step_shown.emit(0)
        self.ended.emit()
