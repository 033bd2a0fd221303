"""Hears when one of the user's names is said, by anybody but the user.

Knows what is said and the settings; what a pointed-out word looks like is the captions' matter.
"""

from __future__ import annotations

from collections import deque

from PySide6.QtCore import QObject, Signal

from app.core.alerts import Alerts
from app.core.names import names_in
from app.core.voices import ME, THEM
from app.settings import Settings
from app.ui.state.captioning import Captioning
from app.ui.state.settings_store import SettingsStore
from model_backends.base import Word

_CONTEXT = 12  # words, the name among them


class NameAlerts(QObject):
    """`said` comes once in ten seconds for a name, however often it is said."""

    said = Signal(str, str)  # the name, and the last words up to it

    def __init__(
        self, store: SettingsStore, captioning: Captioning, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._captioning = captioning
        self._latest: deque[str] = deque(maxlen=_CONTEXT)
        self._alerts = Alerts(names_in(store.settings.names))
        store.changed.connect(self._follow)
        captioning.word.connect(self._hear)
        captioning.session_changed.connect(lambda _: self._latest.clear())

    def points_out(self, word: Word) -> bool:
        """Whether the word is one of the names that alert; the user knows what the user says."""
        return self._alerts.said(word) is not None and not self._is_own(word)

    def _is_own(self, word: Word) -> bool:
        session = self._captioning.session
        return word.lane == ME and session is not None and THEM in session.voices

    def _hear(self, word: Word) -> None:
        self._latest.append(word.text)
        name = self._alerts.said(word)
        if name is None or self._is_own(word):
            return
        if self._alerts.is_news(name, word.start_ms):
            self.said.emit(name.word, "".join(self._latest).strip())

    def _follow(self, now: Settings, before: Settings) -> None:
        if now.names != before.names:
            self._alerts = Alerts(names_in(now.names))
