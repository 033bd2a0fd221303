"""Every model that Voxline offers, with what its files must be: `resources/models.toml`, checked.

Knows nothing of where models are or how they come.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from app import paths
from model_backends.base import Sentence, UserError

_SHA256 = re.compile(r"[0-9a-f]{64}")
_REVISION = re.compile(r"[0-9a-f]{40}")
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_NAME = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class File:
    """One file of a model. `sha256` is "" and `bytes` 0 where only the hub knows them."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Needs:
    """What a computer must have, one of these; nothing: any computer will do. Gigabytes, 10^9."""

    gpu_gb: float = 0.0  # free, of a graphics card
    mac_gb: float = 0.0  # of a Mac with Apple silicon
    memory_gb: float = 0.0  # main memory, of any computer

    def __bool__(self) -> bool:
        return bool(self.gpu_gb or self.mac_gb or self.memory_gb)


@dataclass(frozen=True, slots=True)
class Model:
    """One model as people see it, and as the hub has it."""

    name: str  # what the command line calls it
    title: str
    words: str
    languages: tuple[str, ...]  # ISO 639-1; may be empty where `language_count` says how many
    language_count: int
    engines: tuple[str, ...]  # the best first
    licence: str  # SPDX
    licence_file: str  # of our resources
    author: str
    repository: str  # owner/name, on the hub
    revision: str  # a commit, or "": the newest
    folder: str  # in the models folder
    needs: Needs
    files: tuple[File, ...]
    files_only: bool = False  # it hears sound files and streams no captions

    @property
    def bytes(self) -> int:
        """Of all files whose size is known here."""
        return sum(file.bytes for file in self.files)

    @property
    def licence_text(self) -> str:
        return paths.resource(self.licence_file).read_text("utf-8")

    @property
    def is_embedded(self) -> bool:
        """Whether the embedded engine runs it, which looks after its own weights."""
        return self.engines == ("embedded",)


class CatalogueError(Exception):
    """The catalogue that this Voxline brings is not sound: a fault of ours, not of the user's."""


@functools.cache
def catalogue() -> tuple[Model, ...]:
    """Every model, in the order in which they are offered. Raises CatalogueError."""
    return read(paths.resource("models.toml").read_text("utf-8"))


def for_captions() -> tuple[Model, ...]:
    """Those of the catalogue that can caption. Raises CatalogueError."""
    return tuple(model for model in catalogue() if not model.files_only)


def model_named(name: str, models: tuple[Model, ...] | None = None) -> Model:
    """Raises UserError naming those that there are."""
    known = catalogue() if models is None else models
    for model in known:
        if model.name == name:
            return model
    raise UserError(
        Sentence("Voxline offers no model “{name}”.", name=name),
        Sentence("It offers: {names}.", names=", ".join(model.name for model in known)),
    )


def read(text: str) -> tuple[Model, ...]:
    """Models of a catalogue's text. Raises CatalogueError for what is missing or unsafe."""
    try:
        models = tuple(_model(entry) for entry in tomllib.loads(text)["model"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CatalogueError(f"{type(error).__name__}: {error}") from error
    if len({model.name for model in models}) != len(models):
        raise CatalogueError("two models have one name")
    if len({model.folder for model in models}) != len(models):
        raise CatalogueError("two models have one folder")
    return models


def _model(entry: Mapping[str, Any]) -> Model:
    languages = tuple(entry["languages"])
    model = Model(
        name=_fits(_NAME, entry["name"]),
        title=Sentence(entry["title"]),
        words=Sentence(entry["words"]),
        languages=languages,
        language_count=int(entry.get("many", len(languages))),
        engines=tuple(entry["engines"]),
        licence=entry["licence"],
        licence_file=_inside(entry["licence_file"]),
        author=entry["author"],
        repository=_fits(_REPOSITORY, entry["repository"]),
        revision=_fits_or_empty(_REVISION, entry["revision"]),
        folder=_fits(_NAME, entry["folder"]),
        needs=Needs(**{name: float(value) for name, value in entry["needs"].items()}),
        files=tuple(_file(each) for each in entry["file"]),
        files_only=bool(entry.get("files_only", False)),
    )
    if not (model.engines and model.files and model.language_count):
        raise ValueError(f"{model.name} is not whole")
    return model


def _file(entry: Mapping[str, Any]) -> File:
    size = int(entry["bytes"])
    if size < 0:
        raise ValueError(f"{entry['name']} has a size below zero")
    return File(_inside(entry["name"]), size, _fits_or_empty(_SHA256, entry["sha256"]))


def _fits(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text) or text.startswith("."):
        raise ValueError(f"“{text}” is not of the form {pattern.pattern}")
    return text


def _fits_or_empty(pattern: re.Pattern[str], text: str) -> str:
    return _fits(pattern, text) if text else text


def _inside(name: str) -> str:
    """A path that leads out of no folder."""
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        raise ValueError(f"“{name}” leads elsewhere")
    return name
