"""The captions page: captions on a phone, a second screen or in OBS, from this computer.

A small server of its own with a key of its own: who reads captions there cannot use the engine.
It listens on this computer alone unless the local network was asked for. Nothing is sent but the
page and committed words.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from http import HTTPStatus
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection

from app.share.broadcast import Broadcast
from app.share.door import Door, Guard, Refusal
from app.share.outbox import Outbox
from app.share.web import open_door, page_file, refused
from model_backends.base import Sentence

DEFAULT_PORT = 8422
MOST_SCREENS = 32
IN_THE_NETWORK = Sentence(
    "Everybody who has this address can read the captions from your local network for as long as "
    "the page is on. They are not encrypted on the way: use it only in a network that you trust."
)
_ANOTHER_PORT = Sentence(
    "Perhaps another Voxline shows a page there: end that, or choose a port with "
    "`voxline listen --page-port`."
)
_HELLO_S = 10.0
_MOST_FRAMES = 100  # of a screen: reading more would cost the app its time
_WAITING_ITEMS = 4_000  # more than all that is kept
_FILES = {"/": "index.html", "/page.css": "page.css", "/page.js": "page.js",
          "/icon.svg": "../icon.svg"}  # fmt: skip


class Page:
    """From `start()` to `close()`. Raises PortError from the constructor."""

    def __init__(
        self,
        broadcast: Broadcast,
        key: str,
        port: int = DEFAULT_PORT,
        network: bool = False,
    ) -> None:
        """`network`: whoever is in the local network reaches it."""
        self._broadcast = broadcast
        self._key = key
        self.network = network
        self._door = Door("0.0.0.0" if network else "127.0.0.1", port, _ANOTHER_PORT)
        self.port = self._door.port
        self._guard = Guard(self.port, key, _own_names() if network else ())
        self._lock = threading.Lock()
        self._screens: set[Outbox] = set()
        self._closed = False
        self._server: Server | None = None

    @property
    def address(self) -> str:
        """What to open; holds the key."""
        host = network_address() if self.network else "127.0.0.1"
        return f"http://{host}:{self.port}/#key={self._key}"

    @property
    def obs_address(self) -> str:
        """For a browser source of OBS on this computer: two lines on nothing."""
        return f"http://127.0.0.1:{self.port}/#obs=1&style=clear&lines=2&key={self._key}"

    @property
    def screens(self) -> int:
        """How many show it now."""
        return len(self._screens)

    def start(self) -> None:
        self._server = open_door(self._door, self._serve, self._answer, 4_096)

    def close(self, patience_s: float = 0.0) -> None:
        """Let everybody go. Waits so long at most for the last words to be out: where the process
        ends next, nobody else would send them."""
        with self._lock:
            self._closed = True
            screens = list(self._screens)
        for screen in screens:
            screen.hang_up(1001, "the page was switched off")
        self._door.close()  # now: another page may want the port
        if self._server is not None:
            threading.Thread(target=self._server.shutdown, args=(False,), daemon=True).start()
        until = time.monotonic() + patience_s
        for screen in screens:
            screen.wait(until - time.monotonic())

    # --- requests --------------------------------------------------------------------------

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        headers, path = request.headers, urlsplit(request.path).path
        refusal = self._guard.place(headers.get_all)
        if refusal is None and path in _FILES:
            return page_file(_FILES[path], headers)
        if refusal is None and path != "/captions":
            refusal = Refusal(HTTPStatus.NOT_FOUND, "There is nothing here.")
        refusal = refusal or self._guard.holder(headers.get_all)
        if refusal is not None:
            return refused(refusal)
        self._door.known(connection.socket)
        return None

    def _serve(self, connection: ServerConnection) -> None:
        outbox = Outbox(connection, _WAITING_ITEMS)
        tell = outbox.say
        try:
            if not self._admit(outbox):
                outbox.hang_up(1013, "too many screens")
                return
            self._broadcast.join(tell, *_hello(connection.recv(_HELLO_S)))
            for count, _ in enumerate(connection):  # a screen has nothing more to say
                if count >= _MOST_FRAMES:
                    outbox.hang_up(1008, "a screen only listens")
                    return
        except (ConnectionClosed, TimeoutError):
            pass
        finally:
            self._broadcast.leave(tell)
            with self._lock:
                self._screens.discard(outbox)
            outbox.hang_up(1000, "")
            outbox.finish(5.0)

    def _admit(self, outbox: Outbox) -> bool:
        with self._lock:
            if self._closed or len(self._screens) >= MOST_SCREENS:
                return False
            self._screens.add(outbox)
        return True


def _hello(text: str | bytes) -> tuple[object, object, str]:
    """What a screen has already, whose numbers and the last of them; and its reader's language."""
    try:
        told = json.loads(text)
        return told.get("run"), told.get("after"), str(told.get("language", ""))
    except (ValueError, RecursionError, AttributeError):
        return None, None, ""


def network_address() -> str:
    """This computer's address in the local network; no packet is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation: where it would go
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def _own_names() -> tuple[str, ...]:
    name = socket.gethostname()
    return name, f"{name.split('.')[0]}.local"
