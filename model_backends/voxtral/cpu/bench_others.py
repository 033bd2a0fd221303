"""The processor engine beside others on the same computer, in turn, in one run: transcribe-cpp's
4 bits and our own engine in PyTorch with int4. All weights random, of the published size.

    pip install transcribe-cpp gguf
    python -m model_backends.voxtral.cpu.random_gguf random.gguf
    python -m model_backends.voxtral.cpu.bench_others --gguf random.gguf [--torch] [--threads 1,2]

A step is 80 ms of audio, encoder and decoder. transcribe-cpp is fed 80 ms of noise a step, as its
stream takes them, its frontend included (a few ms); its decoder looks at its whole ring of keys
each step, whatever is in it, so `--context` changes nothing for it; `--ring` shortens it. Each
engine takes a few steps, then the next one, round after round, and the memory is read in between:
whatever else the computer does meets all alike. Prints medians and minima in Markdown, and the
processor time, which with one thread says most on a computer that is busy with other things.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from model_backends.base import UserError
from model_backends.voxtral.cpu.bench import Bench, machine, made_up_tekken
from model_backends.voxtral.schedule import DEFAULT_DELAY_MS, ROW_MS, ROW_SAMPLES
from model_backends.voxtral.spec import MEL_BINS, MEL_PER_ROW, PUBLISHED
from model_backends.voxtral.speech_model import DecodeWork, EncodeWork, SpeechModel

_DELAY = DEFAULT_DELAY_MS // ROW_MS
_TURN = 4  # steps an engine takes before the next one's turn; the first is not counted
_BLOCK = 32  # rows at once while a context is filled
_LEFT_AND_DELAY = 40  # rows before transcribe-cpp's first step


@dataclass
class Rival:
    """One engine at one number of threads."""

    name: str
    step: Callable[[], None]
    taken_ms: list[float] = field(default_factory=list)
    worked_ms: list[float] = field(default_factory=list)  # of all processors

    def turn(self) -> None:
        for i in range(_TURN):
            start, worked = time.perf_counter(), time.process_time()
            self.step()
            if i > 0:
                self.taken_ms.append(1000 * (time.perf_counter() - start))
                self.worked_ms.append(1000 * (time.process_time() - worked))


class Verbs:
    """Steps of a `SpeechModel`, ours in C or in PyTorch."""

    def __init__(self, model: SpeechModel, context: int) -> None:
        self._model, self._at = model, 0
        self._encoder, self._decoder = model.open_encoder(), model.open_decoder(_DELAY)
        rng = np.random.default_rng(1)
        self._mel = rng.standard_normal((MEL_PER_ROW * _BLOCK + 3, MEL_BINS)).astype(np.float32)
        while self._at < context:
            self._take(min(_BLOCK, context - self._at))

    def step(self) -> None:
        self._take(1)

    def _take(self, rows: int) -> None:
        mel = self._mel[: MEL_PER_ROW * rows + 3]
        self._model.encode([EncodeWork(self._encoder, 31 + self._at, mel)])
        sources = tuple((self._encoder, 31 + self._at + i) for i in range(rows))
        self._model.decode([DecodeWork(self._decoder, 31 + self._at, (32,) * rows, sources)])
        self._at += rows


def ours(bench: Bench, threads: int, context: int) -> Rival:
    bench.model.threads = threads
    return Rival("voxtral-cpu", Verbs(bench.model, context).step)


def in_torch(context: int) -> Rival:
    """Our engine in PyTorch, int4 with groups of 32."""
    import torch  # as heavy as what it is compared with

    from model_backends.voxtral.torch.load import prepare
    from model_backends.voxtral.torch.runner import ModelRunner
    from model_backends.voxtral.torch.weights import assembled, compute_dtype, random_tensors

    device = torch.device("cpu")
    make = random_tensors(PUBLISHED, device, compute_dtype("int4"))
    net = assembled(PUBLISHED, make, "int4", device)
    prepare(device)
    model = ModelRunner(net, made_up_tekken(PUBLISHED.vocab), "int4", (0, 0))
    return Rival("voxtral-torch int4", Verbs(model, context).step)


def in_ggml(file: Path, threads: int, ring: int) -> Rival:
    """transcribe-cpp's stream. `ring`: keys its decoder holds and looks at, 0 for its own choice.
    Raises ImportError where it is not installed."""
    peer = importlib.import_module("transcribe_cpp")
    options = peer.VoxtralRealtimeStreamOptions(num_delay_tokens=_DELAY, min_decode_interval_ms=0)
    model = peer.Model(str(file))
    stream = model.session(n_threads=threads, n_ctx=ring).stream(family=options)
    noise = np.random.default_rng(2).standard_normal(ROW_SAMPLES).astype(np.float32) / 10
    for _ in range(_LEFT_AND_DELAY // 4):
        stream.feed(np.tile(noise, 4))
    return Rival("transcribe-cpp Q4_K", lambda: stream.feed(noise))


def measure(bench: Bench, options: argparse.Namespace, threads: int) -> list[str]:
    """Rows of the table for one number of threads."""
    rivals = [ours(bench, threads, options.context)]
    if options.gguf is not None:
        rivals.append(in_ggml(options.gguf, threads, options.ring))
    if options.torch:
        importlib.import_module("torch").set_num_threads(threads)
        rivals.append(in_torch(options.context))
    speeds = []
    for _ in range(options.rounds):
        for rival in rivals:
            rival.turn()
        speeds.append(bench.read_speed())
    return [_row(rival, rivals[0], threads, speeds) for rival in rivals]


def _row(rival: Rival, first: Rival, threads: int, speeds: Sequence[float]) -> str:
    p50, least = float(np.median(rival.taken_ms)), min(rival.taken_ms)
    worked = float(np.median(rival.worked_ms))
    times = f"{p50 / float(np.median(first.taken_ms)):.2f} / {least / min(first.taken_ms):.2f}"
    if threads == 1:
        times += f" / {worked / float(np.median(first.worked_ms)):.2f}"
    return (
        f"| {rival.name} | {threads} | {p50:.1f} ms | {least:.1f} ms | {worked:.1f} ms "
        f"| {times} | {float(np.median(speeds)) / 1e9:.1f} |"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 with a sentence where something is missing."""
    options = _options(arguments)
    try:
        bench = Bench("full", 16)
        rows = [row for threads in options.threads for row in measure(bench, options, threads)]
    except (UserError, ImportError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    head = [
        f"{machine()}, {bench.model.kernels}, context {options.context}, {options.rounds} rounds "
        f"of {_TURN - 1} counted steps",
        "",
        "| engine | threads | step p50 | least | processor time p50 | times ours | read GB/s |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    sys.stdout.write("\n".join([*head, *rows]) + "\n")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The processor engine beside others.")
    parser.add_argument("--gguf", type=Path, metavar="FILE", help="made by random_gguf")
    parser.add_argument("--ring", type=int, default=0, metavar="N", help="transcribe-cpp's n_ctx")
    parser.add_argument("--torch", action="store_true", help="PyTorch with int4 too (3 GB more)")
    parser.add_argument("--threads", type=_numbers, default=[1, 2], metavar="N[,N]")
    parser.add_argument("--context", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=6)
    return parser.parse_args(arguments)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
