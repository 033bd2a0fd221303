"""The engine around the recogniser: whose turn it is, which language, which model; no weights."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_backends.base import EngineError, Event, LoadOptions, Notice, Pcm, StreamOptions, Word
from model_backends.embedded import engine as engine_module
from model_backends.embedded import recognizer as real
from model_backends.embedded import store
from model_backends.embedded.engine import EmbeddedEngine, load
from model_backends.embedded.recognizer import Encoded, Hypothesis
from model_backends.embedded.weights import Weights
from model_backends.guess import Guess
from tests.support.clock import Clock
from tests.support.likeness import assert_like

FRAME = np.full(512, 0.1, np.float32)


class Recognizer:
    """Counts the seconds it hears; takes `cost_s` for each decode."""

    def __init__(self, clock: Clock, cost_s: float, language: str = "en") -> None:
        self.multilingual = True
        self.heard: list[str] = []  # the language of each decode
        self.cost_s, self._clock, self.language = cost_s, clock, language

    def encode(self, pcm: Pcm, whole: bool = False) -> Encoded:
        return Encoded(None, len(pcm))

    def languages(self, heard: Encoded) -> dict[str, float]:
        return {self.language: 0.9}

    def transcribe(self, heard: Encoded, language: str, beam: int = 1) -> Hypothesis:
        self._clock.now += self.cost_s
        self.heard.append(language)
        count = int(heard.seconds)
        words = [Guess(f" {i}", i * 1000, (i + 1) * 1000) for i in range(count)]
        return Hypothesis(words, language)


def test_the_stand_in_has_no_verb_that_a_recogniser_lacks() -> None:
    assert_like(Recognizer, real.Recognizer, own={"heard", "cost_s", "language"})


def options(
    lane: str = "me", language: str | None = None, live: bool = True, delays: tuple[int, ...] = ()
) -> StreamOptions:
    return StreamOptions(lane, 0, delays or (1000,), 0, language, live)


def speak(engine: EmbeddedEngine, seconds: float, *streams: Any) -> list[Event]:
    """Speech without a pause on all streams, the engine keeping step."""
    events: list[Event] = []
    for _ in range(int(seconds * 16000 / 512)):
        for stream in streams:
            stream.push(FRAME, 0.9)
        events += engine.advance()
    return events


def notices(events: list[Event]) -> list[Notice]:
    return [event for event in events if isinstance(event, Notice)]


def make(
    cost_s: float, language: str = "en", small_too: bool = True, adapted: bool = False
) -> tuple[EmbeddedEngine, Recognizer, Recognizer]:
    clock = Clock()
    base, small = Recognizer(clock, cost_s, language), Recognizer(clock, 0.1)
    fetch = (lambda: small) if small_too else None
    weights = Weights(base, "base", fetch, adapted)  # type: ignore[arg-type] # like one: above
    return EmbeddedEngine(weights, clock=clock), base, small


def test_a_fast_base_stays() -> None:
    engine, base, small = make(0.4)
    assert notices(speak(engine, 20, engine.open(options()))) == []
    assert base.heard
    assert not small.heard


def test_a_slow_base_gives_way_for_english_and_the_user_is_told() -> None:
    engine, _, small = make(2.0)
    told = notices(speak(engine, 20, engine.open(options())))
    assert [notice.code for notice in told] == ["smaller-model"]
    assert "more mistakes" in told[0].message, "what is noticed …"
    assert not re.search(r"\d|base|tiny", told[0].message + told[0].hint), "… and no measurement"
    assert small.heard
    assert "tiny.en" in engine.model


def standing(events: list[Event]) -> list[list[str]]:
    """The codes of the notices that stand, after each that was told or taken back."""
    codes: list[str] = []
    history = []
    for notice in notices(events):
        codes = [code for code in codes if code != notice.code]
        codes += [notice.code] if notice.message else []
        history.append(codes)
    return history


def test_base_comes_back_and_the_notice_goes_once_there_is_time_for_it() -> None:
    engine, base, small = make(2.0)
    stream = engine.open(options())
    told = speak(engine, 20, stream)
    base.cost_s = 0.3
    told += speak(engine, 60, stream)
    assert standing(told) == [["smaller-model"], []]
    assert engine.model == "base"
    decodes = len(small.heard)
    speak(engine, 20, stream)
    assert len(small.heard) == decodes


def test_base_stays_away_while_the_small_one_is_no_light_work() -> None:
    engine, _, small = make(2.0)
    small.cost_s = 0.4
    assert standing(speak(engine, 80, engine.open(options()))) == [["smaller-model"]]


def test_that_captions_come_late_is_taken_back_when_they_do_not() -> None:
    engine, base, _ = make(2.0, language="de")
    stream = engine.open(options())
    told = speak(engine, 20, stream)
    base.cost_s = 0.3
    told += speak(engine, 20, stream)
    assert standing(told) == [["behind"], []]


def test_one_notice_stands_and_it_does_not_advise_what_is_done_already() -> None:
    engine, _, small = make(2.0)
    small.cost_s = 1.8
    told = speak(engine, 60, engine.open(options()))
    assert standing(told) == [["smaller-model"], [], ["behind"]]
    assert "tiny.en" not in notices(told)[-1].hint


def test_who_named_base_is_told_of_the_smaller_one() -> None:
    engine, _, _ = make(2.0, small_too=False)
    told = notices(speak(engine, 20, engine.open(options())))
    assert "tiny.en" in told[0].hint


def test_a_worker_that_comes_after_begins_with_the_small_one_and_tells_nothing() -> None:
    first, _, _ = make(2.0)
    speak(first, 20, first.open(options()))
    engine, base, small = make(2.0, adapted=True)
    assert engine.model == first.model
    assert notices(speak(engine, 10, engine.open(options()))) == []
    assert small.heard
    assert not base.heard


def test_a_slow_base_stays_for_german() -> None:
    engine, base, small = make(2.0, language="de")
    told = notices(speak(engine, 20, engine.open(options())))
    assert [notice.code for notice in told] == ["behind"]
    assert not re.search(r"\d|base|tiny", told[0].message + told[0].hint)
    assert not small.heard
    assert set(base.heard) == {"de"}


def test_once_replaced_base_still_hears_german() -> None:
    engine, base, small = make(2.0)
    speak(engine, 20, engine.open(options(language="en")))
    decodes = len(small.heard)
    assert decodes
    base.heard.clear()
    speak(engine, 5, engine.open(options("them", language="de")))
    assert "de" in base.heard


def test_a_file_never_changes_model_and_nobody_waits() -> None:
    engine, base, small = make(30.0)
    stream = engine.open(options(live=False))
    told = notices(speak(engine, 120, stream))
    assert base.heard
    assert not small.heard
    assert told == []


def test_where_nothing_smaller_may_be_used_the_user_is_told_once() -> None:
    engine, _, _ = make(2.0, small_too=False)
    told = notices(speak(engine, 40, engine.open(options())))
    assert [notice.code for notice in told] == ["behind"]


def test_lanes_take_turns() -> None:
    engine, _, _ = make(0.1)
    me, them = engine.open(options("me", "en")), engine.open(options("them", "de"))
    words = [e for e in speak(engine, 20, me, them) if isinstance(e, Word)]
    count = {lane: sum(w.lane == lane for w in words) for lane in ("me", "them")}
    assert min(count.values()) > 10
    assert abs(count["me"] - count["them"]) <= 2
    assert {w.language for w in words if w.lane == "them"} == {"de"}


def test_idle_until_there_is_enough_to_hear() -> None:
    engine, _, _ = make(0.1)
    idle = [engine.idle]
    stream = engine.open(options())
    stream.push(FRAME, 0.9)
    idle.append(engine.idle)
    assert engine.advance() == []
    speak(engine, 2, stream)
    stream.finish()
    idle.append(engine.idle)
    while not stream.done:
        engine.advance()
    assert [*idle, engine.idle] == [True, True, False, True]


def test_what_a_lane_spoke_under_an_earlier_worker_is_a_hint() -> None:
    """Half a second of English passes for Romanian where nothing is known."""
    clock = Clock()
    for spoken, language in (({}, "ro"), ({"me": "en"}, "en")):
        base = Recognizer(clock, 0.1, "ro")
        weights = Weights(base, "base", None)  # type: ignore[arg-type] # like one: above
        engine = EmbeddedEngine(weights, spoken=spoken, clock=clock)
        speak(engine, 1, engine.open(options()))
        assert base.heard[0] == language


def test_a_language_taken_for_another_at_first_is_found_while_the_speaker_goes_on() -> None:
    engine, base, _ = make(0.1, language="ro")
    stream = engine.open(options())
    speak(engine, 6, stream)
    assert base.heard[-1] == "ro"
    base.language = "en"
    speak(engine, 12, stream)
    assert base.heard[-1] == "en"


def test_a_forced_language_is_used_and_reported() -> None:
    engine, base, _ = make(0.1, language="en")
    words = [
        e for e in speak(engine, 6, engine.open(options(language="fr"))) if isinstance(e, Word)
    ]
    assert set(base.heard) == {"fr"}
    assert {w.language for w in words} == {"fr"}


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (options(delays=(77,)), "no delay of 77 ms"),
        (options(language="xx"), "does not know the language"),
        (options(delays=(700, 1000, 1700)), "at most 2 delays"),
    ],
)
def test_what_it_cannot_do_is_refused(bad: StreamOptions, sentence: str) -> None:
    engine, _, _ = make(0.1)
    with pytest.raises(EngineError, match=sentence):
        engine.open(bad)
    assert engine.idle


# --- load ------------------------------------------------------------------------------------


class EnglishOnly(Recognizer):
    def __init__(self, path: Path, threads: int) -> None:
        super().__init__(Clock(), 0.1)
        self.multilingual = path.name == "base"


@pytest.fixture
def only_tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """A computer where base cannot be had."""

    def ensure(model: str, models_dir: Path, report: object) -> Path:
        if model == "base":
            raise EngineError("The speech model “base” is not usable.", "Connect.")
        return models_dir / model

    monkeypatch.setattr(store, "ensure", ensure)
    monkeypatch.setattr(engine_module, "Recognizer", EnglishOnly)


def _load(tmp_path: Path, **changes: Any) -> EmbeddedEngine:
    values: dict[str, Any] = {"model": None, "device": None, "models_dir": tmp_path, **changes}
    return load(LoadOptions(**values), lambda fraction, text: None)


def test_without_base_tiny_stands_in_and_says_so(tmp_path: Path, only_tiny: None) -> None:
    engine = _load(tmp_path)
    assert engine.model == "tiny.en"
    assert not engine.idle
    told = notices(engine.advance())
    assert [notice.code for notice in told] == ["smaller-model"]
    assert "English only" in told[0].message
    with pytest.raises(EngineError, match="English only"):
        engine.open(options(language="de"))


def test_an_adapted_model_is_loaded_with_the_one_it_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    class Loaded(EnglishOnly):
        def __init__(self, path: Path, threads: int) -> None:
            super().__init__(path, threads)
            loaded.append(path.name)

    found = store.Found("tiny.en", tmp_path, installed=True)
    monkeypatch.setattr(store, "ensure", lambda model, models_dir, report: models_dir / model)
    monkeypatch.setattr(store, "find", lambda model, models_dir: found)
    monkeypatch.setattr(engine_module, "Recognizer", Loaded)
    engine = _load(tmp_path, adapted="base+tiny.en")
    assert loaded == ["base", "tiny.en"]
    assert engine.model == "base+tiny.en"
    assert _load(tmp_path, adapted="base").model == "base"


@pytest.mark.parametrize("wanted", [{"model": "base"}, {"language": "de"}])
def test_without_base_what_needs_it_is_refused(
    tmp_path: Path, only_tiny: None, wanted: dict[str, str]
) -> None:
    with pytest.raises(EngineError, match="not usable"):
        _load(tmp_path, **wanted)


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"model": "huge"}, "no model called “huge”"),
        ({"device": "cuda"}, "processor only"),
        ({"language": "xx"}, "does not know the language"),
    ],
)
def test_what_it_does_not_have_is_refused(
    tmp_path: Path, wanted: dict[str, str], sentence: str
) -> None:
    with pytest.raises(EngineError, match=sentence):
        _load(tmp_path, **wanted)
