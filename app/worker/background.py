"""A client whose worker hears with nobody waiting: it gives way, and can be told to stand still.

Knows nothing of captions: whoever has both says when they come first.
"""

from __future__ import annotations

from collections.abc import Callable

from app.worker import messages as m
from app.worker.client import ClientEvent, EngineClient
from app.worker.watchdog import Patience

# it may get a hundredth of a processor for minutes, and is well
_PATIENCE = Patience(
    silent_s=600, loading_silent_s=900, stuck_s=900, loading_stuck_s=1800, step_s=7200
)


class BackgroundClient(EngineClient):
    """Its `start` has `background` set, and is not `realtime`."""

    def __init__(self, start: m.Start, deliver: Callable[[ClientEvent], None]) -> None:
        super().__init__(start, deliver, patience=_PATIENCE)

    def hold(self, held: bool) -> None:
        """Hear nothing more for now, or go on; what comes meanwhile waits here."""
        with self._changed:
            self._outgoing.held = held
        self._bell.ring()
