"""What every acceleration pack holds, file by file: `resources/packs.toml`, checked.

Made by packaging/lock_packs.py. Knows nothing of this computer, nor of where files come from.
"""

from __future__ import annotations

import functools
import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app import paths
from model_backends.base import Sentence

_SHA256 = re.compile(r"[0-9a-f]{64}")
_FILE = re.compile(r"[\w.+-]+\.(whl|tar\.gz)")
_VERSION = re.compile(r"\d+(\.\d+)+")
_RELEASE = re.compile(r"\d{8}")


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of pack, as people see it."""

    name: str  # "cuda", "cpu" or "mlx"
    title: Sentence
    engines: tuple[str, ...]  # those that it lets run
    device: str  # what its tensors must find: the trial asks for it
    licence: Sentence


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "cuda",
            Sentence("PyTorch for NVIDIA graphics cards"),
            ("voxtral-torch",),
            "cuda",
            Sentence(
                "PyTorch and Triton are free software; NVIDIA’s libraries come under NVIDIA’s own "
                "licence, which is in the pack."
            ),
        ),
        Kind(
            "cpu",
            Sentence("PyTorch for the processor"),
            ("voxtral-torch",),
            "cpu",
            Sentence("PyTorch is free software; its licence is in the pack."),
        ),
        Kind(
            "mlx",
            Sentence("MLX for Apple silicon"),
            ("voxtral-mlx",),
            "gpu",
            Sentence("MLX is free software; its licence is in the pack."),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class File:
    """Something to fetch. Sizes in bytes; 0: not known before it comes."""

    name: str
    bytes: int
    sha256: str
    unpacked: int

    @property
    def project(self) -> str:
        """Of a wheel: what an index calls it. PEP 503: lower case, and only hyphens."""
        return re.sub(r"[-_.]+", "-", self.name.partition("-")[0]).lower()

    @property
    def build(self) -> str:
        """Of a wheel: what its maker calls this build of a version ("cpu", "cu130"), or ""."""
        return self.name.split("-")[1].partition("+")[2]


@dataclass(frozen=True, slots=True)
class Python:
    """An interpreter that a pack can bring: python-build-standalone's."""

    system: str
    version: str  # all of it: 3.12.15
    release: str  # the day, in the address
    file: File

    @property
    def minor(self) -> str:
        return ".".join(self.version.split(".")[:2])


@dataclass(frozen=True, slots=True)
class Build:
    """A pack for one system and one Python."""

    pack: str
    system: str
    python: str  # 3.12
    wheels: tuple[File, ...]

    @property
    def kind(self) -> Kind:
        return KINDS[self.pack]

    @property
    def label(self) -> str:
        """What their maker calls this build of its wheels, where it is not the usual one."""
        return next((wheel.build for wheel in self.wheels if wheel.build), "")

    @property
    def pin(self) -> str:
        """Another when any file is another."""
        joined = "\n".join(sorted(wheel.sha256 for wheel in self.wheels))
        return hashlib.sha256(joined.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Pins:
    """All of them."""

    pythons: tuple[Python, ...]
    builds: tuple[Build, ...]

    def build(self, pack: str, system: str, python: str) -> Build | None:
        wanted = (pack, system, python)
        return next((b for b in self.builds if (b.pack, b.system, b.python) == wanted), None)

    def of(self, pack: str, system: str) -> list[Build]:
        """For every Python that it could run on here."""
        return [each for each in self.builds if (each.pack, each.system) == (pack, system)]

    def python(self, system: str) -> Python | None:
        return next((each for each in self.pythons if each.system == system), None)


class PinsError(Exception):
    """The pins that this Voxline brings are not sound: a fault of ours, not of the user's."""


@functools.cache
def pins() -> Pins:
    """Those that this Voxline brings. Raises PinsError."""
    return read(paths.resource("packs.toml").read_text("utf-8"))


def read(text: str) -> Pins:
    """Raises PinsError for what is missing or unsafe."""
    try:
        table = tomllib.loads(text)
        pythons = tuple(_python(entry) for entry in table["python"])
        builds = tuple(_build(entry) for entry in table["build"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PinsError(f"{type(error).__name__}: {error}") from error
    return Pins(pythons, builds)


def _python(entry: Mapping[str, Any]) -> Python:
    file = _file({"bytes": 0, "unpacked": 0, **entry})
    version, release = _fits(_VERSION, entry["version"]), _fits(_RELEASE, entry["release"])
    return Python(str(entry["system"]), version, release, file)


def _build(entry: Mapping[str, Any]) -> Build:
    wheels = tuple(_file(each) for each in entry["wheels"])
    if entry["pack"] not in KINDS or not wheels:
        raise ValueError(f"{entry['pack']} is no pack")
    if len({wheel.project for wheel in wheels}) != len(wheels):
        raise ValueError(f"{entry['pack']} holds something twice")
    return Build(entry["pack"], str(entry["system"]), _fits(_VERSION, entry["python"]), wheels)


def _file(entry: Mapping[str, Any]) -> File:
    sizes = int(entry["bytes"]), int(entry["unpacked"])
    if min(sizes) < 0:
        raise ValueError(f"{entry['file']} has a size below zero")
    name = _fits(_FILE, entry["file"])
    return File(name, sizes[0], _fits(_SHA256, entry["sha256"]), sizes[1])


def _fits(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text) or text.startswith("."):
        raise ValueError(f"“{text}” is not of the form {pattern.pattern}")
    return text
