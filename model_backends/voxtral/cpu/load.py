"""Loads a packed model into the processor engine, and finds out what this computer can do with it.

Ten steps are timed at loading. A computer that is slower than speech gets, in this order and only
as far as it takes: blocks of 160 ms for the encoder, a cache of 8 bits, a shorter window. What each
costs in agreement is in `resources/benchmarks/voxtral/cpu-int4.md`.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import psutil

from model_backends.base import EngineError, Event, LoadOptions, Notice, Report, Sentence
from model_backends.voxtral.checkpoint.folder import open_checkpoint
from model_backends.voxtral.cpu.convert import CheckpointRows, make_bytes
from model_backends.voxtral.cpu.info import INFO, find_model
from model_backends.voxtral.cpu.packed_file import (
    looks_packed,
    open_packed,
    packed_tensors,
    place,
)
from model_backends.voxtral.cpu.runner import CpuSpeech, Tensors
from model_backends.voxtral.engine import VoxtralEngine
from model_backends.voxtral.hotwords import Hotwords, hotwords_of
from model_backends.voxtral.pace import SLOW_ROWS, keeps_up
from model_backends.voxtral.schedule import ROW_MS, SILENT_ROWS
from model_backends.voxtral.spec import MEL_BINS, MEL_PER_ROW, ModelSpec
from model_backends.voxtral.speech_model import DecodeWork, EncodeWork
from model_backends.voxtral.tekken import Tekken

_log = logging.getLogger(__name__)

_TIMED_STEPS = 10
_SHORT_WINDOW = 2048  # positions: 164 s
_WORTH_THREADS = 100_000_000  # parameters; below, one thread is faster
_MOST_THREADS = 8
_GAIN = 0.93  # another thread must make a step at least this much shorter


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is run."""

    threads: int = 1
    kv_bits: int = 16
    window: int | None = None  # the decoder's, if shorter than the model's own
    rows_at_once: int = 1


class CpuEngine(VoxtralEngine):
    """A loaded model, and what was found out about this computer."""

    def __init__(
        self,
        name: str,
        model: CpuSpeech,
        tokens: Tekken,
        plan: Plan,
        step_ms: float,
        hotwords: Hotwords | None = None,
    ) -> None:
        """`step_ms`: the median of the steps timed at loading."""
        super().__init__(INFO, name, model, tokens, hotwords)
        self.plan, self.step_ms = plan, step_ms
        self.rows_at_once = plan.rows_at_once
        self._untold = step_ms > ROW_MS

    def advance(self) -> list[Event]:
        """See `base.Engine.advance`. A computer that is too slow is said once."""
        told: list[Event] = []
        if self._untold and self._streams:
            self._untold = False
            told.append(too_slow(self._streams[0].lane, self.step_ms))
        return told + super().advance()


def load(options: LoadOptions, report: Report) -> CpuEngine:
    """Load `options.model` (a packed folder, a small checkpoint, a name, or the default).

    `options.extra` may hold `threads`, `kv_bits` (16, 8), `window`, `rows_at_once` (1, 2) and
    `kernels` (what is not given is found out), and `hotwords`, words to expect. Raises EngineError
    for missing or unsound weights, a library that is not built, another device or little memory.
    """
    INFO.check_language(options.language)
    if options.device not in (None, "cpu"):
        message = Sentence("The processor engine has no device “{name}”.", name=options.device)
        raise EngineError(message, "Leave out --device.")
    INFO.check_precision(options.extra.get("precision"))
    folder = find_model(options.model, options.models_dir)
    report(0.0, "checking the model")
    spec, tensors, tokenizer = _tensors(folder, lambda done, what: report(0.8 * done, what))
    tokens = Tekken.load(tokenizer, spec.vocab)
    hotwords = hotwords_of(options.extra, tokens)
    kernels = str(options.extra.get("kernels", ""))
    report(0.8, "measuring")
    asked = _asked(options)
    plan, model, step_ms = _settled(spec, tensors, tokens, kernels, asked, options.realtime)
    name = f"{folder.name} ({model.precision})"
    engine = CpuEngine(name, model, tokens, plan, step_ms, hotwords)
    _log.info("%s", describe(engine))
    report(1.0, "ready")
    return engine


def describe(engine: CpuEngine) -> Sentence:
    """What this computer does: "a step of 80 ms takes 44 ms; 0.55 of real time"."""
    plan = engine.plan
    return Sentence(
        "{device}: a step of 80 ms takes {ms} ms, {share} of real time "
        "(encoder blocks of {block} ms, {bits} bit cache).",
        device=engine.device,
        ms=f"{engine.step_ms:.0f}",
        share=f"{engine.step_ms / ROW_MS:.2f}",
        block=ROW_MS * plan.rows_at_once,
        bits=plan.kv_bits,
    )


def _asked(options: LoadOptions) -> dict[str, int]:
    """The parts of a plan that the caller decides. Raises EngineError for one not offered."""
    offered = {
        "threads": range(1, 65),
        "kv_bits": (8, 16),
        "window": range(256, 1 << 20),
        "rows_at_once": (1, SLOW_ROWS),
    }
    asked = {name: options.extra[name] for name in offered if options.extra.get(name) is not None}
    for name, value in asked.items():
        if value not in offered[name]:
            message = Sentence("The processor engine cannot have {name} = {value}.", name=name,
                               value=str(value))  # fmt: skip
            raise EngineError(message)
    return asked


def _tensors(folder: Path, report: Report) -> tuple[ModelSpec, Tensors, Path]:
    """A packed file's tensors, proved; or a checkpoint's, packed in memory."""
    if looks_packed(folder):
        packed_model = open_packed(folder)
        packed_model.verify(report)
        return packed_model.spec, packed_model.tensors, packed_model.tokenizer
    checkpoint = open_checkpoint(folder)
    source, made = CheckpointRows(checkpoint), {}
    wanted = packed_tensors(checkpoint.spec)
    for i, packed in enumerate(wanted):
        report(i / len(wanted), packed.name)
        made[packed.name] = place(packed, make_bytes(packed, source))
    return checkpoint.spec, made, checkpoint.tokenizer


def _settled(
    spec: ModelSpec, tensors: Tensors, tokens: Tekken, kernels: str, asked: dict[str, int],
    realtime: bool,
) -> tuple[Plan, CpuSpeech, float]:  # fmt: skip
    """The plan, the model opened by it, and the median of ten steps in ms."""
    plan = replace(Plan(), **asked)
    model = _opened(spec, tensors, tokens, kernels, replace(plan, threads=_first_threads(asked)))
    if "threads" not in asked:
        plan = replace(plan, threads=best_threads(model, spec))
        model.threads = plan.threads
    step_ms = timed_ms(model, plan.rows_at_once)
    for measure in _measures(spec, asked) if realtime else ():
        if keeps_up(step_ms):
            break
        plan = replace(plan, **measure)
        if measure.keys() != {"rows_at_once"}:  # what is asked of a model, not how it is opened
            model.close()
            model = _opened(spec, tensors, tokens, kernels, plan)
        step_ms = timed_ms(model, plan.rows_at_once)
    return plan, model, step_ms


def _first_threads(asked: dict[str, int]) -> int:
    """For what every stream begins with, heard once while nobody waits for anything else."""
    return asked.get("threads") or min(cores(), _MOST_THREADS)


def cores() -> int:
    """Of this computer, each counted once."""
    return psutil.cpu_count(logical=False) or psutil.cpu_count() or 1


def _measures(spec: ModelSpec, asked: dict[str, int]) -> list[dict[str, int]]:
    """What makes a step cheaper, the least harmful first, but for what the caller decided."""
    measures = [{"rows_at_once": SLOW_ROWS}, {"kv_bits": 8}]
    if spec.decoder.window > _SHORT_WINDOW:
        measures.append({"window": _SHORT_WINDOW})
    return [measure for measure in measures if not measure.keys() & asked.keys()]


def _opened(
    spec: ModelSpec, tensors: Tensors, tokens: Tekken, kernels: str, plan: Plan
) -> CpuSpeech:
    if plan.window is not None:
        window = min(plan.window, spec.decoder.window)
        spec = replace(spec, decoder=replace(spec.decoder, window=window))
    return CpuSpeech(
        spec, tensors, tokens, threads=plan.threads, kv_bits=plan.kv_bits, kernels=kernels,
    )  # fmt: skip


def best_threads(model: CpuSpeech, spec: ModelSpec) -> int:
    """As many threads as measured to help, and one core left for the call and the window;
    the last core too where the model would not keep up otherwise."""
    if spec.parameters < _WORTH_THREADS:
        return 1
    model.threads = 1
    here = cores()
    most, best, best_ms = min(here, _MOST_THREADS), 1, timed_ms(model, 1, 3)
    for count in range(2, most + 1):
        if count == here and keeps_up(best_ms):
            break
        model.threads = count
        ms = timed_ms(model, 1, 3)
        if ms > _GAIN * best_ms:
            break
        best, best_ms = count, ms
    return best


def timed_ms(model: CpuSpeech, rows: int, steps: int = _TIMED_STEPS) -> float:
    """Median time of a step after the silence, `rows` rows going through the encoder at once."""
    encoder, decoder = model.open_encoder(), model.open_decoder(INFO.default_delay_ms // ROW_MS)
    mel = np.zeros((MEL_PER_ROW * rows + 3, MEL_BINS), np.float32)
    taken = []
    for step in range(steps + 1):
        at = SILENT_ROWS + rows * step
        start = time.perf_counter()
        model.encode([EncodeWork(encoder, at, mel)])
        for row in range(at, at + rows):
            model.decode([DecodeWork(decoder, row, (model.pad,), ((encoder, row),))])
        taken.append((time.perf_counter() - start) / rows)
    model.close_encoder(encoder)
    model.close_decoder(decoder)
    return 1000 * float(np.median(taken[1:]))


def too_slow(lane: str, step_ms: float) -> Notice:
    """For a computer on which captions will fall behind speech."""
    message = Sentence(
        "This computer needs {ms} ms for 80 ms of speech with Voxtral: captions will fall behind.",
        ms=f"{step_ms:.0f}",
    )
    return Notice(
        lane, "slow", message, "Use the embedded engine, or a computer with faster memory."
    )
