"""What is to be sent to one client, on a thread of its own: a client that does not read holds up
nobody else, and is let go when too much waits for it.

Knows no dialect: texts go out in order.
"""

from __future__ import annotations

import queue
import socket
import threading

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection

_REASON_BYTES = 123  # a WebSocket frame of control has 125, two of them for the code

MOST_WAITING = 10_000  # texts; a word takes some 150 bytes


class Outbox:
    """From the handshake to the end of a connection."""

    def __init__(self, connection: ServerConnection, most: int = MOST_WAITING) -> None:
        self._connection = connection
        self._queue: queue.Queue[str | tuple[int, str]] = queue.Queue()
        self._most = most
        self._thread = threading.Thread(target=self._send, daemon=True, name="to client")
        self._thread.start()

    def say(self, text: str) -> None:
        """Send this; never waits."""
        if self._queue.qsize() >= self._most:
            self.cut()
            return
        self._queue.put(text)

    @property
    def empty(self) -> bool:
        """Nothing waits to be sent."""
        return self._queue.empty()

    def hang_up(self, code: int, reason: str) -> None:
        """End the connection once all that was said before is out."""
        self._queue.put((code, reason))

    def wait(self, timeout: float) -> None:
        """Until that is done, so long at most."""
        self._thread.join(max(timeout, 0.0))

    def finish(self, timeout: float) -> None:
        """Wait for that; then cut it."""
        self.wait(timeout)
        if self._thread.is_alive():
            self.cut()

    def cut(self) -> None:
        """End it now, whoever is stuck in it."""
        try:
            self._connection.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended

    def _send(self) -> None:
        try:
            while isinstance(each := self._queue.get(), str):
                self._connection.send(each)
            code, reason = each
            cut = reason.encode()[:_REASON_BYTES].decode(errors="ignore")
            self._connection.close(code, cut)
        except ConnectionClosed:
            pass
