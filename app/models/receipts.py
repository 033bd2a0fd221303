"""Which folders of weights were hashed, and that what was found is what was published.

A receipt holds for as long as every file has the size and the time of change that it had then, so
that a start need not read nine gigabytes again. It lies in the models folder whatever folder it is
about: a cache of other programs stays as it is. Knows nothing of downloads or engines.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.models.catalogue import Model
from model_backends import on_disk
from model_backends.base import Sentence

_FOLDER = ".checked"
_BLOCK = 1 << 20
_Progress = Callable[[int], bool]  # bytes read so far; False: stop


class StoppedError(Exception):
    """Whoever waited does not want to any more."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is known of a folder's files. `model` is "" where they were made on this computer."""

    model: str
    revision: str
    sha256: Mapping[str, str]  # by file


def is_checked(folder: Path, models_dir: Path) -> bool:
    """Whether this folder was hashed and found sound, or made here, and is unchanged since."""
    return read(folder, models_dir) is not None


def read(folder: Path, models_dir: Path) -> Receipt | None:
    """The receipt of a folder, unless there is none or a file has changed."""
    try:
        kept = json.loads(_place(folder, models_dir).read_text("utf-8"))
        files = kept["files"]
        for name, (size, changed, _) in files.items():
            if _stamp(folder / name) != (size, changed):
                return None
        return Receipt(
            kept["model"], kept["revision"], {n: sha for n, (_, _, sha) in files.items()}
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write(folder: Path, models_dir: Path, receipt: Receipt) -> None:
    """Note what the files of a folder are, as they are now. Raises OSError."""
    files = {name: [*_stamp(folder / name), sha] for name, sha in receipt.sha256.items()}
    noted = {
        "folder": str(folder),
        "model": receipt.model,
        "revision": receipt.revision,
        "files": files,
    }
    place = _place(folder, models_dir)
    place.parent.mkdir(parents=True, exist_ok=True)
    on_disk.write_whole(place, json.dumps(noted, indent=1).encode(), 0o666)


def write_made_here(folder: Path, models_dir: Path) -> None:
    """Note that the weights in this folder were made on this computer. Raises OSError."""
    files = [path.name for path in sorted(folder.iterdir()) if path.is_file()]
    write(folder, models_dir, Receipt("", "", dict.fromkeys(files, "")))


def forget(folder: Path, models_dir: Path) -> None:
    """As if it had never been hashed."""
    _place(folder, models_dir).unlink(missing_ok=True)


def problems(
    model: Model,
    folder: Path,
    expected: Mapping[str, str],
    progress: _Progress = lambda count: True,
) -> list[Sentence]:
    """Hash every file of a model; a sentence for each that is wrong. `expected`: sha256 by file.

    Raises StoppedError if `progress` says so.
    """
    found: list[Sentence] = []
    before = 0
    for file in model.files:
        path = folder / file.name
        try:
            sha = sha256_of(path, lambda count, before=before: progress(before + count))  # type: ignore[misc]
            before += path.stat().st_size
        except FileNotFoundError:
            found.append(Sentence("{file} is missing.", file=file.name))
            continue
        except OSError as error:
            why = error.strerror or type(error).__name__
            found.append(Sentence("{file} cannot be read ({why}).", file=file.name, why=why))
            continue
        if sha != expected.get(file.name):
            found.append(
                Sentence("{file} is not the published file (its sha256 differs).", file=file.name)
            )
    return found


def sha256_of(path: Path, progress: _Progress = lambda count: True) -> str:
    """Raises OSError, and StoppedError if `progress` says so."""
    digest, count = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            count += len(block)
            if not progress(count):
                raise StoppedError
    return digest.hexdigest()


def _place(folder: Path, models_dir: Path) -> Path:
    key = hashlib.sha256(os.path.realpath(folder).encode("utf-8", "surrogatepass")).hexdigest()
    return models_dir / _FOLDER / f"{key[:24]}.json"


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()  # of what a link leads to: a cache's files are links
    return status.st_size, status.st_mtime_ns
