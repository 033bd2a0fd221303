"""Word error rate of captions, of the record and of the whole file, on real speech.

Captions and the second hearing run on the simulated clock of `simulation`, each in a worker of its
own, and what they say is put together in the order in which it would have come. Decodes are kept
in the checkout's build folder, so a run that is repeated costs nothing.

    python -m app.measure.second_hearing ../shared/speech/manifest.jsonl --subset long
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from app.core.reheard import Reheard, record_of
from app.core.second_hearing import SecondHearing
from app.core.timeline import Timeline
from app.measure.decodes import COSTS, KeptRecognizer, Store
from app.measure.evaluation import Clip, Errors, normalizer, read_manifest, word_errors
from app.measure.simulation import Simulation
from app.paths import models_dir
from model_backends.base import SAMPLE_RATE, Pcm, Progress, Word
from model_backends.embedded import store
from model_backends.embedded.info import INFO

LANE = "me"
_CHECKOUT = Path(__file__).parents[2]
PATIENT_MS = max(INFO.delays_ms)  # the delay of who hears everything once more
_SILENCE_S = 3  # after a clip, so that its last words come as they do in a room
_COLUMNS = ("captions", "record", "whole file")


@dataclass(frozen=True, slots=True)
class Hearings:
    """What came out of one recording."""

    captions: list[Word]
    record: list[Word]
    whole: list[Word]  # the second hearing alone, as a file is heard
    stretches: list[Reheard]


@dataclass
class Score:
    """Sums over the clips of one subset."""

    clips: int = 0
    audio_s: float = 0.0
    replaced: int = 0  # stretches
    errors: dict[str, Errors] = field(default_factory=lambda: defaultdict(Errors))


def main() -> int:
    """Score the clips a manifest names; a row a subset."""
    options = _arguments()
    folder = store.ensure(options.model, models_dir(), lambda fraction, text: None)
    kept = Store(_CHECKOUT / "build" / "decodes.sqlite")
    recognizer = KeptRecognizer(options.model, folder, kept, COSTS[options.model])
    scores: dict[str, Score] = defaultdict(Score)
    clips = [clip for clip in read_manifest(options.manifest) if _wanted(clip, options)]
    for clip in clips:
        pcm = _sound(clip.path)
        heard = both_hearings(recognizer, pcm, options.delay_ms)
        _add(scores[clip.subset], clip, pcm, heard)
        if options.show:
            _show(clip, heard)
    _print(scores, options.json)
    return 0


def both_hearings(recognizer: KeptRecognizer, pcm: Pcm, delay_ms: int) -> Hearings:
    """Captions and a second hearing of one recording, put together as a session does."""
    live = Simulation(recognizer, pcm, (), delay_ms)
    patient = Simulation(recognizer, pcm, (), PATIENT_MS, realtime=False)
    live.run()
    patient.run()
    return together(live, patient)


def together(live: Simulation, patient: Simulation) -> Hearings:
    """What two runs said, in the order in which it came."""
    hearing, timeline = SecondHearing(LANE), Timeline()
    stretches: list[Reheard] = []
    order = [(at, 0, event) for at, event in live.told]
    order += [(at, 1, event) for at, event in patient.told]
    for _, who, event in sorted(order, key=lambda each: each[:2]):
        stretches += _take(hearing, timeline, who == 1, event)
    stretches += hearing.finish()
    captions = timeline.words(LANE)
    whole = Timeline()
    for shown in patient.shown:
        whole.add(shown.word)
    return Hearings(captions, record_of(captions, stretches), whole.words(LANE), stretches)


def _take(
    hearing: SecondHearing, timeline: Timeline, again: bool, event: Word | Progress
) -> list[Reheard]:
    if isinstance(event, Progress):
        come_to = hearing.progress if again else hearing.caption_progress
        return come_to(event.settled_ms)
    if again:
        hearing.hear(event)
    else:
        word = timeline.add(event)
        assert isinstance(word, Word)
        hearing.caption(word)
    return []


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--model", choices=tuple(COSTS), default="base")
    parser.add_argument("--delay-ms", type=int, default=1000)
    parser.add_argument("--subset", action="append")
    parser.add_argument("--match", default="", help="only clips whose file name contains this")
    parser.add_argument("--every", type=int, default=1, help="take every n-th clip")
    parser.add_argument("--show", action="store_true", help="print what was said")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _wanted(clip: Clip, options: argparse.Namespace) -> bool:
    subset = not options.subset or clip.subset in options.subset
    return subset and options.match in clip.path.name


def _sound(path: Path) -> Pcm:
    pcm, _ = soundfile.read(path, dtype="float32")
    return np.concatenate([pcm, np.zeros(_SILENCE_S * SAMPLE_RATE, np.float32)])


def _add(score: Score, clip: Clip, pcm: Pcm, heard: Hearings) -> None:
    score.clips += 1
    score.audio_s += len(pcm) / SAMPLE_RATE
    score.replaced += len(heard.stretches)
    normalize = normalizer(clip.language, clip.subset)
    for name, words in zip(_COLUMNS, (heard.captions, heard.record, heard.whole), strict=True):
        score.errors[name] += word_errors(clip.text, text_of(words), normalize)


def text_of(words: Sequence[Word]) -> str:
    """What the words say."""
    return "".join(word.text for word in words).strip()


def _show(clip: Clip, heard: Hearings) -> None:
    print(f"{clip.path.name}\n  {clip.text}")
    for name, words in zip(_COLUMNS, (heard.captions, heard.record, heard.whole), strict=True):
        print(f"  {name}: {text_of(words)}", flush=True)


def _print(scores: dict[str, Score], as_json: bool) -> None:
    for subset, score in sorted(scores.items()):
        rates = {name: round(100 * (score.errors[name].rate or 0.0), 2) for name in _COLUMNS}
        row = {
            "subset": subset,
            "clips": score.clips,
            "audio_s": round(score.audio_s),
            "words": score.errors["captions"].words,
            "stretches": score.replaced,
            **rates,
        }
        line = json.dumps(row) if as_json else "  ".join(f"{k} {v}" for k, v in row.items())
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
