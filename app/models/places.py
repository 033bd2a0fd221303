"""Where on this computer a model is: in the models folder, under whatever name, or in the cache
that the model hub's own programs share. What is found is used where it lies.

A folder is known by the names and sizes of its files; `receipts` says whether it was hashed. Knows
nothing of downloads.
"""

from __future__ import annotations

import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from app.models import receipts
from app.models.catalogue import Model
from model_backends import on_disk
from model_backends.base import Sentence, UserError
from model_backends.embedded import store

DOWNLOADS = ".downloads"  # in the models folder: what is not there yet


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with all files of a model."""

    folder: Path
    kind: str  # "ours": in the models folder · "cache": the hub's programs share it · "app"
    checked: bool  # hashed, and unchanged since; the embedded engine sees to its own at each start

    @property
    def sentence(self) -> Sentence:
        """Where it is, for people."""
        words = {
            "ours": Sentence("In the models folder."),
            "cache": Sentence("In the model cache that other programs share."),
            "app": Sentence("Part of Voxline."),
        }
        return Sentence(words[self.kind])

    def name_for_engine(self, model: Model, models_dir: Path) -> str:
        """What its engine is told: a name in the models folder, or a path; of a GGUF model in a
        folder that is not its own the file's, since others may lie beside it."""
        if model.engines == ("ggml",) and self.folder != models_dir / model.folder:
            return str(self.folder / model.files[0].name)
        return self.folder.name if self.folder.parent == models_dir else str(self.folder)


def find(model: Model, models_dir: Path) -> Place | None:
    """Where all of its files are; a folder that was hashed before one that was not."""
    if model.is_embedded:
        return _embedded(model, models_dir)
    found = [
        Place(folder, kind, receipts.is_checked(folder, models_dir))
        for kind, folders in (
            ("ours", _folders(model, models_dir)),
            ("cache", _snapshots(model)),
        )
        for folder in folders
        if holds(folder, model)
    ]
    return next((place for place in found if place.checked), found[0] if found else None)


def holds(folder: Path, model: Model) -> bool:
    """Whether every file of a model is there, of the right size where that is known."""
    try:
        return all(
            (folder / file.name).is_file()
            and (not file.bytes or (folder / file.name).stat().st_size == file.bytes)
            for file in model.files
        )
    except OSError:
        return False


def size_here(model: Model, place: Place | None) -> int:
    """Bytes that it takes up, or would: what came with the app is smaller than a download."""
    if place is None or place.kind != "app" or not store.is_bundled(model.name):
        return model.bytes
    try:
        return sum((place.folder / file.name).stat().st_size for file in model.files)
    except OSError:
        return model.bytes


def unfinished(model: Model, models_dir: Path) -> int:
    """Bytes of it that an earlier download has brought; 0 if there was none."""
    folder = download_folder(model, models_dir)
    try:
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    except OSError:
        return 0


def download_folder(model: Model, models_dir: Path) -> Path:
    """Where its files are gathered; another revision has another folder."""
    return models_dir / DOWNLOADS / f"{model.folder}@{model.revision[:12] or 'newest'}"


def remove(model: Model, models_dir: Path) -> int:
    """Delete a model's folder and what a download has left of it; the bytes that were freed.

    Raises UserError for one that is not ours to delete, or that cannot be.
    """
    place = find(model, models_dir)
    left = download_folder(model, models_dir)
    if place is not None and place.kind != "ours":
        whose = {
            "app": Sentence("It is part of Voxline and goes with it."),
            "cache": "It lies in a cache that other programs use, too: {folder}",
        }
        raise UserError(
            Sentence("{title} cannot be removed.", title=model.title),
            Sentence(whose[place.kind], folder=place.folder),
        )
    gone = [place.folder] if place is not None else []
    gone += [left] if on_disk.is_folder(left) else []
    if not gone:
        raise UserError(
            Sentence("{title} is not on this computer.", title=model.title),
            Sentence("There is nothing to remove."),
        )
    if models_dir in gone:
        raise UserError(
            Sentence("{title} lies in the models folder itself.", title=model.title),
            Sentence("Delete its files there yourself: {folder}", folder=models_dir),
        )
    return sum(_delete(folder, models_dir) for folder in gone)


def _delete(folder: Path, models_dir: Path) -> int:
    """In one rename first: a model of which half is gone must not be found."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    doomed = models_dir / f".removed-{uuid.uuid4().hex[:8]}"
    try:
        folder.rename(doomed)
        receipts.forget(folder, models_dir)
        if doomed.is_symlink():  # it led elsewhere: that is not ours
            doomed.unlink()
        else:
            shutil.rmtree(doomed)
    except OSError as error:
        raise UserError(
            Sentence(
                "{folder} could not be removed ({why}).",
                folder=folder.name,
                why=error.strerror or type(error).__name__,
            ),
            Sentence("Choose another model first, or close what else uses it."),
        ) from error
    return size


def clear_away(models_dir: Path) -> None:
    """Delete what an interrupted removal has left."""
    if on_disk.is_folder(models_dir):
        for left in models_dir.glob(".removed-*"):
            shutil.rmtree(left, ignore_errors=True)


def _embedded(model: Model, models_dir: Path) -> Place | None:
    """The embedded engine knows more places, and checks its weights itself."""
    found = store.find(model.name, models_dir)
    if found is None:
        return None
    ours = found.path == store.folder(model.name, models_dir)
    return Place(found.path, "ours" if ours else "app", checked=True)


def _folders(model: Model, models_dir: Path) -> list[Path]:
    """The model's own place first, then every other folder, by name, and the models folder itself:
    the user may have named that one."""
    own = models_dir / model.folder
    try:
        others = sorted(path for path in models_dir.iterdir() if path.is_dir() and path != own)
    except OSError:
        return []
    return [own, *(path for path in others if not path.name.startswith(".")), models_dir]


def _snapshots(model: Model) -> list[Path]:
    """The model in the cache of `huggingface_hub`: the revision that is known, or any where none
    is. https://huggingface.co/docs/huggingface_hub/guides/manage-cache"""
    folder = hub_cache() / f"models--{model.repository.replace('/', '--')}" / "snapshots"
    try:
        found = sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError:
        return []
    return sorted(found, key=lambda path: path.name != model.revision)


def hub_cache() -> Path:
    """Where the hub's programs keep models, by the variables that they read."""
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    if named:
        return _path(named)
    home = os.environ.get("HF_HOME")
    if home:
        return _path(home) / "hub"
    return _path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface" / "hub"


def _path(text: str) -> Path:
    return Path(os.path.expanduser(text))  # noqa: PTH111 - Path's own raises where there is no home
