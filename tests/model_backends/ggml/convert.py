"""A Voxtral checkpoint as a GGUF file in 32 bits: what tests hold the ggml engine to its reference
text with. A test tool; needs PyPI's `gguf` and safetensors.

    python -m tests.model_backends.ggml.convert FOLDER FILE
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_backends.voxtral import gguf_layout
from model_backends.voxtral.checkpoint import tensor_names
from model_backends.voxtral.checkpoint.folder import read_spec
from model_backends.voxtral.gguf_layout import Vocabulary
from model_backends.voxtral.spec import ModelSpec
from model_backends.voxtral.tekken import Tekken

_CONTROL_TOKENS = 1000
_OURS = (  # a name in the file -> ours
    (r"enc\.conv\.(\d)\.", r"encoder.conv.\1."),
    (r"enc\.final_norm\.", "encoder.norm."),
    (r"proj\.linear_1\.", "adapter.0."),
    (r"proj\.linear_2\.", "adapter.1."),
    (r"dec\.token_embd\.", "embedding."),
    (r"dec\.output_norm\.", "decoder.norm."),
    (r"enc\.blocks\.", "encoder.layers."),
    (r"dec\.blocks\.", "decoder.layers."),
    (r"\.norm_attn\.", ".attention_norm."),
    (r"\.norm_ffn\.", ".ffn_norm."),
    (r"\.attn\.out\.", ".attn.o."),
    (r"\.attn\.([qkvo])\.", r".attention.w\1."),
    (r"\.ffn\.gate\.", ".feed_forward.w1."),
    (r"\.ffn\.down\.", ".feed_forward.w2."),
    (r"\.ffn\.up\.", ".feed_forward.w3."),
    (r"\.ada\.linear_1\.", ".ada.0."),
    (r"\.ada\.linear_2\.", ".ada.1."),
)


def convert(folder: Path, file: Path) -> None:
    """Write `file` from the checkpoint in `folder` (in Mistral's own layout)."""
    from safetensors import safe_open  # a package of the tests

    spec = read_spec(folder)
    names = tensor_names.file_names(spec, "native")
    with safe_open(folder / "consolidated.safetensors", framework="pt") as tensors:

        def give(name: str, kind: str, shape: tuple[int, ...]) -> NDArray[Any]:
            ours = _ours(name)
            values: NDArray[Any] = tensors.get_tensor(names[ours]).float().numpy()
            dtype = np.float16 if kind == "f16" else np.float32
            values = _rotary(ours, values, spec).astype(dtype)
            assert values.shape == shape, name
            return np.ascontiguousarray(values)

        tekken = Tekken.load(folder / "tekken.json", spec.vocab)
        gguf_layout.write(file, spec, _vocabulary(tekken, spec), give, _kind)


def _kind(usual: str, shape: tuple[int, ...]) -> str:
    return "f32" if usual[0] == "q" else usual


def _ours(name: str) -> str:
    for theirs, ours in _OURS:
        name = re.sub(theirs, ours, name)
    return name


def _rotary(ours: str, values: NDArray[Any], spec: ModelSpec) -> NDArray[Any]:
    """Rows of q and k in halves order, the encoder's q bias with them."""
    heads = tensor_names.rotary_heads(ours, spec)
    return values if heads is None else values[tensor_names.halves_order(*heads)]


def _vocabulary(tekken: Tekken, spec: ModelSpec) -> Vocabulary:
    special = [f"<special_{i}>" for i in range(_CONTROL_TOKENS)]
    special[:3] = ["<unk>", "<s>", "</s>"]
    special[tekken.pad], special[tekken.word] = "[STREAMING_PAD]", "[STREAMING_WORD]"
    alphabet = _alphabet()
    ids = range(_CONTROL_TOKENS, spec.vocab)
    words = ["".join(alphabet[byte] for byte in tekken.text(i)) or f"<unused_{i}>" for i in ids]
    return Vocabulary(special, words)


def _alphabet() -> dict[int, str]:
    """GPT-2's: printable bytes stand for themselves, the others for what comes from U+0100 on."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {b: chr(256 + i) for i, b in enumerate(others)}


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
