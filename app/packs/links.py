"""The address of a wheel: folders and pages with links first, then the indexes, in order.

An index answers GET {index}/{project}/ with a page of links (PEP 503) or with JSON (PEP 691). A
link is known by its file name alone: what comes from it must have the pinned sha256 whoever has it,
so nothing that an index says is taken on trust. Knows nothing of what is in a wheel.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import url2pathname

import httpx2

from app.packs import told
from app.packs.pins import File
from app.packs.sources import Sources, without_password
from model_backends import on_disk
from model_backends.downloads import fetch
from model_backends.downloads import told as of_http
from model_backends.downloads.fetch import Stop, Waiting
from model_backends.downloads.told import AgainError, DownloadError

_JSON = "application/vnd.pypi.simple.v1+json"
_ACCEPT = f"{_JSON}, text/html;q=0.5"
_LARGEST = 20_000_000  # bytes of a page


class Links:
    """Asks each page once. `pause` is told while one does not answer."""

    def __init__(
        self, sources: Sources, client: httpx2.Client, stop: Stop, pause: Callable[[Waiting], None]
    ) -> None:
        self._sources, self._client = sources, client
        self._stop, self._pause = stop, pause
        self._pages: dict[str, dict[str, str]] = {}  # address: file name -> where it is

    def find(self, file: File) -> str | Path:
        """Where a wheel is: an address, or a file of this computer.

        Raises DownloadError where nobody has it; if somebody could not be asked, that is why.
        """
        trouble: DownloadError | None = None
        for place in self._places(file):
            try:
                found = self._at(place, file.name)
            except DownloadError as error:
                trouble = trouble or error
                continue
            if found is not None:
                return found
        raise trouble or told.nowhere(file.name)

    def _places(self, file: File) -> Iterator[str]:
        yield from self._sources.links
        for index in self._sources.indexes_for(file.build):
            yield f"{index}/{file.project}/"

    def _at(self, place: str, name: str) -> str | Path | None:
        folder = _folder(place)
        if folder is None:
            found = self._page(place).get(name)
            return None if found is None else _folder(found) or found
        if on_disk.is_file(folder / name):
            return folder / name
        page = folder / "index.html" if on_disk.is_folder(folder) else folder
        try:
            links = _links(page.read_text("utf-8", "replace"), page.as_uri())
        except (OSError, ValueError):
            return None
        found = links.get(name)
        return None if found is None else _folder(found) or found

    def _page(self, url: str) -> dict[str, str]:
        if url not in self._pages:
            self._pages[url] = self._ask(url)
        return self._pages[url]

    def _ask(self, url: str) -> dict[str, str]:
        for wait_s in (*fetch.WAITS_S[:2], None):
            self._stop.check()
            try:
                return self._ask_once(url)
            except AgainError as error:
                if wait_s is None or (error.wait_s or 0) > fetch.LONGEST_WAIT_S:
                    raise
                seconds = wait_s if error.wait_s is None else error.wait_s
                self._pause(Waiting(seconds, error))
                self._stop.wait(seconds)
        raise AssertionError("the last try raises")

    def _ask_once(self, url: str) -> dict[str, str]:
        try:
            with self._client.stream("GET", url, headers={"Accept": _ACCEPT}) as response:
                self._stop.hold(fetch.socket_of(response))
                try:
                    return self._read(response, url)
                finally:
                    self._stop.hold(None)
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            raise told.no_address(without_password(url)) from error
        except httpx2.HTTPError as error:
            self._stop.check()  # it was we who cut it off
            raise of_http.of_transport(error, urlsplit(url).hostname or url) from error

    def _read(self, response: httpx2.Response, url: str) -> dict[str, str]:
        if response.status_code in (404, 410):
            return {}
        if response.status_code != 200:
            refusal = of_http.of_status(response, "")
            raise told.of_index(refusal, response.url.host)
        content = b""
        for block in response.iter_bytes():
            content += block
            if len(content) > _LARGEST:
                raise of_http.odd_answer(response.url.host)
        if response.headers.get("Content-Type", "").startswith(_JSON):
            return _listed(content, str(response.url))
        return _links(content.decode("utf-8", "replace"), str(response.url))


def _listed(content: bytes, base: str) -> dict[str, str]:
    """PEP 691."""
    try:
        files = json.loads(content)["files"]
        return {str(each["filename"]): urljoin(base, str(each["url"])) for each in files}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise of_http.odd_answer(urlsplit(base).hostname or "") from error


def _links(page: str, base: str) -> dict[str, str]:
    """PEP 503, and any page with links: file name -> address, without what follows a #."""
    reader = _Anchors()
    reader.feed(page)
    addresses = (urljoin(base, address).partition("#")[0] for address in reader.found)
    return {unquote(urlsplit(each).path.rpartition("/")[2]): each for each in addresses}


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get("href") if tag == "a" else None
        if address:
            self.found.append(address)


def _folder(place: str) -> Path | None:
    """What an address means on this computer; None if it is elsewhere."""
    parts = urlsplit(place)
    if parts.scheme == "file":
        return Path(url2pathname(parts.path))
    if "://" in place:
        return None
    return on_disk.expanded(Path(place))
