"""The packs that were made here: which they are, whether they are whole, taking them away.

One at a time whoever changes something (`alone`). How one is made is `install`.
"""

from __future__ import annotations

import json
import logging
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import filelock

from app import paths
from app.models.receipts import sha256_of
from app.packs import python, told
from app.packs.pins import KINDS, Kind, Pins, pins
from app.worker import packs
from model_backends.base import Sentence, UserError
from model_backends.voxtral.torch.info import best_device

log = logging.getLogger(__name__)

DOWNLOADS, NEW, GONE = ".downloads", ".new", ".removed-"
FILES = "files.json"


@dataclass(frozen=True, slots=True)
class Installed:
    """A pack of ours that is here. `trouble`: why it is of no use, in the user's sentences."""

    folder: Path
    kind: Kind
    pin: str
    trouble: packs.Broken | None
    newest: bool  # this Voxline's own pins: else another one is on offer


def installed(known: Pins | None = None) -> list[Installed]:
    """Every pack that was made here, those that can be used first. Never raises."""
    known = known or pins()
    found = []
    for each in packs.look(packs.folder()):
        manifest = packs.manifest_of(packs.folder() / each.name)
        kind = KINDS.get(str(manifest.get("kind")))
        if kind is not None:
            pin = str(manifest.get("pin"))
            newest = pin in {build.pin for build in known.of(kind.name, python.this_system())}
            trouble = each if isinstance(each, packs.Broken) else None
            found.append(Installed(packs.folder() / each.name, kind, pin, trouble, newest))
    return sorted(found, key=lambda pack: pack.trouble is not None)


def tell_engines() -> None:
    """Packs have come or gone: engines are asked anew what they find."""
    packs.announce()
    best_device.cache_clear()


def tensors_of_our_own(kind: Kind) -> bool:
    """Whether what runs this app needs no pack of this kind: it has the packages itself."""
    return not any(packs.needed(engine) for engine in kind.engines)


def left_over() -> int:
    """Bytes of a download that did not come to its end."""
    return size_of(packs.folder() / DOWNLOADS)


def size_of(folder: Path) -> int:
    """Bytes of what is in it. Reads the whole folder: not for a window."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


def verify(folder: Path, progress: Callable[[int], None] = lambda count: None) -> list[Sentence]:
    """Hash every file that was unpacked: a sentence for each that is wrong. `progress`: files so
    far; may raise to end it."""
    try:
        note = json.loads((folder / FILES).read_text("utf-8"))
        files = [(str(name), str(sha)) for name, sha in note.items()]
    except (OSError, ValueError, AttributeError):
        return [Sentence("{file} is missing.", file=FILES)]
    problems = []
    for count, (name, sha) in enumerate(files):
        progress(count)
        try:
            if sha256_of(folder / name) != sha:
                problems.append(Sentence("{file} was changed.", file=name))
        except OSError:
            problems.append(Sentence("{file} is missing.", file=name))
    return problems


def remove(folders: Sequence[Path]) -> None:
    """Delete packs, and what a download has left. Raises DownloadError for one that is in use."""
    with alone(), disk_told():
        for folder in folders:
            doom(folder)
        clear_away()
        shutil.rmtree(packs.folder() / DOWNLOADS, ignore_errors=True)


def clear_away() -> None:
    """Delete what an end at the wrong moment has left; what has come of a download stays."""
    folder = packs.folder()
    for left in [folder / NEW, *folder.glob(f"{GONE}*")]:
        shutil.rmtree(left, ignore_errors=True)


def for_engines(engines: Sequence[str]) -> list[Installed]:
    return [pack for pack in installed() if set(pack.kind.engines) & set(engines)]


def doom(folder: Path) -> None:
    """In one rename: a pack of which half is gone must not be found."""
    try:
        folder.rename(folder.with_name(f"{GONE}{uuid.uuid4().hex[:8]}"))
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise told.in_use(folder.name, why) from error


def remove_later(folder: Path) -> None:
    """One that a worker still runs on may stay until the next time (Windows)."""
    try:
        doom(folder)
    except UserError:
        log.warning("%s is in use and stays for now", folder.name, exc_info=True)


@contextmanager
def alone() -> Iterator[None]:
    with disk_told():
        folder = paths.make_private(packs.folder())
    try:
        with filelock.FileLock(folder / ".lock", timeout=0):
            yield
    except filelock.Timeout as error:
        raise told.under_way() from error


@contextmanager
def disk_told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise told.of_disk(error, packs.folder()) from error
