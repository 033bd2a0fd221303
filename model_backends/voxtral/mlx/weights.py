"""From a checked checkpoint (or a seed) to the network in MLX's memory, one layer at a time.

Tensors are read straight into unified memory when a layer is put together, so loading needs
little more than the weights themselves, also when they are packed into fewer bits on the way.
What a sound checkpoint is, `checkpoint/packed.py` has decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from model_backends.base import EngineError, Report, Sentence
from model_backends.voxtral.checkpoint.folder import Entry
from model_backends.voxtral.checkpoint.packed import MLX_LAYOUTS, MlxCheckpoint, Packed
from model_backends.voxtral.checkpoint.tensor_names import halves_order, rotary_heads, shapes
from model_backends.voxtral.memory import packable
from model_backends.voxtral.mlx.chip import GROUP_SIZE
from model_backends.voxtral.mlx.model import Dense, Get, Linear, Network, Pack, build
from model_backends.voxtral.mlx.quant import Affine, stacked
from model_backends.voxtral.spec import ModelSpec

_NUMPY = {"BF16": np.uint16, "F16": np.float16, "F32": np.float32}
_COMPARED = 4_000_000  # numbers of a weight compared at once
DTYPES = {"fp32": mx.float32, "bf16": mx.bfloat16, "fp16": mx.float16}

Source = Callable[[str], mx.array]  # our name -> tensor as in tensor_names.py


def load_network(
    checkpoint: MlxCheckpoint, dtype: mx.Dtype, bits: int | None, report: Report
) -> Network:
    """Read all tensors into `dtype`; packed ones stay packed.

    `bits`: pack what is not packed yet. Raises EngineError for an untied head or too little memory.
    """
    check_tied(checkpoint)
    reader = Reader(checkpoint, report)
    with or_explain(Sentence("The model does not fit into this computer's memory.")):
        return build(checkpoint.spec, *_store(reader.get, reader.part, dtype, bits, GROUP_SIZE))


def network_from(
    spec: ModelSpec,
    source: Source,
    dtype: mx.Dtype,
    bits: int | None = None,
    group_size: int = GROUP_SIZE,
) -> Network:
    """A network from tensors under our names with q/k rows in native order."""

    def part(name: str) -> Dense | Affine:
        return Dense(source(name))

    def get(name: str) -> mx.array:
        return _mlx_order(source(name))

    return build(spec, *_store(get, part, dtype, bits, group_size))


def random_network(
    spec: ModelSpec,
    dtype: mx.Dtype,
    bits: int | None = None,
    seed: int = 0,
    group_size: int = GROUP_SIZE,
) -> Network:
    """Weights from a seed: for speed and memory, and for parity tests."""
    known = shapes(spec)
    key = mx.random.key(seed)

    def source(name: str) -> mx.array:
        nonlocal key
        key, mine = mx.random.split(key)
        return _random(name, known[name], mine, dtype)

    return network_from(spec, source, dtype, bits, group_size)


class Reader:
    """Tensors of a checkpoint under our names, in native row order, with progress."""

    def __init__(self, checkpoint: MlxCheckpoint, report: Report) -> None:
        self._checkpoint, self._report = checkpoint, report
        self._files: dict[Path, dict[str, mx.array]] = {}
        self._done = 0

    def read(self, entry: Entry) -> mx.array:
        """A tensor as it is in the file; the bytes are read when it is evaluated."""
        if entry.file not in self._files:
            self._files[entry.file] = _opened(entry.file)
        self._done += entry.end - entry.begin
        self._report(min(1.0, self._done / self._checkpoint.size_bytes), "weights")
        return self._files[entry.file].pop(entry.name)

    def get(self, name: str) -> mx.array:
        """A tensor for use as it is: unpacked if need be, convolutions as (out, 3, in)."""
        if name in self._checkpoint.packed:
            return self._affine(self._checkpoint.packed[name]).dense().weight
        tensor = self._native(self.read(self._checkpoint.plain[name]), name)
        return tensor if self._checkpoint.layout in MLX_LAYOUTS else _mlx_order(tensor)

    def part(self, name: str) -> Dense | Affine:
        """A weight of a linear layer, packed as it is in the file."""
        if name in self._checkpoint.packed:
            return self._affine(self._checkpoint.packed[name])
        return Dense(self._native(self.read(self._checkpoint.plain[name]), name))

    def _affine(self, packed: Packed) -> Affine:
        weight, scales, biases = (
            self.read(e) for e in (packed.weight, packed.scales, packed.biases)
        )
        return Affine(weight, scales, biases, packed.bits, packed.group_size)

    def _native(self, tensor: mx.array, name: str) -> mx.array:
        """Hugging Face's q and k rows back in the order of the native file."""
        heads = rotary_heads(name, self._checkpoint.spec)
        if self._checkpoint.layout != "hf" or heads is None:
            return tensor
        return tensor[mx.array(np.argsort(halves_order(*heads)))]


def _store(
    get: Get,
    part: Callable[[str], Dense | Affine],
    dtype: mx.Dtype,
    bits: int | None,
    group_size: int,
) -> tuple[Get, Pack]:
    """What `build` asks for: arrays in `dtype`, and linear layers packed if asked, evaluated."""

    def array(name: str) -> mx.array:
        made = get(name).astype(dtype)
        mx.eval(made)
        return made

    def linear(parts: Sequence[str], bias: mx.array | None) -> Linear:
        made = stacked([_stored(name, part(name), dtype, bits, group_size) for name in parts], bias)
        mx.eval(made.arrays)
        return made

    return array, linear


def _stored(
    name: str, part: Dense | Affine, dtype: mx.Dtype, bits: int | None, group_size: int
) -> Dense | Affine:
    if isinstance(part, Affine):
        scales, biases = part.scales.astype(dtype), part.biases.astype(dtype)
        return Affine(part.weight, scales, biases, part.bits, part.group_size)
    weight = part.weight.astype(dtype)
    if bits is None or not packable(name, weight.shape, group_size):
        return Dense(weight)
    return Affine.packed(weight, bits, group_size)


def _opened(file: Path) -> dict[str, mx.array]:
    """A file's tensors by name; the bytes of each are read when it is evaluated."""
    arrays: Any = mx.load(str(file), format="safetensors")
    return dict(arrays)


def _mlx_order(tensor: mx.array) -> mx.array:
    """Convolutions (out, in, 3) as (out, 3, in); other tensors as they are."""
    return tensor.swapaxes(1, 2) if tensor.ndim == 3 else tensor


@contextmanager
def or_explain(sentence: str) -> Iterator[None]:
    """Turn a lack of memory, which MLX reports as RuntimeError, into a sentence."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not isinstance(error, MemoryError) and "alloc" not in str(error):
            raise
        raise EngineError(
            sentence, Sentence("Close other programs, or choose fewer bits.")
        ) from error


def check_tied(checkpoint: MlxCheckpoint) -> None:
    """Raise EngineError if the file has an output head of its own that is not the embedding."""
    if checkpoint.head is None:
        return
    head, embedding = checkpoint.head, checkpoint.plain["embedding.weight"]
    if head.shape != embedding.shape or not _equal(head, embedding):
        raise EngineError(
            Sentence(
                "The weights have an output head (lm_head.weight) that differs from the embedding."
            ),
            Sentence("Voxtral Realtime ties the two; these weights belong to another model."),
        )


def _equal(one: Entry, other: Entry) -> bool:
    """Whether two tensors of one shape hold the same numbers, block by block: the real ones are
    0.8 GB each."""
    count = max(1, _COMPARED * one.shape[0] // prod(one.shape))
    starts = range(0, one.shape[0], count)
    return all(bool(mx.array_equal(_block(one, i, count), _block(other, i, count))) for i in starts)


def _block(entry: Entry, start: int, count: int) -> mx.array:
    array = mx.array(np.ascontiguousarray(mapped_rows(entry, start, count)))
    return array.view(mx.bfloat16) if entry.dtype == "BF16" else array


def mapped_rows(entry: Entry, start: int, count: int) -> NDArray[Any]:
    """Rows `start` and up to `count` in all, mapped from the file; unmapped when let go. BF16,
    which NumPy lacks, as uint16."""
    rows, row_bytes = entry.shape[0], (entry.end - entry.begin) // entry.shape[0]
    shape = (min(count, rows - start), *entry.shape[1:])
    offset = entry.begin + start * row_bytes
    return np.memmap(entry.file, _NUMPY[entry.dtype], mode="r", offset=offset, shape=shape)


def _random(name: str, shape: tuple[int, ...], key: mx.array, dtype: mx.Dtype) -> mx.array:
    tensor = mx.random.normal(shape, key=key)
    if "norm" in name:
        return (1.0 + 0.3 * tensor).astype(dtype)
    if len(shape) == 1:
        return (0.2 * tensor).astype(dtype)
    inputs = tensor.size // shape[0]
    spread = 0.3 if name == "embedding.weight" else (2.0 / inputs) ** 0.5
    return (spread * tensor).astype(dtype)
