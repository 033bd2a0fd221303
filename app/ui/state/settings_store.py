"""The settings in use: one owner, told to everyone who follows them, saved a moment later.

    store.change(engine="embedded")
    store.changed.connect(follow)        # follow(now, before)

Knows nothing of what a setting means, but which belong to one engine.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app import settings as settings_file
from app.settings import OverlaySettings, Settings

SAVE_AFTER_MS = 400  # a slider being dragged is written once


class SettingsStore(QObject):
    """Holds the settings of this run and writes them when they have changed."""

    changed = Signal(object, object)  # Settings now, Settings before
    delay_asked = Signal(int)  # the user has chosen it, be it the one that is set
    problem = Signal(object)  # a sentence for the user: they could not be saved

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings = settings
        self._saving = QTimer(self, singleShot=True, interval=SAVE_AFTER_MS)
        self._saving.timeout.connect(self._save)

    def change(self, **values: Any) -> None:
        """Replace these fields of `Settings`; nothing happens if they are what they were.

        What was chosen for one engine means nothing to another: it goes with it.
        """
        if values.get("engine", self.settings.engine) != self.settings.engine:
            values = {"model": "", "device": "", "precision": "", **values}
        before, self.settings = self.settings, replace(self.settings, **values)
        if not settings_file.same(self.settings, before):
            self._saving.start()
            self.changed.emit(self.settings, before)

    def change_overlay(self, **values: Any) -> None:
        """Replace these fields of `OverlaySettings`."""
        self.change(overlay=replace(self.settings.overlay, **values))

    def set_overlay(self, overlay: OverlaySettings) -> None:
        self.change(overlay=overlay)

    def change_delay(self, ms: int) -> None:
        """The delay of the engine in use; each engine keeps its own."""
        self.change(delay_ms={**self.settings.delay_ms, self.settings.engine: ms})
        self.delay_asked.emit(ms)

    def forget(self) -> None:
        """Back to how a new Voxline begins; the file was deleted, and is written by no one yet."""
        self.change(**{each.name: getattr(Settings(), each.name) for each in fields(Settings)})
        self._saving.stop()

    def flush(self) -> None:
        """Write now what is still to be written."""
        if self._saving.isActive():
            self._saving.stop()
            self._save()

    def _save(self) -> None:
        problem = settings_file.save(self.settings)
        if problem:
            self.problem.emit(problem)
