"""How a Mac carries Voxtral Realtime in MLX: one command, one row.

The row goes into resources/benchmarks/mlx.md.

    python -m model_backends.voxtral.mlx.bench --model DIR  # real weights, any layout
    python -m model_backends.voxtral.mlx.bench --random     # made-up weights, nothing to download

A *step* is 80 ms of audio through the whole engine: push and advance, frontend, encoder, decoder,
words and all. Audio is pushed at its own pace for three minutes (`--seconds`), as a microphone
would, so that clocks and temperature are those of real use; `--flat-out` does not wait. Made-up
weights take the same time as real ones, but say nothing sensible: then there is no first word.
"""

from __future__ import annotations

import argparse
import platform
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import mlx.core as mx
import numpy as np

from model_backends.base import EngineError, LoadOptions, Pcm, StreamOptions, Tail, Word
from model_backends.voxtral.engine import warm_up
from model_backends.voxtral.made_up import one_word
from model_backends.voxtral.mlx.chip import memory_needed
from model_backends.voxtral.mlx.info import INFO, chip
from model_backends.voxtral.mlx.load import Limits, MlxEngine, load
from model_backends.voxtral.mlx.runner import ModelRunner
from model_backends.voxtral.mlx.weights import DTYPES, random_network
from model_backends.voxtral.schedule import ROW_MS, ROW_SAMPLES, Schedule, delay_tokens
from model_backends.voxtral.spec import PUBLISHED, ModelSpec, Tower

_SAMPLE = Path(__file__).parents[3] / "resources" / "sample" / "jfk.flac"
REDUCED = ModelSpec(  # for a look at the script itself on any computer
    Tower(2, 256, 4, 4, 64, 512, 750, 1e6, 1e-5, True),
    Tower(2, 256, 4, 2, 64, 1024, 8192, 1e6, 1e-5, False),
    4096,
)
HEADER = (
    "| chip | memory | system | MLX | model | audio | load s | first answer ms | first word ms "
    "| step p50 ms | p95 | p99 | longest | late steps | MLX peak GB | process GB |"
)


@dataclass
class Run:
    """What was measured. Times in ms unless named otherwise."""

    load_s: float
    step_ms: list[float] = field(default_factory=list)
    first_answer_ms: float | None = None  # computing, from the first push to the first id
    first_word_ms: float | None = None  # from the first sample of speech to text, waiting included


def main() -> int:
    args = arguments()
    started = time.perf_counter()
    try:
        engine = random_engine(args) if args.random else real_engine(args)
    except EngineError as error:
        sys.exit(f"{error.message} {error.hint}")
    run = Run(time.perf_counter() - started)
    mx.reset_peak_memory()
    listen(engine, run, args)
    sys.stdout.write(f"{HEADER}\n|{' --- |' * (HEADER.count('|') - 1)}\n{row(engine, run, args)}\n")
    engine.close()
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--model", metavar="DIR", help="a folder with the weights")
    source.add_argument("--random", action="store_true", help="made-up weights from a seed")
    parser.add_argument("--precision", help="bf16, fp16, int8, int6 or int4")
    parser.add_argument("--size", choices=("full", "reduced"), default="full", help="with --random")
    parser.add_argument("--delay-ms", type=int, default=INFO.default_delay_ms)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--flat-out", action="store_true", help="do not wait for the audio's pace")
    return parser.parse_args()


def real_engine(args: argparse.Namespace) -> MlxEngine:
    extra = {"precision": args.precision} if args.precision else {}
    options = LoadOptions(args.model, None, Path(args.model or ""), extra=extra)
    return load(options, lambda done, what: None)


def random_engine(args: argparse.Namespace) -> MlxEngine:
    """The engine with weights from a seed and a vocabulary of one word."""
    spec = PUBLISHED if args.size == "full" else REDUCED
    precision = args.precision or "int4"
    bits = {"int8": 8, "int6": 6, "int4": 4}.get(precision)
    dtype = chip().half_precision if bits else precision
    limits = Limits()
    net = random_network(spec, DTYPES[dtype], bits)
    tokens = one_word(spec.vocab)
    name = f"{args.size} size, made up ({precision}, {dtype})"
    limits.wire(memory_needed(spec, bits or 16))
    engine = MlxEngine(name, ModelRunner(net, tokens, precision), tokens, limits)
    warm_up(engine)
    return engine


def listen(engine: MlxEngine, run: Run, args: argparse.Namespace) -> None:
    """Push the sample again and again, one row at a time, and time each step."""
    stream = engine.open(StreamOptions("bench", 0, (args.delay_ms,), 0))
    rows_to_answer = Schedule(delay_tokens(args.delay_ms)).tokens + 1
    speech = 0.0 if args.random else 1.0  # a guard would try to wake a model that is no model
    begin = time.perf_counter()
    for number, piece in enumerate(pieces(args.seconds)):
        if not args.flat_out:
            time.sleep(max(0.0, begin + number * ROW_MS / 1000 - time.perf_counter()))
        start = time.perf_counter()
        stream.push(piece, speech)
        events = engine.advance()
        now = time.perf_counter()
        run.step_ms.append(1000 * (now - start))
        if number == rows_to_answer:
            run.first_answer_ms = sum(run.step_ms)
        said = any(isinstance(e, (Word, Tail)) and e.text.strip() for e in events)
        if said and run.first_word_ms is None:
            run.first_word_ms = 1000 * (now - begin)
    stream.close()


def pieces(seconds: float) -> Iterator[Pcm]:
    """80 ms at a time of the bundled speech, over and over."""
    with av.open(str(_SAMPLE)) as container:
        frames: list[Any] = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    pcm = np.concatenate(frames).astype(np.float32) / 32768
    for number in range(int(1000 * seconds / ROW_MS)):
        yield np.take(pcm, np.arange(ROW_SAMPLES) + number * ROW_SAMPLES, mode="wrap")


def row(engine: MlxEngine, run: Run, args: argparse.Namespace) -> str:
    """One line of the table."""
    computer = chip()
    p50, p95, p99 = np.percentile(run.step_ms, [50, 95, 99])
    late = sum(step > ROW_MS for step in run.step_ms)
    word = None if args.random or args.flat_out else run.first_word_ms
    cells = [
        computer.name,
        f"{computer.memory_bytes / 2**30:.0f} GiB",
        f"{platform.system()} {platform.mac_ver()[0] or platform.release()}",
        getattr(mx, "__version__", "?"),
        engine.model,
        f"{args.seconds:.0f} s{', flat out' if args.flat_out else ''}, {args.delay_ms} ms",
        f"{run.load_s:.1f}",
        _number(run.first_answer_ms),
        _number(word),
        *(f"{ms:.1f}" for ms in (p50, p95, p99, max(run.step_ms))),
        f"{late} of {len(run.step_ms)}",
        f"{mx.get_peak_memory() / 1e9:.2f}",
        f"{_process_bytes() / 1e9:.2f}",
    ]
    return "| " + " | ".join(cells) + " |"


def _number(ms: float | None) -> str:
    return "–" if ms is None else f"{ms:.0f}"


def _process_bytes() -> int:
    """The most main memory this process has held; macOS counts in bytes, Linux in KiB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if platform.system() == "Darwin" else 1024 * most


if __name__ == "__main__":
    sys.exit(main())
