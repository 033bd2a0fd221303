"""The engine around the recogniser: whose turn it is, which language, which model; no weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_backends.base import EngineError, Event, LoadOptions, Notice, Pcm, StreamOptions, Word
from model_backends.embedded import engine as engine_module
from model_backends.embedded import store
from model_backends.embedded.agreement import Guess
from model_backends.embedded.engine import EmbeddedEngine, load
from model_backends.embedded.recognizer import Hypothesis

FRAME = np.full(512, 0.1, np.float32)


@dataclass
class Clock:
    """Time that passes only when a recogniser takes it."""

    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Encoded:
    seconds: float


class Recognizer:
    """Counts the seconds it hears; takes `cost_s` for each decode."""

    def __init__(self, clock: Clock, cost_s: float, language: str = "en") -> None:
        self.multilingual = True
        self.heard: list[str] = []  # the language of each decode
        self._clock, self._cost_s, self._language = clock, cost_s, language

    def encode(self, pcm: Pcm, whole: bool = False) -> Encoded:
        return Encoded(len(pcm) / 16000)

    def languages(self, heard: Encoded) -> dict[str, float]:
        return {self._language: 0.9}

    def hear(self, heard: Encoded, language: str, beam: int = 1) -> Hypothesis:
        self._clock.now_s += self._cost_s
        self.heard.append(language)
        count = int(heard.seconds)
        words = [Guess(f" {i}", i * 1000, (i + 1) * 1000) for i in range(count)]
        return Hypothesis(words, language)


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
    cost_s: float, language: str = "en", small_too: bool = True
) -> tuple[EmbeddedEngine, Recognizer, Recognizer]:
    clock = Clock()
    base, small = Recognizer(clock, cost_s, language), Recognizer(clock, 0.1)
    fetch = (lambda: small) if small_too else None
    return EmbeddedEngine(base, "base", fetch, clock=clock), base, small  # type: ignore[arg-type]


def test_a_fast_base_stays() -> None:
    engine, base, small = make(0.4)
    assert notices(speak(engine, 20, engine.open(options()))) == []
    assert base.heard
    assert not small.heard


def test_a_slow_base_gives_way_for_english_and_the_user_is_told() -> None:
    engine, _, small = make(2.0)
    told = notices(speak(engine, 20, engine.open(options())))
    assert [notice.code for notice in told] == ["smaller-model"]
    assert "tiny.en" in told[0].message
    assert small.heard
    assert "tiny.en" in engine.model


def test_a_slow_base_stays_for_german() -> None:
    engine, base, small = make(2.0, language="de")
    told = notices(speak(engine, 20, engine.open(options())))
    assert [notice.code for notice in told] == ["behind"]
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
    assert engine.idle
    stream = engine.open(options())
    stream.push(FRAME, 0.9)
    assert engine.idle
    assert engine.advance() == []
    speak(engine, 2, stream)
    stream.finish()
    assert not engine.idle
    while not stream.done:
        engine.advance()
    assert engine.idle


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
