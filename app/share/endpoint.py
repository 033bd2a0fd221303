"""The local endpoint: our engine behind `/v1/realtime`, for programs and pages on this computer.

`GET /health` and `/v1/models` besides, and the page that speaks to it. Only who has the key comes
in. Nothing here runs unless the user asked for it.
"""

from __future__ import annotations

import logging
import threading
import time
from http import HTTPStatus
from urllib.parse import urlsplit

from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection

from app.share.caller import Caller
from app.share.door import Door, Guard, Refusal
from app.share.hub import Hub
from app.share.realtime.conversation import OVERLOADED
from app.share.realtime.speaker import Serving
from app.share.web import open_door, page_file, refused, told
from model_backends.base import Sentence, UserError

log = logging.getLogger(__name__)

PATH = "/v1/realtime"
LARGEST_FRAME = 4 << 20  # bytes; a minute of sound at 24 kHz
_SPARE_CALLERS = 8  # connections that do not speak yet, besides the streams
_ANOTHER_PORT = Sentence("Choose another with --port; 0 takes any that is free.")
_PAGES = {"/speak": "speak.html", "/speak.js": "speak.js", "/recorder.js": "recorder.js",
          "/page.css": "page.css", "/icon.svg": "../icon.svg"}  # fmt: skip


class Endpoint:
    """From `start()` to `drain()`. Raises PortError from the constructor."""

    def __init__(self, hub: Hub, serving: Serving, key: str, host: str, port: int) -> None:
        self._hub = hub
        self._serving = serving
        self._door = Door(host, port, _ANOTHER_PORT)
        self.port = self._door.port
        self._guard = Guard(self.port, key)
        self._lock = threading.Lock()
        self._callers: set[Caller] = set()
        self._draining = False
        self._server: Server | None = None

    def start(self) -> None:
        """Let callers in; returns at once."""
        self._server = open_door(self._door, self._serve, self._answer, LARGEST_FRAME)

    @property
    def callers(self) -> int:
        with self._lock:
            return len(self._callers)

    def drain(self, timeout: float) -> bool:
        """Let nobody in; let those who speak finish; whether all their words are out."""
        ends = time.monotonic() + timeout
        with self._lock:
            self._draining = True
            callers = list(self._callers)
        if self._server is not None:
            threading.Thread(target=self._server.shutdown, args=(False,), daemon=True).start()
        for caller in callers:
            caller.drain()
        drained = [caller.wait_drained(ends - time.monotonic()) for caller in callers]
        while self.callers and time.monotonic() < ends + 1:
            time.sleep(0.02)
        return all(drained)

    def lose_engine(self, error: UserError) -> None:
        """Tell everybody that there is no engine any more."""
        with self._lock:
            self._draining = True
            callers = list(self._callers)
        for caller in callers:
            caller.lose_engine(f"{error.message} {error.hint}".strip())
        self.drain(2.0)

    # --- requests --------------------------------------------------------------------------

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """An answer without a WebSocket, or None for one."""
        headers, path = request.headers, urlsplit(request.path).path
        refusal = self._guard.place(headers.get_all)
        if refusal is None and path in _PAGES:
            return page_file(_PAGES[path], headers)
        if refusal is None and path not in (PATH, "/health", "/v1/models"):
            refusal = Refusal(HTTPStatus.NOT_FOUND, "There is nothing here.")
        if refusal is None and path != "/health":
            refusal = self._guard.holder(headers.get_all)
        if refusal is not None:
            return refused(refusal)
        self._door.known(connection.socket)
        if path == "/health":
            return told(HTTPStatus.OK, {"status": "ok", "streams": self._hub.streams})
        if path == "/v1/models":
            return told(HTTPStatus.OK, self._models())
        return None

    def _models(self) -> dict[str, object]:
        row = {"id": self._serving.model, "object": "model", "created": 0, "owned_by": "voxline"}
        return {"object": "list", "data": [row]}

    def _serve(self, connection: ServerConnection) -> None:
        caller = Caller(connection, self._hub, self._serving)
        with self._lock:
            full = self._draining or len(self._callers) >= self._hub.most + _SPARE_CALLERS
            if not full:
                self._callers.add(caller)
        if full:
            caller.refuse("This endpoint has as many callers as it takes.", OVERLOADED)
            return
        try:
            caller.run()
        finally:
            with self._lock:
                self._callers.discard(caller)
