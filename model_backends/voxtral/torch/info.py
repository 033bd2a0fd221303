"""What can be said about the PyTorch engine without importing PyTorch."""

from __future__ import annotations

import functools
import json
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from model_backends import elsewhere
from model_backends.base import Availability, EngineError, Sentence
from model_backends.voxtral import info, memory
from model_backends.voxtral.checkpoint.folder import read_spec
from model_backends.voxtral.memory import Storage
from model_backends.voxtral.spec import ModelSpec

INFO = info.described(
    name="voxtral-torch",
    label="Voxtral Realtime (PyTorch)",
    precisions=("fp32", "bf16", "fp16", "int8", "int4"),
)

# A scale a row in 8 bits, a scale and a middle for 32 inputs in 4; the embedding stays in 8 bits,
# on processors with a packed copy beside the rows.
_STORAGE = {
    "fp32": Storage(32, item_bytes=4),
    "bf16": Storage(16),
    "fp16": Storage(16),
    "int8": Storage(8, scale_bytes=2, head_copies=2),
    "int4": Storage(4, group=32, scale_bytes=4, head_bits=8, head_copies=2),
}
_WORKSPACE = 600_000_000  # bytes of kernels, activations, captured graphs

_INSTALL = Sentence(
    "Install it with: pip install 'voxline[torch]' (a GPU build from pytorch.org is faster)."
)


@dataclass(frozen=True, slots=True)
class Device:
    """Where the model could run."""

    kind: str  # "cuda", "mps" or "cpu"
    name: str
    memory_bytes: int  # free now


def availability(models_dir: Path) -> list[Availability]:
    """One row per checkpoint found, or one that says what to download."""
    if any(elsewhere.package(name, INFO.name) is None for name in ("torch", "safetensors")):
        why = elsewhere.why_not(INFO.name, Sentence("PyTorch is not installed."), _INSTALL)
        return [_row(info.DEFAULT_MODEL, *why)]
    folders = info.checkpoints(models_dir)
    device = best_device()
    if not folders:
        reason = Sentence(
            "The weights are not on this computer ({described} found).",
            described=_described(device),
        )
        return [_row(info.DEFAULT_MODEL, reason, info.DOWNLOAD)]
    return [_judge(folder, device) for folder in folders]


def fitting(device: Device, folder: Path) -> str | None:
    """The best precision of this checkpoint that fits into the device's free memory, or None.

    On a processor the full model never gets 16 bits: on two cores its products then take 436 ms
    a step, in 8 bits 201, in 4 bits 155.
    """
    try:
        spec = read_spec(folder)
    except EngineError:
        return None
    offered: tuple[str, ...] = ("bf16", "int8", "int4")
    if device.kind == "cpu":  # a large model's speed is that of reading it
        small = spec.parameters < 1_000_000_000
        offered = ("fp32", "int8", "int4") if small else ("int4", "int8")
    fits = (p for p in offered if memory_needed(spec, p) <= device.memory_bytes)
    return next(fits, None)


def memory_needed(spec: ModelSpec, precision: str, streams: int = 1) -> int:
    """Bytes for everything at once, with `streams` of one delay open."""
    return memory.memory_needed(spec, _STORAGE[precision], _WORKSPACE, streams=streams)


@functools.cache
def best_device() -> Device:
    """The fastest device that this computer shows without PyTorch's help."""
    gpu = graphics_card()
    if gpu is not None and _torch_has_gpu():
        return gpu
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return Device("mps", "Apple GPU", info.free_memory())
    return Device("cpu", platform.processor() or platform.machine(), info.free_memory())


def graphics_card() -> Device | None:
    """One that PyTorch could use if it were built for it."""
    return _nvidia() or _amd()


def _judge(folder: Path, device: Device) -> Availability:
    precision = fitting(device, folder)
    needed = {p: memory_needed(read_spec(folder), p) for p in INFO.precisions}
    details = {
        "path": str(folder),
        "device": device.kind,
        "device_name": device.name,
        "memory_bytes": device.memory_bytes,
        "needed_bytes": needed,
        "precision": precision,
        "preferred": precision is not None and device.kind == "cuda",
    }
    if precision is None:
        return Availability(
            INFO.name,
            folder.name,
            False,
            Sentence(
                "{described}; even in 4 bits this needs {size}.",
                described=_described(device),
                size=info.gigabytes(needed["int4"]),
            ),
            Sentence("Close other programs, or use the embedded engine."),
            details,
        )
    reason = Sentence(
        "{described}; fits in {precision} ({size}).",
        described=_described(device),
        precision=precision,
        size=info.gigabytes(needed[precision]),
    )
    hint = (
        ""
        if device.kind != "cpu"
        else Sentence("On a processor the full model is slower than speech.")
    )
    return Availability(INFO.name, folder.name, True, reason, hint, details)


def _row(model: str, reason: str, hint: str) -> Availability:
    return Availability(INFO.name, model, False, reason, hint, {"preferred": False})


def _described(device: Device) -> str:
    size = info.gigabytes(device.memory_bytes)
    return Sentence("{name} with {size} free", name=device.name, size=size)


def _torch_has_gpu() -> bool:
    """Whether the installed PyTorch was built for a GPU: its version file says so."""
    package = elsewhere.package("torch", INFO.name)
    if package is None:
        return False
    version = package / "version.py"
    text = version.read_text("utf-8") if version.is_file() else ""
    built = [line for line in text.splitlines() if line.startswith(("cuda", "hip"))]
    return any("= '" in line or '= "' in line for line in built)


def _nvidia() -> Device | None:
    output = _run("nvidia-smi", "--query-gpu=name,memory.free", "--format=csv,noheader,nounits")
    name, _, mebibytes = (output.splitlines() or [""])[0].rpartition(",")
    if not mebibytes.strip().isdigit():
        return None
    return Device("cuda", name.strip(), int(mebibytes) * 2**20)


def _amd() -> Device | None:
    try:
        cards = json.loads(_run("rocm-smi", "--showmeminfo", "vram", "--json") or "{}")
        card = next(iter(cards.values()))
        total, used = (int(card[f"VRAM Total {what}Memory (B)"]) for what in ("", "Used "))
    except (ValueError, KeyError, StopIteration, AttributeError):
        return None
    return Device("cuda", "AMD GPU", total - used)  # ROCm calls itself CUDA in PyTorch


def _run(program: str, *arguments: str) -> str:
    """What a small program prints; empty if it is missing or fails."""
    path = shutil.which(program)
    if path is None:
        return ""
    try:
        done = subprocess.run(
            [path, *arguments], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout
