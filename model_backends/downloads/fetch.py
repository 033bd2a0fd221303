"""One file from the hub, to its end or to a sentence that says why not.

    GET {endpoint}/{repository}/resolve/{revision}/{file}
      -> 302 to where the bytes are, with X-Linked-Etag (sha256), X-Linked-Size, X-Repo-Commit
      -> or 200 with the small file itself; its ETag is git's hash of it

What has come is kept in `<file>.partial`, and the next try asks for the rest (Range). Each try
begins at the hub, since where it leads to is signed for some minutes only. Where the file's sha256
is known, its identity is settled by that; where it is not, If-Range makes the other side send all
of it if it has changed. Nothing is taken for the file before its sha256 was counted.

Written on httpx2 and not on huggingface_hub's own download, which since its version 1 begins every
try anew (its issue 4196), cannot be stopped while it waits, and waits as long as it is told to.
Knows nothing of catalogues or of what the file is for.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import httpx2

from model_backends.downloads import told
from model_backends.downloads.told import AgainError, DownloadError

log = logging.getLogger(__name__)

HUB = "https://huggingface.co"
WAITS_S = (1.0, 2.0, 4.0, 8.0, 16.0)
LONGEST_WAIT_S = 90.0  # asked for more, we tell and leave it to the user
_TIMEOUT = httpx2.Timeout(connect=15.0, read=20.0, write=15.0, pool=15.0)
_BLOCK = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHA1 = re.compile(r"[0-9a-f]{40}")


class StoppedError(Exception):
    """The user does not want it any more. What has come stays."""


class Stop:
    """Ends a download from another thread, also while it waits for a byte."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def ask(self) -> None:
        self._asked.set()
        with self._lock:
            if self._socket is not None:
                try:
                    self._socket.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # it has ended by itself

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    def check(self) -> None:
        """Raise StoppedError if somebody has asked."""
        if self.asked:
            raise StoppedError

    def wait(self, seconds: float) -> None:
        """Raise StoppedError as soon as somebody asks."""
        self._asked.wait(seconds)
        self.check()

    def hold(self, held: socket.socket | None) -> None:
        """What is read from now on."""
        with self._lock:
            self._socket = held
        self.check()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a file must be. Where `sha256` is "" and `bytes` 0, the hub says it."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Came:
    """What a file is. `commit`: the hub's revision, where it said so."""

    bytes: int
    sha256: str
    commit: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing comes just now; another try in so many seconds, because of this."""

    seconds: float
    why: DownloadError


Progress = Callable[[int], None]  # bytes of the file that are here
Pause = Callable[[Waiting], None]


def endpoint() -> str:
    """The hub, or the mirror of it that HF_ENDPOINT names, as the hub's own programs do."""
    return (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")


def url_of(repository: str, revision: str, file: str) -> str:
    return f"{endpoint()}/{repository}/resolve/{revision or 'main'}/{quote(file)}"


def open_client(for_hub: bool = True, certificates: str = "") -> httpx2.Client:
    """With the system's certificates, and the proxies that the environment or the system names.

    It says no more of us than our name. A token goes to the hub alone, if the user has
    set one for it: the client leaves it out where it is led elsewhere; one that is not `for_hub`
    never has it. `certificates`: a file with those to trust instead. Raises DownloadError for
    certificates or a proxy that cannot be used.
    """
    headers = {"User-Agent": "voxline", "Accept-Encoding": "identity"}
    token = os.environ.get("HF_TOKEN", "").strip()
    if token and for_hub:
        headers["Authorization"] = f"Bearer {token}"
    try:
        trusted = ssl.create_default_context(cafile=certificates) if certificates else True
        return httpx2.Client(
            headers=headers, timeout=_TIMEOUT, follow_redirects=True, verify=trusted
        )
    except OSError as error:
        raise told.no_certificates(error) from error
    except (ImportError, ValueError, httpx2.InvalidURL) as error:  # a SOCKS proxy, or none at all
        raise told.no_such_proxy() from error


class Fetch:
    """One file on its way. `run()` may be called again after it has failed: it goes on."""

    def __init__(
        self,
        client: httpx2.Client,
        url: str,
        page: str,
        wanted: Wanted,
        target: Path,
        stop: Stop,
        waits_s: Sequence[float] | None = None,
    ) -> None:
        """`page`: where people read about the model. `target` is written when all is here.
        `waits_s`: between tries that bring nothing; after the last it is told."""
        self._client, self._url, self._page = client, url, page
        self._wanted, self._target, self._stop = wanted, target, stop
        self._waits_s = WAITS_S if waits_s is None else tuple(waits_s)
        self._partial = target.with_name(target.name + ".partial")
        self._note = target.with_name(target.name + ".etag")  # of a file that no sha256 names
        self._sha256, self._bytes = wanted.sha256, wanted.bytes  # the hub's, once it was asked
        self._git, self._commit = "", ""
        self._digest, self._count = hashlib.sha256(), 0
        self._was_there = False  # some of it came by an earlier run

    def run(self, progress: Progress, pause: Pause) -> Came:
        """Raises DownloadError, StoppedError, and OSError for what the disk says."""
        self._target.parent.mkdir(parents=True, exist_ok=True)
        self._take_up(progress)
        while True:
            self._try_until_here(progress, pause)
            if self._is_right():
                return self._finish()
            log.warning("%s: %d bytes are not what was published", self._target.name, self._count)
            if not self._was_there:
                self._begin_anew()
                raise told.wrong_bytes(self._wanted.name)
            self._begin_anew()  # what an earlier run left may have been cut by a power failure

    # --- what is here ------------------------------------------------------------------------

    def _take_up(self, progress: Progress) -> None:
        """Count what an earlier run has left."""
        if not self._partial.is_file():
            return
        with self._partial.open("rb") as file:
            while block := file.read(_BLOCK):
                self._stop.check()
                self._digest.update(block)
                self._count += len(block)
                progress(self._count)
        if self._bytes and self._count > self._bytes:
            self._begin_anew()
        self._was_there = self._count > 0

    def _begin_anew(self) -> None:
        self._partial.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
        self._digest, self._count = hashlib.sha256(), 0
        self._was_there = False

    def _is_right(self) -> bool:
        if self._sha256:
            return self._digest.hexdigest() == self._sha256
        if self._git:
            return _git_hash(self._partial) == self._git
        return bool(self._bytes) and self._count == self._bytes

    def _finish(self) -> Came:
        self._partial.replace(self._target)
        self._note.unlink(missing_ok=True)
        return Came(self._count, self._digest.hexdigest(), self._commit)

    # --- getting it --------------------------------------------------------------------------

    def _try_until_here(self, progress: Progress, pause: Pause) -> None:
        in_vain = 0
        while not (self._sha256 and self._bytes and self._count == self._bytes):
            before = self._count
            try:
                self._try(progress)
                return
            except AgainError as error:
                in_vain = 0 if self._count > before else in_vain + 1
                self._pause(error, in_vain, pause)

    def _pause(self, error: AgainError, in_vain: int, pause: Pause) -> None:
        """Wait for the next try, or give up."""
        if in_vain > len(self._waits_s) or (error.wait_s or 0) > LONGEST_WAIT_S:
            raise error
        seconds = self._waits_s[max(in_vain - 1, 0)] if error.wait_s is None else error.wait_s
        log.info("%s: %s; again in %.0f s", self._target.name, error.message, seconds)
        pause(Waiting(seconds, error))
        self._stop.wait(seconds)

    def _try(self, progress: Progress) -> None:
        """Ask once. Raises AgainError where not all of it is here now."""
        self._stop.check()
        try:
            with self._client.stream("GET", self._url, headers=self._range()) as response:
                self._stop.hold(socket_of(response))
                try:
                    self._take(response, progress)
                finally:
                    self._stop.hold(None)
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            raise told.no_address(endpoint()) from error
        except httpx2.HTTPError as error:
            self._stop.check()  # it was we who cut it off
            host = _host_of(error) or httpx2.URL(self._url).host
            raise told.of_transport(error, host) from error

    def _range(self) -> dict[str, str]:
        """The rest, if some of it is here."""
        if not self._count:
            return {}
        asked = {"Range": f"bytes={self._count}-"}
        if not self._sha256:
            etag = self._note.read_text("ascii") if self._note.is_file() else ""
            if not etag:
                self._begin_anew()
                return {}
            asked["If-Range"] = etag
        return asked

    def _take(self, response: httpx2.Response, progress: Progress) -> None:
        """Judge the answer, then write what comes."""
        if response.status_code == 416:  # there is no such rest: what is here is no part of it
            self._begin_anew()
            raise told.odd_answer(response.url.host)
        if response.status_code not in (200, 206):
            raise told.of_status(response, self._page)
        self._learn(response)
        if response.status_code == 206 and _start_of(response) != self._count:
            self._begin_anew()
            raise told.odd_answer(response.url.host)
        if response.status_code == 200:
            self._begin_anew()
            self._keep_etag(response)
        with self._partial.open("ab") as file:
            self._write(response, file, progress)
        if self._bytes and self._count < self._bytes:
            raise told.of_transport(httpx2.RemoteProtocolError("short"), response.url.host)

    def _write(self, response: httpx2.Response, file: BinaryIO, progress: Progress) -> None:
        for block in response.iter_bytes():  # as they come: what is not whole is kept, too
            self._stop.check()
            if self._bytes and self._count + len(block) > self._bytes:
                self._begin_anew()
                raise told.wrong_bytes(self._wanted.name)
            file.write(block)
            self._digest.update(block)
            self._count += len(block)
            progress(self._count)
        file.flush()
        os.fsync(file.fileno())

    def _learn(self, response: httpx2.Response) -> None:
        """What the hub says of the file. Raises DownloadError if that is not what is wanted."""
        answers = [*response.history, response]
        linked = _first(answers, "X-Linked-Etag").strip('"')
        size = _first(answers, "X-Linked-Size") or _whole_size(response)
        self._commit = _first(answers, "X-Repo-Commit")
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if is_page and not self._commit:
            raise told.sign_in_page(response.url.host)
        their_size = int(size) if size.isdigit() else 0
        if self._wanted.sha256 and _SHA256.fullmatch(linked) and linked != self._wanted.sha256:
            raise told.another_file(self._wanted.name)
        if self._wanted.bytes and their_size and their_size != self._wanted.bytes:
            raise told.another_file(self._wanted.name)
        self._sha256 = self._sha256 or (linked if _SHA256.fullmatch(linked) else "")
        self._bytes = self._bytes or their_size
        own = response.headers.get("ETag", "").strip('"')
        if not self._sha256 and _SHA1.fullmatch(own) and not response.history:
            self._git = own

    def _keep_etag(self, response: httpx2.Response) -> None:
        """For the next try, where no sha256 says that the rest belongs to what is here."""
        etag = response.headers.get("ETag", "")
        if not self._sha256 and etag.startswith('"'):  # a weak one promises nothing of the bytes
            self._note.write_text(etag, "ascii", errors="replace")


def _first(answers: list[httpx2.Response], header: str) -> str:
    return next((str(a.headers[header]) for a in answers if header in a.headers), "")


def _start_of(response: httpx2.Response) -> int:
    """Where a 206 begins; -1 if it does not say. RFC 9110, 14.4."""
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(match[1]) if match else -1


def _whole_size(response: httpx2.Response) -> str:
    if response.status_code == 206:
        return str(response.headers.get("Content-Range", "")).rpartition("/")[2]
    if "Content-Encoding" in response.headers:
        return ""  # of something else
    return str(response.headers.get("Content-Length", ""))


def _host_of(error: httpx2.HTTPError) -> str:
    """Whom the request was for: the hub, or where it led to."""
    try:
        return str(error.request.url.host) if isinstance(error, httpx2.RequestError) else ""
    except RuntimeError:  # no request belongs to it
        return ""


def socket_of(response: httpx2.Response) -> socket.socket | None:
    """What an answer is read from, so that `Stop` can end it."""
    stream: Any = response.extensions.get("network_stream")
    held = stream.get_extra_info("socket") if stream is not None else None
    return held if isinstance(held, socket.socket) else None


def _git_hash(path: Path) -> str:
    """A blob's name in git: the hub's ETag of a small file."""
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
