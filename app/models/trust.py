"""Which weights may be loaded: those that were hashed and found to be what was published, those
that were made on this computer, and those that the user has named, who is told.

The embedded engine sees to its own weights, and a server's are not here. Nothing is hashed here:
receipts are read. Knows nothing of sessions.
"""

from __future__ import annotations

import importlib
from pathlib import Path

from app.models import receipts
from model_backends import describe
from model_backends.base import EngineError, Sentence

# name: the light module with `find_model(model, models_dir)`, and what lists all that it would take
_OWN_DELAYS = ("ggml",)  # each model has other delays and languages: none stands for another
_LOADS_FOLDERS = {
    "voxtral-torch": ("model_backends.voxtral.info", "checkpoints"),
    "voxtral-mlx": ("model_backends.voxtral.mlx.info", "checkpoints"),
    "voxtral-cpu": ("model_backends.voxtral.cpu.info", "packed_models"),
    "ggml": ("model_backends.ggml.info", "usual_models"),
}


def chosen(engine: str, model: str | None, models_dir: Path) -> str | None:
    """`model`, or, where the user has named none, a folder that was checked.

    Raises EngineError where there is one, but nobody has checked it. Where there is none at all,
    the engine itself says what it needs.
    """
    if model or engine not in _LOADS_FOLDERS:
        return model
    usual = _found(engine, None, models_dir)
    for folder in [usual, *_offered(engine, models_dir)]:
        if folder is not None and _is_checked(folder, models_dir):
            return None if folder == usual else str(folder)
    if usual is None:
        return None
    raise EngineError(
        Sentence("The model in {folder} has not been checked yet.", folder=usual),
        Sentence(
            "Check it: Preferences, Speech model, or: voxline models verify. One that is not "
            "published can be named: --model {name}",
            name=usual.name,
        ),
    )


def remark(engine: str, model: str | None, models_dir: Path) -> Sentence | None:
    """What the user is told of a model that they have named and that nobody has checked."""
    if not model or engine not in _LOADS_FOLDERS:
        return None
    folder = _found(engine, model, models_dir)
    if folder is None or _is_checked(folder, models_dir):
        return None
    return Sentence(
        "Voxline does not know these weights, and loads them because you named them: {folder}",
        folder=folder,
    )


def _is_checked(place: Path, models_dir: Path) -> bool:
    """Of a model that is one file: whether the folder's receipt is about it, too."""
    if not place.is_file():
        return receipts.is_checked(place, models_dir)
    receipt = receipts.read(place.parent, models_dir)
    return receipt is not None and place.name in receipt.sha256


def _found(engine: str, model: str | None, models_dir: Path) -> Path | None:
    find_model = importlib.import_module(_LOADS_FOLDERS[engine][0]).find_model
    try:
        folder: Path = find_model(model, models_dir)
    except EngineError:
        return None
    return folder


def _offered(engine: str, models_dir: Path) -> list[Path]:
    """What the models folder has for this engine, and what the hub's cache has of the catalogue."""
    from app.models import places  # these cost a session with the embedded engine time
    from app.models.catalogue import catalogue

    module, lister = _LOADS_FOLDERS[engine]
    there: list[Path] = getattr(importlib.import_module(module), lister)(models_dir)
    models = [model for model in catalogue() if engine in model.engines]
    if engine in _OWN_DELAYS:  # the usual one alone, and its file: others may lie beside it
        usual = [model for model in models if model.folder == describe(engine).default_model]
        found = [(places.find(model, models_dir), model.files[0].name) for model in usual]
        return [*there, *(place.folder / name for place, name in found if place is not None)]
    folders = (places.find(model, models_dir) for model in models)
    return [*there, *(place.folder for place in folders if place is not None)]
