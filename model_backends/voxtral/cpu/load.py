"""Loads a packed model into the processor engine, and finds out what this computer can do with it.

The first time ten steps are timed. A computer that is slower than speech gets, in this order and
only as far as it takes: blocks of 160 ms for the encoder, a cache of 8 bits, a shorter window. What
each costs in agreement is in `resources/benchmarks/voxtral/cpu-int4.md`. What was settled on is
remembered, and the next time two steps show whether it still holds.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

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
from model_backends.voxtral.cpu.remembered import Remembered
from model_backends.voxtral.cpu.runner import CpuSpeech, Tensors, kernel_name
from model_backends.voxtral.cpu.this_machine import cores, facts
from model_backends.voxtral.engine import VoxtralEngine
from model_backends.voxtral.hotwords import Hotwords, hotwords_of
from model_backends.voxtral.pace import SLOW_ROWS, keeps_up
from model_backends.voxtral.schedule import ROW_MS, SILENT_ROWS
from model_backends.voxtral.spec import MEL_BINS, MEL_PER_ROW, ModelSpec
from model_backends.voxtral.speech_model import DecodeWork, EncodeWork
from model_backends.voxtral.tekken import Tekken

_log = logging.getLogger(__name__)

_TIMED_STEPS = 10
_CHECKED_STEPS = 2  # of a plan that is remembered
_ABOUT_AS_LONG = (0.75, 1.25)  # of what a step took when the plan was made
_RULES = 1  # raised when plans are made differently: what was made before is forgotten
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

    @property
    def gives_something_up(self) -> bool:
        """For the sake of speed."""
        return replace(self, threads=1) != Plan()


@dataclass(frozen=True, slots=True)
class Opening:
    """A model that can be opened by one plan or another."""

    spec: ModelSpec
    tensors: Tensors
    tokens: Tekken
    kernels: str
    remembered: Remembered

    def by(self, plan: Plan) -> CpuSpeech:
        spec = self.spec
        if plan.window is not None:
            window = min(plan.window, spec.decoder.window)
            spec = replace(spec, decoder=replace(spec.decoder, window=window))
        return CpuSpeech(
            spec, self.tensors, self.tokens, threads=plan.threads, kv_bits=plan.kv_bits,
            kernels=self.kernels, remembered=self.remembered,
        )  # fmt: skip


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
        raise EngineError(message, Sentence("Leave out --device."))
    INFO.check_precision(options.extra.get("precision"))
    folder = find_model(options.model, options.models_dir)
    report(0.0, "checking the model")
    spec, tensors, tokenizer, identity = _tensors(folder, lambda at, what: report(0.8 * at, what))
    report(0.8, "words")
    tokens = Tekken.load(tokenizer, spec.vocab)
    hotwords = hotwords_of(options.extra, tokens)
    report(0.85, "measuring")
    kernels, kept = str(options.extra.get("kernels", "")), _remembered(options, identity)
    opening = Opening(spec, tensors, tokens, kernels, kept)
    plan, model, step_ms = _settled(opening, _asked(options), options.realtime)
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


def _tensors(folder: Path, report: Report) -> tuple[ModelSpec, Tensors, Path, str | None]:
    """A packed file's tensors, proved, and their digest; or a checkpoint's, packed in memory."""
    if looks_packed(folder):
        packed_model = open_packed(folder)
        packed_model.verify(report)
        model = packed_model
        return model.spec, model.tensors, model.tokenizer, model.identity
    checkpoint = open_checkpoint(folder)
    source, made = CheckpointRows(checkpoint), {}
    wanted = packed_tensors(checkpoint.spec)
    for i, packed in enumerate(wanted):
        report(i / len(wanted), packed.name)
        made[packed.name] = place(packed, make_bytes(packed, source))
    return checkpoint.spec, made, checkpoint.tokenizer, None


def _remembered(options: LoadOptions, identity: str | None) -> Remembered:
    """What is known from earlier; nothing of tensors that were only just made."""
    if options.cache_dir is None or identity is None:
        return Remembered(None, {})
    return Remembered(options.cache_dir / INFO.name, {**facts(), "model": identity})


def _settled(
    opening: Opening, asked: dict[str, int], realtime: bool
) -> tuple[Plan, CpuSpeech, float]:
    """The plan, the model opened by it, and the median of a step in ms: as remembered if that
    still holds, else measured."""
    wanted: dict[str, object] = {
        "asked": asked, "realtime": realtime, "rules": _RULES,
        "kernels": kernel_name(opening.kernels),
    }  # fmt: skip
    kept = opening.remembered.get("plan", **wanted)
    if kept is not None:
        plan, then_ms = _read(kept.tobytes())
        model = opening.by(plan)
        now_ms = timed_ms(model, plan.rows_at_once, _CHECKED_STEPS)
        left = _measures(opening.spec, asked, plan) if realtime else []
        if still_holds(plan, then_ms, now_ms, bool(left)):
            return plan, model, then_ms
        model.close()
    plan, model, step_ms = _measured(opening, asked, realtime)
    opening.remembered.put("plan", _written(plan, step_ms), **wanted)
    return plan, model, step_ms


def still_holds(plan: Plan, then_ms: float, now_ms: float, more_to_do: bool) -> bool:
    """Whether a plan made when a step took `then_ms` is still as good as a new one.

    Where captions are live and nothing was given up for it, it is. One that gave something up is
    not where a step takes much less now: the computer was busy then. And where a step takes much
    more, it is not if there is `more_to_do`."""
    if keeps_up(now_ms) and not plan.gives_something_up:
        return True
    least, most = (share * then_ms for share in _ABOUT_AS_LONG)
    return least <= now_ms and (now_ms <= most or keeps_up(now_ms) or not more_to_do)


def _written(plan: Plan, step_ms: float) -> bytes:
    return json.dumps([asdict(plan), step_ms]).encode()


def _read(kept: bytes) -> tuple[Plan, float]:
    plan, step_ms = json.loads(kept)
    return Plan(**plan), float(step_ms)


def _measured(
    opening: Opening, asked: dict[str, int], realtime: bool
) -> tuple[Plan, CpuSpeech, float]:
    """A plan by timing steps, the model opened by it, and the median of ten steps in ms."""
    plan = replace(Plan(), **asked)
    model = opening.by(replace(plan, threads=_first_threads(asked)))
    if "threads" not in asked:
        plan = replace(plan, threads=best_threads(model, opening.spec))
        model.threads = plan.threads
    step_ms = timed_ms(model, plan.rows_at_once)
    for measure in _measures(opening.spec, asked) if realtime else ():
        if keeps_up(step_ms):
            break
        plan = replace(plan, **measure)
        if measure.keys() != {"rows_at_once"}:  # what is asked of a model, not how it is opened
            model.close()
            model = opening.by(plan)
        step_ms = timed_ms(model, plan.rows_at_once)
    return plan, model, step_ms


def _first_threads(asked: dict[str, int]) -> int:
    """For what every stream begins with, heard once while nobody waits for anything else."""
    return asked.get("threads") or min(cores(), _MOST_THREADS)


def _measures(
    spec: ModelSpec, asked: dict[str, int], taken: Plan | None = None
) -> list[dict[str, int]]:
    """What makes a step cheaper, the least harmful first, but for what the caller decided and what
    is `taken` already."""
    measures = [{"rows_at_once": SLOW_ROWS}, {"kv_bits": 8}]
    if spec.decoder.window > _SHORT_WINDOW:
        measures.append({"window": _SHORT_WINDOW})
    done = asdict(taken or Plan()).items()
    return [m for m in measures if not m.keys() & asked.keys() and not m.items() <= done]


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
        lane,
        "slow",
        message,
        Sentence("Use the embedded engine, or a computer with faster memory."),
    )
