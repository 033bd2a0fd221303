"""Wheels and a Python's tarball become folders; every file's sha256 is noted on the way.

A wheel is a zip whose top is what belongs into `site-packages` (PEP 427). What is in its `.data`
folder belongs elsewhere and is needed by nobody here, but for `purelib` and `platlib`; of PyTorch's
headers there are thousands with long names, for those who compile against it: they stay packed.
Nothing is written outside the folder that was named. Knows nothing of packs.
"""

from __future__ import annotations

import hashlib
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

_BLOCK = 1 << 20
_LEFT_OUT = ("torch/include/", "torch/share/", "torch/test/")

Note = dict[str, str]  # a file, by its place in the pack: its sha256
Wrote = Callable[[int], None]  # bytes, as they are written; may raise to end it


class ArchiveError(Exception):
    """It is no archive, or one that would write where it must not."""


class _Readable(Protocol):
    def read(self, count: int, /) -> bytes: ...


def unpack_wheel(wheel: Path, site: Path, root: Path, note: Note, wrote: Wrote) -> None:
    """Raises ArchiveError, OSError, and what `wrote` raises. `root`: what names in `note` begin
    at."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for each in archive.infolist():
                place = _place_of(each.filename)
                if place is None or each.is_dir():
                    continue
                target = _inside(site, place)
                with archive.open(each) as source:
                    _write(source, target, root, note, wrote)
                if each.external_attr >> 16 & stat.S_IXUSR:
                    target.chmod(0o755)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ArchiveError(str(error)) from error


def _place_of(name: str) -> str | None:
    """Where a wheel's file belongs, from `site-packages` on; None for what nobody needs here."""
    top, _, rest = name.partition("/")
    if top.endswith(".data"):
        scheme, _, inner = rest.partition("/")
        return inner if scheme in ("purelib", "platlib") and inner else None
    return None if name.startswith(_LEFT_OUT) else name


def unpack_tarball(tarball: Path, into: Path, root: Path, note: Note, wrote: Wrote) -> None:
    """All that is in its one top folder. Raises as `unpack_wheel`."""
    links: list[tuple[Path, str]] = []
    try:
        with tarfile.open(tarball, "r:gz") as archive:
            for each in _below_top(archive):
                target = _inside(into, each.name)
                if each.isdir():
                    target.mkdir(parents=True, exist_ok=True)
                elif each.issym():
                    links.append((target, each.linkname))
                elif each.islnk():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(_inside(into, each.linkname.partition("/")[2]), target)
                elif each.isfile():
                    source = archive.extractfile(each)
                    assert source is not None
                    _write(source, target, root, note, wrote)
                    target.chmod(0o755 if each.mode & stat.S_IXUSR else 0o644)
                else:
                    raise ArchiveError(f"{each.name} is no file")
    except (tarfile.TarError, zlib.error, EOFError, KeyError) as error:
        raise ArchiveError(str(error)) from error
    for target, leads_to in links:  # at last: nothing is written through one
        _link(target, leads_to, into)


def _below_top(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for each in archive:
        _, _, each.name = each.name.removeprefix("./").partition("/")
        if each.name:
            yield each


def _link(target: Path, leads_to: str, into: Path) -> None:
    path = PurePosixPath(leads_to)
    end = Path(target.parent, leads_to).resolve()
    if path.is_absolute() or not end.is_relative_to(into.resolve()):
        raise ArchiveError(f"{target.name} leads out of the archive")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.symlink_to(leads_to)


def _inside(folder: Path, name: str) -> Path:
    """Raises ArchiveError for a name that leads out of the folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not path.parts:
        raise ArchiveError(f"“{name}” leads elsewhere")
    return folder.joinpath(*path.parts)


def _write(
    source: IO[bytes] | _Readable, target: Path, root: Path, note: Note, wrote: Wrote
) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with target.open("wb") as file:
        while block := source.read(_BLOCK):
            digest.update(block)
            file.write(block)
            wrote(len(block))
    note[target.relative_to(root).as_posix()] = digest.hexdigest()
