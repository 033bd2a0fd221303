"""The published size on random weights, past the encoder's window, held against the plain network:
too slow and too large for the suite, and run by hand.

    python -m tests.model_backends.voxtral.cpu.full_size [--layers 2] [--rows 260] [--kernels exact]

Weights are those of the benchmark, with queries and keys so large that a query looks at few of its
keys. The plain network multiplies in float32, a piece of a weight at a time; beside it stands what
it says with a window that is one frame shorter, to show that the comparison sees as much. All
layers take 8 GB of memory and minutes; `--layers` leaves some out and keeps the widths. With the
`exact` kernels, which do not round activations, the two are one; the others differ from it by what
a code here and there makes (`resources/benchmarks/voxtral/cpu-int4.md`), as much as such a window
does. Exits with 1 where the difference is larger than either allows.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_backends.voxtral.cpu import bench
from model_backends.voxtral.cpu.packed_file import Packed
from model_backends.voxtral.cpu.runner import CpuSpeech, Tensors
from model_backends.voxtral.schedule import SILENT_ROWS
from model_backends.voxtral.spec import ModelSpec
from model_backends.voxtral.speech_model import DecodeWork
from tests.model_backends.voxtral.cpu.reference import Floats, Reference, as_is, coded
from tests.model_backends.voxtral.cpu.test_long import encoded, sound
from tests.model_backends.voxtral.cpu.test_parity import relative

DELAY, LAST = 6, 40
EXACT, _LIMIT, _LIMIT_WITH_CODES = "exact", 1e-3, 2e-2
_PIECE = 256  # times 16 rows
_POINTED = np.float16(1.6)


class InPieces(Reference):
    """The same network, for weights that must not be unpacked all at once."""

    def _weight(self, name: str) -> Any:
        return self._packed[name], self._tensors[name]

    def _product(self, x: Floats, weight: Any) -> Floats:
        packed, data = weight
        codes, scales = (as_is if self._exact else coded)(x)
        rounded = (codes * scales[..., None]).astype(np.float32).reshape(len(x), -1)
        y = np.concatenate([rounded @ w.T for w in pieces(packed, data)], 1)
        return y[:, : packed.rows].astype(np.float64)

    def _embedding(self, ids: list[int]) -> Floats:
        packed, data = self._weight("embedding.weight")
        blocks = data.reshape(-(-packed.rows // 16), -1)
        rows = [unpacked(packed, blocks[i // 16])[i % 16] for i in ids]
        return np.array(rows, np.float64)[:, : self.spec.decoder.width]


def pieces(packed: Packed, data: NDArray[np.uint8]) -> Iterator[NDArray[np.float32]]:
    """A packed weight in float32, some thousand rows at a time, padding included."""
    blocks = data.reshape(-(-packed.rows // 16), -1)
    for begin in range(0, len(blocks), _PIECE):
        yield unpacked(packed, blocks[begin : begin + _PIECE])


def unpacked(packed: Packed, data: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Whole blocks of rows to float32 (rows, padded inputs)."""
    bits, groups = int(packed.kind[1]), -(-packed.inputs // 32)
    blocks = data.reshape(-1, groups, 32 + 64 * bits)
    scales = blocks[..., 64 * bits :].copy().view(np.float16).astype(np.float32)
    if bits == 4:
        both = blocks[..., :256].reshape(-1, groups, 4, 16, 4)
        quads = np.stack([both & 15, both >> 4], 3).astype(np.int8) - np.int8(8)
        codes: NDArray[np.int8] = np.moveaxis(quads, 4, 2)  # row: z, half, byte are the 32 inputs
    else:
        flipped = blocks[..., :512].reshape(-1, groups, 8, 16, 4) ^ np.uint8(128)
        codes = np.moveaxis(flipped.view(np.int8), 3, 2)
    rows = codes.reshape(len(blocks), groups, 16, 32).astype(np.float32) * scales[..., None]
    return rows.swapaxes(1, 2).reshape(16 * len(blocks), -1)


def pointed(spec: ModelSpec) -> Tensors:
    """The benchmark's random weights, with larger queries and keys, and with convolutions that
    tell one frame from another, which the benchmark's do not."""
    tensors = bench.random_tensors(spec)
    for i in (0, 1):
        weight = tensors[f"encoder.conv.{i}.weight"].view(np.uint16)
        drawn = np.random.default_rng(i).standard_normal(len(weight), np.float32)
        drawn *= np.float32((spec.encoder.width / len(weight)) ** 0.5)  # root of 1 / inputs
        weight[:] = drawn.view(np.uint32) >> 16  # to bfloat16
    for tower, count in (("encoder", spec.encoder), ("decoder", spec.decoder)):
        for i in range(count.layers):
            data = tensors[f"{tower}.layers.{i}.attention.wqkv.weight"]
            blocks = data.reshape(-1, 288)
            each = -(-count.width // 32)  # blocks of 16 rows
            chosen = blocks[: (count.q_width + count.kv_width) // 16 * each, 256:]
            chosen[:] = (chosen.copy().view(np.float16) * _POINTED).view(np.uint8)
    return tensors


def by_the_library(
    spec: ModelSpec, tensors: Tensors, ids: Sequence[int], kernels: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Adapter rows of all blocks, and logits of the last positions."""
    tokens = bench.made_up_tekken(spec.vocab)
    speech = CpuSpeech(spec, tensors, tokens, threads=2, kernels=kernels)
    slot, rows, logits = speech.open_decoder(DELAY), [], []
    for source, made in encoded(speech, sound(len(ids))):
        rows.append(made)
        if source is None:
            continue
        at, end = sum(map(len, rows)) - len(made), sum(map(len, rows))
        speech.keep_logits = end > len(ids) - LAST
        places = tuple((source, row) for row in range(at, end))
        speech.decode([DecodeWork(slot, at, tuple(ids[at:end]), places)])
        logits += speech.logits
    speech.close()
    return np.concatenate(rows), np.concatenate(logits)[-LAST:]


def compared(spec: ModelSpec, count: int, kernels: str) -> Mapping[str, float]:
    """Relative differences; what a wrong window would make of the rows is among them."""
    tensors = pointed(spec)
    ids = [1, *(32,) * (SILENT_ROWS - 1)]
    ids += np.random.default_rng(4).integers(1000, spec.vocab, count - SILENT_ROWS).tolist()
    start = time.process_time()
    rows, logits = by_the_library(spec, tensors, ids, kernels)
    _say(f"library: {time.process_time() - start:.0f} s of processor time")
    start, late = time.process_time(), slice(spec.encoder.window // 4, None)
    exact = kernels == EXACT
    network = InPieces(spec, tensors, exact)
    plain = network.encode(sound(count))
    found = {
        "adapter rows within the window": relative(rows[: late.start], plain[: late.start]),
        "adapter rows past it": relative(rows[late], plain[late]),
    }
    asked = slice(-LAST, None)
    expected = network.decode(ids, rows.astype(np.float64), DELAY, asked)
    found["logits"] = relative(logits, expected)
    found["ids that differ, of 1"] = float(np.mean(logits.argmax(1) != expected.argmax(1)))
    _say(f"plain network: {time.process_time() - start:.0f} s")
    shorter = replace(spec, encoder=replace(spec.encoder, window=spec.encoder.window - 1))
    wrong = InPieces(shorter, tensors, exact).encode(sound(count))
    found["(rows past a window that is one shorter)"] = relative(wrong[late], plain[late])
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the differences; 1 if they are too large."""
    parser = argparse.ArgumentParser(description="The published size against the plain network.")
    parser.add_argument("--size", choices=("full", "half"), default="full")
    parser.add_argument("--layers", type=int, default=32, help="of each tower, at most")
    parser.add_argument("--rows", type=int, default=260, help="of 80 ms; the window is 187.5")
    parser.add_argument("--vocab", type=int, help="instead of the size's own")
    parser.add_argument("--kernels", default="", help="instead of the best for this processor")
    options = parser.parse_args(arguments)
    spec = bench.SIZES[options.size]
    encoder, decoder = (
        replace(tower, layers=min(tower.layers, options.layers))
        for tower in (spec.encoder, spec.decoder)
    )
    vocab = options.vocab or spec.vocab
    spec = replace(spec, encoder=encoder, decoder=decoder, vocab=vocab)
    found = compared(spec, options.rows, options.kernels)
    for what, difference in found.items():
        sys.stdout.write(f"{what}: {difference:.1e}\n")
    held = ("adapter rows within the window", "adapter rows past it", "logits")
    limit = _LIMIT if options.kernels == EXACT else _LIMIT_WITH_CODES
    return int(any(found[what] > limit for what in held))


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
