"""What can be said about the PyTorch engine without importing PyTorch."""

from __future__ import annotations

import functools
import importlib.util
import json
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from model_backends.base import Availability, EngineError, EngineInfo
from model_backends.voxtral import info
from model_backends.voxtral.checkpoint.folder import read_spec
from model_backends.voxtral.schedule import DEFAULT_DELAY_MS, DELAYS_MS

INFO = EngineInfo(
    name="voxtral-torch",
    label="Voxtral Realtime (PyTorch)",
    models=(info.DEFAULT_MODEL,),
    default_model=info.DEFAULT_MODEL,
    delays_ms=DELAYS_MS,
    default_delay_ms=DEFAULT_DELAY_MS,
    languages=(),
    hangover_ms=info.HANGOVER_MS,
    takes_folder=True,
    word_error_rate=info.WORD_ERROR_RATE,
    max_tracks=2,
    precisions=("fp32", "bf16", "fp16", "int8", "int4"),
)

_INSTALL = "Install it with: pip install 'voxline[torch]' (a GPU build from pytorch.org is faster)."


@dataclass(frozen=True, slots=True)
class Device:
    """Where the model could run."""

    kind: str  # "cuda", "mps" or "cpu"
    name: str
    memory_bytes: int  # free now


def availability(models_dir: Path) -> list[Availability]:
    """One row per checkpoint found, or one that says what to download."""
    if importlib.util.find_spec("torch") is None or importlib.util.find_spec("safetensors") is None:
        return [_row(info.DEFAULT_MODEL, "PyTorch is not installed.", _INSTALL)]
    folders = info.checkpoints(models_dir)
    device = best_device()
    if not folders:
        reason = f"The weights are not on this computer ({_described(device)} found)."
        return [_row(info.DEFAULT_MODEL, reason, info.DOWNLOAD)]
    return [_judge(folder, device) for folder in folders]


def fitting(device: Device, folder: Path) -> str | None:
    """The best precision of this checkpoint that fits into the device's free memory, or None."""
    try:
        spec = read_spec(folder)
    except EngineError:
        return None
    offered = ("fp32", "bf16", "int8", "int4") if device.kind == "cpu" else ("bf16", "int8", "int4")
    if device.kind == "cpu" and spec.parameters > 1_000_000_000:
        offered = ("int4",)  # each step reads all weights: more bits only make it slower
    fits = (p for p in offered if info.memory_needed(spec, p) <= device.memory_bytes)
    return next(fits, None)


@functools.cache
def best_device() -> Device:
    """The fastest device that this computer shows without PyTorch's help."""
    gpu = _nvidia() or _amd()
    if gpu is not None and _torch_has_gpu():
        return gpu
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return Device("mps", "Apple GPU", info.free_memory())
    return Device("cpu", platform.processor() or platform.machine(), info.free_memory())


def _judge(folder: Path, device: Device) -> Availability:
    precision = fitting(device, folder)
    needed = {p: info.memory_needed(read_spec(folder), p) for p in info.BITS}
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
            f"{_described(device)}; even in 4 bits this needs {info.gigabytes(needed['int4'])}.",
            "Close other programs, or use the embedded engine.",
            details,
        )
    reason = f"{_described(device)}; fits in {precision} ({info.gigabytes(needed[precision])})."
    hint = "" if device.kind != "cpu" else "On a processor the full model is slower than speech."
    return Availability(INFO.name, folder.name, True, reason, hint, details)


def _row(model: str, reason: str, hint: str) -> Availability:
    return Availability(INFO.name, model, False, reason, hint, {"preferred": False})


def _described(device: Device) -> str:
    return f"{device.name} with {info.gigabytes(device.memory_bytes)} free"


def _torch_has_gpu() -> bool:
    """Whether the installed PyTorch was built for a GPU: its version file says so."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return False
    version = Path(spec.origin).with_name("version.py")
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
