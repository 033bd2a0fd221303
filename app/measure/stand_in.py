"""A stand-in for vLLM's realtime server: the same wire, no weights, and every fault on request.

    python -m app.measure.stand_in --port 8125 [--script FILE] [--key KEY]

Written against vLLM 0.32 running; tests run one list against both, so that it cannot drift. It
answers as soon as there is sound enough. `Plan` says what goes wrong on which connection.
"""

from __future__ import annotations

import argparse
import json
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeAlias

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from app.measure.stand_in_model import Fox, Model, Script
from app.measure.stand_in_talk import MODEL, Ended, Plan, Talk

_LINGER_S = 0.03  # without a frame
Planned: TypeAlias = Callable[[int], Plan]


@dataclass(slots=True)
class StandIn:
    """One server. Use as a context manager; `url` is where it is."""

    make_model: Callable[[], Model] = Fox
    key: str = ""
    max_model_len: int = 16_384
    plan: Planned = lambda number: Plan()
    port: int = 0
    step_s: float = 0.0  # how long a step takes
    sessions: int = 0  # connections so far
    heard: list[Mapping[str, Any]] = field(default_factory=list)  # events of clients, sound as ""
    headers: list[Mapping[str, str]] = field(default_factory=list)  # of handshakes and requests
    active: int = 0
    trust: ssl.SSLContext | None = None  # with a certificate: TLS
    _server: Server | None = None

    def __enter__(self) -> StandIn:
        self._server = serve(
            self._serve,
            "127.0.0.1",
            self.port,
            process_request=self._answer,
            ssl=self.trust,
            compression=None,
            max_size=16 << 20,
            max_queue=None,
        )
        self.port = self._server.socket.getsockname()[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.shutdown(code=1012, reason="service restart")

    @property
    def url(self) -> str:
        return f"{'wss' if self.trust else 'ws'}://127.0.0.1:{self.port}"

    def serve_forever(self) -> None:
        """Until the process ends."""
        threading.Event().wait()

    # --- HTTP ------------------------------------------------------------------------------

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        self.headers.append(dict(request.headers.raw_items()))
        path = request.path.partition("?")[0]
        if path == "/health":
            return _text(200, "")
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            return _text(401, '{"error":"Unauthorized"}')
        if path == "/v1/models":
            row = {"id": MODEL, "object": "model", "max_model_len": self.max_model_len}
            return _text(200, json.dumps({"object": "list", "data": [row]}))
        if path == "/metrics":
            return _text(200, f"vllm:websocket_connections_active {self.active}.0\n")
        if path != "/v1/realtime":
            return _text(404, "")
        plan = self.plan(self.sessions)
        if plan.status:
            self.sessions += 1
            return _text(plan.status, "", plan.retry_after)
        return None

    def _serve(self, connection: ServerConnection) -> None:
        plan = self.plan(self.sessions)
        self.sessions += 1
        self.active += 1
        try:
            self._talk(connection, Talk(self.make_model, plan, self.max_model_len))
        except ConnectionClosed:
            pass
        except Ended as end:
            _end(connection, end)
        finally:
            self.active -= 1

    def _talk(self, connection: ServerConnection, talk: Talk) -> None:
        _send(connection, talk.greeting())
        for frame in _frames(connection):
            self._note(frame)
            if self.step_s and "append" in frame:
                time.sleep(self.step_s)
            answer = talk.take(frame)
            if '"final": true' in frame and answer:
                self._linger(connection)
            _send(connection, answer)

    def _linger(self, connection: ServerConnection) -> None:
        """Rule 2: a real server takes a moment to say that all is done, and drops what comes."""
        try:
            while True:
                self._note(str(connection.recv(_LINGER_S)))
        except TimeoutError:
            return

    def _note(self, frame: str) -> None:
        try:
            event = json.loads(frame)
        except ValueError:
            return
        self.heard.append({**event, **({"audio": ""} if "audio" in event else {})})


def _frames(connection: ServerConnection) -> Iterator[str]:
    for frame in connection:
        if not isinstance(frame, str):
            raise RuntimeError("a binary frame ends the connection")
        yield frame


def _send(connection: ServerConnection, frames: list[str]) -> None:
    for frame in frames:
        connection.send(frame)


def _end(connection: ServerConnection, end: Ended) -> None:
    try:
        _send(connection, end.frames)
        if end.code is None:
            connection.socket.shutdown(socket.SHUT_RDWR)
        else:
            connection.close(end.code, "as planned")
    except (ConnectionClosed, OSError):
        pass  # the client was faster


def _text(status: int, body: str, retry_after: str = "") -> Response:
    headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body))})
    if retry_after:
        headers["Retry-After"] = retry_after
    return Response(status, HTTPStatus(status).phrase, headers, body.encode())


def main() -> int:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--script", type=Path, help='JSON: [["text", start_ms, end_ms], …]')
    parser.add_argument("--key", default="")
    parser.add_argument("--max-model-len", type=int, default=16_384)
    args = parser.parse_args()
    lines = json.loads(args.script.read_text("utf-8")) if args.script else None
    model: Callable[[], Model] = Fox if lines is None else lambda: Script(lines)
    with StandIn(model, args.key, args.max_model_len, port=args.port) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
