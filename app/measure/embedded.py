"""Word error rate, latency and load of the embedded engine on real speech, live or as a file.

Live is simulated: 32 ms blocks become available on the audio's clock, every decode advances that
clock by the processor time it took, and a word's latency is the moment its event came out minus
the end of the word. Ends come from aligning the reference text with the audio, not from what the
engine says. Nothing sleeps, so 10 minutes of speech take as long as their decoding.

    python -m app.measure.embedded ../shared/speech/manifest.jsonl --subset read-en --delay-ms 1000
"""

from __future__ import annotations

import argparse
import difflib
import json
import re
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import soundfile
from whisper_normalizer.basic import BasicTextNormalizer
from whisper_normalizer.english import EnglishTextNormalizer

from app.audio.boost import Boost
from app.paths import models_dir
from app.worker.segmenter import Closed, Opened, Segmenter
from app.worker.vad import SileroVad
from model_backends.base import LoadOptions, Notice, Pcm, StreamOptions, Word
from model_backends.embedded import rules
from model_backends.embedded.engine import EmbeddedEngine, load
from model_backends.embedded.recognizer import Recognizer

FRAME = 512
FRAME_MS = 32
_CJK = frozenset({"ja", "zh", "ko"})


@dataclass
class Heard:
    """What came out of one clip."""

    words: list[Word] = field(default_factory=list)
    shown_ms: list[float] = field(default_factory=list)  # of each word
    tails: list[tuple[float, str]] = field(default_factory=list)
    decode_ms: list[float] = field(default_factory=list)
    busy_ms: float = 0.0


@dataclass
class Score:
    """Sums over the clips of one subset."""

    errors: int = 0
    words: int = 0
    invented: int = 0
    audio_s: float = 0.0
    busy_s: float = 0.0
    latency_ms: list[float] = field(default_factory=list)
    decode_ms: list[float] = field(default_factory=list)
    time_error_ms: list[float] = field(default_factory=list)


def main() -> None:
    """Score the clips a manifest names and print one row a subset."""
    options = _arguments()
    engine = load(
        LoadOptions(options.model, None, models_dir(), options.language, not options.file),
        lambda fraction, text: None,
    )
    _override_rule(options)
    scores: dict[str, Score] = defaultdict(Score)
    boost = Boost()
    for clip in _clips(options):
        pcm, _ = soundfile.read(options.manifest.parent / clip["file"], dtype="float32")
        pcm = _as_captured(pcm, options, boost)
        heard = _hear(engine, pcm, options, clip["file"])
        _add(scores[clip["subset"]], clip, pcm, heard, engine, options)
    _print(scores, options)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--model", choices=("base", "tiny.en"), default="base")
    parser.add_argument("--delay-ms", type=int, default=rules.DEFAULT_DELAY_MS)
    parser.add_argument("--subset", action="append")
    parser.add_argument("--match", default="", help="only clips whose file name contains this")
    parser.add_argument("--language", help="tell the engine instead of letting it find out")
    parser.add_argument("--every", type=int, default=1, help="take every n-th clip")
    parser.add_argument("--file", action="store_true", help="as a file (realtime=False)")
    parser.add_argument("--rule", default="", help="e.g. step_ms=400,margin_ms=100")
    parser.add_argument("--peak-dbfs", type=float, help="each clip as quiet as this, in 16 bits")
    parser.add_argument("--boost", action="store_true", help="as capture boosts quiet speech")
    parser.add_argument("--show", action="store_true", help="print reference and result")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _override_rule(options: argparse.Namespace) -> None:
    changes = dict(pair.split("=") for pair in options.rule.split(",") if pair)
    rule = rules.RULES[options.delay_ms]
    rules.RULES[options.delay_ms] = replace(rule, **{k: int(v) for k, v in changes.items()})


def _clips(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    lines = options.manifest.read_text("utf-8").splitlines()
    clips = [json.loads(line) for line in lines]
    wanted = [
        clip
        for clip in clips
        if (not options.subset or clip["subset"] in options.subset)
        and options.match in clip["file"]
    ]
    yield from wanted[:: options.every]


def _as_captured(pcm: Pcm, options: argparse.Namespace, boost: Boost) -> Pcm:
    """As quiet as asked for, with a microphone's faint noise; then lifted as capture does it,
    which goes on from clip to clip."""
    if options.peak_dbfs is not None:
        noise = np.random.default_rng(0).normal(0.0, 10 ** (-85 / 20), len(pcm))
        pcm = pcm / np.abs(pcm).max() * 10 ** (options.peak_dbfs / 20) + noise
        pcm = (np.round(pcm * 32768) / 32768).astype(np.float32)
    if options.boost:
        blocks = (pcm[at : at + FRAME] for at in range(0, len(pcm), FRAME))
        pcm = np.concatenate([boost.lift(block, 16_000)[0] for block in blocks])
    return pcm


def _hear(engine: EmbeddedEngine, pcm: Pcm, options: argparse.Namespace, lane: str) -> Heard:
    """Gate and engine over one clip, on the simulated clock, in a lane of its own."""
    rule = rules.RULES[options.delay_ms]
    pcm = np.concatenate([pcm, np.zeros(FRAME * 40, np.float32)])  # the microphone stays open
    frames = [pcm[at : at + FRAME] for at in range(0, len(pcm) - FRAME + 1, FRAME)]
    vad, gate = SileroVad(), Segmenter(hangover_ms=rule.hangover_ms)
    scores = [vad.score(frame) for frame in frames]
    heard, stream, now_ms, arrived = Heard(), None, 0.0, 0
    while True:
        while arrived < len(frames) and (options.file or (arrived + 1) * FRAME_MS <= now_ms):
            change = gate.feed(scores[arrived])
            if isinstance(change, Opened):
                first = change.frame
                stream = engine.open(
                    StreamOptions(
                        lane,
                        len(heard.words),
                        (options.delay_ms,),
                        first * FRAME_MS,
                        options.language,
                        not options.file,
                    )
                )
                for frame in range(first, arrived):
                    stream.push(frames[frame], scores[frame])
            if stream is not None:
                stream.push(frames[arrived], scores[arrived])
            if isinstance(change, Closed) and stream is not None:
                stream.finish()
                stream = None
            arrived += 1
        if arrived == len(frames) and stream is not None:
            stream.finish()
            stream = None
        if engine.idle:
            if arrived == len(frames):
                return heard
            now_ms = (arrived + 1) * FRAME_MS
            continue
        now_ms += _advance(engine, heard, now_ms)


def _advance(engine: EmbeddedEngine, heard: Heard, now_ms: float) -> float:
    began = time.process_time()
    events = engine.advance()
    took_ms = (time.process_time() - began) * 1000
    heard.busy_ms += took_ms
    if took_ms > 20:
        heard.decode_ms.append(took_ms)
    for event in events:
        if isinstance(event, Word):
            heard.words.append(event)
            heard.shown_ms.append(now_ms + took_ms)
        if isinstance(event, Notice):
            print(event, file=sys.stderr)
    return took_ms


def _add(
    score: Score,
    clip: dict[str, Any],
    pcm: Pcm,
    heard: Heard,
    engine: EmbeddedEngine,
    options: argparse.Namespace,
) -> None:
    text = "".join(word.text for word in heard.words)
    reference = normal(clip["text"], clip["language"], clip["subset"])
    result = normal(text, clip["language"], clip["subset"])
    if options.show:
        print(f"{clip['file']}\n  {reference}\n  {result}\n  {text.strip()}")
    score.audio_s += len(pcm) / 16000
    score.busy_s += heard.busy_ms / 1000
    score.decode_ms += heard.decode_ms
    measured = jiwer.process_words(reference, result)
    score.errors += measured.substitutions + measured.deletions + measured.insertions
    score.words += len(reference.split())
    score.invented += measured.insertions
    if clip["subset"] == "long":
        score.time_error_ms += _time_errors(clip, heard)
    if not options.file and clip["language"] not in _CJK:
        score.latency_ms += _latencies(clip, pcm, heard, engine)


def normal(text: str, language: str, subset: str) -> str:
    """What is scored: Whisper's normaliser; single digits for digits, characters for CJK."""
    if language != "en":
        text = BasicTextNormalizer(split_letters=language in _CJK)(text)
    else:
        text = EnglishTextNormalizer()(text)
    return re.sub(r"(?<=\d)(?=\d)", " ", text) if subset == "digits" else text


def _latencies(clip: dict[str, Any], pcm: Pcm, heard: Heard, engine: EmbeddedEngine) -> list[float]:
    """Shown minus true end, for the words that match the reference."""
    reference = true_ends(clip, pcm, engine.weights.main)
    ours = [_key(word.text) for word in heard.words]
    theirs = [_key(text) for text, _ in reference]
    blocks = difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    return [
        heard.shown_ms[block.a + i] - reference[block.b + i][1]
        for block in blocks
        for i in range(block.size)
    ]


def true_ends(clip: dict[str, Any], pcm: Pcm, recognizer: Recognizer) -> list[tuple[str, float]]:
    """(word, end in ms) of the reference, aligned clause by clause where the manifest has times."""
    parts = clip.get("segments") or [{"start": 0.0, "end": len(pcm) / 16000, "text": clip["text"]}]
    ends: list[tuple[str, float]] = []
    for part in parts:
        if part["end"] - part["start"] > 30:
            continue
        sound = pcm[int(part["start"] * 16000) : int(part["end"] * 16000)]
        words = recognizer.align_text(sound, part["text"], clip["language"])
        ends += [(w.text, w.end_ms + part["start"] * 1000) for w in words]
    return ends


def _time_errors(clip: dict[str, Any], heard: Heard) -> list[float]:
    """How far the nearest word start and end are from those of each sentence in the manifest."""
    starts = np.array([word.start_ms for word in heard.words])
    ends = np.array([word.end_ms for word in heard.words])
    return [
        float(np.abs(times - 1000 * part[edge]).min())
        for part in clip["segments"]
        for times, edge in ((starts, "start"), (ends, "end"))
    ]


def _key(text: str) -> str:
    return re.sub(r"[^\w]", "", text.casefold())


def _print(scores: dict[str, Score], options: argparse.Namespace) -> None:
    for subset, score in scores.items():
        row = {
            "subset": subset,
            "wer": round(100 * score.errors / max(score.words, 1), 2),
            "words": score.words,
            "inserted": score.invented,
            "audio_s": round(score.audio_s, 1),
            "load": round(score.busy_s / score.audio_s, 3),
        }
        if score.latency_ms:
            p50, p90 = np.percentile(score.latency_ms, (50, 90))
            row |= {"p50_ms": round(float(p50)), "p90_ms": round(float(p90))}
        if score.time_error_ms:
            p50, p90 = np.percentile(score.time_error_ms, (50, 90))
            row |= {"time_error_p50_ms": round(float(p50)), "p90": round(float(p90))}
        if score.decode_ms:
            p50, p95 = np.percentile(score.decode_ms, (50, 95))
            row |= {"decode_p50_ms": round(float(p50)), "decode_p95_ms": round(float(p95))}
        print(json.dumps(row) if options.json else "  ".join(f"{k} {v}" for k, v in row.items()))


if __name__ == "__main__":
    main()
