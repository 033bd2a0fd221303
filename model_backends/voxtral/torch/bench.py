"""Speed and memory of the PyTorch engine, alone or against transformers on the same tensors.

    python -m model_backends.voxtral.torch.bench --against transformers

Weights are made from a seed on the device, so nothing has to be downloaded. A *step* is 80 ms of
audio through the whole engine: `push` and `advance`, frontend, encoder, decoder, words and all;
transformers' step is one turn of its streaming `generate`, mel made beforehand. Both run in one
process in alternating blocks. Prints a table in Markdown; `--out` writes it to a file.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model_backends.base import StreamOptions
from model_backends.voxtral.checkpoint.tensor_names import shapes
from model_backends.voxtral.engine import VoxtralEngine, warm_up
from model_backends.voxtral.made_up import one_word
from model_backends.voxtral.schedule import LEFT_PAD_ROWS, ROW_MS, ROW_SAMPLES
from model_backends.voxtral.speech_model import DecodeWork
from model_backends.voxtral.stream import VoxtralStream
from model_backends.voxtral.torch import kernels
from model_backends.voxtral.torch.bench_inputs import SIZES, sound
from model_backends.voxtral.torch.bench_reference import (
    ReferenceRun,
    prompt_positions,
    reference_model,
)
from model_backends.voxtral.torch.bench_report import Report, Row
from model_backends.voxtral.torch.info import INFO
from model_backends.voxtral.torch.load import prepare
from model_backends.voxtral.torch.ops import PLAIN, Ops
from model_backends.voxtral.torch.runner import ModelRunner
from model_backends.voxtral.torch.weights import assembled, compute_dtype, random_tensors

DELAY = 6


@dataclass
class Runner:
    """One precision of our engine, stepped in blocks."""

    precision: str
    engine: VoxtralEngine
    audio: NDArray[np.float32]
    voices: int = 1
    step_ms: list[float] = field(default_factory=list)
    at: int = 0
    streams: list[VoxtralStream] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)

    def start(self, context: int) -> None:
        """Open the streams and fill the decoder's context."""
        for voice in range(self.voices):
            options = StreamOptions(str(voice), 0, (ROW_MS * DELAY,), 0, realtime=False)
            self.streams.append(self.engine.open(options))
        self.streams[0].tracks[0].reader.ids = self.ids
        self.push(max(context - LEFT_PAD_ROWS, DELAY + 2) * ROW_SAMPLES + 40)
        while not self.engine.idle:
            self.engine.advance()
        for _ in range(3):
            self.step()
        self.step_ms.clear()

    def push(self, samples: int) -> None:
        for voice, stream in enumerate(self.streams):
            piece = self.audio[self.at + 977 * voice :][:samples]
            stream.push(np.resize(piece, samples), 0.0)
        self.at = (self.at + samples) % (len(self.audio) // 2)

    def step(self) -> None:
        start = time.perf_counter()
        self.push(ROW_SAMPLES)
        self.engine.advance()
        self.step_ms.append(1000 * (time.perf_counter() - start))

    def stop(self) -> None:
        for stream in self.streams:
            stream.close()
        self.streams.clear()
        self.engine.advance()


class Bench:
    """Tensors of one size on one device, and everything measured on them."""

    def __init__(self, size: str, device: torch.device, base: str) -> None:
        self.size, self.spec, self.device, self.base = size, SIZES[size], device, base
        make = random_tensors(self.spec, device, compute_dtype(base))
        self.tensors: dict[str, Tensor] = {name: make(name) for name in shapes(self.spec)}
        self.rows: list[Row] = []

    def runner(self, precision: str, voices: int = 1, ops: Ops | None = None,
               captured: bool = True) -> Runner:  # fmt: skip
        """The engine as it is loaded: on a GPU with full caches, captures and trusted kernels,
        unless `ops` says which operations to use."""
        dtype = compute_dtype(precision)
        net = assembled(
            self.spec, lambda name: self.tensors[name].to(dtype), precision, self.device
        )
        prepare(self.device)
        net.ops = kernels.trusted(self.device, dtype) if ops is None else ops
        tokens = one_word(self.spec.vocab)
        held = 1 << (voices - 1).bit_length()
        slots = (held, held) if self.device.type == "cuda" else (0, 0)
        model = ModelRunner(net, tokens, precision, slots)
        engine = VoxtralEngine(INFO, precision, model, tokens)
        if captured:
            warm_up(engine)
            model.capture(blocks=True)
        return Runner(precision, engine, sound(240.0), voices)

    def stages(self, precision: str, context: int, steps: int,
               stages: Sequence[tuple[str, Ops, bool]]) -> None:  # fmt: skip
        """A live step with each of `stages`: what to call it, its operations, captured or not."""
        for what, ops, captured in stages:
            try:
                self._stage(f"ours {precision}, {what}", precision, context, steps, ops, captured)
            except Exception as error:  # a kernel that this GPU's compiler refuses
                self.not_run(f"step, ours {precision}, {what}", str(error).splitlines()[0])

    def _stage(self, what: str, precision: str, context: int, steps: int, ops: Ops,
               captured: bool) -> None:  # fmt: skip
        runner = self.runner(precision, 1, ops, captured)
        runner.start(context)
        for _ in range(steps):
            runner.step()
        self._latency(what, runner.step_ms, [])
        runner.engine.close()

    def steps(self, precisions: Sequence[str], context: int, blocks: int, steps: int,
              against: bool) -> None:  # fmt: skip
        """Latency of a live step, in alternating blocks."""
        runners = [self.runner(precision) for precision in precisions]
        for runner in runners:
            runner.start(context)

        def ours() -> None:
            for runner in runners:
                for _ in range(steps):
                    runner.step()

        theirs: list[float] = []
        if against:
            theirs = self._reference(context, blocks, steps, ours).step_ms
            self._latency("transformers " + self.base, theirs, theirs)
        else:
            for _ in range(blocks):
                ours()
        for runner in runners:
            self._latency("ours " + runner.precision, runner.step_ms, theirs)
            runner.engine.close()

    def equal_ids(self) -> None:
        """Free-running ids of a fresh stream, ours and transformers'."""
        runner = self.runner(self.base)
        runner.start(prompt_positions(DELAY))
        reference = self._reference(prompt_positions(DELAY), 1, 60, lambda: None)
        while len(runner.ids) < len(reference.ids):
            runner.step()
        same = sum(a == b for a, b in zip(runner.ids, reference.ids, strict=False))
        self._tell(Row(f"ids equal to transformers', {self.base}, {len(reference.ids)} steps",
                             f"{same} of {len(reference.ids)}"))  # fmt: skip
        runner.engine.close()

    def streams(self, precision: str, counts: Sequence[int], context: int, steps: int) -> None:
        for count in counts:
            runner = self.runner(precision, count)
            runner.start(context)
            for _ in range(steps):
                runner.step()
            self._latency(f"ours {precision}, {count} streams", runner.step_ms, [])
            runner.engine.close()

    def files(self, precision: str, seconds: float, pad_share: float) -> None:
        """Files: one step after the other; with drafts; with drafts and enough silence."""
        runner = self.runner(precision)
        self._file(runner, 20.0, draft=True)  # warm-up and captures
        self._speed(runner, seconds, "")
        assert isinstance(runner.engine._speech_model, ModelRunner)
        _Patterned(runner.engine._speech_model, pad_share)
        self._speed(runner, seconds, f", logits biased to {100 * pad_share:.0f} % [P]")
        runner.engine.close()

    def _speed(self, runner: Runner, seconds: float, note: str) -> None:
        for draft, how in ((False, "sequential"), (True, "draft and verify")):
            speed, share = self._file(runner, seconds, draft)
            self._tell(Row(f"file, {runner.precision}, {how}{note}",
                                 f"{speed:.2f} × real time",
                                 f"{100 * share:.0f} % of ids are [P]"))  # fmt: skip

    def endurance(self, precision: str, hours: float) -> None:
        """Memory over a long stream, from the moment its windows are full; [P] as in speech."""
        runner = self.runner(precision)
        assert isinstance(runner.engine._speech_model, ModelRunner)
        _Patterned(runner.engine._speech_model, 0.7)
        runner.start(64)
        full = 2 * (self.spec.decoder.window + 64)
        seconds_full = full * ROW_MS / 1000
        self._run(runner, min(seconds_full, 1800 * hours))
        before = self._memory()
        self._run(runner, 3600 * hours)
        grown = self._memory() - before
        self._tell(Row(f"memory grown over {hours:g} h of audio, {precision}",
                             f"{grown / 1e6:+.1f} MB"))  # fmt: skip
        runner.engine.close()

    def not_run(self, what: str, why: str) -> None:
        self._tell(Row(what, "not run", why))

    def _tell(self, row: Row) -> None:
        """A long run that is cut off has told what it had."""
        self.rows.append(row)
        sys.stderr.write(f"{row.what}: {row.figure} {row.note}\n")

    def _reference(self, context: int, blocks: int, steps: int, between: Callable[[], None]
                   ) -> ReferenceRun:  # fmt: skip
        model = reference_model(self.spec, self.tensors)
        seconds = (context + blocks * steps + 100) * ROW_MS / 1000
        run = ReferenceRun(model, DELAY, context, sound(240.0)[: int(16_000 * seconds)])
        run.run(blocks, steps, between)
        del model
        gc.collect()
        return run

    def _latency(self, what: str, step_ms: Sequence[float], theirs: Sequence[float]) -> None:
        p50, p99 = np.percentile(step_ms, [50, 99])
        ratio = f"{np.median(theirs) / p50:.2f} × transformers" if len(theirs) else ""
        self._tell(
            Row(f"step, {what}", f"p50 {p50:.2f} ms, p99 {p99:.2f} ms ({len(step_ms)})", ratio)
        )

    def _file(self, runner: Runner, seconds: float, draft: bool) -> tuple[float, float]:
        """(speed as a multiple of real time, share of [P]) of one file."""
        stream = runner.engine.open(StreamOptions("file", 0, (ROW_MS * DELAY,), 0, realtime=False))
        reader = stream.tracks[0].reader
        reader._may_draft = draft
        reader.ids = []
        stream.push(np.resize(runner.audio, int(16_000 * seconds)), 0.0)
        stream.finish()
        start = time.perf_counter()
        while not stream.done:
            runner.engine.advance()
        speed = seconds / (time.perf_counter() - start)
        return speed, reader.ids.count(32) / len(reader.ids)

    def _run(self, runner: Runner, seconds: float) -> None:
        for _ in range(int(seconds / 8.0)):
            runner.push(16_000 * 8)
            while not runner.engine.idle:
                runner.engine.advance()

    def _memory(self) -> int:
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.synchronize()
            return int(torch.cuda.memory_reserved())
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class _Patterned:
    """Makes a model say [P] and words in turn, as speech does: words of three ids, pauses drawn
    so that [P] has its share. The logits are the model's; a bias of [P] decides each row."""

    def __init__(self, model: ModelRunner, share: float) -> None:
        rng, mean = np.random.default_rng(0), 3 * share / (1 - share)
        eighths = np.round(-mean * np.log(1 - (np.arange(8) + 0.5) / 8)).astype(int)
        gaps = np.concatenate([rng.permutation(eighths) for _ in range(200)])
        pattern = [sign for gap in gaps for sign in [1.0] * int(gap) + [-1.0] * 3]
        self._bias = 1e4 * np.array(pattern, np.float32)
        self._describe = model._describe_decode
        model._describe_decode = self._biased  # type: ignore[method-assign]

    def _biased(self, piece: DecodeWork, skip: int, steps: int, ints: NDArray[np.int64],
                floats: NDArray[np.float32]) -> None:  # fmt: skip
        self._describe(piece, skip, steps, ints, floats)
        rows = [row for _, row in piece.rows[skip : skip + steps]]
        floats[: len(rows), -1] = self._bias[np.array(rows, int) % len(self._bias)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the options ask for and print the table."""
    options = _options(arguments)
    device = torch.device(options.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    if device.type == "cpu":
        torch.set_num_threads(options.threads)
    size = options.size or ("full" if device.type == "cuda" else "half")
    base = options.base or ("bf16" if device.type == "cuda" else "fp32")
    precisions = options.precisions.split(",") if options.precisions else _usual(device)
    bench = Bench(size, device, base)
    _measure(bench, options, precisions)
    command = "python -m model_backends.voxtral.torch.bench " + " ".join(arguments or sys.argv[1:])
    report = Report(bench.size, bench.spec, device, command.strip(), bench.rows)
    text = report.as_json() if options.json else report.as_markdown()
    sys.stdout.write(text)
    if options.out:
        Path(options.out).write_text(text, "utf-8")
    return 0


def _measure(bench: Bench, options: argparse.Namespace, precisions: Sequence[str]) -> None:
    """Each part that was asked for, in the order of the table."""
    on_gpu = bench.device.type == "cuda"
    against = options.against == "transformers"
    parts = options.only.split(",")
    if "steps" in parts:
        bench.steps(precisions, options.context, options.blocks, options.steps, against)
        if against and bench.base == "fp32":
            bench.equal_ids()
    if "stages" in parts and on_gpu:
        bench.stages(bench.base, options.context, options.steps, gpu_stages())
    elif "stages" in parts:
        bench.not_run("step, each fused kernel on and off", "no GPU on this machine")
    if "streams" in parts:
        for precision in precisions if on_gpu else precisions[:1]:
            counts = (2, 4, 8) if on_gpu else (2, 4)
            bench.streams(precision, counts, options.context, options.steps)
    if "files" in parts:
        bench.files(precisions[0], options.file_seconds, 0.7)
    if options.hours:
        bench.endurance(precisions[0], options.hours)
    elif "files" in parts:
        bench.not_run("memory grown over 3 h of audio", "--hours 3 runs it")
    if not on_gpu:
        bench.not_run("full size on a CUDA GPU", "no GPU on this machine; the same command runs it")


def gpu_stages() -> list[tuple[str, Ops, bool]]:
    """Plainly and uncaptured, captured, then with one fused kernel more each time."""
    found = [("plain, not captured", PLAIN, False), ("plain", PLAIN, True)]
    if importlib.util.find_spec("triton") is None:
        return found
    for count, stage in enumerate(kernels.STAGES, 1):
        found.append((f"+ {stage}", kernels.fused(kernels.STAGES[:count]), True))
    return found


def _usual(device: torch.device) -> list[str]:
    return ["bf16", "int8", "int4"] if device.type == "cuda" else ["fp32", "bf16", "int8", "int4"]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m model_backends.voxtral.torch.bench")
    parser.add_argument("--against", choices=["transformers"], help="compare on the same tensors")
    parser.add_argument("--size", choices=list(SIZES), help="default: full on a GPU, else half")
    parser.add_argument("--device", help="cuda, mps or cpu")
    parser.add_argument("--base", choices=["fp32", "bf16"], help="what the tensors are made in")
    parser.add_argument("--precisions", help="e.g. bf16,int8,int4; the first also does files")
    parser.add_argument("--context", type=int, default=1024, help="decoder positions behind a step")
    parser.add_argument("--blocks", type=int, default=6)
    parser.add_argument("--steps", type=int, default=25, help="steps in a block")
    parser.add_argument("--threads", type=int, default=1, help="on a processor")
    parser.add_argument("--file-seconds", type=float, default=60.0)
    parser.add_argument("--only", default="steps,stages,streams,files", help="parts to run")
    parser.add_argument("--hours", type=float, default=0.0, help="simulate a stream this long")
    parser.add_argument("--out", help="write the table to this file")
    parser.add_argument("--json", action="store_true", help="the same as JSON")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
