"""`voxline evaluate`: word error rate, speed and, live, latency on a manifest of real speech.

Every clip goes through the same worker, gate and engine as captions do. Without `--live` as fast
as it can be heard; with it at real-time pace with three seconds of silence after each clip, so
that the last words come as they would in a room, and with the record that a session would save.
The model is loaded before the clock starts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from app.cli import EXIT_FAILED, tell, tell_above_bar
from app.cli.table import table
from app.cli.usage import ChosenEngine, chosen_engine
from app.core.encoding import json_text
from app.measure.evaluation import (
    Clip,
    Errors,
    check_can_score,
    latencies_ms,
    normalizer,
    percentile,
    read_manifest,
    sound_end_ms,
    word_errors,
)
from app.session.transcription import EngineUnavailableError, Transcriber, Transcript
from model_backends.base import UserError, Word

_TOTAL = "all"


@dataclass(frozen=True, slots=True)
class ClipResult:
    """What one clip came to at one delay."""

    file: str
    subset: str
    delay_ms: int
    language: str | None
    text: str
    errors: Errors
    duration_ms: int
    wall_s: float
    cpu_s: float
    latencies_ms: list[int] = field(default_factory=list)
    record_text: str | None = None  # what a session would save, if that is heard once more
    record_errors: Errors | None = None
    record_cpu_s: float = 0.0


def run(args: argparse.Namespace) -> int:
    """Score every clip at every delay; the exit status tells whether all could be heard."""
    choice = chosen_engine(args, patient=not args.live)
    check_can_score()
    clips = read_manifest(args.manifest, args.subset)
    results: list[ClipResult] = []
    models: set[str] = set()
    for delay_ms in choice.delays_ms:
        start = choice.start(delay_ms, realtime=args.live, record=args.live)
        patient = choice.patient_start if args.live else None
        with Transcriber(start, tell_above_bar, live=args.live, patient=patient) as transcriber:
            for clip in _with_bar(clips, f"{delay_ms} ms"):
                results += _score(clip, delay_ms, transcriber, args.live)
                models |= {transcriber.ready.model} if transcriber.ready else set()
    report = _report(choice, ", ".join(sorted(models)), args.live, results)
    if args.json:
        sys.stdout.write(json_text(report) + "\n")
    else:
        sys.stdout.write(_as_table(report))
    return 0 if len(results) == len(clips) * len(choice.delays_ms) else EXIT_FAILED


def _score(clip: Clip, delay_ms: int, transcriber: Transcriber, live: bool) -> list[ClipResult]:
    """The clip's result; nothing if it cannot be heard, which the user is told."""
    try:
        heard = transcriber.transcribe(clip.path)
    except EngineUnavailableError:
        raise
    except UserError as error:
        tell(error.message, error.hint)
        return []
    return [_result(clip, delay_ms, heard, live)]


def _result(clip: Clip, delay_ms: int, heard: Transcript, live: bool) -> ClipResult:
    text = _text(heard.words)
    normalize = normalizer(clip.language, clip.subset)
    record = None if heard.record is None else _text(heard.record)
    return ClipResult(
        file=str(clip.path),
        subset=clip.subset,
        delay_ms=delay_ms,
        language=heard.language,
        text=text,
        errors=word_errors(clip.text, text, normalize),
        duration_ms=heard.duration_ms,
        wall_s=round(heard.wall_s, 3),
        cpu_s=round(heard.cpu_s, 3),
        latencies_ms=_latencies_ms(clip, heard) if live else [],
        record_text=record,
        record_errors=None if record is None else word_errors(clip.text, record, normalize),
        record_cpu_s=round(heard.record_cpu_s, 3),
    )


def _text(words: Sequence[Word]) -> str:
    return "".join(word.text for word in words).strip()


def _latencies_ms(clip: Clip, heard: Transcript) -> list[int]:
    end_ms = heard.duration_ms if clip.segments else sound_end_ms(clip.path)
    return latencies_ms(clip, end_ms, heard.words, heard.shown_ms)


def _report(
    choice: ChosenEngine, model: str, live: bool, results: Sequence[ClipResult]
) -> dict[str, Any]:
    """Everything measured, as JSON-able values: a row per delay and subset, then each clip."""
    rows = []
    for delay_ms in choice.delays_ms:
        at_delay = [result for result in results if result.delay_ms == delay_ms]
        subsets = sorted({result.subset for result in at_delay})
        for subset in subsets:
            rows.append(_row(subset, delay_ms, [r for r in at_delay if r.subset == subset]))
        if len(subsets) > 1:
            rows.append(_row(_TOTAL, delay_ms, at_delay))
    return {
        "engine": choice.info.name,
        "model": model,
        "live": live,
        "rows": rows,
        "clips": [asdict(result) for result in results],
    }


def _row(subset: str, delay_ms: int, results: Sequence[ClipResult]) -> dict[str, Any]:
    errors = sum((result.errors for result in results), Errors())
    audio_s = sum(result.duration_ms for result in results) / 1000
    again = [result.record_errors for result in results if result.record_errors is not None]
    late = [ms for result in results for ms in result.latencies_ms]
    return {
        "subset": subset,
        "delay_ms": delay_ms,
        "clips": len(results),
        "audio_s": round(audio_s, 1),
        "wer": errors.rate,
        **asdict(errors),
        "rtf": sum(result.wall_s for result in results) / audio_s if audio_s else None,
        "load": sum(result.cpu_s for result in results) / audio_s if audio_s else None,
        "record_wer": sum(again, Errors()).rate if again else None,
        "record_load": sum(r.record_cpu_s for r in results) / audio_s if audio_s else None,
        "latency_p50_ms": percentile(late, 50),
        "latency_p95_ms": percentile(late, 95),
        "latency_words": len(late),
    }


def _as_table(report: dict[str, Any]) -> str:
    """Columns: what was heard, word error rate and its parts, speed; live, the captions' latency
    and the word error rate of the record that a session would save of them."""
    live = report["live"]
    head = ["subset", "delay", "clips", "audio", "words", "WER", "sub", "del", "ins"]
    head += ["load", "p50", "p95", "record", "its load"] if live else ["RTF", "load"]
    lines = [head]
    for row in report["rows"]:
        line = [row["subset"], f"{row['delay_ms']} ms", str(row["clips"]), f"{row['audio_s']} s"]
        line += [str(row["words"]), _percent(row["wer"])]
        line += [str(row[part]) for part in ("substituted", "deleted", "inserted")]
        line += [] if live else [_ratio(row["rtf"])]
        line += [_ratio(row["load"])]
        if live:
            line += [_ms(row["latency_p50_ms"]), _ms(row["latency_p95_ms"])]
            line += [_percent(row["record_wer"]), _ratio(row["record_load"])]
        lines.append(line)
    title = f"{report['engine']} {report['model']}, {'live' if live else 'whole files'}\n"
    return title + table(lines, right=range(1, len(head)))


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{100 * rate:.1f} %"


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _ms(value: int | None) -> str:
    return "–" if value is None else f"{value} ms"


def _with_bar(clips: Sequence[Clip], name: str) -> Iterator[Clip]:
    """The clips, with a bar on standard error if that is a terminal."""
    from tqdm import tqdm

    yield from tqdm(clips, desc=name, unit="clip", disable=None, leave=False)
