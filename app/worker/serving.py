"""A client whose lanes come and go: one engine heard by many, one lane for each of them.

Everything else is `EngineClient`. Knows nothing of networks, nor of who speaks on a lane.
"""

from __future__ import annotations

from app.worker.client import EngineClient


class ServingClient(EngineClient):
    """A lane's name is used once: from `enter()`, if that is needed at all, to `leave()`."""

    def enter(self, lane: str, language: str | None) -> None:
        """Before a lane's first sound: its language (ISO 639-1); None: the engine finds out."""
        with self._changed:
            self._outgoing.enter(lane, language)
        self._bell.ring()

    def leave(self, lane: str) -> None:
        """No sound comes on the lane any more. When all of it is out, `Left` is delivered."""
        with self._changed:
            self._buffer.push_leave(lane)
        self._bell.ring()
