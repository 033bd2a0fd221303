"""The sessions of the past beside the one that runs: their window, and what is done by the clock.

The window is made when it is first asked for. What is older than the user wishes is deleted at the
start and four times a day, as is what was deleted in a window that is no more.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from app.session.library import UNDO_MS, Library
from app.ui.sessions.anew import BeginAnew
from app.ui.sessions.imports import Imports
from app.ui.state.background import in_background

if TYPE_CHECKING:
    from app.ui.sessions.window import SessionsWindow
    from app.ui.state.captioning import Captioning
    from app.ui.state.settings_store import SettingsStore

log = logging.getLogger(__name__)

_EVERY_MS = 6 * 3_600_000


class Sessions(QObject):
    """One for the whole run."""

    def __init__(self, captioning: Captioning, store: SettingsStore, parent: QObject) -> None:
        super().__init__(parent)
        self._store = store
        self._library = Library()
        self.window: SessionsWindow | None = None
        self._clock = QTimer(self, interval=_EVERY_MS)
        self._clock.timeout.connect(self._tidy)
        self.imports = Imports(lambda: store.settings.engine_options, self._library, self)
        self.anew = BeginAnew(captioning, parent=self)
        captioning.saved.connect(lambda _: self.look())

    def open(self) -> SessionsWindow:
        """Show the window."""
        if self.window is None:
            from app.ui.sessions.window import SessionsWindow

            self.window = SessionsWindow(self._library, self._keeps, self.imports)
        self.window.come_forward()
        return self.window

    def import_files(self, files: Sequence[Path]) -> None:
        """Files that were dropped on another window."""
        self.open().import_files(files)

    def _keeps(self) -> bool:
        return self._store.settings.keep_transcripts

    def keep_up(self) -> None:
        """Delete what is to be deleted by now, and from now on in time."""
        self._clock.start()
        self._tidy()

    def _tidy(self) -> None:
        days = self._store.settings.keep_days

        def tidy() -> None:
            self._library.purge(UNDO_MS)
            self._library.expire(days)  # 0: looks at the clock

        in_background(tidy, lambda _: self.look(), _log_failure, owner=self)

    def look(self) -> None:
        """Something has changed: what is shown is to be true."""
        if self.window is not None and self.window.isVisible():
            self.window.look()


def _log_failure(error: Exception) -> None:
    """Of a library that cannot be used it is told where it is used."""
    log.warning("the library could not be tidied: %s", error)
