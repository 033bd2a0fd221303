"""The processor engine beside others on the same computer, in turn, in one run: transcribe-cpp's
4 bits, our own engine in PyTorch with int4, and at half size transformers in 32 bits. All weights
are random, of the published size or half of it.

    pip install transcribe-cpp gguf        (./test has them)
    python -m model_backends.voxtral.cpu.bench_others [--threads 1,2] [--context 64,1024]
    python -m model_backends.voxtral.cpu.bench_others --size half --threads 1 --context 300

A step is 80 ms of audio, encoder and decoder. transcribe-cpp is fed 80 ms of noise a step, as its
stream takes them, its frontend included (a few ms); its decoder looks at its whole ring of keys
each step, whatever is in it, so the context changes nothing for it: it is there with the ring it
takes itself and with one of `--ring` keys. Its file of random weights (2.6 GB) is made for the run
and removed, or kept where `--gguf` says. Each engine takes a few steps, then the next one, round
after round, and the memory is read in between: whatever else the computer does meets all alike.
Prints medians and minima in Markdown, and the processor time, which with one thread says most on a
computer that is busy with other things. Who is not installed is left out and named. Takes some
minutes and 12 GB of memory.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from model_backends.base import UserError
from model_backends.voxtral.cpu import random_gguf
from model_backends.voxtral.cpu.bench import Bench, made_up_tekken
from model_backends.voxtral.cpu.this_machine import processor_name
from model_backends.voxtral.schedule import DEFAULT_DELAY_MS, ROW_MS, ROW_SAMPLES
from model_backends.voxtral.spec import MEL_BINS, MEL_PER_ROW, ModelSpec
from model_backends.voxtral.speech_model import DecodeWork, EncodeWork, SpeechModel

_DELAY = DEFAULT_DELAY_MS // ROW_MS
_TURN = 4  # steps an engine takes before the next one's turn; the first is not counted
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
    """Steps of a `SpeechModel`, ours in C or in PyTorch, from a context on whose contents are
    made up by the model: zeros in PyTorch."""

    def __init__(self, model: SpeechModel, context: int, slots: tuple[int, int]) -> None:
        self._model, self._at = model, context
        self._encoder, self._decoder = slots
        rows = np.random.default_rng(1).standard_normal((MEL_PER_ROW + 3, MEL_BINS))
        self._mel = rows.astype(np.float32)

    def step(self) -> None:
        self._model.encode([EncodeWork(self._encoder, self._at, self._mel)])
        source = ((self._encoder, self._at),)
        self._model.decode([DecodeWork(self._decoder, self._at, (32,), source)])
        self._at += 1

    def close(self) -> None:
        self._model.close_encoder(self._encoder)
        self._model.close_decoder(self._decoder)


class Field:
    """All engines that are here, each loaded once."""

    def __init__(self, bench: Bench, gguf: Path | None, torch: Any) -> None:
        """`torch`: the model in PyTorch, or None."""
        self._bench, self._gguf, self._torch = bench, gguf, torch

    @contextmanager
    def rivals(self, threads: int, context: int, ring: int) -> Iterator[list[Rival]]:
        """Everybody at one number of threads, ours first."""
        with ExitStack() as opened:
            self._bench.model.threads = threads
            own = Verbs(self._bench.model, context, self._bench.filled(context))
            opened.callback(own.close)
            rivals = [Rival("voxtral-cpu", own.step)]
            if self._gguf is not None:
                for keys in (0, ring):
                    rivals.append(in_ggml(opened, self._gguf, threads, keys))
            if self._torch is not None:
                importlib.import_module("torch").set_num_threads(threads)
                slots = (self._torch.open_encoder(), self._torch.open_decoder(_DELAY))
                theirs = Verbs(self._torch, context, slots)
                opened.callback(theirs.close)
                rivals.append(Rival("voxtral-torch int4", theirs.step))
            yield rivals


def in_torch(spec: ModelSpec) -> Any:
    """Our engine's model in PyTorch, int4 with groups of 32. Layers are alike: made once."""
    import torch  # as heavy as what it is compared with

    from model_backends.voxtral.torch.load import prepare
    from model_backends.voxtral.torch.runner import ModelRunner
    from model_backends.voxtral.torch.weights import assembled, compute_dtype, random_tensors

    device = torch.device("cpu")
    make, made = random_tensors(spec, device, compute_dtype("int4")), {}

    def like_the_first_layer(name: str) -> torch.Tensor:
        first = re.sub(r"layers\.\d+\.", "layers.0.", name)
        if first not in made:
            made[first] = make(first)
        return made[first]

    net = assembled(spec, like_the_first_layer, "int4", device)
    prepare(device)
    return ModelRunner(net, made_up_tekken(spec.vocab), "int4", (0, 0))


def in_ggml(opened: ExitStack, file: Path, threads: int, ring: int) -> Rival:
    """transcribe-cpp's stream. `ring`: keys its decoder holds and looks at; 0: its own choice."""
    peer = importlib.import_module("transcribe_cpp")
    options = peer.VoxtralRealtimeStreamOptions(num_delay_tokens=_DELAY, min_decode_interval_ms=0)
    model = opened.enter_context(peer.Model(str(file)))  # mapped: several share the memory
    session = opened.enter_context(model.session(n_threads=threads, n_ctx=ring))
    stream = opened.enter_context(session.stream(family=options))
    noise = np.random.default_rng(2).standard_normal(ROW_SAMPLES).astype(np.float32) / 10
    for _ in range(_LEFT_AND_DELAY // 4):
        stream.feed(np.tile(noise, 4))
    name = f"transcribe-cpp Q4, ring of {ring or 'its own length'}"
    return Rival(name, lambda: stream.feed(noise))


def in_transformers(spec: ModelSpec, context: int) -> Any:
    """transformers in 32 bits, which is stepped from within: see `ReferenceRun`."""
    import torch

    from model_backends.voxtral.checkpoint.tensor_names import shapes
    from model_backends.voxtral.torch.bench_inputs import sound
    from model_backends.voxtral.torch.bench_reference import ReferenceRun, reference_model
    from model_backends.voxtral.torch.weights import random_tensors

    make = random_tensors(spec, torch.device("cpu"), torch.float32)
    model = reference_model(spec, {name: make(name) for name in shapes(spec)})
    return ReferenceRun(model, _DELAY, context, sound(60.0))


@contextmanager
def random_file(kept: Path | None, spec: ModelSpec) -> Iterator[Path | None]:
    """transcribe-cpp's file of random weights; None, and said, where it cannot be had."""
    if not all([_has("transcribe_cpp"), _has("gguf")]):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="voxline-bench-") as folder:
        file = kept or Path(folder) / "random.gguf"
        if not file.is_file():
            random_gguf.write(file, spec)
        yield file


def measure(field: Field, bench: Bench, options: argparse.Namespace, threads: int,
            context: int) -> list[str]:  # fmt: skip
    """Rows of the table for one number of threads and one context."""
    speeds: list[float] = []
    with field.rivals(threads, context, options.ring) as rivals:

        def others() -> None:
            for rival in rivals:
                rival.turn()
            speeds.append(bench.read_speed())

        beyond: tuple[Rival, ...] = ()
        if options.size != "full" and _has("transformers"):
            reference = in_transformers(bench.spec, context)
            reference.run(options.rounds, _TURN, others)
            beyond = (Rival("transformers fp32", others, reference.step_ms, reference.worked_ms),)
        else:
            for _ in range(options.rounds):
                others()
        every = [*rivals, *beyond]
        return [_row(rival, rivals[0], threads, context, speeds) for rival in every]


def _row(rival: Rival, first: Rival, threads: int, context: int, speeds: Sequence[float]) -> str:
    p50, least = float(np.median(rival.taken_ms)), min(rival.taken_ms)
    worked = float(np.median(rival.worked_ms))
    times = f"{p50 / float(np.median(first.taken_ms)):.2f} / {least / min(first.taken_ms):.2f}"
    if threads == 1:
        times += f" / {worked / float(np.median(first.worked_ms)):.2f}"
    return (
        f"| {rival.name} | {threads} | {context} | {p50:.2f} ms | {least:.2f} ms | {worked:.2f} ms "
        f"| {times} | {float(np.median(speeds)) / 1e9:.1f} |"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table as it grows; 1 with a sentence where our own engine is missing."""
    options = _options(arguments)
    try:
        bench = Bench(options.size, 16)
    except UserError as error:
        sys.stderr.write(f"{error.message}\n{error.hint}\n")
        return 1
    sys.stdout.write(
        f"{processor_name()}, {bench.model.kernels}, {options.size} size, "
        f"{options.rounds} rounds of {_TURN - 1} counted steps\n\n"
        "| engine | threads | context | step p50 | least | processor time p50 | times ours "
        "| read GB/s |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n"
    )
    with random_file(options.gguf, bench.spec) as gguf:
        torch = in_torch(bench.spec) if _has("torch") else None
        field = Field(bench, gguf, torch)
        for context in options.context:
            for threads in options.threads:
                sys.stdout.write("\n".join(measure(field, bench, options, threads, context)) + "\n")
                sys.stdout.flush()
    return 0


def _has(package: str) -> bool:
    there = importlib.util.find_spec(package) is not None
    if not there:
        sys.stderr.write(f"{package} is left out: it is not installed.\n")
    return there


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The processor engine beside others.")
    parser.add_argument("--size", choices=("full", "half", "tiny"), default="full")
    parser.add_argument("--gguf", type=Path, metavar="FILE", help="keep the random weights there")
    parser.add_argument("--ring", type=int, default=512, metavar="N", help="transcribe-cpp's n_ctx")
    parser.add_argument("--threads", type=_numbers, default=[1, 2], metavar="N[,N]")
    parser.add_argument("--context", type=_numbers, default=[64, 1024], metavar="N[,N]")
    parser.add_argument("--rounds", type=int, default=6)
    return parser.parse_args(arguments)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
