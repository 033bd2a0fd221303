"""The delay that was chosen, and the one at which voices are heard: an engine that this computer
carries only with more time takes it, and says so. What is shown is what acts. Pure.
"""

from __future__ import annotations

from collections.abc import Collection

from app.worker.messages import DelayRefused
from model_backends.base import Acting


class Delays:
    """Of one session's captions, in milliseconds."""

    def __init__(self, chosen_ms: int) -> None:
        self.chosen_ms = chosen_ms
        self._acting: dict[str, int] = {}  # by lane, where the engine has said so

    def shown_ms(self, lanes: Collection[str]) -> int:
        """The longest at which one of these lanes is heard."""
        acting = [ms for lane, ms in self._acting.items() if lane in lanes]
        return max(acting, default=self.chosen_ms)

    def choose(self, ms: int) -> bool:
        """The user wants this one. Whether the engine has to be told: it is tried anew."""
        news = ms != self.chosen_ms or bool(self._acting)
        self.chosen_ms = ms
        self._acting.clear()
        return news

    def refuse(self, refusal: DelayRefused) -> bool:
        """The engine stays with another; whether that is news, and not about an older choice."""
        if refusal.refused_ms != self.chosen_ms:
            return False
        self.chosen_ms = refusal.kept_ms
        return True

    def act(self, acting: Acting) -> None:
        """The engine has taken another by itself, on the captions' track."""
        if acting.track == 0:
            self._acting[acting.lane] = acting.ms

    def begin_anew(self) -> None:
        """Another worker: it finds out for itself."""
        self._acting.clear()
