"""The session that runs now, and what comes after it: the part of the app that never shows.

Windows listen to one `Captioning` for as long as the app runs; the sessions behind it come and
go. A change of settings is followed here: what a running session can take (source, delay) is
passed on, anything else (engine, model, language) ends it, saved, and starts another. There is
one session at a time. Knows no widget, and nothing of sound or engines.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.session.status import Stage, Status
from app.settings import Settings
from app.ui.state.settings_store import SettingsStore
from model_backends.base import UserError

if TYPE_CHECKING:
    from app.core.timeline import Timeline
    from app.ui.state.bridge import SessionBridge
    from model_backends.base import EngineInfo

log = logging.getLogger(__name__)

ENDED = (Stage.STOPPED, Stage.FAILED)
_UNEXPECTED = Status(
    Stage.FAILED, "Captions could not be started.", "The log says why: Help, Open log folder."
)


class Captioning(QObject):
    """Starts, pauses, replaces and ends sessions. All signals come in the UI thread."""

    session_changed = Signal(object)  # the SessionBridge of a new session, before it starts
    word = Signal(object)  # Word
    gap = Signal(object)  # Gap
    status = Signal(object)  # Status
    notice = Signal(object)  # Notice
    saved = Signal(object)  # Saved
    level = Signal(float)  # 0..1
    idle = Signal()  # the session has ended and no other follows

    def __init__(
        self,
        store: SettingsStore,
        open_session: Callable[[Settings], SessionBridge],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._store = store
        self._open_session = open_session
        self._bridge: SessionBridge | None = None
        self._start_another = False
        self.last_status = Status(Stage.IDLE, "Captions are off.")
        store.changed.connect(self._follow)

    @property
    def stage(self) -> Stage:
        return self.last_status.stage

    @property
    def running(self) -> bool:
        """Whether there is a session that has not ended."""
        return self._bridge is not None and self.stage not in ENDED

    @property
    def info(self) -> EngineInfo | None:
        """The engine of the session that runs, or ran last."""
        return self._bridge.session.info if self._bridge else None

    @property
    def timeline(self) -> Timeline | None:
        """What was said in the session that runs, or ran last."""
        return self._bridge.session.timeline if self._bridge else None

    def start(self) -> None:
        """Begin a session with the settings as they are, unless one is running."""
        if not self.running:
            self._begin()

    def toggle_pause(self) -> None:
        """Pause, resume, or start if nothing runs."""
        if not self.running:
            self._begin()
        elif self._bridge and self.stage == Stage.PAUSED:
            self._bridge.resume()
        elif self._bridge and self.stage != Stage.STOPPING:
            self._bridge.pause()

    def start_another(self) -> None:
        """End the session, saved, and begin another."""
        if self.running:
            self._start_another = True
            self._end()
        else:
            self._begin()

    def stop(self) -> None:
        """End the session: flushed, saved, then `idle`. Emits `idle` at once if nothing runs."""
        self._start_another = False
        if self.running:
            self._end()
        else:
            self.idle.emit()

    def abort(self) -> None:
        """Kill whatever runs, now; the journal keeps what was committed."""
        self._start_another = False
        if self._bridge:
            self._bridge.abort()

    def _begin(self) -> None:
        try:
            bridge = self._open_session(self._store.settings)
        except UserError as error:
            self._take_status(Status(Stage.FAILED, error.message, error.hint))
            return
        except Exception:
            log.exception("a session could not be made")
            self._take_status(_UNEXPECTED)
            return
        self._replace(bridge)
        bridge.start()

    def _replace(self, bridge: SessionBridge) -> None:
        if self._bridge:
            self._bridge.disconnect(self)
            self._bridge.deleteLater()
        self._bridge = bridge
        bridge.status.connect(self._take_status)
        bridge.word.connect(self.word)
        bridge.gap.connect(self.gap)
        bridge.notice.connect(self.notice)
        bridge.saved.connect(self.saved)
        bridge.level.connect(self.level)
        self.session_changed.emit(bridge)
        self._take_status(Status(Stage.STARTING, "Starting…"))

    def _end(self) -> None:
        if self._bridge and self.stage != Stage.STOPPING:
            self._bridge.stop()

    def _take_status(self, status: Status) -> None:
        self.last_status = status
        self.status.emit(status)
        if status.stage not in ENDED:
            return
        another, self._start_another = self._start_another, False
        if another:
            self._begin()
        else:
            self.idle.emit()

    def _follow(self, now: Settings, before: Settings) -> None:
        """Make the running session what the settings now say."""
        if not self._bridge or not self.running:
            return
        if (now.engine, now.model, now.language) != (before.engine, before.model, before.language):
            # Whoever paused does not want to be heard: end, and wait for "start".
            self.stop() if self.stage == Stage.PAUSED else self.start_another()
            return
        if now.source != before.source:
            self._bridge.set_source(now.source or None)
        delay_ms = now.delay_ms.get(now.engine)
        if delay_ms is not None and delay_ms != before.delay_ms.get(now.engine):
            self._bridge.set_delay(delay_ms)
