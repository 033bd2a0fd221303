"""One WebSocket: opened, read and written by threads of its own, so that nobody waits for it.

What happens comes to `tell` as Opened, Received and lost.Lost, in order, from these threads.
Knows nothing about dialects or sound.
"""

from __future__ import annotations

import logging
import queue
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from model_backends.remote.addresses import Address
from model_backends.remote.servers import Lost
from model_backends.remote.wire import Credentials, answered, unreachable

_MOST_BYTES = 16 << 20  # of one frame, as vLLM has it
_CLOSE_S = 1.0
_TRY_AGAIN = 1013
log = logging.getLogger("websockets.voxline")
log.setLevel(logging.CRITICAL)  # at its chattiest the library logs headers, and so the key


@dataclass(frozen=True, slots=True)
class Opened:
    """The connection stands."""


@dataclass(frozen=True, slots=True)
class Received:
    """A text frame."""

    frame: str


Happening: TypeAlias = Opened | Received | Lost


class ElsewhereError(Exception):
    """The server wants to send us to another, which the user has not agreed to."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(status)
        self.lost = answered(status, headers)


class Staying(ClientConnection):
    """A connection that follows no redirect."""

    def handshake(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().handshake(*args, **kwargs)
        except InvalidStatus as error:
            status = error.response.status_code
            if 300 <= status < 400:
                raise ElsewhereError(status, error.response.headers) from error
            raise


class Connection:
    """Connects from the beginning; `send()` and `drop()` never block."""

    def __init__(
        self,
        address: Address,
        has: Credentials,
        tell: Callable[[Happening], None],
        open_timeout_s: float,
    ) -> None:
        self._address = address
        self._has = has
        self._tell = tell
        self._timeout_s = open_timeout_s
        self._outbox: queue.SimpleQueue[tuple[str, ...] | None] = queue.SimpleQueue()
        self._writing_since: float | None = None
        self._socket: ClientConnection | None = None
        self._dropped = False
        threading.Thread(target=self._run, daemon=True, name="server").start()

    def send(self, frames: tuple[str, ...]) -> None:
        """Send these, in order, after what was sent before."""
        self._outbox.put(frames)

    def stuck_s(self, now: float) -> float:
        """How long the network has not taken what we want to send (monotonic seconds)."""
        since = self._writing_since
        return 0.0 if since is None else now - since

    def drop(self) -> None:
        """Close it, and tell nothing more."""
        self._dropped = True
        self._outbox.put(None)
        threading.Thread(target=self._close, daemon=True, name="server, closing").start()

    # --- threads ---------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            with connect(
                self._address.url,
                ssl=self._has.trust,
                additional_headers=self._has.headers,
                user_agent_header="Voxline",
                proxy=None if self._address.loopback else True,
                compression=None,
                open_timeout=self._timeout_s,
                close_timeout=_CLOSE_S,
                max_size=_MOST_BYTES,
                max_queue=None,
                logger=log,
                create_connection=Staying,
            ) as opened:
                self._use(opened)
            lost = Lost("closed")
        except Exception as error:
            lost = _why(error)
        self._say(lost)
        self._outbox.put(None)

    def _use(self, opened: ClientConnection) -> None:
        self._socket = opened
        if self._dropped:
            return
        self._say(Opened())
        threading.Thread(target=self._write, args=(opened,), daemon=True, name="server out").start()
        for frame in opened:
            if isinstance(frame, str):
                self._say(Received(frame))

    def _write(self, opened: ClientConnection) -> None:
        while (frames := self._outbox.get()) is not None:
            self._writing_since = time.monotonic()
            try:
                for frame in frames:
                    opened.send(frame)
            except Exception:  # whoever reads sees that it is closed, and says so
                return
            finally:
                self._writing_since = None

    def _close(self) -> None:
        opened = self._socket
        if opened is None:
            return
        if self.stuck_s(time.monotonic()) > _CLOSE_S:  # who closes in good order must write, too
            try:
                opened.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it is closed
        opened.close()

    def _say(self, happening: Happening) -> None:
        if not self._dropped:
            self._tell(happening)


def _why(error: Exception) -> Lost:
    if isinstance(error, ConnectionClosed):
        code = error.rcvd.code if error.rcvd is not None else 1006
        reason = error.rcvd.reason if error.rcvd is not None else ""
        return Lost("full" if code == _TRY_AGAIN else "closed", f"{code} {reason}".strip())
    if isinstance(error, ElsewhereError):
        return error.lost
    if isinstance(error, InvalidStatus):
        return answered(error.response.status_code, error.response.headers)
    if isinstance(error, InvalidHandshake):
        return Lost("closed", str(error))
    return unreachable(error)
