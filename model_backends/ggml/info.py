"""What can be said about the ggml engine without loading it: which models are here, and what each
offers. Delays and languages are the model's, so `suited()` asks for it. Imports no library.
"""

from __future__ import annotations

import importlib.util
import os
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from model_backends import on_disk
from model_backends.base import Availability, EngineError, EngineInfo, EngineOptions, Sentence
from model_backends.ggml.families import Family, family_of
from model_backends.ggml.header import read_header
from model_backends.ggml.published import NEMOTRON, PUBLISHED

PACKAGE = "transcribe_cpp"
NOT_INSTALLED = Sentence("The library transcribe-cpp is not installed.")
INSTALL = Sentence("Install it with: pip install transcribe-cpp==0.4.1")
SUFFIX = ".gguf"
_GET = Sentence(
    "Get one in the preferences, under “Speech model”, or with: voxline models download nemotron "
    "(496 MB). Or name a .gguf file."
)


class GgmlInfo(EngineInfo):
    """Its delays and languages are those of the model that is asked for."""

    __slots__ = ()

    def suited(self, options: EngineOptions, models_dir: Path | None = None) -> EngineInfo:
        """With what this model offers. A file that cannot be read offers what the usual one does:
        loading it says what is wrong."""
        model = options.model
        if model is None:
            return self
        family = PUBLISHED.get(model) or PUBLISHED.get(Path(model).name)
        file = _named(model, models_dir)
        if file is not None:
            try:
                family = family_in(file)
            except EngineError:
                pass
        return described(family, model) if family is not None else self


def described(family: Family, model: str = NEMOTRON) -> EngineInfo:
    """What the engine offers with a model of this family."""
    return replace(
        INFO,
        default_model=model,
        delays_ms=tuple(sorted(family.choices)),
        default_delay_ms=family.default_delay_ms,
        languages=tuple(family.languages),
        hangover_ms=family.hangover_ms,
    )


def find_model(model: str | None, models_dir: Path) -> Path:
    """The file that `--model` means: a .gguf file, a folder with one, or a name in the models
    folder. No name: the usual model, since delays and languages are a model's own.

    Raises EngineError saying what to get.
    """
    file = _named(model or NEMOTRON, models_dir)
    if file is not None:
        return file
    for place in (on_disk.expanded(Path(model or NEMOTRON)), models_dir / (model or NEMOTRON)):
        if several := sorted(path.name for path in _inside(place)):
            raise EngineError(
                Sentence("{folder} holds several .gguf files.", folder=place),
                Sentence("Name one of them: {names}.", names=", ".join(several)),
            )
    if model is not None:
        raise EngineError(Sentence("There is no ggml model called “{model}”.", model=model), _GET)
    others = [file.parent.name for file in models(models_dir)]
    if others:
        raise EngineError(
            Sentence("The usual model of the ggml engine is not on this computer."),
            Sentence("Name one of those that are: --model {names}", names=", ".join(others)),
        )
    raise EngineError(Sentence("No model for the ggml engine is on this computer."), _GET)


def _named(model: str, models_dir: Path | None) -> Path | None:
    """The file of a path, or of a name in the models folder."""
    file = file_of(on_disk.expanded(Path(model)))
    return file_of(models_dir / model) if file is None and models_dir is not None else file


def usual_models(models_dir: Path) -> list[Path]:
    """What would be loaded if no model is named."""
    file = file_of(models_dir / NEMOTRON)
    return [file] if file is not None else []


def models(models_dir: Path) -> list[Path]:
    """Files in the folders of the models folder, those that are published first."""
    folders = on_disk.folders_in(models_dir)
    found = [file for folder in folders if (file := file_of(folder)) is not None]
    order = list(PUBLISHED)
    found.sort(key=lambda file: order.index(n) if (n := file.parent.name) in order else len(order))
    return found


def file_of(place: Path) -> Path | None:
    """The .gguf file that this is, or that this folder has; None if it has none, or several, or one
    whose name is no text: the library could not open it."""
    try:
        str(place).encode()
        if place.suffix == SUFFIX and place.is_file():
            return place
    except (OSError, ValueError):
        return None
    inside = _inside(place)
    return inside[0] if len(inside) == 1 else None


def _inside(folder: Path) -> list[Path]:
    """Its .gguf files; none if it is no folder, or one of their names is no text. Without hidden
    ones: on other systems' disks a Mac puts one beside each file."""
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)
        inside = [path for path in files if not path.name.startswith(".")]
        "".join(map(str, inside)).encode()
    except (OSError, ValueError):
        return []
    return inside


def family_in(file: Path) -> Family:
    """Raises EngineError for what is no file that this engine can use."""
    try:
        status = file.stat()
        stamp = (status.st_size, status.st_mtime_ns)
    except OSError:
        stamp = (0, 0)
    return _family(file, stamp)


@lru_cache(maxsize=32)
def _family(file: Path, stamp: tuple[int, int]) -> Family:
    return family_of(read_header(file), file.name)


def availability(models_dir: Path) -> list[Availability]:
    """One row a model that is here, or what to do if there is none."""
    if importlib.util.find_spec(PACKAGE) is None:
        return [Availability(INFO.name, NEMOTRON, False, NOT_INSTALLED, INSTALL)]
    rows = [_row(file) for file in models(models_dir)]
    if rows:
        return rows
    missing = Sentence("No model for it is on this computer.")
    return [Availability(INFO.name, NEMOTRON, False, missing, _GET, {"downloadable": True})]


def _row(file: Path) -> Availability:
    name = file.parent.name
    try:
        family = family_in(file)
    except EngineError as error:
        return Availability(INFO.name, name, False, error.message, error.hint)
    details = {"path": str(file), "processors": os.cpu_count() or 1}
    if not family.streams:
        words = Sentence("{family}, for sound files; it does not stream.", family=family.name)
        return Availability(INFO.name, name, True, words, "", details)
    delays = ", ".join(map(str, sorted(family.choices)))
    if len(family.choices) > 5:
        delays = f"{min(family.choices)}–{max(family.choices)}"
    words = Sentence(
        "{family}: streams, with a delay of {delays} ms; each voice loads the model once.",
        family=family.name,
        delays=delays,
    )
    return Availability(INFO.name, name, True, words, "", details)


_USUAL = PUBLISHED[NEMOTRON]
INFO = GgmlInfo(
    name="ggml",
    label=Sentence("Streaming (ggml)"),
    models=tuple(PUBLISHED),
    default_model=NEMOTRON,
    delays_ms=tuple(sorted(_USUAL.choices)),
    default_delay_ms=_USUAL.default_delay_ms,
    languages=tuple(_USUAL.languages),
    hangover_ms=_USUAL.hangover_ms,
    takes_folder=True,
    whole_files=True,
)
