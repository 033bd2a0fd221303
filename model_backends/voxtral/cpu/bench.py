"""How fast the processor engine is on this computer, without a model: random weights of the
published model's shape, made packed (3 GB of memory).

    voxline bench --engine voxtral-cpu [--threads N] [--context N] [--json]

A *step* is 80 ms of audio: one row through the encoder, one position of the decoder, the head and
its choice. In the same run, between the steps, the same memory is read once from end to end by the
same threads: the bytes of a step over that speed are the floor that no engine reading these weights
once a step can go below. Contexts are filled with made-up keys. Prints a table, or JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from model_backends.base import UserError
from model_backends.voxtral.cpu.machines import cache_bytes, encoder_bytes, row, weight_bytes
from model_backends.voxtral.cpu.packed_file import Packed, packed_tensors, place
from model_backends.voxtral.cpu.runner import CpuSpeech, Tensors, kernel_name
from model_backends.voxtral.cpu.this_machine import cores, processor_name
from model_backends.voxtral.schedule import DEFAULT_DELAY_MS, ROW_MS
from model_backends.voxtral.spec import FRAMES_PER_ROW, MEL_BINS, MEL_PER_ROW, ModelSpec, Tower
from model_backends.voxtral.speech_model import DecodeWork, EncodeWork
from model_backends.voxtral.tekken import Tekken

_ENC = {"rope_theta": 1e6, "norm_eps": 1e-5, "biases": True, "window": 750}
_DEC = {"rope_theta": 1e6, "norm_eps": 1e-5, "biases": False, "window": 8192}


def _tower(kind: dict[str, float], layers: int, width: int, heads: int, kv: int, d: int, ffn: int,
           ) -> Tower:  # fmt: skip
    return Tower(layers, width, heads, kv, d, ffn, **kind)  # type: ignore[arg-type]


SIZES = {
    "full": ModelSpec(_tower(_ENC, 32, 1280, 32, 32, 64, 5120),
                      _tower(_DEC, 26, 3072, 32, 8, 128, 9216), 131_072),
    "half": ModelSpec(_tower(_ENC, 4, 640, 16, 16, 64, 2560),
                      _tower(_DEC, 4, 1536, 16, 4, 128, 4608), 32_768),
    "tiny": ModelSpec(_tower(_ENC, 2, 64, 2, 2, 32, 128),
                      _tower(_DEC, 2, 64, 4, 2, 32, 128), 2_048),
}  # fmt: skip
_TILE = 1 << 22
_UNDISTURBED = 0.8  # of the processors' time, which threads that wait for each other spend too
_DISTURBED = (
    "Other programs took part of the processors meanwhile. Close them, plug a laptop in, and "
    "measure again before you add a row.\n"
)


@dataclass(frozen=True, slots=True)
class Result:
    """One measurement. Times in ms, speeds in GB/s, sizes in bytes."""

    machine: str
    kernels: str
    size: str
    threads: int
    context: int
    kv_bits: int
    steps: int
    step_p50_ms: float
    step_p99_ms: float
    encoder_ms: float  # medians of a step's two parts
    decoder_ms: float
    read_gb_s: float  # plain reading, median, same run
    step_bytes: int
    encoder_bytes: int
    floor_ms: float
    processor_share: float  # of the threads' time in steps that the system gave them

    @property
    def share_of_floor(self) -> float:
        return self.floor_ms / self.step_p50_ms

    @property
    def parts_gb_s(self) -> tuple[float, float]:
        """How fast the encoder's part and the decoder's with the head take their bytes."""
        rest = self.step_bytes - self.encoder_bytes
        return self.encoder_bytes / self.encoder_ms / 1e6, rest / self.decoder_ms / 1e6


def random_tensors(spec: ModelSpec, seed: int = 0) -> Tensors:
    """Packed tensors with random codes and scales that keep the numbers in bounds."""
    tile = np.random.default_rng(seed).integers(1, 256, _TILE, np.uint8)
    return {packed.name: place(packed, _random(packed, tile)) for packed in packed_tensors(spec)}


def _random(packed: Packed, tile: np.ndarray) -> np.ndarray:
    data = np.empty(-(-packed.size // 64) * 64, np.uint8)[: packed.size]
    if packed.kind == "f32":
        data.view(np.float32)[:] = 1.0 if "norm" in packed.name else 0.01
        return data
    if packed.kind == "conv":
        data.view(np.uint16)[:] = 0x3C00  # 0.0078
        return data
    for begin in range(0, packed.size, _TILE):
        part = data[begin : begin + _TILE]
        part[:] = tile[: len(part)]
    bits = int(packed.kind[1])
    blocks = data.reshape(-1, 32 + 64 * bits)
    spread = 4.6 if bits == 4 else 73.0  # of the codes
    scale = np.float16((1.0 / packed.inputs) ** 0.5 / spread)
    blocks[:, 64 * bits :] = np.tile(np.frombuffer(scale.tobytes(), np.uint8), 16)
    return data


def made_up_tekken(vocab: int) -> Tekken:
    """A tokenizer of the right size, all words alike."""
    special = {"<s>": 1, "</s>": 2, "[STREAMING_PAD]": 32, "[STREAMING_WORD]": 33}
    return Tekken(special, [b" word"] * (vocab - 1000), 1000)


class Bench:
    """One model, stepped at the verbs of `SpeechModel`."""

    def __init__(self, size: str, kv_bits: int, kernels: str = "") -> None:
        kernel_name(kernels)  # a library that is not there is told before 3 GB are filled
        self.size, self.spec, self.kv_bits = size, SIZES[size], kv_bits
        self.tensors = random_tensors(self.spec)
        tokens = made_up_tekken(self.spec.vocab)
        self.model = CpuSpeech(self.spec, self.tensors, tokens, kv_bits=kv_bits, kernels=kernels)
        rows = np.random.default_rng(1).standard_normal((MEL_PER_ROW + 3, MEL_BINS))
        large = [t for t in self.tensors.values() if t.nbytes > 1 << 20]
        self._large = large[-24:] or [np.ones(1 << 22)]  # in turn, so that none is in the cache
        self._mel = rows.astype(np.float32)

    def measure(self, threads: int, context: int, steps: int) -> Result:
        """Steps and plain reads in turn."""
        self.model.threads = threads
        encoder, decoder = self.filled(context)
        parts: list[tuple[float, float]] = []
        speeds, worked = [], 0.0
        for i in range(steps + 3):
            before = time.process_time()
            parts.append(self._step(encoder, decoder, context + i))
            worked += time.process_time() - before
            if i % 8 == 0:
                speeds.append(self.read_speed())
        self.model.close_encoder(encoder)
        self.model.close_decoder(decoder)
        encode_ms, decode_ms = 1000 * np.array(parts[3:]).T
        whole = encode_ms + decode_ms
        speed = float(np.median(speeds))
        size = weight_bytes(self.spec) + cache_bytes(self.spec, context, self.kv_bits)
        return Result(
            machine=processor_name(), kernels=self.model.kernels, size=self.size, threads=threads,
            context=context, kv_bits=self.kv_bits, steps=steps,
            step_p50_ms=round(float(np.median(whole)), 2),
            step_p99_ms=round(float(np.percentile(whole, 99)), 2),
            encoder_ms=round(float(np.median(encode_ms)), 2),
            decoder_ms=round(float(np.median(decode_ms)), 2),
            read_gb_s=round(speed / 1e9, 2), step_bytes=size,
            encoder_bytes=encoder_bytes(self.spec, context, self.kv_bits),
            floor_ms=round(1000 * size / speed, 2),
            processor_share=round(worked / (threads * float(np.sum(parts))), 3),
        )  # fmt: skip

    def filled(self, context: int) -> tuple[int, int]:
        """An encoder's and a decoder's slot with made-up keys behind them."""
        encoder = self.model.open_encoder()
        decoder = self.model.open_decoder(DEFAULT_DELAY_MS // ROW_MS)
        self.model._encoders[encoder].fill(FRAMES_PER_ROW * context)
        self.model._decoders[decoder].fill(context)
        return encoder, decoder

    def _step(self, encoder: int, decoder: int, row: int) -> tuple[float, float]:
        """Seconds of the encoder's and the decoder's part of one step."""
        start = time.perf_counter()
        self.model.encode([EncodeWork(encoder, row, self._mel)])
        middle = time.perf_counter()
        self.model.decode([DecodeWork(decoder, row, (32,), ((encoder, row),))])
        return middle - start, time.perf_counter() - middle

    def read_speed(self) -> float:
        """Bytes per second over large weights."""
        seconds = sum(self.model.read_seconds(array) for array in self._large)
        return sum(array.nbytes >> 20 << 20 for array in self._large) / seconds


def table(results: Sequence[Result]) -> str:
    """The results in Markdown."""
    first = results[0]
    lines = [
        f"{first.machine}, {first.kernels}, {first.size} size, {first.kv_bits} bit cache",
        "",
        "| threads | context | step p50 | p99 | encoder | decoder | read GB/s | floor | share |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *(
            f"| {r.threads} | {r.context} | {r.step_p50_ms:.1f} ms | {r.step_p99_ms:.1f} ms "
            f"| {r.encoder_ms:.1f} ms, {r.parts_gb_s[0]:.1f} GB/s "
            f"| {r.decoder_ms:.1f} ms, {r.parts_gb_s[1]:.1f} GB/s | {r.read_gb_s:.1f} "
            f"| {r.floor_ms:.1f} ms | {100 * r.share_of_floor:.0f} % |"
            for r in results
        ),
    ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the options ask for; 1 with a sentence if it cannot run here."""
    options = _options(arguments)
    try:
        bench = Bench(options.size, options.kv_bits, options.kernels)
        results = [
            bench.measure(threads, context, options.steps)
            for context in options.context
            for threads in options.threads
        ]
    except UserError as error:
        sys.stderr.write(f"{error.message}\n{error.hint}\n")
        return 1
    if options.json:
        rows = [asdict(r) | {"share_of_floor": round(r.share_of_floor, 3)} for r in results]
        sys.stdout.write(json.dumps(rows) + "\n")
    else:
        sys.stdout.write(table(results))
        sys.stdout.write("\nA row for the table of computers in resources/benchmarks/voxtral:\n\n")
        sys.stdout.write(row(results))
    if min(result.processor_share for result in results) < _UNDISTURBED:
        sys.stderr.write(_DISTURBED)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Speed of the processor engine on this computer.")
    parser.add_argument("--threads", type=_numbers, default=counts(cores()), metavar="N[,N]")
    parser.add_argument("--context", type=_numbers, default=[64, 1024], metavar="N[,N]")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--size", choices=tuple(SIZES), default="full")
    parser.add_argument("--kv-bits", type=int, choices=(8, 16), default=16)
    parser.add_argument("--kernels", default="", help="instead of the best for this processor")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def counts(cores: int) -> list[int]:
    """Numbers of threads worth a try: what memory gives is mostly had with a few."""
    return [count for count in (1, 2, 4, 6, 8) if count <= max(cores, 1)]


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
