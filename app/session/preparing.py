"""An engine that is loaded before the session that will use it, beside the one that runs.

Loading may take a minute, and may fail: so long the session that runs listens on, and keeps every
word. The worker is then handed to the next session, loaded. Knows nothing of who asks for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from app.session.start import resolved, start_message
from app.worker import messages as m
from app.worker.client import ClientEvent, EngineClient
from model_backends.base import EngineOptions, UserError

log = logging.getLogger(__name__)


class Preparation:
    """One engine being loaded. `client`: what the next session's client takes the worker from."""

    def __init__(self, options: EngineOptions, settled: Callable[[UserError | None], None]) -> None:
        """`settled` is called once, from a thread of its own: with None when the engine is loaded,
        or with what went wrong. Raises UserError for a choice that cannot work."""
        self._settled, self._told = settled, False
        self.client = EngineClient(start_message(resolved(options)[1]), self._take)

    def start(self) -> None:
        """Load; returns at once."""
        self.client.start()

    def hand_over(self) -> None:
        """The session that is to have the worker has been made: let it go there."""
        self.client.finish()

    def close(self) -> None:
        """Nobody wants it any more; a worker that was promised to a session stays with that."""
        self._told = True
        self.client.kill()

    def _take(self, event: ClientEvent) -> None:
        if self._told:
            return
        if isinstance(event, m.Ready):
            self._tell(None)
        elif isinstance(event, m.Failure):
            self._tell(UserError(event.message, event.hint))

    def _tell(self, outcome: UserError | None) -> None:
        self._told = True
        log.info("an engine was loaded ahead: %s", outcome or "ready")
        self._settled(outcome)
