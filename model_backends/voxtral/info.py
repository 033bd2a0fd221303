"""What every Voxtral engine shares: where checkpoints are looked for, published error rates,
and how much memory a precision takes. Imports no tensor library."""

from __future__ import annotations

from pathlib import Path

import psutil

from model_backends.base import EngineError
from model_backends.voxtral.checkpoint.folder import looks_like_checkpoint, read_spec
from model_backends.voxtral.schedule import DELAYS_MS, hangover_ms
from model_backends.voxtral.spec import ModelSpec
from model_backends.voxtral.speech_model import DECODE_ROWS, ENCODE_ROWS

DEFAULT_MODEL = "Voxtral-Mini-4B-Realtime-2602"
DOWNLOAD = (
    f"Download mistralai/{DEFAULT_MODEL} (consolidated.safetensors, 8.86 GB, with params.json "
    "and tekken.json) into the models folder, or choose a folder that holds it."
)
HANGOVER_MS = {delay: hangover_ms(delay) for delay in DELAYS_MS}

# Average over 13 languages of FLEURS, %, from the model card; no other delay is published.
WORD_ERROR_RATE = {160: 12.60, 240: 10.80, 480: 8.72, 960: 7.70, 2400: 6.73}

BITS = {"fp32": 32, "bf16": 16, "fp16": 16, "int8": 8, "int4": 4}
_WORKSPACE = 0.6e9  # bytes a tensor library takes besides: kernels, activations, captured graphs


def checkpoints(models_dir: Path) -> list[Path]:
    """Folders below `models_dir` (or itself) that look like a checkpoint, by name."""
    candidates = [models_dir]
    if models_dir.is_dir():
        candidates += sorted(path for path in models_dir.iterdir() if path.is_dir())
    return [folder for folder in candidates if looks_like_checkpoint(folder) and is_ours(folder)]


def is_ours(folder: Path) -> bool:
    """Whether a folder describes a Voxtral Realtime model that this code understands."""
    try:
        read_spec(folder)
    except EngineError:
        return False
    return True


def find_model(model: str | None, models_dir: Path) -> Path:
    """The folder that `--model` means: a path, a name in `models_dir`, or the only one there.

    Raises EngineError saying what to download.
    """
    found = checkpoints(models_dir)
    if model is None:
        named = [folder for folder in found if folder.name == DEFAULT_MODEL]
        if named or found:
            return (named or found)[0]
        raise EngineError("The Voxtral Realtime weights are not on this computer.", DOWNLOAD)
    for folder in (Path(model).expanduser(), models_dir / model):
        if folder.is_dir():
            return folder
    raise EngineError(f"There is no Voxtral model called “{model}”.", DOWNLOAD)


def memory_needed(spec: ModelSpec, precision: str, streams: int = 1) -> int:
    """Bytes for weights, caches of `streams` one-track streams at full length, and workspace."""
    bits = BITS[precision]
    weights = spec.parameters * bits / 8 * (1.0 if bits >= 16 else 1.0 + 1 / bits)
    width = 4 if bits == 32 else 2
    encoder = spec.encoder.cache_values * (spec.encoder.window + 4 * ENCODE_ROWS)
    decoder = spec.decoder.cache_values * (spec.decoder.window + DECODE_ROWS)
    return int(weights + streams * width * (encoder + decoder) + _WORKSPACE)


def free_memory() -> int:
    """Bytes of main memory a program could still take."""
    return int(psutil.virtual_memory().available)


def gigabytes(count: float) -> str:
    """For people: 8.9 GB."""
    return f"{count / 1e9:.1f} GB"
