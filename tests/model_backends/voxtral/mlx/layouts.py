"""Checkpoints written the way each converter writes them, from tensors under our names."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import mlx.core as mx

from model_backends.voxtral.checkpoint import tensor_names
from model_backends.voxtral.checkpoint.packed import open_checkpoint
from model_backends.voxtral.checkpoint.tensor_names import halves_order, rotary_heads
from model_backends.voxtral.mlx.convert import describe
from model_backends.voxtral.spec import ModelSpec, Tower
from tests.model_backends.voxtral.transcribing import TINY

Tensors = Mapping[str, mx.array]  # our names, native row order, convolutions (out, in, 3)

# Random weights for comparisons with other programs, windows longer than any test's audio.
RANDOM_SPEC = ModelSpec(
    Tower(2, 64, 2, 2, 64, 192, 750, 1e6, 1e-5, True),
    Tower(2, 128, 4, 2, 64, 256, 8192, 1e6, 1e-5, False),
    1400,
)


def tiny() -> tuple[ModelSpec, dict[str, mx.array]]:
    """The trained tiny model."""
    checkpoint = open_checkpoint(TINY)
    held = tensors_in(TINY / "consolidated.safetensors")
    return checkpoint.spec, {ours: held[entry.name] for ours, entry in checkpoint.plain.items()}


def tensors_in(file: Path) -> dict[str, mx.array]:
    """Everything in a safetensors file, under its own names."""
    held = mx.load(str(file))
    assert isinstance(held, dict)
    return held


def random(spec: ModelSpec = RANDOM_SPEC, seed: int = 0) -> dict[str, mx.array]:
    """Weights large enough to show a mistake."""
    mx.random.seed(seed)
    tensors = {}
    for name, shape in tensor_names.shapes(spec).items():
        noise = mx.random.normal(shape)
        if "norm" in name:
            tensors[name] = 1.0 + 0.3 * noise
        elif len(shape) == 1:
            tensors[name] = 0.2 * noise
        else:
            inputs = noise.size // shape[0]
            tensors[name] = noise * (0.3 if name == "embedding.weight" else (2 / inputs) ** 0.5)
    return tensors


def everything(name: str, tensor: mx.array) -> bool:
    """What mlx-audio packs today: products and the embedding."""
    return tensor.ndim == 2 and ".ada." not in name


def not_the_embedding(name: str, tensor: mx.array) -> bool:
    """What older mlx-community files pack."""
    return everything(name, tensor) and not name.startswith(("embedding.", "adapter."))


def write(
    folder: Path,
    layout: str,
    spec: ModelSpec,
    tensors: Tensors,
    bits: int = 16,
    group_size: int = 64,
    packs: Callable[[str, mx.array], bool] = everything,
    shards: int = 1,
) -> Path:
    """A folder in the given layout; tensors that `packs` and whose inputs `group_size` divides are
    packed if `bits` is below 16."""
    folder.mkdir(parents=True, exist_ok=True)
    theirs = tensor_names.file_names(spec, layout)
    written: dict[str, mx.array] = {}
    for ours, tensor in tensors.items():
        name = theirs[ours]
        tensor = _in_layout(tensor, ours, layout, spec)
        if bits < 16 and packs(ours, tensor) and tensor.shape[-1] % group_size == 0:
            stem = name.removesuffix("weight")
            parts = mx.quantize(tensor, group_size, bits)
            written |= dict(zip((name, stem + "scales", stem + "biases"), parts, strict=True))
        else:
            written[name] = tensor
    _save(folder, layout, written, shards)
    quantization = {"group_size": group_size, "bits": bits} if bits < 16 else None
    _describe(folder, layout, spec, quantization)
    shutil.copy(TINY / "tekken.json", folder)
    return folder


def _in_layout(tensor: mx.array, name: str, layout: str, spec: ModelSpec) -> mx.array:
    if layout == "hf" and (heads := rotary_heads(name, spec)) is not None:
        return tensor[mx.array(halves_order(*heads))]
    if layout in ("mlx-audio", "voxmlx") and tensor.ndim == 3:
        return mx.contiguous(tensor.swapaxes(1, 2))
    return tensor


def _save(folder: Path, layout: str, tensors: Mapping[str, mx.array], shards: int) -> None:
    stem = "consolidated" if layout == "native" else "model"
    if shards == 1:
        mx.save_safetensors(str(folder / f"{stem}.safetensors"), dict(tensors))
        return
    index: dict[str, str] = {}
    for i in range(shards):
        file = f"{stem}-{i + 1:05d}-of-{shards:05d}.safetensors"
        members = dict(list(tensors.items())[i::shards])
        mx.save_safetensors(str(folder / file), members)
        index |= dict.fromkeys(members, file)
    (folder / f"{stem}.safetensors.index.json").write_text(json.dumps({"weight_map": index}))


def _describe(
    folder: Path, layout: str, spec: ModelSpec, quantization: dict[str, int] | None
) -> None:
    config = describe(spec, 16)
    if layout in ("native", "voxmlx"):
        encoder = config["encoder_args"]
        factor = encoder.pop("downsample_factor")
        whisper = {"encoder_args": encoder, "downsample_args": {"downsample_factor": factor}}
        config = {**config["decoder"], "multimodal": {"whisper_model_args": whisper}}
    elif layout == "hf":
        config = _hf(config)
    if quantization is not None:
        config["quantization"] = quantization
    file = "params.json" if layout == "native" else "config.json"
    (folder / file).write_text(json.dumps(config))


def _hf(config: dict[str, Any]) -> dict[str, Any]:
    def tower(args: dict[str, Any]) -> dict[str, Any]:
        return {
            "num_hidden_layers": args["n_layers"],
            "hidden_size": args["dim"],
            "num_attention_heads": args["n_heads"],
            "num_key_value_heads": args["n_kv_heads"],
            "head_dim": args["head_dim"],
            "intermediate_size": args["hidden_dim"],
            "sliding_window": args["sliding_window"],
            "rms_norm_eps": args["norm_eps"],
            "vocab_size": args.get("vocab_size", 0),
            "rope_parameters": {"rope_theta": args["rope_theta"]},
        }

    return {
        "model_type": "voxtral_realtime",
        "audio_config": tower(config["encoder_args"]),
        "text_config": tower(config["decoder"]),
    }
