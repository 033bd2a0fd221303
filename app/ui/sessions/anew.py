"""Begins another session by itself once nobody has spoken for long: a day is not one session.

The one before listens until the new one does, as with "New session", so no word falls between.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from app.audio.choice import MediaFile, from_text
from app.session.status import Stage, Status
from app.ui.state.captioning import Captioning

SILENCE_MS = 20 * 60_000


class BeginAnew(QObject):
    """Follows one captioning."""

    def __init__(
        self, captioning: Captioning, silence_ms: int = SILENCE_MS, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._captioning = captioning
        self._silence = QTimer(self, singleShot=True, interval=silence_ms)
        self._due = False  # as soon as it listens: whoever has paused does not want to be heard
        self._silence.timeout.connect(self._silent)
        captioning.word.connect(lambda _: self._spoken())
        captioning.session_changed.connect(lambda _: self._forget())
        captioning.status.connect(self._take_status)

    def _spoken(self) -> None:
        self._due = False
        self._silence.start()

    def _forget(self) -> None:
        """Nothing has been said in this session: it is as good as new."""
        self._due = False
        self._silence.stop()

    def _silent(self) -> None:
        self._due = True
        self._take_status(self._captioning.last_status)

    def _take_status(self, status: Status) -> None:
        if status.stage.ending:
            self._forget()
        if not self._due or status.stage in (Stage.PAUSED, Stage.STARTING):
            return
        self._forget()
        if not isinstance(from_text(self._captioning.source), MediaFile):  # it has one end
            self._captioning.start_another()
