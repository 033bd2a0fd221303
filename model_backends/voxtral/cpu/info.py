"""What can be said about the processor engine without loading its library."""

from __future__ import annotations

from pathlib import Path

from model_backends import on_disk
from model_backends.base import Availability, EngineError, Sentence
from model_backends.voxtral import info, memory
from model_backends.voxtral.checkpoint.folder import read_spec as read_plain_spec
from model_backends.voxtral.cpu.build import find_library
from model_backends.voxtral.cpu.packed_file import file_size, looks_packed, read_spec
from model_backends.voxtral.spec import ModelSpec

INFO = info.described(
    name="voxtral-cpu",
    label=Sentence("Voxtral Realtime (processor)"),
    precisions=("int4",),
)

BUILD_HINT = Sentence(
    "Install a C compiler and run: python -m model_backends.voxtral.cpu.build. "
    "Until then Voxtral runs in PyTorch (voxtral-torch)."
)
_CONVERT = Sentence("Pack it first: voxline models convert --engine cpu SRC DST.")
_SMALL_PARAMETERS = 100_000_000


def availability(models_dir: Path) -> list[Availability]:
    """One row per packed model or checkpoint that could be packed, or what is missing."""
    if find_library() is None:
        return [_row(Sentence("The processor engine has not been built here."), BUILD_HINT)]
    packed = packed_models(models_dir)
    plain = info.checkpoints(models_dir)
    if not packed and not plain:
        reason = Sentence("The Voxtral Realtime weights are not on this computer.")
        return [
            _row(reason, Sentence("{download} {convert}", download=info.DOWNLOAD, convert=_CONVERT))
        ]
    return [*map(_judge, packed), *(_unpacked(f) for f in plain if not _has_twin(f, packed))]


def packed_models(models_dir: Path) -> list[Path]:
    """Folders below `models_dir` (or itself) with the processor engine's file, by name."""
    candidates = [models_dir, *on_disk.folders_in(models_dir)]
    return [folder for folder in candidates if looks_packed(folder)]


def find_model(model: str | None, models_dir: Path) -> Path:
    """The folder that `--model` means: packed where there is a choice, else a checkpoint.

    Raises EngineError saying what to download.
    """
    if model is None and (found := packed_models(models_dir)):
        return found[0]
    return info.find_model(model, models_dir)


def memory_needed(spec: ModelSpec, kv_bits: int = 16) -> int:
    """Bytes with one stream at full length."""
    return memory.packed_memory_needed(spec, file_size(spec), kv_bits)


def _judge(folder: Path) -> Availability:
    try:
        spec = read_spec(folder)
    except EngineError as error:
        return Availability(INFO.name, folder.name, False, error.message, error.hint, {})
    needed, free = memory_needed(spec), info.free_memory()
    fits = needed <= free + file_size(spec)  # a mapped file's pages count as free
    details = {
        "path": str(folder),
        "device": "cpu",
        "memory_bytes": free,
        "needed_bytes": {"int4": needed},
        "precision": "int4",
        "preferred": fits,
    }
    reason: str = Sentence(
        "Packed for processors; needs {needed} of {free} free.",
        needed=info.gigabytes(needed),
        free=info.gigabytes(free),
    )
    hint = "" if fits else Sentence("Close other programs, or use the embedded engine.")
    return Availability(INFO.name, folder.name, fits, reason, hint, details)


def _unpacked(folder: Path) -> Availability:
    """A checkpoint as published: small ones are packed while loading, large ones once by hand."""
    spec = read_plain_spec(folder)
    small = spec.parameters < _SMALL_PARAMETERS
    details = {"path": str(folder), "device": "cpu", "precision": "int4", "preferred": small}
    size = info.gigabytes(file_size(spec))
    if small:
        reason: str = Sentence("Small enough to be packed while it is loaded.")
        return Availability(INFO.name, folder.name, True, reason, "", details)
    reason = Sentence("These weights are not packed for processors yet ({size}).", size=size)
    return Availability(INFO.name, folder.name, False, reason, _CONVERT, details)


def _has_twin(folder: Path, packed: list[Path]) -> bool:
    return any(twin.name.startswith(folder.name) for twin in packed)


def _row(reason: str, hint: str) -> Availability:
    return Availability(INFO.name, INFO.default_model, False, reason, hint, {"preferred": False})
