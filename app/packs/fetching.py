"""The files of a pack on their way: each to its end, its sha256 counted, kept until all are used.

They come by `model_backends/downloads/fetch`, as a model's do: what broke off goes on where it
stopped, in another week, too. A file that lies on this computer (pip's `find-links`, an index in a
folder) is copied. Knows nothing of what is done with them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx2

from app.models.download import Progress, Speed
from app.models.receipts import sha256_of
from app.packs import told
from app.packs.links import Links
from app.packs.pins import File, Python
from app.packs.sources import Sources
from model_backends.downloads import fetch
from model_backends.downloads.fetch import Fetch, Stop, Waiting, Wanted
from model_backends.downloads.told import DownloadError

# what other programs that fetch these Pythons call a mirror of them
MIRROR = "UV_PYTHON_INSTALL_MIRROR"
_PYTHONS = "https://github.com/astral-sh/python-build-standalone/releases/download"
_TELL_S = 0.1
_BLOCK = 1 << 20

Tell = Callable[[Progress], None]


class Fetching:
    """All files of a pack into one folder. Calls `tell` from this thread."""

    def __init__(self, into: Path, total: int, sources: Sources, tell: Tell, stop: Stop) -> None:
        self._into, self._total, self._sources = into, total, sources
        self._tell, self._stop = tell, stop
        self._before = 0  # bytes of the files that are here
        self._speed = Speed()
        self._told_at = -1.0

    def run(self, python: Python | None, wheels: Sequence[File]) -> None:
        """Raises DownloadError, StoppedError, OSError. What has come stays for the next time."""
        self._into.mkdir(parents=True, exist_ok=True)
        certificates = self._sources.certificates
        with fetch.open_client(for_hub=False, certificates=certificates) as client:
            links = Links(self._sources, client, self._stop, self._waits)
            if python is not None:
                self._get(client, python.file, lambda file: _address(python))
            for wheel in wheels:
                self._get(client, wheel, links.find)

    def _get(self, client: httpx2.Client, file: File, find: Callable[[File], str | Path]) -> None:
        target = self._into / file.name
        if not self._is_here(target, file):
            place = find(file)
            if isinstance(place, Path):
                self._copy(place, target, file)
            else:
                self._fetch(client, place, target, file)
        self._before += target.stat().st_size

    def _is_here(self, target: Path, file: File) -> bool:
        """Whether an earlier time has brought it; what is not the file is deleted."""
        if not target.is_file():
            return False
        if sha256_of(target, self._checking) == file.sha256:
            return True
        target.unlink()
        return False

    def _fetch(self, client: httpx2.Client, url: str, target: Path, file: File) -> None:
        wanted = Wanted(file.name, file.bytes, file.sha256)
        try:
            Fetch(client, url, "", wanted, target, self._stop).run(self._came, self._waits)
        except DownloadError as error:
            raise told.of_index(error, httpx2.URL(url).host) from error

    def _copy(self, source: Path, target: Path, file: File) -> None:
        part = target.with_name(target.name + ".copy")
        with source.open("rb") as read, part.open("wb") as write:
            while block := read.read(_BLOCK):
                self._stop.check()
                write.write(block)
                self._came(write.tell())
            write.flush()
            os.fsync(write.fileno())
        if sha256_of(part, self._checking) != file.sha256:
            part.unlink()
            raise told.wrong_file(file.name, source.parent)
        part.replace(target)

    # --- telling -----------------------------------------------------------------------------

    def _came(self, count: int) -> None:
        done = self._before + count
        self._speed.add(done, time.monotonic())
        self._say(Progress(done, self._total, "downloading", self._speed.left_s(self._total)))

    def _checking(self, count: int) -> bool:
        self._stop.check()
        self._say(Progress(self._before + count, self._total, "checking"))
        return True

    def _waits(self, waiting: Waiting) -> None:
        self._told_at = -1.0
        why = waiting.why.message
        self._say(Progress(self._before, self._total, "waiting", waiting.seconds, why))

    def _say(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._told_at >= _TELL_S:
            self._told_at = now
            self._tell(progress)


def here(into: Path, files: Sequence[File]) -> int:
    """Bytes of these files that have come, whole or in part."""
    held = 0
    for file in files:
        for path in (into / file.name, into / f"{file.name}.partial"):
            try:
                held += path.stat().st_size
            except OSError:
                continue
    return held


def _address(python: Python) -> str:
    base = (os.environ.get(MIRROR) or _PYTHONS).rstrip("/")
    return f"{base}/{python.release}/{python.file.name.replace('+', '%2B')}"
