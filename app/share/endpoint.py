"""The local endpoint: our engine behind `/v1/realtime`, for programs and pages on this computer.

`GET /health` and `/v1/models` besides, and the page that speaks to it. Only who has the key comes
in. Nothing here runs unless the user asked for it.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from http import HTTPStatus
from urllib.parse import urlsplit

from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from app.share.caller import Caller
from app.share.door import HANDSHAKE_S, Door, Guard, Refusal
from app.share.hub import Hub
from app.share.realtime.conversation import OVERLOADED
from app.share.realtime.speaker import Serving
from model_backends.base import UserError

log = logging.getLogger(__name__)

PATH = "/v1/realtime"
LARGEST_FRAME = 4 << 20  # bytes; a minute of sound at 24 kHz
_SPARE_CALLERS = 8  # connections that do not speak yet, besides the streams
_SUBPROTOCOL = "realtime"


class Endpoint:
    """From `start()` to `drain()`. Raises PortError from the constructor."""

    def __init__(self, hub: Hub, serving: Serving, key: str, host: str, port: int) -> None:
        self._hub = hub
        self._serving = serving
        self._door = Door(host, port)
        self.port = self._door.port
        self._guard = Guard(self.port, key)
        self._lock = threading.Lock()
        self._callers: set[Caller] = set()
        self._draining = False
        self._server: Server | None = None

    def start(self) -> None:
        """Let callers in; returns at once."""
        self._server = serve(
            self._serve,
            sock=self._door,
            process_request=self._answer,
            select_subprotocol=_subprotocol,  # type: ignore[arg-type]  # any protocol is a text
            compression=None,
            server_header=None,
            open_timeout=HANDSHAKE_S,
            close_timeout=3,
            max_size=LARGEST_FRAME,
            max_queue=(2, 1),
            logger=_QUIET,
        )
        threading.Thread(target=self._server.serve_forever, daemon=True, name="door").start()

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
        if refusal is None and path not in (PATH, "/health", "/v1/models"):
            refusal = Refusal(HTTPStatus.NOT_FOUND, "There is nothing here.")
        if refusal is None and path != "/health":
            refusal = self._guard.holder(headers.get_all)
        if refusal is not None:
            return _response(refusal.status, {"error": {"message": refusal.why}})
        self._door.known(connection.socket)
        if path == "/health":
            return _response(HTTPStatus.OK, {"status": "ok", "streams": self._hub.streams})
        if path == "/v1/models":
            return _response(HTTPStatus.OK, self._models())
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


def _subprotocol(connection: ServerConnection, offered: list[str]) -> str | None:
    """A page's key comes as one, beside a harmless one, which is taken."""
    return _SUBPROTOCOL if _SUBPROTOCOL in offered else None


def _response(status: HTTPStatus, body: dict[str, object]) -> Response:
    data = json.dumps(body, ensure_ascii=False).encode()
    headers = Headers(
        {
            "Content-Type": "application/json",
            "Content-Length": str(len(data)),
            "Cache-Control": "no-store",
            "Connection": "close",
        }
    )
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(status.value, status.phrase, headers, data)


_QUIET = logging.getLogger(f"{__name__}.websockets")  # its errors are the callers' own
_QUIET.setLevel(logging.CRITICAL)
