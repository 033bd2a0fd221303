"""`voxline bench`: what a reader of the caption window waits for, and what it costs this computer.

Each clip plays at its own pace into the real window (on the display there is, else offscreen);
a word's latency is the moment it was painted less the moment it was said, which the manifest's
`segments` know (without them the clip's end), not the engine. Then the same clips are
transcribed as files. Timings belong here and in no test.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from app import paths
from app.cli import EXIT_FAILED, tell
from app.cli.table import table
from app.cli.usage import ChosenEngine, chosen_engine
from app.cli.usage_error import UsageError
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
from app.measure.windowed import Load, WindowedApp, offscreen_if_none
from app.session.transcription import Transcriber
from app.settings import Settings
from app.worker import packs
from app.worker.link import child_env
from model_backends.base import Sentence

_SPARE_S = 60.0  # for starting and ending, beyond the clip's own length
_MB = 1_000_000


@dataclass(slots=True)
class ClipRun:
    """One clip in the window and as a file. Times in ms, loads in seconds of a core."""

    file: str
    audio_s: float
    window_shown_ms: int | None
    first_caption_ms: int | None  # painted, since the process began
    errors: Errors
    latencies_ms: list[int] = field(default_factory=list)
    load: Load = field(default_factory=Load)
    stages: list[str] = field(default_factory=list)


_MOST = {"--threads": 64, "--context": 8192}  # of the engine; of the decoder's window


def run(args: argparse.Namespace) -> int:
    """Measure; the exit status tells whether every clip was captioned."""
    alone = args.manifest is None and args.model is None and not args.against
    if args.engine == "voxtral-cpu" and alone:
        return _processor_bench(args)
    if args.threads or args.context:
        raise UsageError(
            Sentence("--threads and --context go with --engine voxtral-cpu, without a model.")
        )
    if args.against:
        return _step_bench(args)
    choice = chosen_engine(args)
    check_can_score()
    manifest = args.manifest or paths.resource("sample/manifest.jsonl")
    clips = read_manifest(manifest, args.subset)
    runs = []
    for clip in clips:
        tell(Sentence("In the window, at its own pace: {name} …", name=clip.path.name))
        runs.append(_in_the_window(clip, choice))
    tell("As files …")
    audio_s, wall_s = _as_files(clips, choice)
    report = _report(choice, runs, audio_s, wall_s)
    sys.stdout.write(json_text(report) + "\n" if args.json else _as_text(report))
    return 0 if all("failed" not in each.stages for each in runs) else EXIT_FAILED


def _step_bench(args: argparse.Namespace) -> int:
    """Voxtral's own benchmark, on the Python that has what it computes with."""
    python = packs.interpreter("voxtral-torch")
    if python is None and packs.needed("voxtral-torch"):
        raise UsageError(
            Sentence("This measures Voxtral on a graphics card, which needs an acceleration pack."),
            Sentence("Get it: Preferences, Speech model, or “voxline pack install”."),
        )
    command = [python or sys.executable, "-P", "-m", "model_backends.voxtral.torch.bench"]
    command += ["--against", args.against]
    command += ["--device", args.device] if args.device else []
    command += ["--precisions", args.precision] if args.precision else []
    command += ["--json"] if args.json else []
    done = subprocess.run(
        command,
        env=child_env(),
        stdout=subprocess.PIPE,  # it is for this process to say that nobody could read it
        # as the worker's: Ctrl-C is for this process alone, which then ends the other
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        start_new_session=True,
        check=False,
    )
    sys.stdout.write(done.stdout.decode("utf-8", "replace"))
    return done.returncode


def _processor_bench(args: argparse.Namespace) -> int:
    """The processor engine's step on random weights: whether this computer is fast enough.

    In this process: an installed app has no other Python to run it on.
    """
    from model_backends.voxtral.cpu import bench

    asked = {"--threads": args.threads, "--context": args.context}
    options: list[str] = []
    for (option, most), numbers in zip(_MOST.items(), asked.values(), strict=True):
        if numbers and max(numbers) > most:
            raise UsageError(
                Sentence("{option} takes numbers up to {most}.", option=option, most=most)
            )
        options += [option, ",".join(map(str, numbers))] if numbers else []
    options += ["--json"] if args.json else []
    return bench.main(options)


def _in_the_window(clip: Clip, choice: ChosenEngine) -> ClipRun:
    settings = Settings(
        engine=choice.info.name,
        model=choice.options.model or "",
        delay_ms={choice.info.name: choice.delays_ms[0]},
        language=choice.options.language or "",
        source=str(clip.path.absolute()),
    )
    end_ms = sound_end_ms(clip.path)
    with (
        tempfile.TemporaryDirectory(prefix="voxline-bench-") as folder,
        WindowedApp(settings, Path(folder), offscreen_if_none()) as window,
    ):
        for _ in window.follow(end_ms / 1000 + _SPARE_S):
            pass
        seen = window.seen
        words = [painted.word for painted in seen.painted]
        text = "".join(word.text for word in words)
        first_s = seen.first_painted_s
        return ClipRun(
            file=clip.path.name,
            audio_s=end_ms / 1000,
            window_shown_ms=seen.shown_ms,
            first_caption_ms=None if first_s is None else round(first_s * 1000),
            errors=word_errors(clip.text, text, normalizer(clip.language, clip.subset)),
            latencies_ms=latencies_ms(clip, end_ms, words, [p.at_ms for p in seen.painted]),
            load=window.load,
            stages=seen.stages,
        )


def _as_files(clips: Sequence[Clip], choice: ChosenEngine) -> tuple[float, float]:
    """Seconds of sound, and seconds that hearing them took with the model loaded."""
    audio_s = wall_s = 0.0
    with Transcriber(choice.start(choice.delays_ms[0], realtime=False), tell) as transcriber:
        for clip in clips:
            heard = transcriber.transcribe(clip.path)
            audio_s += heard.duration_ms / 1000
            wall_s += heard.wall_s
    return audio_s, wall_s


def _report(
    choice: ChosenEngine, runs: Sequence[ClipRun], audio_s: float, wall_s: float
) -> dict[str, Any]:
    late = [ms for each in runs for ms in each.latencies_ms]
    errors = sum((each.errors for each in runs), Errors())
    played_s = sum(each.audio_s for each in runs)
    return {
        "engine": choice.info.name,
        "model": choice.options.model or choice.info.default_model,
        "delay_ms": choice.delays_ms[0],
        "clips": len(runs),
        "audio_s": round(played_s, 1),
        "wer": errors.rate,
        "latency_p50_ms": percentile(late, 50),
        "latency_p95_ms": percentile(late, 95),
        "latency_words": len(late),
        "window_shown_ms": _median([each.window_shown_ms for each in runs]),
        "first_caption_ms": _median([each.first_caption_ms for each in runs]),
        "load_of_the_window": _mean([each.load.window_share for each in runs]),
        "load_of_a_core": round(sum(each.load.cpu_s for each in runs) / played_s, 3),
        "app_rss_mb": round(max(each.load.app_rss for each in runs) / _MB),
        "worker_rss_mb": round(max(each.load.worker_rss for each in runs) / _MB),
        "transcribe_rtf": round(wall_s / audio_s, 3),
        "runs": [asdict(each) for each in runs],
    }


def _median(values: Sequence[int | None]) -> int | None:
    return percentile([value for value in values if value is not None], 50)


def _mean(shares: Sequence[float | None]) -> float | None:
    known = [share for share in shares if share is not None]
    return round(sum(known) / len(known), 4) if known else None


def _as_text(report: dict[str, Any]) -> str:
    wer = "–" if report["wer"] is None else f"{100 * report['wer']:.1f} %"
    window = report["load_of_the_window"]
    rows = [
        ["word painted after its end, p50", f"{report['latency_p50_ms']} ms"],
        ["word painted after its end, p95", f"{report['latency_p95_ms']} ms"],
        ["words timed", str(report["latency_words"])],
        ["word error rate in the window", wer],
        ["caption window shown after", f"{report['window_shown_ms']} ms"],
        ["first caption painted after", f"{report['first_caption_ms']} ms"],
        ["load of a core, starting included", f"{report['load_of_a_core']:.2f}"],
        ["… of the app itself, captioning", "–" if window is None else f"{window:.3f}"],
        ["memory, app", f"{report['app_rss_mb']} MB"],
        ["memory, worker", f"{report['worker_rss_mb']} MB"],
        ["transcribe: time per second of sound", f"{report['transcribe_rtf']:.3f} s"],
    ]
    head = f"{report['engine']} {report['model']}, delay {report['delay_ms']} ms, "
    return f"{head}{report['clips']} clips, {report['audio_s']} s\n" + table(rows, right=[1])
