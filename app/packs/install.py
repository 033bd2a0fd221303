"""A pack from nothing to where workers are started with it; checking it, and taking it away.

    <data>/packs/.downloads/          files on their way
    <data>/packs/.new/                being unpacked, and tried
    <data>/packs/torch-cuda-<pin>/    in use: env/, files.json, pack.json

What is under a dot is seen by nobody who looks for packs, so an end at any moment leaves the app
as it was. A pack gets its name in one rename, once a tiny model has taken its steps in it; only
then are older ones for the same engines removed. One at a time, whoever asks.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.models.download import Progress
from app.packs import fetching, kept, python, told, trial
from app.packs.fetching import Fetching, Tell
from app.packs.pins import KINDS, Build, File, Kind, Pins, Python, pins
from app.packs.python import Here
from app.packs.sources import Sources, configured
from app.packs.unpack import ArchiveError, Note, unpack_tarball, unpack_wheel
from app.worker import messages, packs
from model_backends import on_disk
from model_backends.downloads.fetch import Stop

log = logging.getLogger(__name__)

MARGIN = 200_000_000  # bytes that are left free on the disk
_PYTHON_BYTES, _PYTHON_UNPACKED = 35_000_000, 110_000_000  # about: its maker publishes no sizes


@dataclass(frozen=True, slots=True)
class Plan:
    """What an installation would do. `python` is None where one is here already (`here`)."""

    build: Build
    here: Here | None
    python: Python | None

    @property
    def files(self) -> list[File]:
        return [*([self.python.file] if self.python else []), *self.build.wheels]

    @property
    def bytes(self) -> int:
        """To be fetched, all in all."""
        own = _PYTHON_BYTES if self.python else 0
        return own + sum(wheel.bytes for wheel in self.build.wheels)

    @property
    def unpacked(self) -> int:
        own = _PYTHON_UNPACKED if self.python else 0
        return own + sum(wheel.unpacked for wheel in self.build.wheels)

    @property
    def name(self) -> str:
        """Of its folder; another for other files."""
        return f"{_stem(self.build.kind)}-{self.build.pin}"


def plan(kind: str, wanted: Path | None = None, known: Pins | None = None) -> Plan:
    """How a pack would come to this computer; starts Pythons to ask them. `wanted`: a Python that
    the user has named. Raises DownloadError where there is no way."""
    known = known or pins()
    system = python.this_system()
    builds = {build.python: build for build in known.of(kind, system)}
    brought = known.python(system)
    if not builds:
        raise told.not_for_this_system(KINDS[kind].title, system)
    here = python.named(wanted, builds) if wanted else python.find(builds)
    if here is not None:
        return Plan(builds[here.version], here, None)
    if brought is None or brought.minor not in builds:
        raise told.not_for_this_system(KINDS[kind].title, system)
    return Plan(builds[brought.minor], None, brought)


def begun(intended: Plan) -> int:
    """Bytes that an earlier time has brought."""
    return fetching.here(packs.folder() / kept.DOWNLOADS, intended.files)


def install(intended: Plan, tell: Tell, stop: Stop, sources: Sources | None = None) -> Path:
    """Get a pack and put it where workers find it; its folder. Calls `tell` from this thread.

    Raises DownloadError saying what went wrong and what to do, and StoppedError; what has come
    stays for the next time, and what was used before is used on.
    """
    with kept.alone(), kept.disk_told():
        return _Installation(intended, tell, stop, sources or configured()).run()


class _Installation:
    """One run of it, under the lock."""

    def __init__(self, intended: Plan, tell: Tell, stop: Stop, sources: Sources) -> None:
        self._plan, self._tell, self._stop, self._sources = intended, tell, stop, sources
        self._kind = intended.build.kind
        self._downloads = packs.folder() / kept.DOWNLOADS
        self._new = packs.folder() / kept.NEW
        self._note: Note = {}
        self._unpacked = 0

    def run(self) -> Path:
        kept.clear_away()
        place = packs.folder() / self._plan.name
        if place.is_dir() and self._renew(place):
            return place
        self._check_room()
        files = Fetching(self._downloads, self._plan.bytes, self._sources, self._tell, self._stop)
        files.run(self._plan.python, self._plan.build.wheels)
        try:
            interpreter = self._unpack()
            self._try(interpreter)
            _write(self._new / kept.FILES, self._note)
            self._describe(self._new, interpreter)
            return self._put_in_place()
        finally:
            shutil.rmtree(self._new, ignore_errors=True)

    def _renew(self, place: Path) -> bool:
        """The same files are here, whole: nothing need come again. A Voxline that speaks another
        protocol only has to try them with its own modules, and to write that down."""
        manifest = packs.manifest_of(place)
        interpreter = place / str(manifest.get("python"))
        self._say("checking")
        if kept.verify(place, lambda count: self._stop.check()) or not interpreter.is_file():
            return False
        self._try(interpreter)
        self._describe(place, interpreter)
        return True

    def _check_room(self) -> None:
        folder = packs.folder()
        needed = max(self._plan.bytes - begun(self._plan), 0) + self._plan.unpacked + MARGIN
        free = shutil.disk_usage(folder).free
        if needed > free:
            raise told.no_space(needed, free, folder)

    def _unpack(self) -> Path:
        """The interpreter of an environment with all wheels in it."""
        env = self._new / "env"
        self._say("unpacking")
        if self._plan.python is not None:
            self._open(self._plan.python.file, unpack_tarball, env)
            interpreter = python.brought(env)
        else:
            assert self._plan.here is not None
            interpreter = python.make_environment(env, self._plan.here)
        site = packs.site_packages(interpreter)
        assert site is not None
        for wheel in self._plan.build.wheels:
            self._open(wheel, unpack_wheel, site)
        return interpreter

    def _open(self, file: File, unpack: Callable[..., None], into: Path) -> None:
        try:
            unpack(self._downloads / file.name, into, self._new, self._note, self._wrote)
        except ArchiveError as error:
            log.exception("%s", file.name)
            raise told.broken_archive(file.name) from error

    def _wrote(self, count: int) -> None:
        self._stop.check()
        before, self._unpacked = self._unpacked, self._unpacked + count
        if before * 200 // self._plan.unpacked != self._unpacked * 200 // self._plan.unpacked:
            self._say("unpacking")

    def _try(self, interpreter: Path) -> None:
        self._say("trying")
        kind = self._kind
        outcome = trial.run(interpreter, kind.engines[0], kind.device, self._stop)
        log.info("%s: %s", self._plan.name, outcome)
        if outcome.no_card:
            raise told.no_card(outcome.why)
        if outcome.why:
            raise told.trial_failed(kind.title, outcome.why)

    def _describe(self, place: Path, interpreter: Path) -> None:
        """What makes it a pack, last of all."""
        manifest = {
            "pack": packs.FORMAT,
            "protocol": messages.PROTOCOL_VERSION,
            "engines": list(self._kind.engines),
            "python": interpreter.relative_to(place).as_posix(),
            "kind": self._kind.name,
            "pin": self._plan.build.pin,
        }
        _write(place / packs.MANIFEST, manifest)

    def _put_in_place(self) -> Path:
        place = packs.folder() / self._plan.name
        if place.exists():  # the same one, which was damaged
            kept.doom(place)
        if hasattr(os, "sync"):
            os.sync()  # a power failure after this finds all of it, or nothing
        self._new.rename(place)
        for older in kept.for_engines(self._kind.engines):
            if older.folder != place:
                kept.remove_later(older.folder)
        kept.clear_away()
        shutil.rmtree(self._downloads, ignore_errors=True)
        return place

    def _say(self, doing: str) -> None:
        unpacked = min(self._unpacked, self._plan.unpacked)
        self._tell(Progress(unpacked, self._plan.unpacked, doing))


def _stem(kind: Kind) -> str:
    return kind.name if kind.name == "mlx" else f"torch-{kind.name}"


def _write(path: Path, content: object) -> None:
    on_disk.write_whole(path, json.dumps(content, indent=1).encode(), 0o666)
