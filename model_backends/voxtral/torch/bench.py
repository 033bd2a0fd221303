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
import platform
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
from model_backends.voxtral.engine import VoxtralEngine
from model_backends.voxtral.schedule import LEFT_PAD_ROWS, ROW_MS, ROW_SAMPLES
from model_backends.voxtral.spec import ModelSpec, Tower
from model_backends.voxtral.speech_model import DecodeWork
from model_backends.voxtral.stream import VoxtralStream
from model_backends.voxtral.tekken import Tekken
from model_backends.voxtral.torch.bench_reference import (
    ReferenceRun,
    prompt_positions,
    reference_model,
)
from model_backends.voxtral.torch.info import INFO
from model_backends.voxtral.torch.runner import TorchSpeech
from model_backends.voxtral.torch.weights import assembled, compute_dtype, random_tensors

DELAY = 6
_ENC = {"rope_theta": 1e6, "norm_eps": 1e-5, "biases": True, "window": 750}
_DEC = {"rope_theta": 1e6, "norm_eps": 1e-5, "biases": False, "window": 8192}


def _tower(kind: dict[str, float], layers: int, width: int, heads: int, kv: int, d: int, ffn: int,
           ) -> Tower:  # fmt: skip
    return Tower(layers, width, heads, kv, d, ffn, **kind)  # type: ignore[arg-type]


SIZES = {
    "full": ModelSpec(_tower(_ENC, 32, 1280, 32, 32, 64, 5120),
                      _tower(_DEC, 26, 3072, 32, 8, 128, 9216), 131_072),
    "wide": ModelSpec(_tower(_ENC, 4, 1280, 32, 32, 64, 5120),
                      _tower(_DEC, 4, 3072, 32, 8, 128, 9216), 131_072),
    "half": ModelSpec(_tower(_ENC, 4, 640, 16, 16, 64, 2560),
                      _tower(_DEC, 4, 1536, 16, 4, 128, 4608), 32_768),
    "quarter": ModelSpec(_tower(_ENC, 4, 320, 8, 8, 64, 1280),
                         _tower(_DEC, 4, 768, 8, 2, 128, 2304), 16_384),
    "tiny": ModelSpec(_tower(_ENC, 2, 64, 2, 2, 32, 128),
                      _tower(_DEC, 2, 64, 4, 2, 32, 128), 2_048),
}  # fmt: skip


@dataclass
class Row:
    """One line of the table."""

    what: str
    figure: str
    note: str = ""


@dataclass
class Runner:
    """One precision of our engine, stepped in blocks."""

    precision: str
    engine: VoxtralEngine
    audio: NDArray[np.float32]
    lanes: int = 1
    step_ms: list[float] = field(default_factory=list)
    at: int = 0
    streams: list[VoxtralStream] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)

    def start(self, context: int) -> None:
        """Open the lanes and fill the decoder's context."""
        for lane in range(self.lanes):
            options = StreamOptions(str(lane), 0, (ROW_MS * DELAY,), 0, realtime=False)
            self.streams.append(self.engine.open(options))
        self.streams[0].tracks[0].reader.ids = self.ids
        self.push(max(context - LEFT_PAD_ROWS, DELAY + 2) * ROW_SAMPLES + 40)
        while not self.engine.idle:
            self.engine.advance()
        for _ in range(3):
            self.step()
        self.step_ms.clear()

    def push(self, samples: int) -> None:
        for lane, stream in enumerate(self.streams):
            piece = self.audio[self.at + 977 * lane :][:samples]
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


def tekken(vocab: int) -> Tekken:
    special = {"<s>": 1, "</s>": 2, "[STREAMING_PAD]": 32, "[STREAMING_WORD]": 33}
    return Tekken(special, [b" word"] * (vocab - 1000), 1000)


def sound(seconds: float) -> NDArray[np.float32]:
    """Something that is never the same: a chirp that comes and goes, and noise."""
    t = np.arange(int(seconds * 16_000)) / 16_000
    tone = 0.3 * np.sin(2 * np.pi * (200 + 3 * t) * t) * (np.sin(3 * t) > 0)
    noise = 0.02 * np.random.default_rng(0).standard_normal(len(t))
    return (tone + noise).astype(np.float32)


class Bench:
    """Tensors of one size on one device, and everything measured on them."""

    def __init__(self, size: str, device: torch.device, base: str) -> None:
        self.size, self.spec, self.device, self.base = size, SIZES[size], device, base
        make = random_tensors(self.spec, device, compute_dtype(base))
        self.tensors: dict[str, Tensor] = {name: make(name) for name in shapes(self.spec)}
        self.rows: list[Row] = []

    def runner(self, precision: str, lanes: int = 1) -> Runner:
        dtype = compute_dtype(precision)
        net = assembled(
            self.spec, lambda name: self.tensors[name].to(dtype), precision, self.device
        )
        tokens = tekken(self.spec.vocab)
        model = TorchSpeech(net, tokens, precision)
        engine = VoxtralEngine(INFO, precision, model, tokens)
        return Runner(precision, engine, sound(240.0), lanes)

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
        self.rows.append(Row(f"ids equal to transformers', {self.base}, {len(reference.ids)} steps",
                             f"{same} of {len(reference.ids)}"))  # fmt: skip
        runner.engine.close()

    def lanes(self, precision: str, counts: Sequence[int], context: int, steps: int) -> None:
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
        assert isinstance(runner.engine._speech_model, TorchSpeech)
        _Patterned(runner.engine._speech_model, pad_share)
        self._speed(runner, seconds, f", logits biased to {100 * pad_share:.0f} % [P]")
        runner.engine.close()

    def _speed(self, runner: Runner, seconds: float, note: str) -> None:
        for draft, how in ((False, "sequential"), (True, "draft and verify")):
            speed, share = self._file(runner, seconds, draft)
            self.rows.append(Row(f"file, {runner.precision}, {how}{note}",
                                 f"{speed:.2f} × real time",
                                 f"{100 * share:.0f} % of ids are [P]"))  # fmt: skip

    def endurance(self, precision: str, hours: float) -> None:
        """Memory over a long stream, from the moment its windows are full."""
        runner = self.runner(precision)
        runner.start(64)
        full = 2 * (self.spec.decoder.window + 64)
        seconds_full = full * ROW_MS / 1000
        self._run(runner, min(seconds_full, 1800 * hours))
        before = self._memory()
        self._run(runner, 3600 * hours)
        grown = self._memory() - before
        self.rows.append(Row(f"memory grown over {hours:g} h of audio, {precision}",
                             f"{grown / 1e6:+.1f} MB"))  # fmt: skip
        runner.engine.close()

    def not_run(self, what: str, why: str) -> None:
        self.rows.append(Row(what, "not run", why))

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
        self.rows.append(
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

    def __init__(self, model: TorchSpeech, share: float) -> None:
        rng, mean = np.random.default_rng(0), 3 * share / (1 - share)
        eighths = np.round(-mean * np.log(1 - (np.arange(8) + 0.5) / 8)).astype(int)
        gaps = np.concatenate([rng.permutation(eighths) for _ in range(200)])
        pattern = [sign for gap in gaps for sign in [1.0] * int(gap) + [-1.0] * 3]
        self._bias = 1e4 * np.array(pattern, np.float32)
        self._inputs = model._decode_inputs
        model._decode_inputs = self._biased  # type: ignore[method-assign]

    def _biased(self, piece: DecodeWork | None, skip: int, steps: int, padded: int
                ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:  # fmt: skip
        ints, floats = self._inputs(piece, skip, steps, padded)
        rows = [row for _, row in piece.rows[skip : skip + steps]] if piece else []
        floats[: len(rows), -1] = self._bias[np.array(rows, int) % len(self._bias)]
        return ints, floats


def table(bench: Bench, command: str) -> str:
    """The rows in Markdown, with the machine and the command."""
    spec = bench.spec
    lines = [
        f"## {bench.size} size on {_machine(bench.device)}",
        "",
        f"`{command}`",
        "",
        f"{time.strftime('%Y-%m-%d')}; torch {torch.__version__}, "
        f"{torch.get_num_threads()} thread(s); {spec.parameters / 1e6:.0f} M parameters, "
        f"encoder {spec.encoder.layers} x {spec.encoder.width}, "
        f"decoder {spec.decoder.layers} x {spec.decoder.width}, vocabulary {spec.vocab}; "
        "weights from seed 0, rounded to bfloat16 as published ones are.",
        "",
        "| what | figure | |",
        "| --- | --- | --- |",
        *(f"| {row.what} | {row.figure} | {row.note} |" for row in bench.rows),
        "",
    ]
    return "\n".join(lines)


def _machine(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.processor() or platform.machine()} ({device.type})"


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
    against = options.against == "transformers"
    bench.steps(precisions, options.context, options.blocks, options.steps, against)
    if against and base == "fp32":
        bench.equal_ids()
    bench.lanes(precisions[0], (2, 4), options.context, options.steps)
    bench.files(precisions[0], options.file_seconds, 0.7)
    if options.hours:
        bench.endurance(precisions[0], options.hours)
    else:
        bench.not_run("memory grown over 3 h of audio", "--hours 3 runs it")
    if device.type != "cuda":
        bench.not_run("full size on a CUDA GPU", "no GPU on this machine; the same command runs it")
    command = "python -m model_backends.voxtral.torch.bench " + " ".join(arguments or sys.argv[1:])
    text = table(bench, command.strip())
    sys.stdout.write(text)
    if options.out:
        Path(options.out).write_text(text, "utf-8")
    return 0


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
    parser.add_argument("--hours", type=float, default=0.0, help="simulate a stream this long")
    parser.add_argument("--out", help="write the table to this file")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
