"""What a killed or stalled worker costs: words doubled, lost or invented, on true speech.

    python -m app.measure.kills --kills 100 --stalls 50 --seed 1 --model base

Each recording is first captioned undisturbed, then again and again with faults at random moments
and at the ends of sentences, on a simulated clock (see `simulation`), and the words are compared.
Decodes are kept on disk, so a seed that ran once runs again in seconds. `--live` kills real
workers of a real `voxline listen` instead, in real time; the undisturbed run is simulated.
With `--record` another worker hears everything once more, and is killed as often; what is compared
is the record that is put together of both.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import soundfile

from app.measure.decodes import COSTS, KeptRecognizer, Store
from app.measure.differences import Finding, differences, joined
from app.measure.evaluation import Clip, read_manifest
from app.measure.live_kills import listen
from app.measure.second_hearing import PATIENT_MS, together
from app.measure.simulation import Fault, Simulation
from app.paths import models_dir
from model_backends.base import SAMPLE_RATE, Pcm, Sentence, UserError, Word
from model_backends.embedded import store

_SUBSETS = ("long", "read-en", "real-en")
_SHORTEST_S = 20.0  # a recording in which something can happen
_PAUSES_MS = (400, 2_600)  # between the clips of one speaker: shorter and longer than the hangover
_QUIET_END_MS = 3_000  # the microphone stays open
_HISS = 0.0005  # root mean square: -66 dBFS
_QUIETEST = 0.01  # of the loudest second of a clip, as root mean square: -40 dBFS
_FIRST_FAULT_MS = 4_000
_GAPS_MS = (3_000, 8_000)  # from one fault to the next
_LIVE_GAPS_MS = (11_000, 17_000)  # a client that has lost many workers waits with the next
_STALLS_MS = (1_000, 20_000)
_AFTER_SENTENCE_MS = (100, 1_500)
_CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Recording:
    """Speech to be captioned, and what is said in it."""

    name: str
    pcm: Pcm
    text: str

    @property
    def length_ms(self) -> int:
        return len(self.pcm) * 1000 // SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Counts:
    """Kills and stalls: wanted, or left to do."""

    kills: int
    stalls: int

    @property
    def all(self) -> int:
        return self.kills + self.stalls

    def less(self, faults: Sequence[Fault]) -> Counts:
        kills = sum(fault.stall_ms is None for fault in faults)
        return Counts(self.kills - kills, self.stalls - (len(faults) - kills))


@dataclass(frozen=True, slots=True)
class Pass:
    """One recording captioned with faults."""

    recording: str
    number: int
    faults: Sequence[Fault]
    findings: list[Finding]


def main() -> int:
    """Run the passes; exit status 1 if anything was doubled or lost."""
    options = _arguments()
    try:
        passes = list(_passes(options))
    except UserError as error:
        print(f"{error.message} {error.hint}".strip(), file=sys.stderr)
        return 1
    summary = _summary(passes)
    if options.json:
        print(json.dumps({**summary, "passes": [asdict(one) for one in passes]}))
    else:
        print("  ".join(f"{key} {value}" for key, value in summary.items()))
    return int(summary["doubled"] + summary["lost"] > 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--kills", type=int, default=20, metavar="N")
    parser.add_argument("--stalls", type=int, default=10, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", choices=tuple(COSTS), default="base")
    parser.add_argument("--at", choices=("random", "sentence-ends", "both"), default="both")
    parser.add_argument("--delay-ms", type=int, default=1000)
    parser.add_argument("--slow", type=float, default=1.0, help="decodes cost so many times more")
    parser.add_argument("--speech", type=Path, help="a folder with manifest.jsonl")
    parser.add_argument("--match", default="", help="only recordings whose name contains this")
    parser.add_argument("--recordings", type=int, metavar="N", help="at most so many of them")
    parser.add_argument("--record", action="store_true", help="compare the record instead")
    parser.add_argument("--live", action="store_true", help="real time, real processes")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _passes(options: argparse.Namespace) -> Iterator[Pass]:
    simulated = _simulated(options)
    captioner = _live(options) if options.live else simulated
    gaps_ms = _LIVE_GAPS_MS if options.live else _GAPS_MS
    chance = random.Random(options.seed)
    left = Counts(options.kills, options.stalls)
    recordings = [r for r in _recordings(_speech(options)) if options.match in r.name]
    recordings = recordings[: options.recordings]
    if not recordings:
        raise UserError(
            Sentence("No recording of 20 s and more is called “{match}”.", match=options.match)
        )
    undisturbed: dict[str, list[Word]] = {}
    number = 0
    while left.all > 0:
        recording = recordings[number % len(recordings)]
        if recording.name not in undisturbed:
            undisturbed[recording.name] = simulated(recording, [])[0]
        calm = undisturbed[recording.name]
        planned = plan(recording, calm, left, options.at, chance, gaps_ms)
        words, faults = captioner(recording, planned)
        found = differences(calm, words, recording.text)
        one = Pass(recording.name, number, faults, found)
        _tell(one)
        yield one
        left = left.less(planned)
        number += 1


# --- the speech ------------------------------------------------------------------------------


def _speech(options: argparse.Namespace) -> Path:
    """The folder named, VOXLINE_SPEECH, or the half minute that comes with the tests."""
    named = options.speech or os.environ.get("VOXLINE_SPEECH")
    return Path(named) if named else _CHECKOUT / "tests" / "data" / "speech"


def _recordings(folder: Path) -> list[Recording]:
    """The English clips, those of one folder joined with pauses between them."""
    clips = read_manifest(folder / "manifest.jsonl")
    groups: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        if clip.language == "en" and clip.subset in _SUBSETS:
            groups[_group(clip)].append(clip)
    recordings = [joined_clips(name, clips) for name, clips in groups.items()]
    return [one for one in recordings if one.length_ms >= _SHORTEST_S * 1000]


def _group(clip: Clip) -> str:
    """Clips of one reader: the folder, and in LibriSpeech the reader's number."""
    reader, dash, _ = clip.path.stem.partition("-")
    return f"{clip.path.parent.name}/{reader}" if dash else clip.path.parent.name


def joined_clips(name: str, clips: Sequence[Clip]) -> Recording:
    """Clips of one folder or reader with pauses between them; the name decides how long."""
    chance = random.Random(name)
    parts: list[Pcm] = []
    for clip in clips:
        pcm, _ = soundfile.read(clip.path, dtype="float32")
        pause = chance.randint(*_PAUSES_MS) if clip is not clips[-1] else _QUIET_END_MS
        parts += [audible(pcm), _quiet(pause, len(parts))]
    text = " ".join(clip.text for clip in clips)
    return Recording(name, np.concatenate(parts).astype(np.float32), text)


def audible(pcm: Pcm) -> Pcm:
    """A clip so quiet that the hiss of the pauses would drown it, raised.

    The app raises quiet speech, too; whether its gate opens for a whisper is not measured here.
    """
    seconds = [pcm[at : at + SAMPLE_RATE] for at in range(0, len(pcm), SAMPLE_RATE)]
    loudest = max(float(np.sqrt(np.mean(second**2))) for second in seconds)
    return pcm * np.float32(_QUIETEST / loudest) if 0 < loudest < _QUIETEST else pcm


def _quiet(ms: int, seed: int) -> Pcm:
    """A room's hiss: true zeros are found nowhere but in files."""
    noise = np.random.default_rng(seed).standard_normal(ms * SAMPLE_RATE // 1000)
    return (noise * _HISS).astype(np.float32)


# --- the faults ------------------------------------------------------------------------------


def plan(
    recording: Recording,
    calm: Sequence[Word],
    left: Counts,
    at: str,
    chance: random.Random,
    gaps_ms: tuple[int, int] = _GAPS_MS,
) -> list[Fault]:
    """Faults for one pass: at random gaps, some moved to just after a sentence's end."""
    ends = [w.end_ms for w in joined(calm) if w.text.rstrip().endswith((".", "?", "!"))]
    faults: list[Fault] = []
    at_ms = _FIRST_FAULT_MS + chance.randint(0, _GAPS_MS[0])
    while at_ms < recording.length_ms - _QUIET_END_MS // 2 and left.less(faults).all > 0:
        rest = left.less(faults)
        if at == "sentence-ends" or (at == "both" and chance.random() < 0.5):
            at_ms = _after_sentence(at_ms, ends, chance)
        stall = chance.randrange(rest.all) >= rest.kills
        faults.append(Fault(at_ms, chance.randint(*_STALLS_MS) if stall else None))
        at_ms += (faults[-1].stall_ms or 0) + chance.randint(*gaps_ms)
    return faults


def _after_sentence(at_ms: int, ends: Sequence[int], chance: random.Random) -> int:
    later = [end for end in ends if end >= at_ms]
    return later[0] + chance.randint(*_AFTER_SENTENCE_MS) if later else at_ms


# --- captioning ------------------------------------------------------------------------------


# the words, and the faults that could be done
Captioner = Callable[[Recording, Sequence[Fault]], tuple[list[Word], Sequence[Fault]]]


def _simulated(options: argparse.Namespace) -> Captioner:
    """On the simulated clock; decodes are kept in the checkout's build folder."""
    folder = store.ensure(options.model, models_dir(), lambda fraction, text: None)
    kept = Store(_CHECKOUT / "build" / "decodes.sqlite")
    cost = COSTS[options.model].times(options.slow)
    recognizer = KeptRecognizer(options.model, folder, kept, cost)

    def caption(
        recording: Recording, faults: Sequence[Fault]
    ) -> tuple[list[Word], Sequence[Fault]]:
        live = Simulation(recognizer, recording.pcm, faults, options.delay_ms)
        words = live.run()
        if not options.record:
            return words, faults
        theirs = _others(recording, faults)
        again = Simulation(recognizer, recording.pcm, theirs, PATIENT_MS, realtime=False)
        again.run()
        return together(live, again).record, [*faults, *theirs]

    return caption


def _others(recording: Recording, faults: Sequence[Fault]) -> list[Fault]:
    """As many faults for the worker of the second hearing, at other moments."""
    chance = random.Random(repr(faults))
    moments = [chance.randint(_FIRST_FAULT_MS, recording.length_ms) for _ in faults]
    return [replace(fault, at_ms=at) for fault, at in zip(faults, sorted(moments), strict=True)]


def _live(options: argparse.Namespace) -> Captioner:
    """In real time, by a `voxline listen` of its own."""

    def caption(
        recording: Recording, faults: Sequence[Fault]
    ) -> tuple[list[Word], Sequence[Fault]]:
        return listen(recording.pcm, faults, options.model, options.delay_ms)

    return caption


# --- telling ---------------------------------------------------------------------------------


def _tell(one: Pass) -> None:
    print(f"{one.recording} (pass {one.number}): {len(one.faults)} faults", file=sys.stderr)
    for finding in one.findings:
        before = [fault for fault in one.faults if fault.at_ms <= finding.end_ms]
        after = f" after a {before[-1].kind} at {before[-1].at_ms / 1000:.1f} s" if before else ""
        print(
            f"  {finding.kind} at {finding.start_ms / 1000:.1f}–{finding.end_ms / 1000:.1f} s"
            f"{after}: “{finding.text}”",
            file=sys.stderr,
            flush=True,
        )


def _summary(passes: Sequence[Pass]) -> dict[str, int]:
    faults = [fault for one in passes for fault in one.faults]
    kinds = Counter(finding.kind for one in passes for finding in one.findings)
    kills = sum(fault.stall_ms is None for fault in faults)
    return {
        "kills": kills,
        "stalls": len(faults) - kills,
        **{kind: kinds[kind] for kind in ("doubled", "lost", "invented")},
    }


if __name__ == "__main__":
    sys.exit(main())
