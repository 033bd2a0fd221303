"""What can be said about the MLX engine without importing MLX."""

from __future__ import annotations

import functools
import platform
import shutil
import subprocess
from pathlib import Path

import psutil

from model_backends import elsewhere, on_disk
from model_backends.base import Availability, EngineError, Sentence
from model_backends.voxtral import info
from model_backends.voxtral.checkpoint.folder import looks_like_checkpoint
from model_backends.voxtral.checkpoint.packed import read_spec, stored_bits
from model_backends.voxtral.mlx.chip import (
    OFFERED_BITS,
    Chip,
    fits,
    memory_needed,
    recommended_bits,
    step_ms,
)
from model_backends.voxtral.spec import PUBLISHED, ModelSpec

INFO = info.described(
    name="voxtral-mlx",
    label="Voxtral Realtime (MLX)",
    precisions=("fp32", "bf16", "fp16", "int8", "int6", "int4"),
)

_INSTALL = Sentence("Install it with: pip install 'voxline[mlx]'.")
_OTHER = Sentence("Use the PyTorch engine (voxtral-torch) here.")
_SMALLER = Sentence("Packed already, and smaller: voxline models download voxtral-4bit (3.1 GB).")
_CONVERT = Sentence("A smaller copy: voxline models convert --bits 4 SRC DST.")


def availability(models_dir: Path) -> list[Availability]:
    """One row per checkpoint found, or one that says what is missing."""
    missing = _what_is_missing()
    if missing is not None:
        return [_row(*missing)]
    computer = chip()
    folders = checkpoints(models_dir)
    if not folders:
        return [_without_weights(computer)]
    return [_judge(folder, computer) for folder in folders]


def checkpoints(models_dir: Path) -> list[Path]:
    """Folders below `models_dir` (or itself) with a checkpoint in any of the four layouts."""
    candidates = [models_dir, *on_disk.folders_in(models_dir)]
    return [f for f in candidates if looks_like_checkpoint(f) and _spec(f) is not None]


def find_model(model: str | None, models_dir: Path) -> Path:
    """The folder that `--model` means; see `info.find_model`, but in any of the four layouts."""
    if model is not None:
        return info.find_model(model, models_dir)
    found = checkpoints(models_dir)
    if not found:
        raise EngineError(
            Sentence("The Voxtral Realtime weights are not on this computer."), info.DOWNLOAD
        )
    named = [folder for folder in found if folder.name == info.DEFAULT_MODEL]
    return (named or found)[0]


@functools.cache
def chip() -> Chip:
    """This computer."""
    apple = platform.system() == "Darwin" and platform.machine() == "arm64"
    name = _sysctl("machdep.cpu.brand_string") if apple else ""
    name = name or platform.processor() or platform.machine()
    return Chip(name, int(psutil.virtual_memory().total), apple)


def bits_for(folder: Path, spec: ModelSpec, computer: Chip) -> int:
    """Bits that a checkpoint would run in here: packed ones as they are, others as recommended."""
    stored = stored_bits(folder)
    if stored < 16 or not computer.apple:
        return stored
    return recommended_bits(spec, computer)


def _judge(folder: Path, computer: Chip) -> Availability:
    spec = _spec(folder)
    assert spec is not None  # `checkpoints` asked
    bits = bits_for(folder, spec, computer)
    recommended = recommended_bits(spec, computer)
    details = {
        "path": str(folder),
        "device": "gpu" if computer.apple else "cpu",
        "device_name": computer.name,
        "memory_bytes": computer.memory_bytes,
        "needed_bytes": {str(b): memory_needed(spec, b) for b in OFFERED_BITS},
        "step_ms_estimate": {str(b): round(step_ms(spec, b, computer), 1) for b in OFFERED_BITS},
        "stored_bits": stored_bits(folder),
        "bits": bits,
        "recommended_bits": recommended,
        "preferred": computer.apple,
    }
    needed = info.gigabytes(memory_needed(spec, bits))
    there = _described(computer)
    if not fits(spec, bits, computer):
        reason = Sentence(
            "{there}; in {bits} bits this needs {needed}.", there=there, bits=bits, needed=needed
        )
        return Availability(INFO.name, folder.name, False, reason, _CONVERT, details)
    if not computer.apple:
        reason = Sentence(
            "{there}; MLX computes on the processor here, far slower than speech.", there=there
        )
        return Availability(INFO.name, folder.name, True, reason, _OTHER, details)
    reason = Sentence(
        "{there}; runs in {bits} bits ({needed}), {recommended} recommended.",
        there=there,
        bits=bits,
        needed=needed,
        recommended=recommended,
    )
    hint = _CONVERT if stored_bits(folder) == 16 and bits < 16 else ""
    return Availability(INFO.name, folder.name, True, reason, hint, details)


def _without_weights(computer: Chip) -> Availability:
    """What would run here if the weights were there."""
    there = _described(computer)
    if not computer.apple:
        return _row(
            Sentence("The weights are not on this computer ({there}).", there=there), info.DOWNLOAD
        )
    bits = recommended_bits(PUBLISHED, computer)
    needed = info.gigabytes(memory_needed(PUBLISHED, bits))
    reason = Sentence(
        "The weights are not on this computer; {there}: {bits} bits recommended ({needed}).",
        there=there,
        bits=bits,
        needed=needed,
    )
    return _row(
        reason,
        Sentence("{download} {smaller}", download=info.DOWNLOAD, smaller=_SMALLER),
        True,
        bits,
    )


def _what_is_missing() -> tuple[str, str] | None:
    """Why MLX cannot run here and what to do, or None if it can."""
    if elsewhere.package("mlx", INFO.name) is not None:
        return None
    system, machine = platform.system(), platform.machine()
    if system == "Darwin" and machine != "arm64":
        if _sysctl("sysctl.proc_translated") == "1":
            return (
                Sentence(
                    "This Python was built for Intel Macs and runs translated, where MLX cannot."
                ),
                Sentence("Install Voxline with a Python for Apple silicon."),
            )
        return Sentence(
            "MLX needs a Mac with Apple silicon; this one has an Intel processor."
        ), _OTHER
    if system != "Darwin":
        return Sentence("MLX is not installed; it is made for Macs with Apple silicon."), _OTHER
    return elsewhere.why_not(INFO.name, Sentence("MLX is not installed."), _INSTALL)


def _spec(folder: Path) -> ModelSpec | None:
    try:
        return read_spec(folder)
    except EngineError:
        return None


def _row(
    reason: str, hint: str, apple: bool = False, recommended: int | None = None
) -> Availability:
    details = {"preferred": apple, "recommended_bits": recommended}
    return Availability(INFO.name, INFO.default_model, False, reason, hint, details)


def _sysctl(name: str) -> str:
    """One of macOS's own facts; empty where there is none."""
    path = shutil.which("sysctl")
    if path is None:
        return ""
    try:
        done = subprocess.run([path, "-n", name], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _described(computer: Chip) -> Sentence:
    size = info.gigabytes(computer.memory_bytes)
    return Sentence("{name} with {size}", name=computer.name, size=size)
