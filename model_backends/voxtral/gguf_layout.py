"""The GGUF layout of Voxtral Realtime that transcribe.cpp reads (its `voxtral_realtime`): names,
shapes and keys, and a writer that asks for each tensor as its turn comes.

Random weights of it are made by `cpu/random_gguf.py`, and a checkpoint is converted by the tests'
own tool. Names and keys are facts of that program's loader.
Knows nothing of where weights are from.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from model_backends.voxtral.mel import mel_filters
from model_backends.voxtral.spec import FRAMES_PER_ROW, MEL_BINS, ModelSpec, Tower

_NAME = "voxtral_realtime"
_NORMAL, _CONTROL = 1, 3  # kinds of tokens
BLOCKS = {"q4": (256, 144), "q6": (256, 210), "q4_0": (32, 18), "q8_0": (32, 34)}  # weights, bytes

_Shapes = Iterator[tuple[str, str, tuple[int, ...]]]  # name, kind, shape (rows first)
Give: TypeAlias = Callable[[str, str, tuple[int, ...]], NDArray[Any]]  # name, kind, shape


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`special`: control tokens in the order of their ids; `words`: the others, in the alphabet
    that GPT-2 writes bytes with."""

    special: Sequence[str]
    words: Sequence[str]


def write(
    path: Path,
    spec: ModelSpec,
    vocabulary: Vocabulary,
    give: Give,
    kind_of: Callable[[str, tuple[int, ...]], str],
) -> None:
    """The whole file. `give` returns a tensor's bytes: float32 or float16 of its shape, or rows of
    blocks (uint8). `kind_of` may choose another kind than the usual one it is given.

    Raises ImportError where PyPI's `gguf` is not installed.
    """
    gguf = importlib.import_module("gguf")
    writer = gguf.GGUFWriter(str(path), _NAME)
    _describe(writer, spec, vocabulary)
    types = gguf.GGMLQuantizationType
    kinds = {"q4": types.Q4_K, "q6": types.Q6_K, "q4_0": types.Q4_0, "q8_0": types.Q8_0,
             "f16": types.F16, "f32": types.F32}  # fmt: skip
    known = {
        "frontend.mel_filterbank": np.ascontiguousarray(mel_filters().T, np.float32),
        "frontend.window": _window(),
        "dec.time_embed.inv_freq": _frequencies(spec.decoder.width),
    }
    tensors = [
        (name, kind if name in known else kind_of(kind, shape), shape)
        for name, kind, shape in _tensors(spec)
    ]
    for name, kind, shape in tensors:
        size = _bytes(kind, shape)
        stored = (*shape[:-1], size // int(np.prod(shape[:-1]))) if kind[0] == "q" else shape
        dtype = {"q": np.uint8, "f": np.float16 if kind == "f16" else np.float32}[kind[0]]
        writer.add_tensor_info(name, stored, np.dtype(dtype), size, kinds[kind])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for name, kind, shape in tensors:
        writer.write_tensor_data(known[name] if name in known else give(name, kind, shape))
    writer.close()


def _tensors(spec: ModelSpec) -> _Shapes:
    enc, dec = spec.encoder, spec.decoder
    yield "frontend.mel_filterbank", "f32", (MEL_BINS, 201)
    yield "frontend.window", "f32", (400,)
    yield "dec.time_embed.inv_freq", "f32", (dec.width // 2,)
    yield "enc.conv.0.weight", "f16", (enc.width, MEL_BINS, 3)
    yield "enc.conv.0.bias", "f32", (enc.width,)
    yield "enc.conv.1.weight", "f16", (enc.width, enc.width, 3)
    yield "enc.conv.1.bias", "f32", (enc.width,)
    yield "enc.final_norm.weight", "f32", (enc.width,)
    for i in range(enc.layers):
        yield from _layer(f"enc.blocks.{i}.", enc, "attn.out")
    yield "proj.linear_1.weight", "q4", (dec.width, FRAMES_PER_ROW * enc.width)
    yield "proj.linear_2.weight", "q4", (dec.width, dec.width)
    yield "dec.token_embd.weight", "q6", (spec.vocab, dec.width)
    yield "dec.output_norm.weight", "f32", (dec.width,)
    for i in range(dec.layers):
        yield from _layer(f"dec.blocks.{i}.", dec, "attn.o")
        yield f"dec.blocks.{i}.ada.linear_1.weight", "f16", (spec.delay_rank, dec.width)
        yield f"dec.blocks.{i}.ada.linear_2.weight", "f16", (dec.width, spec.delay_rank)


def _layer(prefix: str, tower: Tower, out: str) -> _Shapes:
    width, q, kv = tower.width, tower.q_width, tower.kv_width
    yield prefix + "norm_attn.weight", "f32", (width,)
    yield prefix + "norm_ffn.weight", "f32", (width,)
    products = {"attn.q": (q, width), "attn.k": (kv, width), "attn.v": (kv, width),
                out: (width, q), "ffn.gate": (tower.ffn, width), "ffn.up": (tower.ffn, width),
                "ffn.down": (width, tower.ffn)}  # fmt: skip
    for name, shape in products.items():
        yield f"{prefix}{name}.weight", "q4", shape
        if tower.biases and name in ("attn.q", "attn.v", out, "ffn.down"):
            yield f"{prefix}{name}.bias", "f32", (shape[0],)


def _bytes(kind: str, shape: tuple[int, ...]) -> int:
    count = int(np.prod(shape))
    if kind in BLOCKS:
        weights, size = BLOCKS[kind]
        return count // weights * size
    return count * (2 if kind == "f16" else 4)


def _window() -> NDArray[np.float32]:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)).astype(np.float32)


def _frequencies(width: int) -> NDArray[np.float32]:
    half = width // 2
    frequencies: NDArray[np.float64] = np.exp(-np.log(10_000.0) * np.arange(half) / half)
    return frequencies.astype(np.float32)


def _describe(writer: Any, spec: ModelSpec, vocabulary: Vocabulary) -> None:
    writer.add_string("general.name", "Voxtral")
    writer.add_string("general.basename", _NAME)
    writer.add_string("stt.variant", "Voxtral-Mini-4B-Realtime-2602")
    for name in ("lang_detect", "streaming"):
        writer.add_bool(f"stt.capability.{name}", True)
    writer.add_bool("stt.capability.translate", False)
    _describe_vocabulary(writer, vocabulary)
    for key, value in _keys(spec).items():
        if isinstance(value, bool):
            writer.add_bool(f"stt.{key}", value)
        elif isinstance(value, int):
            writer.add_uint32(f"stt.{key}", value)
        elif isinstance(value, float):
            writer.add_float32(f"stt.{key}", value)
        else:
            writer.add_string(f"stt.{key}", value)


def _describe_vocabulary(writer: Any, vocabulary: Vocabulary) -> None:
    special, words = list(vocabulary.special), list(vocabulary.words)
    writer.add_string("tokenizer.ggml.model", "gpt2")
    writer.add_string("tokenizer.ggml.pre", "tekken")
    writer.add_array("tokenizer.ggml.tokens", special + words)
    kinds = [_CONTROL] * len(special) + [_NORMAL] * len(words)
    writer.add_array("tokenizer.ggml.token_type", kinds)
    writer.add_array("tokenizer.ggml.merges", ["w 0", "w 1"])
    for name, token in (("bos", 1), ("eos", 2), ("unknown", 0), ("padding", 2)):
        writer.add_uint32(f"tokenizer.ggml.{name}_token_id", token)
    writer.add_bool("tokenizer.ggml.add_bos_token", True)
    writer.add_bool("tokenizer.ggml.add_eos_token", False)


def _keys(spec: ModelSpec) -> dict[str, bool | int | float | str]:
    enc, dec = spec.encoder, spec.decoder
    towers: dict[str, dict[str, bool | int | float | str]] = {
        "encoder": {"n_layers": enc.layers, "d_model": enc.width, "n_heads": enc.heads,
                    "n_kv_heads": enc.kv_heads, "head_dim": enc.head_dim, "ffn_dim": enc.ffn,
                    "num_mel_bins": MEL_BINS, "max_position_embeddings": 1500,
                    "sliding_window": enc.window, "rope_theta": enc.rope_theta,
                    "rms_norm_eps": enc.norm_eps, "hidden_act": "silu"},
        "projector": {"downsample_factor": FRAMES_PER_ROW, "input_dim": FRAMES_PER_ROW * enc.width,
                      "hidden_act": "gelu", "audio_length_per_tok": 8},
        "decoder": {"n_layers": dec.layers, "hidden_size": dec.width,
                    "intermediate_size": dec.ffn, "n_heads": dec.heads,
                    "n_kv_heads": dec.kv_heads, "head_dim": dec.head_dim, "hidden_act": "silu",
                    "rms_norm_eps": dec.norm_eps, "rope_theta": dec.rope_theta,
                    "sliding_window": dec.window, "max_position_embeddings": 131_072,
                    "tie_word_embeddings": True, "vocab_size": spec.vocab},
        "time": {"default_num_delay_tokens": 6, "embed_theta": 10_000.0, "embed_dim": dec.width,
                 "ada_hidden": spec.delay_rank},
    }  # fmt: skip
    keys = {f"{_NAME}.{part}.{k}": v for part, own in towers.items() for k, v in own.items()}
    keys[f"{_NAME}.streaming_pad_token_id"] = 32
    frontend: dict[str, bool | int | float | str] = {
                "type": "mel", "num_mels": MEL_BINS, "sample_rate": 16_000, "n_fft": 400,
                "win_length": 400, "hop_length": 160, "window": "hann_periodic",
                "normalize": "global", "global_log_mel_max": 1.5, "dither": 0.0,
                "pre_emphasis": 0.0, "f_min": 0.0, "f_max": 8000.0, "pad_mode": "reflect",
                "center": True, "mel_norm": "slaney"}  # fmt: skip
    return keys | {f"frontend.{k}": v for k, v in frontend.items()}
