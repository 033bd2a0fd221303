"""What Nemotron streaming costs on this computer beside Whisper base, without its weights: a file
of random ones of the true shapes (0.7 GB, 8 bits) is made, heard with, and removed.

    python -m app.measure.ggml [--threads 1 2] [--seconds 11] [--file FILE]

Prints the table of resources/benchmarks/ggml.md: processor seconds for a second of sound, and what
passes by the clock for one chunk. Random weights say nothing and the blank is made likely, so
that words cost nothing; speech adds about a third of the joint network's share to that. With
`--file` a real model is measured. Needs the packages transcribe-cpp and (without `--file`) gguf.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from app import paths
from app.audio.files import open_sound
from model_backends.base import SAMPLE_RATE, LoadOptions, Pcm, StreamOptions
from model_backends.embedded import engine as embedded
from model_backends.ggml import parakeet_layout
from model_backends.ggml.info import family_in
from model_backends.ggml.library import open_model
from model_backends.ggml.listening import listen
from model_backends.ggml.parakeet_layout import NEMOTRON_35, Words
from model_backends.voxtral.cpu.random_gguf import random_blocks
from model_backends.voxtral.gguf_layout import BLOCKS

_PIECE = SAMPLE_RATE * 80 // 1000
_FRAME = 512
_TOKENS = 13_087
_DECODE_S = 0.02  # a step of Whisper that takes longer has decoded
_LIKELY = 20.0  # the blank's bias
HEAD = (
    "| model | threads | chunk, ms | load of a core | one chunk p50 / p95, ms | by the clock |\n"
    "| --- | --- | --- | --- | --- | --- |"
)


@dataclass(frozen=True, slots=True)
class Cost:
    """Of hearing some sound live: processor and clock seconds for a second of it, and the time of
    each step that did something, in milliseconds."""

    load: float
    clock: float
    steps_ms: Sequence[float]

    def row(self, model: str, threads: int, chunk: str) -> str:
        p95 = quantiles(self.steps_ms, n=20)[-1]
        steps = f"{median(self.steps_ms):.0f} / {p95:.0f}"
        return f"| {model} | {threads} | {chunk} | {self.load:.2f} | {steps} | {self.clock:.2f} |"


def write_random(file: Path) -> None:
    """Random weights of Nemotron 3.5's shapes. Raises ImportError without PyPI's `gguf`."""
    pieces = [f"▁w{number}" for number in range(_TOKENS)]
    words = Words("nemotron-3.5-asr-streaming-0.6b", pieces, ["en-US"], [("en-US", 0)], auto=0)
    parakeet_layout.write(file, NEMOTRON_35, words, _random, _kind)


def _kind(name: str, shape: tuple[int, ...]) -> str:
    if "pointwise" in name:
        return "f16"
    return "q8_0" if shape[-1] % BLOCKS["q8_0"][0] == 0 else "f32"


def _random(name: str, kind: str, shape: tuple[int, ...]) -> NDArray[Any]:
    spread = float(np.prod(shape[1:])) ** -0.5
    if kind in BLOCKS:
        count = int(np.prod(shape)) // BLOCKS[kind][0]
        return random_blocks(kind, count, spread).reshape(shape[0], -1)
    if name == "joint.out.bias":
        return np.append(np.zeros(shape[0] - 1), _LIKELY).astype(np.float32)
    if name.endswith(".weight") and (".norm_" in name or ".bn." in name):
        return np.ones(shape, np.float32)
    values = np.random.default_rng(len(name)).standard_normal(shape, np.float32)
    scale = np.float32(0.01 if len(shape) == 1 else spread)
    return (scale * values).astype(np.float16 if kind == "f16" else np.float32)


def sample(seconds: float) -> Pcm:
    """The bundled speech, again and again."""
    with open_sound(paths.resource("sample/jfk.flac")) as sound:
        once = np.concatenate(list(sound.blocks(1000)))
    return np.resize(once, int(seconds * SAMPLE_RATE)).astype(np.float32)


def of_ggml(file: Path, sound: Pcm, delay_ms: int, threads: int) -> Cost:
    """Fed as it would come, 80 ms at a time."""
    family = family_in(file)
    model = open_model(file, "cpu")
    listening = listen(model, family, delay_ms, None, threads)
    listening.feed(sound[: 2 * SAMPLE_RATE], 1.0)  # what is made once
    steps: list[float] = []
    heard_ms = listening.heard_ms
    began, spent = time.perf_counter(), time.process_time()
    for at in range(0, len(sound), _PIECE):
        step = time.perf_counter()
        listening.feed(sound[at : at + _PIECE], 1.0)
        if listening.heard_ms > heard_ms:
            heard_ms = listening.heard_ms
            steps.append(1000 * (time.perf_counter() - step))
    cost = _cost(sound, began, spent, steps)
    model.close()
    return cost


def of_whisper(sound: Pcm) -> Cost:
    """The embedded engine with its own weights, on one thread."""
    options = LoadOptions("base", None, paths.models_dir())
    engine = embedded.load(options, lambda fraction, what: None)
    stream = engine.open(StreamOptions("me", 0, (engine.info.default_delay_ms,), 0, "en"))
    steps: list[float] = []
    began, spent = time.perf_counter(), time.process_time()
    for at in range(0, len(sound), _FRAME):
        stream.push(sound[at : at + _FRAME], 1.0)
        step = time.process_time()
        engine.advance()
        took = time.process_time() - step
        if took > _DECODE_S:
            steps.append(1000 * took)
    return _cost(sound, began, spent, steps)


def _cost(sound: Pcm, began: float, spent: float, steps: Sequence[float]) -> Cost:
    seconds = len(sound) / SAMPLE_RATE
    clock, cpu = time.perf_counter() - began, time.process_time() - spent
    return Cost(cpu / seconds, clock / seconds, steps)


def main() -> int:
    parser = argparse.ArgumentParser(description="Nemotron streaming beside Whisper base.")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], metavar="N")
    parser.add_argument("--seconds", type=float, default=11.0, metavar="S")
    parser.add_argument("--file", type=Path, metavar="FILE", help="a real model, in GGUF")
    options = parser.parse_args()
    sound = sample(options.seconds)
    print(HEAD)
    print(of_whisper(sound).row("Whisper base, live", 1, "a decode"), flush=True)
    with tempfile.TemporaryDirectory(prefix="voxline-bench-") as folder:
        file = options.file or Path(folder) / "random.gguf"
        if options.file is None:
            write_random(file)
        name = file.stem if options.file else "Nemotron 3.5, 8 bits, random"
        for threads in options.threads:
            for delay_ms in sorted(family_in(file).choices, reverse=True):
                cost = of_ggml(file, sound, delay_ms, threads)
                print(cost.row(name, threads, str(delay_ms)), flush=True)
    memory = psutil.Process().memory_info().rss / 1e9
    print(f"\n{os.cpu_count()} processors; {memory:.1f} GB resident at the end, weights included.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
