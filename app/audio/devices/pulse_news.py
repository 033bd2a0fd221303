"""What changes on a PulseAudio or PipeWire server: told by the server, so that nobody polls.

Knows nothing of recordings: whoever wants to know what is there now is handed the connection.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

log = logging.getLogger(__name__)

_PATIENCE_S = 1.0  # a stop that came between two listenings is noticed after this


def _nothing() -> None:
    pass


class News:
    """Calls `look` in a thread of its own: once at first, and after every change, until `close()`.

    `look` is handed a connection (`pulsectl.Pulse`) that it may ask. The thread ends by itself
    with the server, or when there is none; then `gone` is called.
    """

    def __init__(
        self,
        of: str | Sequence[str],
        look: Callable[[Any], None],
        gone: Callable[[], None] = _nothing,
        *,
        every_second: bool = False,
    ) -> None:
        """`of`: "server" (the defaults), "source" and "sink" (what is there, and is it muted) or
        "sink_input" (who plays what), as pulsectl names them. `every_second`: `look` also while
        nothing changes, for whoever has no other sign that the server lives.

        Returns at once.
        """
        self._of = (of,) if isinstance(of, str) else of
        self._look, self._gone = look, gone
        self._every_second = every_second
        self._over = False
        self._again = threading.Event()  # something has changed since the last look
        self._guard = threading.Lock()
        self._server: Any = None  # while it listens
        threading.Thread(target=self._work, daemon=True, name="sound server's news").start()

    def look_again(self) -> None:
        """Have `look` called though the server has told nothing. From any thread."""
        self._again.set()
        with self._guard:
            if self._server is not None:
                self._server.event_listen_stop()

    def close(self) -> None:
        """No call of `look` begins after this; waits for nothing."""
        self._over = True
        self.look_again()

    def _work(self) -> None:
        import pulsectl

        try:
            with pulsectl.Pulse("Voxline", connect=False) as server:
                server.connect()
                self._listen(server)
        except (pulsectl.PulseError, pulsectl.PulseDisconnected):
            pass  # it has gone
        except Exception:
            log.exception("the sound server's news")
        if not self._over:
            self._gone()

    def _listen(self, server: Any) -> None:
        server.event_mask_set(*self._of)
        server.event_callback_set(self._changed)
        self._again.set()
        self._server = server
        try:
            while not self._over:
                if self._again.is_set():
                    self._again.clear()
                    self._look(server)
                else:
                    server.event_listen(_PATIENCE_S)
                    if self._every_second:
                        self._again.set()
        finally:
            with self._guard:  # it is about to be closed: nobody must touch it
                self._server = None

    def _changed(self, event: object) -> None:
        """Nothing may be asked from in here."""
        import pulsectl

        self._again.set()
        raise pulsectl.PulseLoopStop
