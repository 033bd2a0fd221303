"""A stand-in for the model hub, shaped like the real one as far as a download sees it, and a proxy.

`/{owner}/{name}/resolve/{revision}/{file}` answers small files itself and leads to another server,
by a link that is signed and used once, for large ones:

    302  Location, X-Linked-Etag: "sha256", X-Linked-Size, X-Repo-Commit, ETag, Accept-Ranges
    200  the file; ETag: "git's hash of it", X-Repo-Commit

The other server knows Range and If-Range. Either can be told what goes wrong with its next requests
(`Fault`). What the real ones answer to an unknown verb, these do, too. It is no more patient than
they are: a request that is no HTTP/1.1, or has a body, ends the connection.
"""

from __future__ import annotations

import hashlib
import select
import socket
import ssl
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

LARGE = 10_000  # bytes from which a file is kept elsewhere; the hub's own rule is by name and size
COMMIT = "2" * 40


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request."""

    status: int = 0  # answered in place of the file
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"no"
    cut_after: int | None = None  # bytes; then the connection ends
    stall_after: int | None = None  # bytes; then nothing comes until the stand-in is closed
    flip: bool = False  # one byte is another
    ignore_range: bool = False  # 200 and all of it
    shift_range: int = 0  # a 206 that begins elsewhere, and says so
    hash: str = ""  # the hub names another sha256
    size: int = 0  # … or size


@dataclass(frozen=True)
class Request:
    """What was asked, as it came."""

    server: str  # "hub" or "cdn"
    path: str
    headers: Mapping[str, str]

    @property
    def range(self) -> str:
        return self.headers.get("range", "")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    hub: Hub
    role: str

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asks may go at any time."""


class Hub:
    """The hub and the server with the bytes, on two ports of this computer."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.files: dict[str, bytes] = {}  # by "owner/name/file"
        self.requests: list[Request] = []
        self.faults: dict[str, deque[Fault]] = {"hub": deque(), "cdn": deque()}
        self.always: dict[str, Fault] = {}
        self.closing = threading.Event()
        self.stalled = threading.Event()
        self._scheme = "https" if tls else "http"
        self._signed = 0
        self._servers = {role: self._open(role, tls) for role in ("hub", "cdn")}

    def _open(self, role: str, tls: ssl.SSLContext | None) -> _Server:
        server = _Server(("127.0.0.1", 0), _Handler)
        server.hub, server.role = self, role
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server

    @property
    def url(self) -> str:
        return self.address("hub")

    def address(self, role: str) -> str:
        return f"{self._scheme}://127.0.0.1:{self._servers[role].server_port}"

    def add(self, repository: str, name: str, content: bytes) -> None:
        self.files[f"{repository}/{name}"] = content

    def next(self, role: str, *faults: Fault) -> None:
        """What goes wrong with the next requests of this server; those after go well."""
        self.faults[role].extend(faults)

    def fault(self, role: str) -> Fault:
        queue = self.faults[role]
        return queue.popleft() if queue else self.always.get(role, Fault())

    def signature(self) -> str:
        self._signed += 1
        return f"Expires=1&Signature={self._signed}"

    def asked(self, role: str) -> list[Request]:
        return [request for request in self.requests if request.server == role]

    def close(self) -> None:
        self.closing.set()
        for server in self._servers.values():
            server.shutdown()
            server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        hub, role = self.server.hub, self.server.role
        headers = {name.lower(): value for name, value in self.headers.items()}
        hub.requests.append(Request(role, self.path, headers))
        fault = hub.fault(role)
        if fault.status:
            self._answer(fault.status, fault.body, dict(fault.headers))
        elif role == "hub":
            self._resolve(fault)
        else:
            content = hub.files.get(unquote(urlsplit(self.path).path).lstrip("/"))
            if content is None:
                self._answer(404, b"NoSuchKey", {})
            else:
                self._send(content, f'"{hashlib.md5(content).hexdigest()}"', fault, {})

    def _resolve(self, fault: Fault) -> None:
        hub = self.server.hub
        parts = unquote(urlsplit(self.path).path).strip("/").split("/")
        if len(parts) < 5 or parts[2] != "resolve":
            self._answer(404, b"Not Found", {})
            return
        key = "/".join([*parts[:2], *parts[4:]])
        content = hub.files.get(key)
        commit = {"X-Repo-Commit": COMMIT if parts[3] == "main" else parts[3]}
        if content is None:
            self._answer(404, b"Entry not found", {"X-Error-Code": "EntryNotFound", **commit})
        elif len(content) < LARGE:
            blob = b"blob %d\0" % len(content)
            etag = f'"{hashlib.sha1(blob + content).hexdigest()}"'
            self._send(content, etag, fault, commit)
        else:
            sha256 = fault.hash or hashlib.sha256(content).hexdigest()
            linked = {
                "X-Linked-Etag": f'"{sha256}"',
                "X-Linked-Size": str(fault.size or len(content)),
                "ETag": f'"{sha256}"',
                "Accept-Ranges": "bytes",
                "Location": f"{hub.address('cdn')}/{key}?{hub.signature()}",
            }
            self._answer(302, b"Found. Redirecting", linked | commit)

    def _send(self, content: bytes, etag: str, fault: Fault, extra: dict[str, str]) -> None:
        headers = {"ETag": etag, "Accept-Ranges": "bytes", **extra}
        start = self._start(content, etag, fault)
        if start is None:
            self._answer(416, b"", {"Content-Range": f"bytes */{len(content)}"})
            return
        if fault.flip:
            content = content[:-1] + bytes([content[-1] ^ 1])
        part = content[start:]
        if self.headers.get("Range") and not fault.ignore_range and (start or self._from_zero()):
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self.send_response(206)
        else:
            self.send_response(200)
        headers["Content-Length"] = str(len(part))
        headers["Content-Type"] = "application/octet-stream"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self._write(part, fault)

    def _from_zero(self) -> bool:
        return self.headers.get("Range", "").startswith("bytes=0-")

    def _start(self, content: bytes, etag: str, fault: Fault) -> int | None:
        """Where the answer begins; None: there is no such range."""
        asked = self.headers.get("Range")
        if not asked or fault.ignore_range:
            return 0
        if self.headers.get("If-Range", etag) != etag:
            return 0
        start = int(asked.removeprefix("bytes=").rstrip("-")) + fault.shift_range
        return start if start < len(content) else None

    def _write(self, part: bytes, fault: Fault) -> None:
        if fault.cut_after is not None:
            self.wfile.write(part[: fault.cut_after])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif fault.stall_after is not None:
            self.wfile.write(part[: fault.stall_after])
            self.wfile.flush()
            self.server.hub.stalled.set()
            self.server.hub.closing.wait(60)
            self.close_connection = True
        else:
            self.wfile.write(part)

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read `requests`."""


class Proxy:
    """Forwards what is asked of it, plain (GET http://…) and through (CONNECT)."""

    def __init__(self, password: str = "") -> None:
        """`password`: user:password in base64, without which it answers 407."""
        self.asked: list[str] = []
        self.password = password
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _forwarder(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _forwarder(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Forwarder(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self._may():
                parts = urlsplit(self.path)
                path = parts.path + (f"?{parts.query}" if parts.query else "")
                lines = [f"GET {path} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close"]
                unwanted = ("host", "connection", "proxy-authorization", "proxy-connection")
                lines += [f"{n}: {v}" for n, v in self.headers.items() if n.lower() not in unwanted]
                with socket.create_connection((parts.hostname or "", parts.port or 80)) as far:
                    far.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
                    while block := far.recv(65536):
                        self.wfile.write(block)
            self.close_connection = True

        def do_CONNECT(self) -> None:
            if self._may():
                host, _, port = self.path.partition(":")
                with socket.create_connection((host, int(port))) as far:
                    self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    _join(self.connection, far)
            self.close_connection = True

        def _may(self) -> bool:
            proxy.asked.append(f"{self.command} {self.path}")
            given = self.headers.get("Proxy-Authorization", "")
            if proxy.password and given != f"Basic {proxy.password}":
                self.send_response(407)
                self.send_header("Proxy-Authenticate", 'Basic realm="office"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return False
            return True

        def log_message(self, format: str, *args: Any) -> None:
            """Tests read `asked`."""

    return Forwarder


def _join(one: socket.socket, other: socket.socket) -> None:
    """Bytes both ways until either end has none."""
    while True:
        ready, _, _ = select.select([one, other], [], [], 30)
        if not ready:
            return
        for end in ready:
            block = end.recv(65536)
            if not block:
                return
            (other if end is one else one).sendall(block)


@contextmanager
def running(tls: ssl.SSLContext | None = None) -> Iterator[Hub]:
    hub = Hub(tls)
    try:
        yield hub
    finally:
        hub.close()
