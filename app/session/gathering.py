"""What a capture says of every block, told a few times a second: until when was heard, how loud.

Blocks come thirty times a second, and each would wake the session's thread twice for numbers that
nobody reads more often than a meter moves. What is news of its own is never kept back: the first
sound, sound that does not follow the sound before, all that is neither sound nor its loudness; what
was gathered goes before it. Knows no thread and no clock: time is that of the sound.
"""

from __future__ import annotations

from app.audio.listening import Level, SoundState
from app.core.timeline import Gap
from app.session.events import Heard

TOLD_MS = 200  # of sound, at least, from one telling to the next
_ROUNDING_MS = 2  # by which the end of a chunk may lie beside the beginning of the next

Told = Level | SoundState | Gap | Heard


class Gathering:
    """Of one capture."""

    def __init__(self) -> None:
        self._heard: Heard | None = None  # not told yet
        self._until_ms: int | None = None  # up to which sound has come
        self._level: Level | None = None  # the loudest block since the last one that was told
        self._any_level = False

    def take(self, event: Told) -> list[Told]:
        """What is to be told, now that this has happened; in order."""
        if isinstance(event, Level):
            return self._loud(event)
        if not isinstance(event, Heard):
            return [*self.rest(), event]
        before_ms, self._until_ms = self._until_ms, event.end_ms
        if before_ms is None or abs(event.start_ms - before_ms) > _ROUNDING_MS:
            return [*self.rest(), event]
        begun_ms = self._heard.start_ms if self._heard else event.start_ms
        self._heard = Heard(begun_ms, event.end_ms)
        return self.rest() if event.end_ms - begun_ms >= TOLD_MS else []

    def rest(self) -> list[Told]:
        """What has not been told yet."""
        rest: list[Told] = [told for told in (self._heard, self._level) if told is not None]
        self._heard = self._level = None
        return rest

    def _loud(self, level: Level) -> list[Told]:
        if not self._any_level:
            self._any_level = True
            return [level]
        if self._level is None or level.rms > self._level.rms:
            self._level = level
        return []
