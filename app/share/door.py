"""Whom a server of ours lets in: how many at once, by which name, from which page, with which key.

`Door` is the listening socket: it takes so many unfinished handshakes at a time and lets the
oldest go for the newest, so that a thousand callers who say nothing cost as much as a few, and
keep nobody out. `Guard` reads a request: a name that is not ours (a rebound domain), a page that
is not ours, a missing key. Knows no protocol beyond a request's headers.
"""

from __future__ import annotations

import base64
import errno
import ipaddress
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from app.share.key import same
from model_backends.base import Sentence, UserError

MOST_PENDING = 64
HANDSHAKE_S = 5.0
_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
# how a page hands over its key, since it cannot set a header: as OpenAI's do, and ours
_KEY_PROTOCOLS = ("openai-insecure-api-key.", "voxline-key.")


class PortError(UserError):
    """A server cannot listen where it was asked to."""


class Door(socket.socket):
    """A listening socket for `websockets`' server."""

    def __init__(self, host: str, port: int, advice: str) -> None:
        """Raises PortError; `advice`: what to do about a port that is taken."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__(family, socket.SOCK_STREAM)
        try:
            if socket.has_dualstack_ipv6() and family == socket.AF_INET6:
                self.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            _claim(self)
            self.bind((host, port))
            self.listen(128)
        except OSError as error:
            self.close()
            raise PortError(
                Sentence(
                    "Port {port} of {host} cannot be used: {reason}.",
                    port=port, host=host, reason=error.strerror or str(error),
                ),
                advice,
            ) from error  # fmt: skip
        self._pending: deque[socket.socket] = deque()
        self._lock = threading.Lock()

    @property
    def port(self) -> int:
        return int(self.getsockname()[1])

    def accept(self) -> tuple[socket.socket, Any]:
        """The next caller. OSError only once the door is closed."""
        while True:
            try:
                caller, address = super().accept()
            except OSError as error:
                if error.errno in _NO_ROOM or isinstance(error, ConnectionError):
                    time.sleep(0.05)  # the caller waits at the door until somebody has left
                    continue
                raise
            caller.settimeout(None)
            self._admit(caller)
            return caller, address

    def known(self, caller: socket.socket) -> None:
        """This one's handshake is done."""
        with self._lock:
            if caller in self._pending:
                self._pending.remove(caller)

    def _admit(self, caller: socket.socket) -> None:
        with self._lock:
            self._pending = deque(each for each in self._pending if each.fileno() != -1)
            if len(self._pending) >= MOST_PENDING:
                _hang_up(self._pending.popleft())
            self._pending.append(caller)


def _claim(listening: socket.socket) -> None:
    """Our own port again right after we left it; never one that another program has."""
    if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows, where the other option would steal it
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)


def _hang_up(caller: socket.socket) -> None:
    try:
        caller.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it has gone


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered."""

    status: HTTPStatus
    why: str


class Guard:
    """Judges requests to one server."""

    def __init__(self, port: int, key: str, names: Iterable[str] = ()) -> None:
        """`names`: of this computer besides "localhost" and its addresses."""
        self._port = port
        self._key = key
        self._names = {"localhost", *(name.lower() for name in names)}

    def place(self, header: Callable[[str], list[str]]) -> Refusal | None:
        """Whether it was meant for us: `Host` and `Origin`. `header` gives all of a name's."""
        hosts, origins = header("Host"), header("Origin")
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            return Refusal(HTTPStatus.MISDIRECTED_REQUEST, "This is not the host you asked for.")
        if any(not self._is_our_page(origin, hosts[0]) for origin in origins):
            return Refusal(HTTPStatus.FORBIDDEN, "Pages of other origins are not served.")
        return None

    def holder(self, header: Callable[[str], list[str]]) -> Refusal | None:
        """Whether the caller has the key."""
        given = [_shown(value) for value in header("Authorization")]
        given += [
            part.strip().removeprefix(kind)
            for value in header("Sec-WebSocket-Protocol")
            for part in value.split(",")
            for kind in _KEY_PROTOCOLS
            if part.strip().startswith(kind)
        ]
        if any(same(each.strip(), self._key) for each in given):
            return None
        return Refusal(HTTPStatus.UNAUTHORIZED, "The key is missing or wrong.")

    def _is_ours(self, host: str) -> bool:
        """An address, or a name of this computer, with our port: a domain that somebody has
        pointed here is neither."""
        try:
            parts = urlsplit(f"//{host}")
            name, port = (parts.hostname or "").lower(), parts.port or 80
        except ValueError:
            return False
        if parts.path or parts.query or parts.fragment or parts.username is not None:
            return False
        return port == self._port and (name in self._names or _is_address(name))

    def _is_our_page(self, origin: str, host: str) -> bool:
        return origin.lower() == f"http://{host.lower()}"


def _shown(authorization: str) -> str:
    """The key in a header: a bearer's, or the password of a client that can be told nothing but
    an address (`ws://any:KEY@host`); "" for none."""
    kind, _, value = authorization.partition(" ")
    if kind.lower() == "bearer":
        return value
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
