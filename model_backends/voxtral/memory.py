"""How much memory a Voxtral model takes: the one formula for every engine.

weights + caches of the open streams at full length + the tensor library's own workspace. Each
engine says how it stores weights (`Storage`) and what workspace its library takes; shapes come
from the checkpoint's description alone, so that a model is judged before anything is loaded.
Knows nothing about files, devices or tensor libraries.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from model_backends.voxtral.checkpoint.tensor_names import shapes
from model_backends.voxtral.schedule import SILENT_ROWS
from model_backends.voxtral.spec import FRAMES_PER_ROW, ModelSpec, Tower
from model_backends.voxtral.speech_model import DECODE_ROWS, ENCODE_ROWS, ROWS_KEPT

_CELL_STEP = 64  # lengths of KV caches are multiples of this
_HEAD = "embedding.weight"
_PACKED_WORKSPACE = 60_000_000  # activations of the widest block of the processor engine


@dataclass(frozen=True, slots=True)
class Storage:
    """How weights are kept. Products' weights and the tied embedding are packed into `bits` if
    that is below 16; norms, convolutions and the delay MLP take `item_bytes` a number, as do
    activations and KV caches."""

    bits: int
    item_bytes: int = 2
    group: int = 0  # inputs that share a scale; 0: one scale an output row
    scale_bytes: int = 0  # a group's (or row's) scale, and its offset where there is one
    head_bits: int = 0  # of the tied embedding, where it differs
    head_copies: int = 1  # 2: rows to look up beside a copy packed for products


def packable(name: str, shape: tuple[int, ...], group: int) -> bool:
    """Whether a tensor (our name) may be packed: every product's weight and the embedding, which
    is the output head, if whole groups fill a row; not norms, convolutions or the delay MLP."""
    return len(shape) == 2 and ".ada." not in name and (not group or shape[1] % group == 0)


def packed_bytes(shape: tuple[int, ...], bits: int, group: int, scale_bytes: int) -> int:
    """A packed weight with its scales."""
    scales = prod(shape) // group if group else shape[0]
    return prod(shape) * bits // 8 + scale_bytes * scales


def weight_bytes(spec: ModelSpec, storage: Storage) -> int:
    """All weights."""
    return sum(_tensor_bytes(name, shape, storage) for name, shape in shapes(spec).items())


def cache_cells(tower: Tower, block: int, scratch: int = 0) -> int:
    """Cells of a KV cache at full length: the window, room for the block being written, and
    `scratch` cells that nobody reads."""
    return -(-(tower.window + block + scratch) // _CELL_STEP) * _CELL_STEP


def cache_bytes(spec: ModelSpec, item_bytes: int = 2, tracks: int = 1, streams: int = 1) -> int:
    """KV caches and kept rows of `streams` of `tracks` delays each, at full length, and the
    silence that every stream begins with."""
    frames = streams * cache_cells(spec.encoder, FRAMES_PER_ROW * ENCODE_ROWS)
    positions = streams * tracks * cache_cells(spec.decoder, DECODE_ROWS)
    values = (frames + FRAMES_PER_ROW * SILENT_ROWS) * spec.encoder.cache_values
    values += (positions + tracks * SILENT_ROWS) * spec.decoder.cache_values
    return (values + streams * ROWS_KEPT * spec.decoder.width) * item_bytes


def memory_needed(
    spec: ModelSpec, storage: Storage, workspace: int, tracks: int = 1, streams: int = 1
) -> int:
    """Bytes for everything at once. `workspace`: what the tensor library takes besides: kernels,
    activations, spare buffers, captured graphs."""
    held = weight_bytes(spec, storage)
    return held + cache_bytes(spec, storage.item_bytes, tracks, streams) + workspace


def packed_memory_needed(spec: ModelSpec, file_bytes: int, kv_bits: int) -> int:
    """The same for the processor engine with one stream: its weights are a mapped file of
    `file_bytes`, whose pages can be given back."""
    return file_bytes + cache_bytes(spec, kv_bits // 8) + _PACKED_WORKSPACE


def _tensor_bytes(name: str, shape: tuple[int, ...], storage: Storage) -> int:
    head = name == _HEAD
    bits = storage.head_bits if head and storage.head_bits else storage.bits
    copies = storage.head_copies if head else 1
    if bits >= 16 or not packable(name, shape, storage.group):
        return copies * prod(shape) * storage.item_bytes
    own_group = storage.group if bits == storage.bits else 0  # a head in other bits: by the row
    return copies * packed_bytes(shape, bits, own_group, storage.scale_bytes)
