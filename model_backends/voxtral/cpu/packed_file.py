"""The processor engine's file: which tensors, in which form and order, and whether it is sound.

One file, `voxline-cpu.bin`: a magic word, the header's length and checksum, a header in JSON (sizes
of the model in Mistral's dialect, a checksum a tensor), then the tensors in the order in which a
step reads them, each at a multiple of 64 bytes. Where each lies follows from the model's sizes
alone, so a header cannot point anywhere else. Meant to be mapped. Knows nothing about engines.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_backends import on_disk
from model_backends.base import EngineError, Report, Sentence
from model_backends.voxtral.cpu.library import checksum, packed_bytes
from model_backends.voxtral.spec import (
    FRAMES_PER_ROW,
    MEL_BINS,
    ModelSpec,
    Tower,
    from_params,
    tower_params,
)

FILE = "voxline-cpu.bin"
_MAGIC = b"VOXLCPU1"
_START = struct.Struct("<8sQQ")  # magic, bytes of the header, its checksum
_ALIGNED = 64
_PAGE = 4096
_LONGEST_HEADER = 1_000_000
_READERS = 4  # threads that prove tensors; the library lets go of Python meanwhile
_AGAIN = Sentence("Convert the model again: voxline models convert --engine cpu SRC DST.")


@dataclass(frozen=True, slots=True)
class Packed:
    """One tensor as it is stored. `parts`: our names of the weights it is made of."""

    name: str
    kind: str  # "q4", "q8": blocks; "conv": bfloat16 by 16 rows; "f32": one row, padded
    rows: int
    inputs: int
    parts: tuple[str, ...]

    @property
    def size(self) -> int:
        if self.kind in ("q4", "q8"):
            return packed_bytes(int(self.kind[1]), self.rows, self.inputs)
        if self.kind == "conv":
            return 2 * _up(self.rows, 16) * self.inputs
        return 4 * self.rows * _up(self.inputs, 32)


def packed_tensors(spec: ModelSpec) -> list[Packed]:
    """Every tensor of the file, in order; the C model takes them in this order too."""
    enc, dec = spec.encoder, spec.decoder
    joined = FRAMES_PER_ROW * enc.width
    return [
        _one("encoder.conv.0.weight", "conv", enc.width, 3 * MEL_BINS),
        _vector("encoder.conv.0.bias", enc.width),
        _one("encoder.conv.1.weight", "conv", enc.width, 3 * _up(enc.width, 16)),
        _vector("encoder.conv.1.bias", enc.width),
        *(packed for i in range(enc.layers) for packed in _layer(f"encoder.layers.{i}.", enc)),
        _vector("encoder.norm.weight", enc.width),
        _one("adapter.0.weight", "q4", dec.width, joined),
        _one("adapter.1.weight", "q4", dec.width, dec.width),
        *(packed for i in range(dec.layers) for packed in _layer(f"decoder.layers.{i}.", dec)),
        _vector("decoder.norm.weight", dec.width),
        _one("embedding.weight", "q8", spec.vocab, dec.width),
        *(packed for i in range(dec.layers) for packed in _ada(f"decoder.layers.{i}.ada.", spec)),
    ]


def taken_by_the_library(spec: ModelSpec) -> list[str | None]:
    """Names in the order of `vx_open`; None where a tower has no biases."""
    order: list[str | None] = []
    for packed in packed_tensors(spec):
        if ".ada." in packed.name:
            continue
        order.append(packed.name)
        biases = {"wqkv.weight": "wqkv.bias", "wo.weight": "wo.bias", "w2.weight": "w2.bias"}
        if packed.name.startswith("decoder") and packed.name.endswith(tuple(biases)):
            order.append(None)
    return order


def file_size(spec: ModelSpec) -> int:
    """Bytes of the whole file but its header."""
    return sum(_up(packed.size, _ALIGNED) for packed in packed_tensors(spec))


def params_of(spec: ModelSpec) -> dict[str, Any]:
    """The model's sizes in Mistral's dialect, as `spec.from_params` reads them."""
    audio = {"sampling_rate": 16_000, "num_mel_bins": MEL_BINS, "hop_length": 160}
    encoder = {**tower_params(spec.encoder), "causal": True, "audio_encoding_args": audio}
    return {
        **tower_params(spec.decoder),
        "vocab_size": spec.vocab,
        "tied_embeddings": True,
        "ada_rms_norm_t_cond": True,
        "ada_rms_norm_t_cond_dim": spec.delay_rank,
        "multimodal": {
            "whisper_model_args": {
                "encoder_args": encoder,
                "downsample_args": {"downsample_factor": FRAMES_PER_ROW},
            }
        },
    }


def start_of(spec: ModelSpec, checksums: Mapping[str, int]) -> bytes:
    """Magic, header and padding up to the first tensor; as long whatever the checksums are."""
    sums = {packed.name: f"{checksums.get(packed.name, 0):016x}" for packed in packed_tensors(spec)}
    header = json.dumps({"params": params_of(spec), "checksums": sums}).encode()
    start = _START.pack(_MAGIC, len(header), zlib.crc32(header)) + header
    return start + bytes(-len(start) % _PAGE)


def looks_packed(folder: Path) -> bool:
    """Whether a folder holds the processor engine's file."""
    return on_disk.is_file(folder / FILE)


def read_spec(folder: Path) -> ModelSpec:
    """The model's sizes from the header. Raises EngineError if it is none or damaged."""
    return _header(folder / FILE)[0]


@dataclass(frozen=True, slots=True)
class PackedModel:
    """A mapped file. The arrays are views of it: flat bytes, or float32."""

    folder: Path
    spec: ModelSpec
    tensors: Mapping[str, NDArray[Any]]
    checksums: Mapping[str, int]

    @property
    def tokenizer(self) -> Path:
        return self.folder / "tekken.json"

    @property
    def identity(self) -> str:
        """Of another model, or of this one packed otherwise, it is another."""
        return hashlib.sha256(start_of(self.spec, self.checksums)).hexdigest()

    def verify(self, report: Report) -> None:
        """Read everything once: it proves each tensor, and brings it into memory.

        Raises EngineError naming the first tensor that is damaged.
        """
        total, done = sum(tensor.nbytes for tensor in self.tensors.values()), 0
        with ThreadPoolExecutor(_READERS) as pool:
            found = zip(
                self.tensors.items(), pool.map(checksum, self.tensors.values()), strict=True
            )
            for (name, tensor), value in found:
                if value != self.checksums[name]:
                    message = Sentence(
                        "{file} is damaged: tensor {name} is not what was written.",
                        file=FILE,
                        name=name,
                    )
                    raise EngineError(message, _AGAIN)
                done += tensor.nbytes
                report(done / total, "weights")


def open_packed(folder: Path) -> PackedModel:
    """Map a packed model. Raises EngineError for one that is missing, cut short or damaged."""
    path = folder / FILE
    spec, checksums, begin = _header(path)
    size, expected = path.stat().st_size, begin + file_size(spec)
    if size < expected:
        raise EngineError(Sentence("{file} was cut short.", file=FILE), _AGAIN)
    if size > expected:
        raise EngineError(Sentence("{file} is longer than it should be.", file=FILE), _AGAIN)
    if not (folder / "tekken.json").is_file():
        missing = Sentence("{name} is missing from the model's folder.", name="tekken.json")
        raise EngineError(missing, _AGAIN)
    data = np.memmap(path, np.uint8, "r", begin)
    tensors = dict(_views(spec, data))
    return PackedModel(folder, spec, tensors, checksums)


def place(packed: Packed, data: NDArray[np.uint8]) -> NDArray[Any]:
    """A tensor's own view of its bytes."""
    if packed.kind != "f32":
        return data
    return data.view(np.float32).reshape(packed.rows, -1)


def _views(spec: ModelSpec, data: NDArray[np.uint8]) -> Iterator[tuple[str, NDArray[Any]]]:
    at = 0
    for packed in packed_tensors(spec):
        yield packed.name, place(packed, data[at : at + packed.size])
        at += _up(packed.size, _ALIGNED)


def _header(path: Path) -> tuple[ModelSpec, dict[str, int], int]:
    """Sizes, checksums, and where the first tensor begins."""
    try:
        with path.open("rb") as stream:
            start = stream.read(_START.size)
            magic, length, expected = _START.unpack(start)
            if magic != _MAGIC or not 2 <= length <= _LONGEST_HEADER:
                raise ValueError
            text = stream.read(length)
        if zlib.crc32(text) != expected:
            raise ValueError
        header = json.loads(text)
        spec = from_params(header["params"])
        checksums = {name: int(value, 16) for name, value in header["checksums"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error,
            RecursionError) as error:  # fmt: skip
        message = Sentence("{file} is not a packed Voxtral model, or was damaged.", file=FILE)
        raise EngineError(message, _AGAIN) from error
    if set(checksums) != {packed.name for packed in packed_tensors(spec)}:
        raise EngineError(Sentence("{file} lacks a tensor or holds others.", file=FILE), _AGAIN)
    return spec, checksums, _up(_START.size + length, _PAGE)


def _layer(prefix: str, tower: Tower) -> Iterator[Packed]:
    attention, ffn = prefix + "attention.", prefix + "feed_forward."
    width, qkv = tower.width, tower.q_width + 2 * tower.kv_width
    yield _vector(prefix + "attention_norm.weight", width)
    parts = tuple(f"{attention}w{x}.weight" for x in "qkv")
    yield Packed(attention + "wqkv.weight", "q4", qkv, width, parts)
    if tower.biases:
        parts = (attention + "wq.bias", attention + "wv.bias")
        yield Packed(attention + "wqkv.bias", "f32", 1, qkv, parts)
    yield _one(attention + "wo.weight", "q4", width, tower.q_width)
    if tower.biases:
        yield _vector(attention + "wo.bias", width)
    yield _vector(prefix + "ffn_norm.weight", width)
    both = (ffn + "w1.weight", ffn + "w3.weight")
    yield Packed(ffn + "w13.weight", "q4", 2 * _up(tower.ffn, 16), width, both)
    yield _one(ffn + "w2.weight", "q4", width, tower.ffn)
    if tower.biases:
        yield _vector(ffn + "w2.bias", width)


def _ada(prefix: str, spec: ModelSpec) -> Iterator[Packed]:
    yield _one(prefix + "0.weight", "f32", spec.delay_rank, spec.decoder.width)
    yield _one(prefix + "1.weight", "f32", spec.decoder.width, spec.delay_rank)


def _one(name: str, kind: str, rows: int, inputs: int) -> Packed:
    return Packed(name, kind, rows, inputs, (name,))


def _vector(name: str, length: int) -> Packed:
    return _one(name, "f32", 1, length)


def _up(n: int, to: int) -> int:
    return -(-n // to) * to
