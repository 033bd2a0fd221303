"""Checkpoints that MLX can load: the native and Hugging Face layouts, and two of MLX's own.

The community's converters (mlx-audio and voxmlx) keep the native row order, store convolutions as
(out, 3, in), and may pack weights into few bits. Which tensors are packed differs from file to
file, so it is never assumed: a tensor is packed if and only if `<name>.scales` lies beside it, and
bits and group size follow from the shapes. Reads headers only; imports no tensor library.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_backends.base import EngineError, Sentence
from model_backends.voxtral.checkpoint import folder as checkpoint
from model_backends.voxtral.checkpoint import tensor_names
from model_backends.voxtral.checkpoint.folder import Entry
from model_backends.voxtral.spec import ModelSpec, from_params

MLX_LAYOUTS = ("mlx-audio", "voxmlx")
_BITS, _GROUP_SIZES = (2, 3, 4, 5, 6, 8), (32, 64, 128)
_FLOATS = ("BF16", "F16", "F32")
_AGAIN = Sentence("Download or convert the model again.")


@dataclass(frozen=True, slots=True)
class Packed:
    """A weight in few bits: three tensors that belong together."""

    weight: Entry
    scales: Entry
    biases: Entry
    bits: int
    group_size: int

    @property
    def size_bytes(self) -> int:
        return sum(e.end - e.begin for e in (self.weight, self.scales, self.biases))


@dataclass(frozen=True, slots=True)
class MlxCheckpoint:
    """A folder that has passed every check. Tensors are keyed by our names."""

    folder: Path
    layout: str  # one of tensor_names.LAYOUTS
    spec: ModelSpec
    plain: Mapping[str, Entry]
    packed: Mapping[str, Packed]
    head: Entry | None = None  # an output head stored beside the embedding; must equal it

    @property
    def tokenizer(self) -> Path:
        return self.folder / "tekken.json"

    @property
    def size_bytes(self) -> int:
        plain = sum(entry.end - entry.begin for entry in self.plain.values())
        return plain + sum(packed.size_bytes for packed in self.packed.values())

    @property
    def bits(self) -> int:
        """Bits of most weights; 16 or 32 if none are packed."""
        if self.packed:
            return Counter(packed.bits for packed in self.packed.values()).most_common(1)[0][0]
        return 32 if self.plain["embedding.weight"].dtype == "F32" else 16


def read_spec(folder: Path) -> ModelSpec:
    """The model's sizes from any of the four layouts. Raises EngineError if it is none."""
    config = _config(folder)
    if isinstance(config.get("multimodal"), Mapping):
        return from_params(config)  # voxmlx: params.json under another name
    if isinstance(config.get("encoder_args"), Mapping):
        return from_params(_as_params(config))
    return checkpoint.read_spec(folder)


def stored_bits(folder: Path) -> int:
    """Bits per weight that a folder's description names; 16 if it names none."""
    quantization = _config(folder).get("quantization")
    bits = quantization.get("bits") if isinstance(quantization, Mapping) else None
    return bits if isinstance(bits, int) and bits in _BITS else 16


def open_checkpoint(folder: Path) -> MlxCheckpoint:
    """Find, read and check a checkpoint in any layout.

    Raises EngineError with the name of the first tensor or file that is wrong.
    """
    spec = read_spec(folder)
    entries = {e.name: e for file in checkpoint.weight_files(folder) for e in _header(file)}
    layout = tensor_names.layout_of(entries)
    if layout not in MLX_LAYOUTS:
        found = checkpoint.open_checkpoint(folder)
        return MlxCheckpoint(folder, found.layout, spec, found.tensors, {}, found.head)
    if not (folder / "tekken.json").is_file():
        missing = Sentence("{name} is missing from the model's folder.", name="tekken.json")
        raise EngineError(missing, _AGAIN)
    plain, packed = _match(entries, spec, layout)
    return MlxCheckpoint(folder, layout, spec, plain, packed)


def _match(
    found: Mapping[str, Entry], spec: ModelSpec, layout: str
) -> tuple[dict[str, Entry], dict[str, Packed]]:
    """Entries under our names, every one present, none besides, each of the right shape."""
    plain: dict[str, Entry] = {}
    packed: dict[str, Packed] = {}
    used = set()
    shapes = tensor_names.shapes(spec)
    for ours, theirs in tensor_names.file_names(spec, layout).items():
        stem = theirs.removesuffix("weight")
        shape = _mlx_shape(ours, shapes[ours])
        if theirs not in found:
            raise EngineError(
                Sentence("The weights lack the tensor {theirs}.", theirs=theirs), _AGAIN
            )
        used.add(theirs)
        if theirs.endswith(".weight") and stem + "scales" in found:
            packed[ours] = _packed(found, theirs, shape)
            used |= {stem + "scales", stem + "biases"}
        else:
            plain[ours] = _plain(found[theirs], shape)
    strangers = (n for n in found if n not in used and not tensor_names.is_spare(n))
    if stranger := next(strangers, None):
        raise EngineError(
            Sentence(
                "The weights hold a tensor that Voxtral Realtime lacks: {stranger}.",
                stranger=stranger,
            ),
            Sentence("They belong to another model."),
        )
    return plain, packed


def _plain(entry: Entry, shape: tuple[int, ...]) -> Entry:
    _check_shape(entry, shape)
    return _check_float(entry)


def _packed(found: Mapping[str, Entry], name: str, shape: tuple[int, ...]) -> Packed:
    """Bits and group size from the shapes of a packed weight (out, in)."""
    stem = name.removesuffix("weight")
    weight, scales = found[name], found[stem + "scales"]
    biases = found.get(stem + "biases")
    if biases is None:
        raise EngineError(
            Sentence("The weights lack the tensor {stem}biases.", stem=stem),
            Sentence("Only MLX's affine format is read."),
        )
    if weight.dtype != "U32" or {len(s) for s in (shape, weight.shape, scales.shape)} != {2}:
        raise EngineError(
            Sentence("Tensor {name} has scales, but is not packed the way MLX does.", name=name),
            _AGAIN,
        )
    outputs, inputs = shape
    bits = weight.shape[1] * 32 / inputs
    group_size = inputs / max(scales.shape[1], 1)
    if bits not in _BITS or group_size not in _GROUP_SIZES:
        raise EngineError(
            Sentence("Tensor {name} is packed in a way this engine does not know.", name=name),
            _AGAIN,
        )
    _check_shape(weight, (outputs, weight.shape[1]))
    for entry in (scales, biases):
        _check_shape(_check_float(entry), (outputs, scales.shape[1]))
    return Packed(weight, scales, biases, int(bits), int(group_size))


def _check_shape(entry: Entry, shape: tuple[int, ...]) -> None:
    if entry.shape != shape:
        raise EngineError(
            Sentence(
                "Tensor {name} has shape {value}, not {wanted}.",
                name=entry.name,
                value=list(entry.shape),
                wanted=list(shape),
            ),
            Sentence("The weights and their description are not of the same model."),
        )


def _check_float(entry: Entry) -> Entry:
    if entry.dtype not in _FLOATS:
        raise EngineError(
            Sentence("Tensor {name} is stored as {dtype}.", name=entry.name, dtype=entry.dtype),
            "16 or 32 bit floats are read.",
        )
    return entry


def _mlx_shape(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """MLX keeps convolutions as (out, kernel, in)."""
    return (shape[0], shape[2], shape[1]) if len(shape) == 3 else shape


def _header(file: Path) -> list[Entry]:
    entries = checkpoint.read_header(file)
    for entry in entries:  # folder.py measures floats; here uint32 too
        size = 4
        for n in entry.shape:
            size *= n
        if entry.dtype == "U32" and size != entry.end - entry.begin:
            raise EngineError(
                Sentence(
                    "{file}: tensor {tensor} does not fill its place.",
                    file=file.name,
                    tensor=entry.name,
                ),
                _AGAIN,
            )
    return entries


def _config(folder: Path) -> Mapping[str, Any]:
    """config.json, or an empty mapping where there is none to read."""
    try:
        content = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, Mapping) else {}


def _as_params(config: Mapping[str, Any]) -> dict[str, Any]:
    """mlx-audio's config.json arranged as Mistral's params.json.

    Its converter leaves out what it has a default for: the published model's numbers.
    """
    encoder = dict(config["encoder_args"])
    decoder = config.get("decoder")
    if not isinstance(decoder, Mapping):
        raise EngineError(Sentence("The model's description lacks “{key}”.", key="decoder"), _AGAIN)
    encoder.setdefault("audio_encoding_args", config.get("audio_encoding_args") or {})
    factor = encoder.pop("downsample_factor", 4)
    return {
        **_DECODER_DEFAULTS,
        **decoder,
        "multimodal": {
            "whisper_model_args": {
                "encoder_args": {**_ENCODER_DEFAULTS, **encoder},
                "downsample_args": {"downsample_factor": factor},
            }
        },
    }


_DECODER_DEFAULTS = {
    "norm_eps": 1e-5, "rope_theta": 1e6, "sliding_window": 8192, "ada_rms_norm_t_cond": True,
}  # fmt: skip
_ENCODER_DEFAULTS = {"norm_eps": 1e-5, "rope_theta": 1e6, "sliding_window": 750}
