"""A session whose words were heard before: what the windows need of one, said when it is told to.

Knows nothing of sound, engines or windows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.core.timeline import Gap, Timeline
from app.core.voices import ME
from app.session.events import SessionEvent
from app.session.status import Stage, Status
from model_backends.base import Tail, Word
from model_backends.scripted import INFO


class PlayedSession:
    """`say()` puts events in and wakes whoever pumps."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self.info = INFO
        self.delay_ms = INFO.default_delay_ms
        self.source_name = "Recorded speech"
        self.source_is_away = False
        self.voices: tuple[str, ...] = (ME,)
        self.status = Status(Stage.IDLE)
        self.level = 0.0
        self.levels: Mapping[str, float] = {}
        self.sounds = True
        self.timeline = Timeline()
        self._wake = wake
        self._waiting: list[SessionEvent] = []

    def say(self, *events: SessionEvent) -> None:
        """Report these at the next pump."""
        self._waiting += events
        self._wake()

    @property
    def waiting(self) -> bool:
        """Whether something was said that nobody has pumped yet."""
        return bool(self._waiting)

    @property
    def over(self) -> bool:
        return self.status.stage.over

    def pump(self) -> list[SessionEvent]:
        """What was said since the last."""
        events, self._waiting = self._waiting, []
        for event in events:
            if isinstance(event, Status):
                self.status = event
            elif isinstance(event, (Word, Gap, Tail)):
                self.timeline.add(event)
        return events

    def start(self) -> None:
        """It is heard by being told."""
