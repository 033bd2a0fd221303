"""Random weights of the published size in the GGUF layout that transcribe.cpp reads, so that it
can be measured beside our engine without a download.

    python -m model_backends.voxtral.cpu.random_gguf FILE      (2.6 GB; needs: pip install gguf)

4 bits as llama.cpp's Q4_K: super-blocks of 256 weights, 4.5 bits a weight; the tied embedding in
Q6_K, as its Q4_K_M files have it. Where 256 does not divide a width, as in smaller models, Q4_0 (32
weights, 4.5 bits) and Q8_0. Codes are random, scales keep the numbers in bounds, so texts mean
nothing. Knows nothing about our own file.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_backends.voxtral import gguf_layout
from model_backends.voxtral.gguf_layout import BLOCKS, Vocabulary
from model_backends.voxtral.spec import PUBLISHED, ModelSpec

_CONTROL_TOKENS = 1000
_SMALL = {"q4": "q4_0", "q6": "q8_0"}
_TILE_BLOCKS = 1 << 15


def write(path: Path, spec: ModelSpec = PUBLISHED) -> None:
    """The whole file. Raises ImportError where PyPI's `gguf` is not installed."""
    gguf_layout.write(path, spec, _vocabulary(spec), _random, _fitting)


def _vocabulary(spec: ModelSpec) -> Vocabulary:
    special = [f"<special_{i}>" for i in range(_CONTROL_TOKENS)]
    special[:3] = ["<unk>", "<s>", "</s>"]
    special[32:34] = ["[STREAMING_PAD]", "[STREAMING_WORD]"]
    return Vocabulary(special, [f"w{i}" for i in range(spec.vocab - _CONTROL_TOKENS)])


def _fitting(kind: str, shape: tuple[int, ...]) -> str:
    """The kind whose blocks divide a row."""
    return _SMALL[kind] if kind in _SMALL and shape[-1] % BLOCKS[kind][0] else kind


def _random(name: str, kind: str, shape: tuple[int, ...]) -> NDArray[Any]:
    spread = float(np.prod(shape[1:])) ** -0.5
    if kind[0] == "q":
        count = int(np.prod(shape)) // BLOCKS[kind][0]
        return random_blocks(kind, count, spread).reshape(shape[0], -1)
    if "norm" in name:
        return np.ones(shape, np.float32)
    values = np.random.default_rng(len(name)).standard_normal(shape, np.float32)
    dtype = np.float16 if kind == "f16" else np.float32
    return (np.float32(0.01 if len(shape) == 1 else spread) * values).astype(dtype)


def random_blocks(kind: str, count: int, spread: float) -> NDArray[np.uint8]:
    """Blocks with random codes: Q4_K is d, dmin, 12 bytes of scales and minima, 128 of codes; Q6_K
    192 of codes, 16 scales, d; Q4_0 and Q8_0 d, then 16 or 32 bytes of codes."""
    size = BLOCKS[kind][1]
    rng = np.random.default_rng(size)
    blocks = rng.integers(0, 256, (min(count, _TILE_BLOCKS), size), np.uint8)
    if kind == "q4":  # scales and minima about 32; codes 0..15, about 7.5 of spread 4.6
        blocks[:, 0:2] = _half(spread / (4.6 * 32))
        blocks[:, 2:4] = _half(spread / (4.6 * 32) * 7.5)
    elif kind == "q6":
        blocks[:, 192:208] = 32
        blocks[:, 208:210] = _half(spread / (18 * 32))
    else:
        blocks[:, 0:2] = _half(spread / (4.6 if kind == "q4_0" else 73))
    return np.resize(blocks, (count, size))


def _half(value: float) -> NDArray[np.uint8]:
    return np.frombuffer(np.float16(value).tobytes(), np.uint8)


def main() -> int:
    parser = argparse.ArgumentParser(description="Random weights as transcribe.cpp reads them.")
    parser.add_argument("file", type=Path)
    try:
        write(parser.parse_args().file)
    except ImportError:
        sys.stderr.write("This needs the package gguf: pip install gguf\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
