"""How the app ends: what was said is flushed and saved first, and nobody waits for ever."""

from __future__ import annotations

import os
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from app.ui.state.captioning import Captioning
from app.ui.state.settings_store import SettingsStore

# The session hears out for half a minute at most and then writes; the windows are gone meanwhile.
# Whatever still hangs after this will hang for ever, and the journal has every word.
PATIENCE_MS = 40_000
HURRY_MS = 5_000  # for hearing again what was said; then it is saved as it is


class Leaving(QObject):
    """Ends the session, then the event loop through `leave(exit_status)`."""

    begun = Signal()

    def __init__(
        self,
        captioning: Captioning,
        store: SettingsStore,
        leave: Callable[[int], None],
        leave_at_once: Callable[[int], None] = os._exit,
    ) -> None:
        super().__init__()
        self._captioning, self._store = captioning, store
        self._leave, self._leave_at_once = leave, leave_at_once
        self.under_way = False
        self._patience = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        self._patience.timeout.connect(self._give_up)
        self._haste = QTimer(self, interval=HURRY_MS)
        self._haste.timeout.connect(captioning.hurry)

    def request(self) -> None:
        """Flush, save, leave. Asking again changes nothing."""
        if self.under_way:
            return
        self.under_way = True
        self.begun.emit()
        self._patience.start()
        self._haste.start()
        self._captioning.idle.connect(self._go)
        self._captioning.stop()

    def interrupted(self, number: int) -> None:
        """Ctrl-C or SIGTERM: the first asks, the second leaves at once."""
        if self.under_way:
            self._captioning.abort()
            self._store.flush()
            self._leave_at_once(128 + number)
        else:
            self.request()

    def _go(self) -> None:
        self._patience.stop()
        self._haste.stop()
        self._store.flush()
        self._leave(0)

    def _give_up(self) -> None:
        self._captioning.abort()
        self._store.flush()
        self._leave(1)
