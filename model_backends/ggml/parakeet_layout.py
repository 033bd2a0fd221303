"""The GGUF layout of streaming Parakeet models (Nemotron) that transcribe.cpp reads: names, shapes
and keys, and a writer that asks for each tensor as its turn comes.

For measurements with random weights and for tests with a model that was put together by hand; the
published files are made by others. Names and keys are facts of that program's loader.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from model_backends.voxtral.gguf_layout import BLOCKS

_NORMAL, _CONTROL = 1, 3  # kinds of tokens

Give: TypeAlias = Callable[[str, str, tuple[int, ...]], NDArray[Any]]  # name, kind, shape
KindOf: TypeAlias = Callable[[str, tuple[int, ...]], str]  # name, shape


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a model. `rights`: frames of 80 ms that may be looked ahead, the most first."""

    layers: int
    width: int
    heads: int
    ffn: int
    channels: int  # of the convolutions in front
    predictor: int  # width of the LSTM, and of the joint network
    predictor_layers: int
    left: int  # frames of 80 ms
    rights: tuple[int, ...]
    prompts: int = 0  # languages it can be told; 0: it knows one
    prompt_width: int = 0
    kernel: int = 9
    mels: int = 128
    streams: bool = True  # False: it looks at the whole sound, and hears files only

    @property
    def front_width(self) -> int:
        """What the convolutions hand on for a frame: three of stride 2 over mels, padded on one
        side where they are causal, else on both."""
        size = self.mels
        for _ in range(3):
            size = size // 2 + 1 if self.streams else (size - 1) // 2 + 1
        return self.channels * size


NEMOTRON_35 = Shape(24, 1024, 8, 4096, 256, 640, 2, 56, (13, 6, 3, 0), 128, 2048)
NEMOTRON_EN = Shape(24, 1024, 8, 4096, 256, 640, 2, 70, (13, 6, 1, 0))


@dataclass(frozen=True, slots=True)
class Words:
    """What a model says. `pieces`: SentencePiece's, a blank left out; those in <> are never said.

    `prompts`: a language, as the model's files name it, and its number.
    """

    variant: str
    pieces: Sequence[str]
    languages: Sequence[str]
    prompts: Sequence[tuple[str, int]] = ()
    auto: int | None = None  # the prompt of "find out yourself"


def write(
    path: Path,
    shape: Shape,
    words: Words,
    give: Give,
    kind_of: Callable[[str, tuple[int, ...]], str],
) -> None:
    """The whole file. `kind_of` chooses how a product's weights are stored: "f32", "f16", or one of
    `BLOCKS`, whose rows `give` then returns as bytes; and those of the convolutions that are
    products, "f32" or "f16".

    Raises ImportError where PyPI's `gguf` is not installed.
    """
    gguf = importlib.import_module("gguf")
    writer = gguf.GGUFWriter(str(path), "parakeet")
    _describe(writer, shape, words)
    types = gguf.GGMLQuantizationType
    kinds = {"q4": types.Q4_K, "q6": types.Q6_K, "q4_0": types.Q4_0, "q8_0": types.Q8_0,
             "f16": types.F16, "f32": types.F32}  # fmt: skip
    tensors = [
        (name, kind_of(name, size) if name.endswith(_PRODUCTS) else "f32", size)
        for name, size in _tensors(shape, len(words.pieces) + 1)
    ]
    for name, kind, size in tensors:
        if kind in BLOCKS:
            weights, length = BLOCKS[kind]
            stored = (*size[:-1], size[-1] // weights * length)
            count = int(np.prod(stored))
            writer.add_tensor_info(name, stored, np.dtype(np.uint8), count, kinds[kind])
        else:
            dtype = np.dtype(np.float16 if kind == "f16" else np.float32)
            count = dtype.itemsize * int(np.prod(size))
            writer.add_tensor_info(name, size, dtype, count, kinds[kind])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for name, kind, size in tensors:
        writer.write_tensor_data(give(name, kind, size))
    writer.close()


_PRODUCTS = (
    "linear1.weight", "linear2.weight", "linear_q.weight", "linear_k.weight", "linear_v.weight",
    "linear_out.weight", "linear_pos.weight", ".Wx", ".Wh", "joint.enc.weight",
    "joint.pred.weight", "joint.out.weight", "mlp.0.weight", "mlp.2.weight",
    "pointwise1.weight", "pointwise2.weight",
)  # fmt: skip


def _tensors(shape: Shape, tokens: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    width, channels = shape.width, shape.channels
    for number, size in (("0", (channels, 1, 3, 3)), ("2", (channels, 1, 3, 3)),
                         ("3", (channels, channels, 1, 1)), ("5", (channels, 1, 3, 3)),
                         ("6", (channels, channels, 1, 1))):  # fmt: skip
        yield f"enc.pre_encode.conv.{number}.weight", size
        yield f"enc.pre_encode.conv.{number}.bias", (channels,)
    yield "enc.pre_encode.out.weight", (width, shape.front_width)
    yield "enc.pre_encode.out.bias", (width,)
    for layer in range(shape.layers):
        yield from _layer(f"enc.blocks.{layer}.", shape)
    hidden = shape.predictor
    yield "pred.embed.weight", (tokens, hidden)
    for layer in range(shape.predictor_layers):
        yield f"pred.lstm.{layer}.Wx", (4 * hidden, hidden)
        yield f"pred.lstm.{layer}.Wh", (4 * hidden, hidden)
        yield f"pred.lstm.{layer}.bias", (4 * hidden,)
    for name, rows, columns in (("enc", hidden, width), ("pred", hidden, hidden),
                                ("out", tokens, hidden)):  # fmt: skip
        yield f"joint.{name}.weight", (rows, columns)
        yield f"joint.{name}.bias", (rows,)
    if shape.prompts:
        yield "prompt.mlp.0.weight", (shape.prompt_width, width + shape.prompts)
        yield "prompt.mlp.0.bias", (shape.prompt_width,)
        yield "prompt.mlp.2.weight", (width, shape.prompt_width)
        yield "prompt.mlp.2.bias", (width,)


def _layer(prefix: str, shape: Shape) -> Iterator[tuple[str, tuple[int, ...]]]:
    width = shape.width
    for norm in ("norm_ff1", "norm_attn", "norm_conv", "norm_ff2", "norm_out", "conv.bn"):
        yield f"{prefix}{norm}.weight", (width,)
        yield f"{prefix}{norm}.bias", (width,)
    for part in ("ff1", "ff2"):
        yield f"{prefix}{part}.linear1.weight", (shape.ffn, width)
        yield f"{prefix}{part}.linear2.weight", (width, shape.ffn)
    for part in ("q", "k", "v", "out", "pos"):
        yield f"{prefix}attn.linear_{part}.weight", (width, width)
    for bias in ("u", "v"):
        yield f"{prefix}attn.pos_bias_{bias}", (shape.heads, width // shape.heads)
    yield f"{prefix}conv.pointwise1.weight", (2 * width, width, 1)
    yield f"{prefix}conv.depthwise.weight", (width, 1, shape.kernel)
    yield f"{prefix}conv.pointwise2.weight", (width, width, 1)


def _describe(writer: Any, shape: Shape, words: Words) -> None:
    writer.add_string("general.name", words.variant)
    writer.add_array("general.languages", list(words.languages))
    writer.add_string("stt.variant", words.variant)
    writer.add_bool("stt.capability.streaming", shape.streams)
    if shape.prompts:
        writer.add_bool("stt.capability.lang_detect", True)
    blank = len(words.pieces)
    kinds = [_CONTROL if piece[0] == "<" else _NORMAL for piece in words.pieces]
    writer.add_string("tokenizer.ggml.model", "bpe")
    writer.add_array("tokenizer.ggml.tokens", [*words.pieces, "<blank>"])
    writer.add_array("tokenizer.ggml.scores", [0.0] * (blank + 1))
    writer.add_array("tokenizer.ggml.token_type", [*kinds, _CONTROL])
    writer.add_uint32("tokenizer.ggml.blank_token_id", blank)
    for key, value in _keys(shape, blank).items():
        _add(writer, f"stt.{key}", value)
    if shape.prompts:
        prompt = "stt.parakeet.prompt."
        writer.add_array(prompt + "dictionary.locales", [name for name, _ in words.prompts])
        writer.add_array(prompt + "dictionary.indices", [number for _, number in words.prompts])
        if words.auto is not None:
            writer.add_uint32(prompt + "auto_id", words.auto)


def _add(writer: Any, key: str, value: object) -> None:
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        # what may be less than nothing is signed there
        (writer.add_int32 if "_context_" in key or ".streaming." in key else writer.add_uint32)(
            key, value
        )
    elif isinstance(value, float):
        writer.add_float32(key, value)
    elif isinstance(value, list):
        writer.add_array(key, value)
    else:
        writer.add_string(key, value)


def _chunks(shape: Shape) -> dict[str, object]:
    return {
        "att_context_left": shape.left, "att_context_right": shape.rights[0],
        "att_context_style": "chunked_limited", "conv_context_left": shape.kernel - 1,
        "conv_context_right": 0,
        "att_context_size_choices": [n for right in shape.rights for n in (shape.left, right)],
        "streaming.pre_encode_cache_size": 9, "streaming.drop_extra_pre_encoded": 2,
        "streaming.sampling_frames_first": 1,
    }  # fmt: skip


def _keys(shape: Shape, blank: int) -> dict[str, object]:
    encoder: dict[str, object] = {
        "n_layers": shape.layers, "d_model": shape.width, "n_heads": shape.heads,
        "d_ff": shape.ffn, "conv_kernel": shape.kernel, "subsampling_factor": 8,
        "subsampling_channels": shape.channels, "pos_emb_max_len": 5000, "use_bias": False,
        "xscaling": False,
        "conv_norm_type": "layer_norm",
    }  # fmt: skip
    encoder |= _chunks(shape) if shape.streams else {"att_context_style": "regular"}
    keys = {f"parakeet.encoder.{name}": value for name, value in encoder.items()}
    keys |= {
        "parakeet.head_kind": "rnnt", "parakeet.predictor.hidden": shape.predictor,
        "parakeet.predictor.n_layers": shape.predictor_layers,
        "parakeet.predictor.vocab": blank + 1, "parakeet.joint.hidden": shape.predictor,
        "parakeet.joint.num_extra_outputs": 0, "parakeet.joint.activation": "relu",
        "parakeet.tdt.max_symbols": 10,
        "frontend.type": "mel", "frontend.num_mels": shape.mels, "frontend.sample_rate": 16_000,
        "frontend.n_fft": 512, "frontend.win_length": 400, "frontend.hop_length": 160,
        "frontend.window": "hann", "frontend.normalize": "none", "frontend.dither": 0.0,
        "frontend.pre_emphasis": 0.97, "frontend.f_min": 0.0, "frontend.f_max": 8000.0,
    }  # fmt: skip
    if shape.prompts:
        keys |= {
            "parakeet.prompt.num_prompts": shape.prompts,
            "parakeet.prompt.hidden": shape.prompt_width,
            "parakeet.prompt.field": "target_lang", "parakeet.prompt.activation": "relu",
        }  # fmt: skip
    return keys
