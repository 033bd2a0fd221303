"""Offers a better model once, when it is known that this computer carries it and somebody is
captioning with the built-in one in languages that it knows; not while a battery runs down, which is
no time for half a gigabyte and for judging speed. Knows no widget.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil
from PySide6.QtCore import QObject, QTimer, Signal

from app import paths
from app.models import better
from app.models.better import Offer
from app.ui.state.captioning import Captioning
from app.ui.state.models import Models
from app.ui.state.settings_store import SettingsStore
from model_backends.base import Word

TOLD = "better-model"  # in `Settings.told`
_LOOK_MS = 30_000


def _free_bytes() -> int:
    return int(psutil.virtual_memory().available)


def _on_battery() -> bool:
    try:
        battery = psutil.sensors_battery()  # there is no such function on some systems
    except (AttributeError, OSError):
        return False
    return battery is not None and battery.power_plugged is False  # None: not known


class BetterModel(QObject):
    """`offered` brings an `Offer`, once in the life of an installation."""

    offered = Signal(object)

    def __init__(
        self,
        captioning: Captioning,
        store: SettingsStore,
        models: Models,
        cache_dir: Callable[[], Path] = paths.cache_dir,
        free_bytes: Callable[[], int] = _free_bytes,
        on_battery: Callable[[], bool] = _on_battery,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._captioning, self._store, self._models = captioning, store, models
        self._cache_dir, self._free_bytes = cache_dir, free_bytes
        self._on_battery = on_battery
        self._heard: set[str] = set()  # languages that somebody spoke
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self.look)
        captioning.word.connect(self._hear)
        if not self._was_told:
            self._timer.start()

    @property
    def _was_told(self) -> bool:
        return bool(self._store.settings.told.get(TOLD))

    def look(self) -> None:
        """Offer it if the time has come."""
        if self._was_told:
            self._timer.stop()
            return
        settings = self._store.settings
        captions = settings.engine == "embedded" and self._captioning.running
        if not captions or self._on_battery():
            return
        spoken = {settings.language} if settings.language else self._heard
        found = better.offer(self._cache_dir(), self._free_bytes(), spoken)
        if found is not None:
            self._models.look(lambda: self._tell(found))

    def take(self, offer: Offer) -> None:
        """The user wants to see it: captions begin at the delay that suits, once it is here."""
        delays = {**self._store.settings.delay_ms, better.ENGINE: offer.delay_ms}
        self._store.change(delay_ms=delays)

    def _tell(self, offer: Offer) -> None:
        """Unless it is here already, nothing here can run it, or it was told meanwhile."""
        state = self._models.state(offer.model.name)
        runs = state.fit is not None and state.fit.runs
        if self._was_told or state.place is not None or state.busy or not runs:
            return
        self._timer.stop()
        self._store.change(told={**self._store.settings.told, TOLD: True})
        self.offered.emit(offer)

    def _hear(self, word: Word) -> None:
        if word.language is not None:
            self._heard.add(word.language)
