"""What every server of ours has in common: the door's limits, the answers' headers, files of ours.

Built on websockets' threading server, which answers plain requests, too. Nothing is served but
the bundled pages, which load nothing from elsewhere and run no script that stands in a page.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus

from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from app import paths
from app.share.door import HANDSHAKE_S, Door, Refusal
from app.share.page_words import reader_language, written

Handler = Callable[[ServerConnection], None]
Answer = Callable[[ServerConnection, Request], Response | None]

SUBPROTOCOL = "realtime"  # stands beside the key that a page hands over, and is taken
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Connection": "close",
}


def open_door(door: Door, handler: Handler, answer: Answer, largest: int) -> Server:
    """Let callers in; returns at once. `largest`: bytes of a frame."""
    server = serve(
        handler,
        sock=door,
        process_request=answer,
        select_subprotocol=_subprotocol,  # type: ignore[arg-type]  # any protocol is a text
        compression=None,
        server_header=None,
        open_timeout=HANDSHAKE_S,
        close_timeout=3,
        max_size=largest,
        max_queue=(2, 1),
        logger=_QUIET,
    )
    threading.Thread(target=server.serve_forever, daemon=True, name="door").start()
    return server


def response(status: HTTPStatus, body: bytes, kind: str, more: Mapping[str, str]) -> Response:
    """An answer that nobody keeps or shows inside something else."""
    headers = Headers({"Content-Type": kind, "Content-Length": str(len(body)), **_SAFE, **more})
    return Response(status.value, status.phrase, headers, body)


def told(status: HTTPStatus, body: Mapping[str, object]) -> Response:
    """An answer for programs."""
    more = {"WWW-Authenticate": "Bearer"} if status is HTTPStatus.UNAUTHORIZED else {}
    data = json.dumps(body, ensure_ascii=False).encode()
    return response(status, data, "application/json", more)


def refused(refusal: Refusal) -> Response:
    return told(refusal.status, {"error": {"message": refusal.why}})


def page_file(name: str, headers: Headers) -> Response:
    """One of `resources/page`, in the language of who asks. The host as the guard has checked it:
    where its script may connect, since not every browser takes 'self' for a WebSocket."""
    path, host = paths.resource("page") / name, headers["Host"]
    body = path.read_bytes()
    if path.suffix == ".html":
        accepted = ",".join(headers.get_all("Accept-Language"))
        body = written(name, body.decode(), reader_language(accepted)).encode()
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self' ws://{host}; worker-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    more = {
        "Content-Security-Policy": policy,
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
    }
    return response(HTTPStatus.OK, body, _KINDS[path.suffix], more)


def _subprotocol(connection: ServerConnection, offered: list[str]) -> str | None:
    return SUBPROTOCOL if SUBPROTOCOL in offered else None


_QUIET = logging.getLogger(f"{__name__}.websockets")  # its errors are the callers' own
_QUIET.setLevel(logging.CRITICAL)
