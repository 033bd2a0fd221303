"""A screen that is written to on a thread of its own, so that a reader can hold up no caption.

A terminal that Ctrl-S has stopped and a pipe that nobody empties block whoever writes; here that
is a thread that nothing waits for. What it writes to are streams of its own on the same files:
otherwise the end of the process would wait for the lock that the blocked write holds. Knows
nothing of what is shown.
"""

from __future__ import annotations

import io
import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TextIO

from app.cli.terminal import Screen
from app.session.events import SessionEvent

log = logging.getLogger(__name__)


def own(stream: TextIO | None) -> TextIO:
    """A stream on the same file that shares no lock and no buffer with this one.

    The stream itself where that is no file of the system; what is closed goes nowhere.
    """
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    try:
        return open(os.dup(stream.fileno()), "w", encoding=stream.encoding, errors=stream.errors)  # noqa: PTH123
    except (OSError, ValueError, io.UnsupportedOperation):
        return stream


class Showing:
    """Like a Screen, but returns at once and raises nothing."""

    def __init__(self, screen: Screen) -> None:
        self.trouble: OSError | None = None  # why nothing is shown any more
        self._screen = screen
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._done = 0  # jobs
        self._thread = threading.Thread(target=self._work, daemon=True, name="screen")
        self._thread.start()

    def show(self, event: SessionEvent) -> None:
        self._jobs.put(partial(self._show, event))

    def tell(self, message: str) -> None:
        self._jobs.put(partial(self._tell, message))

    def close(self) -> None:
        """Leave the cursor on a fresh line, once all the rest has been shown."""
        self._jobs.put(self._close)

    def finish(self, patient: Callable[[], bool], patience_s: float = 2.0) -> bool:
        """Wait until everything has been shown; whether it has.

        As long as it takes while somebody is `patient()`, then for as long as the reader takes
        something at least every `patience_s`.
        """
        self._jobs.put(None)
        done, since = self._done, time.monotonic()
        while self._thread.is_alive():
            self._thread.join(0.05)
            if self._done != done or patient():
                done, since = self._done, time.monotonic()
            elif time.monotonic() - since > patience_s:
                return False
        return True

    # --- the screen's thread ---------------------------------------------------------------

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except OSError as error:
                log.info("nothing can be told any more: %s", error)
            except Exception:  # a word that cannot be shown must not hide the next
                log.exception("screen")
            self._done += 1

    def _show(self, event: SessionEvent) -> None:
        if self.trouble is None:
            self._guarded(partial(self._screen.show, event))

    def _tell(self, message: str) -> None:
        try:
            self._screen.tell(message)
        except OSError as error:  # of the captions, which made way for it: still to be told
            self.trouble = self.trouble or error
            self._screen.tell(message)

    def _close(self) -> None:
        if self.trouble is None:
            self._guarded(self._screen.close)

    def _guarded(self, show: Callable[[], None]) -> None:
        try:
            show()
        except OSError as error:
            self.trouble = error
