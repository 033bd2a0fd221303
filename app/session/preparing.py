"""An engine that is loaded before the session that will use it, beside the one that runs.

Loading may take a minute, and may fail: so long the session that runs listens on, and keeps every
word. The worker is then handed to the next session, loaded. Where memory does not hold two models
nothing is loaded: whoever asked is told so, and ends the one before first. Knows nothing of who
asks for it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from app import paths
from app.models import room
from app.session.start import resolved, start_message
from app.worker import messages as m
from app.worker.client import ClientEvent, EngineClient
from model_backends.base import EngineOptions, Sentence, UserError

log = logging.getLogger(__name__)


class NoRoomError(UserError):
    """It may well be loaded, but not beside another model."""


class Preparation:
    """One engine being loaded. `client`: what the next session's client takes the worker from.
    `label`: the engine's, for people."""

    def __init__(
        self,
        options: EngineOptions,
        settled: Callable[[UserError | None], None],
        has_room: Callable[[EngineOptions], bool] | None = None,
    ) -> None:
        """`settled` is called once, from a thread of its own: with None when the engine is loaded,
        or with what went wrong: `NoRoomError` where nothing but memory is in the way. Raises
        UserError for a choice that cannot work."""
        self._settled, self._told = settled, False
        info, self._options = resolved(options)
        self.label = info.label
        self._has_room = has_room or _has_room
        self.client = EngineClient(start_message(self._options), self._take)

    def start(self) -> None:
        """Load; returns at once."""
        threading.Thread(target=self._begin, daemon=True, name="engine ahead").start()

    def hand_over(self) -> None:
        """The session that is to have the worker has been made: let it go there."""
        self.client.finish()

    def close(self) -> None:
        """Nobody wants it any more; a worker that was promised to a session stays with that."""
        self._told = True
        self.client.kill()

    def _begin(self) -> None:
        try:
            has_room = self._has_room(self._options)
        except Exception:  # what cannot be judged is tried
            log.exception("looking for memory")
            has_room = True
        if has_room and not self._told:
            self.client.start()
        elif not self._told:
            what = Sentence("There is not enough memory for two models at once.")
            self._tell(NoRoomError(what))

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


def _has_room(options: EngineOptions) -> bool:
    return room.is_there(options, paths.models_dir())
