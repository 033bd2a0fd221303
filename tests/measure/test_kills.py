"""The simulation of failing workers: its plan, its clock, and one real run of it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.measure import kills
from app.measure.decodes import COSTS, Audio, KeptRecognizer, Store
from app.measure.differences import differences
from app.measure.evaluation import Clip
from app.measure.kills import Counts, Recording, plan
from app.measure.second_hearing import PATIENT_MS, Hearings, text_of, together
from app.measure.simulation import Fault, Simulation
from model_backends.base import Pcm, Word
from model_backends.embedded.recognizer import Hypothesis
from tests.support.likeness import assert_like

SPEECH = Path(__file__).parents[1] / "data" / "speech"
MINUTE = Recording("minute", np.zeros(16_000 * 60, np.float32), "")
SENTENCES = [
    Word("me", 0, 0, f" word{'.' * (i % 5 == 4)}", i * 400, i * 400 + 400) for i in range(140)
]


def test_a_plan_makes_the_faults_that_are_wanted() -> None:
    left = Counts(3, 2)
    faults = plan(MINUTE, [], left, "random", random.Random(1))
    assert left.less(faults) == Counts(0, 0)
    assert [fault.at_ms for fault in faults] == sorted(fault.at_ms for fault in faults)
    assert faults == plan(MINUTE, [], left, "random", random.Random(1))


def test_a_plan_ends_with_the_recording() -> None:
    left = Counts(100, 0)
    faults = plan(MINUTE, [], left, "random", random.Random(1))
    assert 5 < len(faults) < 30
    assert faults[-1].at_ms < 60_000


def test_faults_at_sentence_ends_come_just_after_one() -> None:
    ends = [word.end_ms for word in SENTENCES if word.text.endswith(".")]
    faults = plan(MINUTE, SENTENCES, Counts(100, 0), "sentence-ends", random.Random(2))
    assert len(faults) > 5
    assert all(any(100 <= fault.at_ms - end <= 1_500 for end in ends) for fault in faults[:-1])


def test_a_clip_that_the_hiss_would_drown_is_raised_and_no_other(tmp_path: Path) -> None:
    tone: Pcm = np.sin(np.arange(40_000) / 5).astype(np.float32)
    loud: Pcm = (tone * 0.1).astype(np.float32)
    assert kills.audible(loud) is loud
    assert not kills.audible(np.zeros(100, np.float32)).any()
    soundfile.write(tmp_path / "faint.flac", tone * 0.0007, 16_000)
    raised = kills.joined_clips("faint", [Clip(tmp_path / "faint.flac", "", "en", "read-en")]).pcm
    assert np.sqrt(np.mean(raised[:16_000] ** 2)) == pytest.approx(0.01, rel=0.05)


class Silent:
    """A recogniser that has nothing to say, and takes its time."""

    multilingual = False

    def __init__(self) -> None:
        self.spent_ms = 0.0
        self.decodes = 0

    def encode(self, pcm: Pcm, whole: bool = False) -> Audio:
        self.spent_ms += 200
        self.decodes += 1
        return Audio(pcm, whole)

    def languages(self, heard: Audio) -> dict[str, float]:
        return {"en": 1.0}

    def transcribe(self, heard: Audio, language: str, beam: int = 1) -> Hypothesis:
        return Hypothesis([], language)

    def take_cost_ms(self) -> float:
        spent, self.spent_ms = self.spent_ms, 0.0
        return spent


def test_the_silent_recogniser_has_no_verb_that_a_kept_one_lacks() -> None:
    assert_like(Silent, KeptRecognizer, own={"decodes"})


@pytest.fixture(scope="module")
def spoken() -> Pcm:
    pcm, _ = soundfile.read(SPEECH / "LJ001-0005.flac", dtype="float32")
    return np.asarray(pcm)


@pytest.mark.parametrize(
    ("faults", "late_ms"),
    [([], 0), ([Fault(3_000)], 0), ([Fault(2_000, 9_000)], 2_500), ([Fault(10), Fault(5_000)], 0)],
)
def test_the_clock_runs_with_the_audio(spoken: Pcm, faults: list[Fault], late_ms: int) -> None:
    recognizer = Silent()
    simulation = Simulation(recognizer, spoken, faults)  # type: ignore[arg-type] # like one: below
    assert simulation.run() == []
    assert recognizer.decodes > 3
    length_ms = len(spoken) // 16
    assert length_ms + late_ms <= simulation.now_ms < length_ms + 9_000


@pytest.mark.weights
def test_a_killed_and_a_stalled_worker_cost_no_word(
    weights_dir: Path, tmp_path: Path, spoken: Pcm
) -> None:
    if not (weights_dir / "whisper-tiny.en").is_dir():
        pytest.skip("the weights of tiny.en are not installed; `./test` installs them")
    store = Store(tmp_path / "decodes.sqlite")
    folder = weights_dir / "whisper-tiny.en"
    recognizer = KeptRecognizer("tiny.en", folder, store, COSTS["tiny.en"])
    calm = Simulation(recognizer, spoken).run()
    assert len(calm) > 20
    faults = [Fault(3_500), Fault(6_000, 2_000)]
    shaken = Simulation(recognizer, spoken, faults).run()
    assert [f.kind for f in differences(calm, shaken) if f.kind != "invented"] == []
    decoded = recognizer.decoded
    assert Simulation(recognizer, spoken, faults).run() == shaken
    assert recognizer.decoded == decoded, "the second time everything is known"
    undisturbed = heard_twice(recognizer, spoken, [], [])
    assert undisturbed.stretches
    assert text_of(undisturbed.record) == text_of(undisturbed.whole)
    record = heard_twice(recognizer, spoken, faults, [Fault(5_000), Fault(9_000)]).record
    found = differences(undisturbed.record, record)
    assert [f.kind for f in found if f.kind != "invented"] == []


def heard_twice(
    recognizer: KeptRecognizer, pcm: Pcm, faults: list[Fault], theirs: list[Fault]
) -> Hearings:
    """Captions with faults, and a second hearing with others."""
    live = Simulation(recognizer, pcm, faults)
    again = Simulation(recognizer, pcm, theirs, PATIENT_MS, realtime=False)
    live.run()
    again.run()
    return together(live, again)


def test_the_command_tells_what_it_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f" w{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(40)]
    calm = [Word("me", 0, 0, name, i * 400, i * 400 + 400) for i, name in enumerate(names)]

    def caption(
        recording: Recording, faults: Sequence[Fault]
    ) -> tuple[list[Word], Sequence[Fault]]:
        return ([*calm[:20], calm[19], *calm[20:]] if faults else calm), faults

    monkeypatch.setattr(kills, "_simulated", lambda options: caption)
    monkeypatch.setattr(
        "sys.argv", ["kills", "--kills", "2", "--stalls", "0", "--speech", str(SPEECH)]
    )
    assert kills.main() == 1
    told = capsys.readouterr()
    assert "kills 2  stalls 0  doubled" in told.out
    assert "“wat wat”" in told.err
