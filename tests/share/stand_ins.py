"""Zoom's caption service and OBS's WebSocket server, as their documentation says they behave.

`FakeZoom`: POST with `seq` and `lang`, text/plain in UTF-8, and GET …/seq; 400 before the meeting
has begun, 403 for a wrong signature or a missing `seq`, 405 for other verbs. A text whose number
has been seen is a retry, and shown once. `FakeObs`: obs-websocket 5: Hello, Identify with the
salted challenge (close 4009 for a wrong password, 4007 for anything before it), Identified,
SetInputSettings (600 for a source that there is not).
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

SIGNATURE = "nYtXJqRKCW-/+="
_QUERY = "id=200610693&ns=GZHkEA%3D%3D&expire=86400&spparams=id%2Cns%2Cexpire&signature="


class FakeZoom:
    """`shown`: what the participants see. `answers`: statuses to give instead, one a request;
    0: the text arrives, but the answer is lost."""

    def __init__(self) -> None:
        self.started = True
        self.texts: dict[int, str] = {}
        self.languages: list[str] = []
        self.answers: list[int] = []
        self.requests: list[str] = []
        zoom = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                zoom.post(self, body)

            def do_GET(self) -> None:
                zoom.get(self)

            def log_message(self, format: str, *args: object) -> None:
                zoom.requests.append(f"{self.command} {urlsplit(self.path).path}")

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        port = self._server.server_address[1]
        return f"http://127.0.0.1:{port}/closedcaption?{_QUERY}{SIGNATURE}"

    @property
    def shown(self) -> str:
        return "".join(text for _, text in sorted(self.texts.items()))

    def post(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        wanted = self.answers.pop(0) if self.answers else 200
        query = parse_qs(urlsplit(request.path).query, keep_blank_values=True)
        refused = self._refusal(request, query)
        if wanted not in (0, 200) or refused:
            self._answer(request, refused or wanted)
            return
        if not request.headers["Content-Type"].startswith("text/plain"):
            self._answer(request, 400)
            return
        seq = int(query["seq"][0])
        if seq not in self.texts:
            assert seq == max(self.texts, default=-1) + 1, "a number was left out"
            self.texts[seq] = body.decode("utf-8")
            self.languages.append(query["lang"][0])
        if wanted == 0:
            request.close_connection = True
            request.connection.close()
            return
        self._answer(request, 200, str(seq))

    def get(self, request: BaseHTTPRequestHandler) -> None:
        if not urlsplit(request.path).path.endswith("/closedcaption/seq"):
            self._answer(request, 405)
        elif not self.started:
            self._answer(request, 400)
        else:
            self._answer(request, 200, str(max(self.texts)) if self.texts else "")

    def _refusal(self, request: BaseHTTPRequestHandler, query: dict[str, list[str]]) -> int:
        if not self.started:
            return 400
        if urlsplit(request.path).path != "/closedcaption" or "seq" not in query:
            return 403
        # what Zoom gave is to come back as it was: a "+" turned into a blank is another signature
        return 0 if f"signature={SIGNATURE}" in request.path else 403

    def _answer(self, request: BaseHTTPRequestHandler, status: int, text: str = "") -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text.encode())

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class FakeObs:
    """`sources`: their texts. With a password unless it is empty."""

    def __init__(self, password: str = "", port: int = 0, **sources: str) -> None:
        self.sources = sources
        self.history: list[str] = []
        self._password = password
        self._server: Server = serve(
            self._talk,
            "127.0.0.1",
            port,
            subprotocols=["obswebsocket.json"],  # type: ignore[list-item]
            compression=None,
        )
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.socket.getsockname()[1])

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._server.shutdown()

    def _talk(self, connection: ServerConnection) -> None:
        try:
            assert connection.subprotocol == "obswebsocket.json"
            if self._identified(connection):
                self._say(connection, 2, {"negotiatedRpcVersion": 1})
                self._say(connection, 5, {"eventType": "ExitStarted", "eventIntent": 1})
                for text in connection:
                    self._request(connection, json.loads(text))
        except ConnectionClosed:
            pass

    def _identified(self, connection: ServerConnection) -> bool:
        salt, challenge = (
            "lM1GncleQOaCu9lT1yeUZhFYnqhsLLP1",
            "+IxH4CnCiqpX1rM9scsNynZzbOe4KhDeYcTNS3PDaeY=",
        )
        hello: dict[str, Any] = {"obsWebSocketVersion": "5.5.2", "rpcVersion": 1}
        if self._password:
            hello["authentication"] = {"challenge": challenge, "salt": salt}
        self._say(connection, 0, hello)
        told = json.loads(connection.recv(10))
        if told["op"] != 1:
            connection.close(4007, "not identified")
            return False
        if not self._password:
            return True
        secret = base64.b64encode(hashlib.sha256((self._password + salt).encode()).digest())
        proof = base64.b64encode(hashlib.sha256(secret + challenge.encode()).digest()).decode()
        if told["d"].get("authentication") == proof:
            return True
        connection.close(4009, "Authentication failed.")
        return False

    def _request(self, connection: ServerConnection, told: dict[str, Any]) -> None:
        assert told["op"] == 6
        request = told["d"]
        assert request["requestType"] == "SetInputSettings"
        data = request["requestData"]
        known = data["inputName"] in self.sources
        status: dict[str, Any] = {"result": known, "code": 100 if known else 600}
        if known:
            assert data["overlay"] is True, "all other settings of the source would be lost"
            self.sources[data["inputName"]] = data["inputSettings"]["text"]
            self.history.append(data["inputSettings"]["text"])
        else:
            status["comment"] = "No source was found by that name."
        answer = {"requestType": request["requestType"], "requestId": request["requestId"]}
        self._say(connection, 7, {**answer, "requestStatus": status})

    def _say(self, connection: ServerConnection, op: int, data: dict[str, Any]) -> None:
        connection.send(json.dumps({"op": op, "d": data}))


@contextmanager
def fake_zoom() -> Iterator[FakeZoom]:
    zoom = FakeZoom()
    try:
        yield zoom
    finally:
        zoom.close()
