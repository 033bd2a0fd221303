"""A stand-in for an index of packages, as far as getting wheels goes: PEP 503 pages, PEP 691 JSON
where it is asked for, files with Range, all on a port of this computer. And tiny wheels.

It can be told what goes wrong with its next answers (`Fault`).
"""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import re
import threading
import zipfile
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

JSON = "application/vnd.pypi.simple.v1+json"


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one answer."""

    status: int = 0  # in place of it
    cut_after: int | None = None  # bytes of a file; then the connection ends
    body: bytes | None = None  # in place of the content


@dataclass
class Index:
    """What it has, and what it was asked."""

    files: dict[str, bytes] = field(default_factory=dict)  # by name
    speaks_json: bool = True
    wants: str = ""  # user:password
    faults: deque[Fault] = field(default_factory=deque)
    asked: list[str] = field(default_factory=list)  # "path range", in order
    headers: list[Mapping[str, str]] = field(default_factory=list)
    url: str = ""

    def names(self, project: str) -> list[str]:
        return [name for name in self.files if project_of(name) == project]


def project_of(file: str) -> str:
    return re.sub(r"[-_.]+", "-", file.partition("-")[0]).lower()


def make_wheel(name: str, files: Mapping[str, bytes], programs: tuple[str, ...] = ()) -> bytes:
    """A wheel with these files; `programs` may be started."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        info = "-".join(name.split("-")[:2]) + ".dist-info"
        for path, content in {**files, f"{info}/METADATA": b"Name: it\n"}.items():
            entry = zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0))
            entry.external_attr = (0o100755 if path in programs else 0o100644) << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@contextmanager
def running(files: Mapping[str, bytes]) -> Iterator[Index]:
    index = Index(dict(files))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(index))
    server.daemon_threads = True
    index.url = f"http://127.0.0.1:{server.server_port}/simple"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(index: Index) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            index.asked.append(f"{unquote(self.path)} {self.headers.get('Range', '')}".strip())
            index.headers.append({name.lower(): value for name, value in self.headers.items()})
            fault = index.faults.popleft() if index.faults else Fault()
            if index.wants and not self._may():
                self._answer(401, b"who?", "text/plain")
            elif fault.status:
                self._answer(fault.status, b"no", "text/plain")
            elif self.path.startswith("/simple/"):
                self._page(unquote(self.path).removeprefix("/simple/").strip("/"), fault)
            else:
                self._file(unquote(self.path).removeprefix("/files/"), fault)

        def _may(self) -> bool:
            said = self.headers.get("Authorization", "").removeprefix("Basic ")
            return base64.b64encode(index.wants.encode()).decode() == said

        def _page(self, project: str, fault: Fault) -> None:
            names = index.names(project)
            if not names:
                self._answer(404, b"no such project", "text/plain")
            elif index.speaks_json and JSON in self.headers.get("Accept", ""):
                files = [{"filename": n, "url": f"../../files/{n}", "hashes": {}} for n in names]
                body = json.dumps({"meta": {"api-version": "1.4"}, "name": project, "files": files})
                self._answer(200, fault.body or body.encode(), JSON)
            else:
                links = "".join(
                    f'<a href="../../files/{html.escape(n.replace("+", "%2B"))}#sha256=0">{n}</a>\n'
                    for n in names
                )
                page = fault.body or f"<!DOCTYPE html><html><body>{links}</body></html>".encode()
                self._answer(200, page, "text/html")

        def _file(self, name: str, fault: Fault) -> None:
            content = index.files.get(name)
            if content is None:
                self._answer(404, b"no such file", "text/plain")
                return
            content = content if fault.body is None else fault.body
            wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            start = int(wanted[1]) if wanted else 0
            self.send_response(206 if wanted else 200)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(len(content) - start))
            if wanted:
                self.send_header(
                    "Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}"
                )
            self.end_headers()
            end = len(content) if fault.cut_after is None else start + fault.cut_after
            self.wfile.write(content[start:end])
            if fault.cut_after is not None:
                self.close_connection = True

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Tests tell what went wrong themselves."""

    return Handler
