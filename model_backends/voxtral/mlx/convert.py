"""A Voxtral checkpoint in another number of bits, in the layout that mlx-audio also reads.

Works through the source tensor by tensor and block by block, so a model converts in a few
hundred megabytes whatever its size. Everything is written into `<target>.partial`, its description
last, and that becomes the target in one rename at the end: a conversion that was interrupted, even
by a power cut, leaves nothing that looks like a model, and the next one clears it away.
Knows nothing about engines.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from model_backends.base import EngineError, Report, Sentence
from model_backends.voxtral.checkpoint import tensor_names
from model_backends.voxtral.checkpoint.folder import Entry
from model_backends.voxtral.checkpoint.packed import MlxCheckpoint, open_checkpoint
from model_backends.voxtral.checkpoint.tensor_names import halves_order, rotary_heads
from model_backends.voxtral.info import gigabytes
from model_backends.voxtral.memory import packable
from model_backends.voxtral.mlx.chip import GROUP_SIZE, OFFERED_BITS
from model_backends.voxtral.mlx.weights import check_tied, mapped_rows
from model_backends.voxtral.spec import FRAMES_PER_ROW, MEL_BINS, ModelSpec, tower_params

LAYOUT = "mlx-audio"
_BLOCK_BYTES = 64_000_000  # of the source, converted at once
_SHARD_BYTES = 5_000_000_000  # Hugging Face's and voxmlx's custom
_ITEM_BYTES = {"BF16": 2, "F16": 2, "F32": 4, "U32": 4}


@dataclass(frozen=True, slots=True)
class Target:
    """One tensor to be written."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def size_bytes(self) -> int:
        return prod(self.shape) * _ITEM_BYTES[self.dtype]


@dataclass(frozen=True, slots=True)
class Job:
    """One tensor of the source (our name) and what becomes of it: one tensor, or three."""

    name: str
    entry: Entry
    targets: tuple[Target, ...]

    @property
    def size_bytes(self) -> int:
        return sum(target.size_bytes for target in self.targets)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is converted, and how."""

    checkpoint: MlxCheckpoint
    bits: int
    group_size: int
    block_bytes: int  # of the source, converted at once
    shard_bytes: int


def convert(
    source: Path,
    target: Path,
    bits: int,
    report: Report,
    *,
    group_size: int = GROUP_SIZE,
    block_bytes: int = _BLOCK_BYTES,
    shard_bytes: int = _SHARD_BYTES,
) -> None:
    """Write `source` (any layout, not packed) to the new folder `target` in 16, 8, 6 or 4 bits.

    Raises EngineError if the source is unsound or packed already, the target exists, or the disk
    is too small or cannot be written.
    """
    if bits not in OFFERED_BITS:
        raise EngineError(
            Sentence("Weights cannot be stored in {bits} bits.", bits=bits), "Choose 16, 8, 6 or 4."
        )
    _check_new(target)
    checkpoint = open_checkpoint(source)
    if checkpoint.packed:
        raise EngineError(
            Sentence(
                "{name} is packed into {bits} bits already.", name=source.name, bits=checkpoint.bits
            ),
            "Convert the original weights, in 16 bits.",
        )
    check_tied(checkpoint)
    recipe = Recipe(checkpoint, bits, group_size, block_bytes, shard_bytes)
    jobs = _plan(recipe)
    partial = target.with_name(target.name + ".partial")
    try:
        _clear(partial)
        _check_room(target, sum(job.size_bytes for job in jobs))
        partial.mkdir(parents=True)
        try:
            _write_all(partial, jobs, recipe, report)
            partial.replace(target)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    except OSError as error:
        raise EngineError(
            Sentence(
                "{target} could not be written: {strerror}.",
                target=target,
                strerror=error.strerror or error,
            ),
            "Nothing was left there. Choose another folder, or free some space.",
        ) from error
    report(1.0, "done")


def _plan(recipe: Recipe) -> list[Job]:
    checkpoint, bits, group_size = recipe.checkpoint, recipe.bits, recipe.group_size
    theirs = tensor_names.file_names(checkpoint.spec, LAYOUT)
    jobs = []
    for ours, shape in tensor_names.shapes(checkpoint.spec).items():
        entry = checkpoint.plain[ours]
        name, dtype = theirs[ours], "F16" if entry.dtype == "F16" else "BF16"
        if bits < 16 and packable(ours, shape, group_size):
            outputs, inputs = shape
            stem, groups = name.removesuffix("weight"), (outputs, inputs // group_size)
            targets: tuple[Target, ...] = (
                Target(name, "U32", (outputs, inputs * bits // 32)),
                Target(stem + "scales", dtype, groups),
                Target(stem + "biases", dtype, groups),
            )
        else:
            kept = (shape[0], shape[2], shape[1]) if len(shape) == 3 else shape
            targets = (Target(name, dtype, kept),)
        jobs.append(Job(ours, entry, targets))
    return jobs


def _check_new(target: Path) -> None:
    """Nothing is there. Said first: "." and "/" have no name to which anything could be added."""
    if os.path.lexists(target):
        raise EngineError(
            Sentence("{target} exists already.", target=target),
            "Choose a folder that does not exist yet.",
        )


def _check_room(target: Path, size_bytes: int) -> None:
    parent = next(folder for folder in target.absolute().parents if folder.is_dir())
    free = shutil.disk_usage(parent).free
    if free < 1.05 * size_bytes:
        raise EngineError(
            Sentence(
                "The converted model takes {size}; {free} are free on that disk.",
                size=gigabytes(size_bytes),
                free=gigabytes(free),
            ),
            "Free some space, or choose another disk.",
        )


def _clear(partial: Path) -> None:
    """Remove an interrupted conversion. Raises EngineError if it holds anything but our files."""
    if not os.path.lexists(partial):
        return
    ours = partial.is_dir() and all(
        file.match("model*.safetensors") or file.match("*.json") for file in partial.iterdir()
    )
    if not ours:
        raise EngineError(
            Sentence("{partial} is in the way.", partial=partial),
            "Move it, or choose another folder.",
        )
    shutil.rmtree(partial)


def _write_all(folder: Path, jobs: Sequence[Job], recipe: Recipe, report: Report) -> None:
    shards = _shards(jobs, recipe.shard_bytes)
    index: dict[str, str] = {}
    total, done = sum(job.size_bytes for job in jobs), 0
    for number, shard in enumerate(shards, 1):
        several = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        file = several if len(shards) > 1 else "model.safetensors"
        with (folder / file).open("wb") as stream:
            offsets = _begin(stream, [target for job in shard for target in job.targets])
            for job in shard:
                report(done / total, job.name)
                _write(stream, offsets, job, recipe)
                done += job.size_bytes
                index |= {target.name: file for target in job.targets}
            _settle(stream)
    _write_json(
        folder / "model.safetensors.index.json",
        {"metadata": {"total_size": total}, "weight_map": dict(sorted(index.items()))},
    )
    _write_bytes(folder / "tekken.json", recipe.checkpoint.tokenizer.read_bytes())
    # Last: without a description a folder is not taken for a model.
    config = describe(recipe.checkpoint.spec, recipe.bits, recipe.group_size)
    _write_json(folder / "config.json", config)


def describe(spec: ModelSpec, bits: int, group_size: int = GROUP_SIZE) -> dict[str, Any]:
    """config.json as mlx-audio writes it."""
    audio = {
        "sampling_rate": 16_000,
        "frame_rate": 12.5,
        "num_mel_bins": MEL_BINS,
        "hop_length": 160,
        "window_size": 400,
        "global_log_mel_max": 1.5,
    }
    config: dict[str, Any] = {
        "model_type": "voxtral_realtime",
        "encoder_args": {
            **tower_params(spec.encoder),
            "causal": True,
            "use_biases": True,
            "audio_encoding_args": audio,
            "downsample_factor": FRAMES_PER_ROW,
        },
        "decoder": {
            **tower_params(spec.decoder),
            "vocab_size": spec.vocab,
            "tied_embeddings": True,
            "ada_rms_norm_t_cond": True,
            "ada_rms_norm_t_cond_dim": spec.delay_rank,
        },
    }
    if bits < 16:
        config["quantization"] = {"group_size": group_size, "bits": bits, "mode": "affine"}
    return config


def _shards(jobs: Sequence[Job], shard_bytes: int) -> list[list[Job]]:
    shards: list[list[Job]] = [[]]
    size = 0
    for job in jobs:
        if shards[-1] and size + job.size_bytes > shard_bytes:
            shards.append([])
            size = 0
        shards[-1].append(job)
        size += job.size_bytes
    return shards


def _begin(stream: BinaryIO, targets: Sequence[Target]) -> dict[str, int]:
    """Write the header of a safetensors file; returns where each tensor's bytes go."""
    header: dict[str, Any] = {"__metadata__": {"format": "mlx"}}
    places, end = {}, 0
    for target in targets:
        begin, end = end, end + target.size_bytes
        places[target.name] = begin
        header[target.name] = {
            "dtype": target.dtype,
            "shape": list(target.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    stream.write(struct.pack("<Q", len(text)) + text)
    return {name: 8 + len(text) + begin for name, begin in places.items()}


def _write(stream: BinaryIO, offsets: dict[str, int], job: Job, recipe: Recipe) -> None:
    """Convert one tensor block by block, each part to its own place in the file."""
    places = [offsets[target.name] for target in job.targets]
    for block in _blocks(job, recipe):
        parts = [block]
        if len(job.targets) > 1:
            parts = list(mx.quantize(block, recipe.group_size, recipe.bits))
        for i, part in enumerate(parts):
            data = _bytes(part)
            stream.seek(places[i])
            stream.write(data)
            places[i] += len(data)
        mx.clear_cache()


def _blocks(job: Job, recipe: Recipe) -> Iterator[mx.array]:
    """Rows of a source tensor in native order, convolutions as (out, 3, in)."""
    entry, heads = job.entry, rotary_heads(job.name, recipe.checkpoint.spec)
    count = max(1, recipe.block_bytes * entry.shape[0] // (entry.end - entry.begin))
    if recipe.checkpoint.layout == "hf" and heads is not None:
        order = np.argsort(halves_order(*heads))
        stored = mapped_rows(entry, 0, len(order))
        parts = (stored[order[i : i + count]] for i in range(0, len(order), count))
    else:
        parts = (mapped_rows(entry, i, count) for i in range(0, entry.shape[0], count))
    for part in parts:
        block = _array(part, entry.dtype)
        yield block.swapaxes(1, 2) if _is_torch_convolution(block, job) else block


def _is_torch_convolution(block: mx.array, job: Job) -> bool:
    return block.ndim == 3 and block.shape[1:] != job.targets[0].shape[1:]


def _array(rows: NDArray[Any], dtype: str) -> mx.array:
    """Rows as stored, 32 bits rounded to 16."""
    array = mx.array(np.ascontiguousarray(rows))
    if dtype == "BF16":
        return array.view(mx.bfloat16)
    return array.astype(mx.bfloat16) if dtype == "F32" else array


def _bytes(array: mx.array) -> bytes:
    array = mx.contiguous(array)
    return np.array(array.view(mx.uint16) if array.dtype == mx.bfloat16 else array).tobytes()


def _write_json(path: Path, content: Any) -> None:
    _write_bytes(path, (json.dumps(content, indent=2) + "\n").encode())


def _write_bytes(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        _settle(stream)


def _settle(stream: BinaryIO) -> None:
    """On the disk before anything that follows: a rename must not outlive what it renames."""
    stream.flush()
    os.fsync(stream.fileno())
