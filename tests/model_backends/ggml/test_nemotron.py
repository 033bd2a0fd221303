"""A Nemotron that counts: chunks, tags, silence that is none, two voices, a slow computer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app import paths
from model_backends import speeds
from model_backends.base import (
    Acting,
    EngineError,
    Event,
    Notice,
    Progress,
    StreamOptions,
    Tail,
    Word,
)
from model_backends.ggml import engine as engine_module
from model_backends.ggml import stream as stream_module
from model_backends.ggml.engine import GgmlEngine
from model_backends.ggml.families import Family, Kind
from model_backends.ggml.listening import Listening, listen
from model_backends.ggml.stream import GgmlStream
from tests.model_backends.ggml import counting as written
from tests.model_backends.ggml.conftest import needed
from tests.model_backends.ggml.counting import NUMBERS
from tests.model_backends.ggml.hearing import (
    EVERY_MS,
    FIRST_MS,
    FRAME,
    LONG_MS,
    Heard,
    bursts,
    hear,
    load,
)

DELAYS = (80, 320, 560, 1120)
COUNTED = " ".join(NUMBERS)


@pytest.fixture(scope="module")
def engine(cyclic: Path) -> GgmlEngine:
    return load(cyclic)


def check_times(heard: Heard) -> None:
    """Each word begins and ends with its burst, two steps of 80 ms late at the most."""
    for number, word in enumerate(heard.words):
        begin = 1_000 + FIRST_MS + EVERY_MS * number
        assert begin - 80 <= word.start_ms <= begin + 240, word
        assert begin + LONG_MS - 80 <= word.end_ms <= begin + LONG_MS + 240, word


def test_its_delays_are_its_chunks(engine: GgmlEngine) -> None:
    assert engine.info.delays_ms == DELAYS
    assert engine.info.default_delay_ms == 560
    with pytest.raises(EngineError, match="no delay of 160 ms"):
        engine.open(StreamOptions("me", 0, (160,), 0))


@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("realtime", [True, False])
def test_it_counts_at_every_chunk(engine: GgmlEngine, delay: int, realtime: bool) -> None:
    heard = hear(engine, bursts(10), delay, realtime=realtime)
    assert heard.text == COUNTED
    check_times(heard)
    assert all(0 < word.confidence < 1 for word in heard.words if word.confidence is not None)


@pytest.mark.parametrize("delay", DELAYS)
def test_a_word_that_the_end_cuts_ends_with_the_sound(engine: GgmlEngine, delay: int) -> None:
    sound = bursts(2)[: 16 * (FIRST_MS + EVERY_MS + 200)]
    heard = hear(engine, sound, delay)
    assert heard.words[1].end_ms == 1_000 + len(sound) // 16
    assert not hear(engine, sound[:160], delay).words, "a hundredth of a second"


def test_the_tag_that_it_gives_is_the_language_and_no_word(engine: GgmlEngine) -> None:
    heard = hear(engine, bursts(4), 80)
    assert [word.language for word in heard.words][1:] == ["de", "de", "de"]
    assert "<" not in heard.text


def test_norwegian_is_told_by_the_code_that_it_is_chosen_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed()
    pieces = [*written.WORDS.pieces[:-1], "<nb-NO>"]
    monkeypatch.setattr(written, "WORDS", replace(written.WORDS, pieces=pieces))
    written.write(tmp_path / "norsk.gguf")
    heard = hear(load(tmp_path / "norsk.gguf"), bursts(3), 80)
    assert heard.words[2].language == "no"


def test_a_language_that_it_knows_and_one_that_it_does_not(engine: GgmlEngine) -> None:
    assert hear(engine, bursts(1), 80, language="fr").words[0].language == "fr"
    with pytest.raises(EngineError, match="does not know the language “cy”"):
        hear(engine, bursts(1), 80, language="cy")


def test_words_are_told_while_the_speaker_speaks_and_only_grow(engine: GgmlEngine) -> None:
    stream = engine.open(StreamOptions("me", 0, (80,), 0))
    told: list[str] = []
    for at in range(0, len(sound := bursts(4)), FRAME):
        stream.push(sound[at : at + FRAME], 0.0)
        events = engine.advance()
        told += [e.text for e in events if isinstance(e, Word)]
        if at == 2_000 * 16 // FRAME * FRAME:
            assert told[:1] == [" zero"], "the first was over a second ago"
        assert all(e.settled_ms <= e.heard_ms for e in events if isinstance(e, Progress))
    stream.close()
    assert told[:3] == [" zero", " one", " two"]


def test_the_end_of_a_word_that_grows_is_its_tail(engine: GgmlEngine) -> None:
    tails = [e.text for e in hear(engine, bursts(2), 80).events if isinstance(e, Tail)]
    assert tails[0].strip() == "ze" and tails[-1] == ""


# --- silence that is none ------------------------------------------------------------------------


@pytest.mark.parametrize("delay", DELAYS)
def test_a_model_that_falls_silent_is_woken_and_every_word_is_there(
    counting: Path, delay: int
) -> None:
    """It never says a word after “nine”. What is heard again is told, with its own times."""
    engine = load(counting)
    noticed_ms = []
    stream = engine.open(StreamOptions("me", 3, (delay,), 1_000))
    heard = Heard()
    sound = bursts(16)  # it begins anew four words back, and falls silent again after ten
    for at in range(0, len(sound), FRAME):
        stream.push(sound[at : at + FRAME], 1.0)
        events = engine.advance()
        if any(isinstance(e, Notice) and e.message for e in events):
            noticed_ms.append((at + FRAME) // 16)
        heard.events += events
    stream.finish()
    while not stream.done:
        heard.events += engine.advance()

    last_ms = heard.words[9].end_ms - 1_000
    assert noticed_ms and noticed_ms[0] - last_ms <= 3_000
    assert len(heard.words) == 16
    assert [w.text.strip() for w in heard.words[:10]] == list(NUMBERS)
    check_times(heard)
    mute, ended = heard.notices("mute")
    assert "wrote nothing" in mute.message and ended.message == ""


def test_music_is_told_once_and_not_at_each_verse(counting: Path) -> None:
    """Nothing that it can write: the next time it waits eight times as long, until it has."""
    engine = load(counting)
    hum = np.zeros(16 * 6_000, np.float32)
    assert [bool(n.message) for n in hear(engine, hum, 560, speech=1.0).notices("mute")] == [1, 0]
    assert not hear(engine, hum, 560, speech=1.0).notices("mute")
    assert hear(engine, bursts(1), 560, speech=1.0).words
    assert hear(engine, hum, 560, speech=1.0).notices("mute")


@pytest.mark.parametrize("delay", [560, 1120])
def test_words_that_come_all_at_once_were_not_missed(engine: GgmlEngine, delay: int) -> None:
    """As a file's do, four seconds at a time: what was said between them is no silence."""
    heard = hear(engine, bursts(4), delay, speech=1.0, realtime=False, piece=16 * 4_000)
    assert len(heard.words) == 4 and not heard.notices("mute")


def test_silence_wakes_nobody(counting: Path) -> None:
    heard = hear(load(counting), bursts(17), 560, speech=0.2)
    assert len(heard.words) == 10 and not heard.notices("mute")


def test_what_was_missed_is_not_settled(counting: Path) -> None:
    """A worker that dies meanwhile must be sent it again."""
    engine = load(counting)
    stream = engine.open(StreamOptions("me", 3, (560,), 0))
    stream.push(bursts(12), 1.0)
    settled = [e.settled_ms for e in engine.advance() if isinstance(e, Progress)]
    assert settled[-1] <= FIRST_MS + 10 * EVERY_MS
    stream.close()


# --- changes ------------------------------------------------------------------------------------


def test_a_change_of_chunk_acts_at_once_and_loses_no_word(
    engine: GgmlEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []

    def noted(model: Any, family: Family, delay_ms: int, *others: Any) -> Listening:
        begun.append(delay_ms)
        return listen(model, family, delay_ms, *others)

    monkeypatch.setattr(engine_module, "listen", noted)
    delays = iter((1120, 80))

    def change(stream: GgmlStream, at: int) -> None:
        if at in (FRAME * 80, FRAME * 150):
            stream.set_delay(0, next(delays))

    heard = hear(engine, bursts(9), 320, hook=change)
    assert len(heard.words) == 9  # which number is said depends on where a listening began
    check_times(heard)
    assert begun == [320, 1120, 80], "in the midst of the utterance"


def test_a_long_listening_is_renewed_at_a_pause(
    engine: GgmlEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(stream_module._OLD_MS, Kind.TOKENS, 2_000)
    monkeypatch.setattr(stream_module, "_PAUSE_MS", 200)
    stream = engine.open(StreamOptions("me", 0, (80,), 1_000))
    heard = Heard()
    sound = bursts(8)
    for at in range(0, len(sound), FRAME):
        piece = sound[at : at + FRAME]
        stream.push(piece, float(abs(piece).max() > 0))
        heard.events += engine.advance()
    stream.finish()
    while not stream.done:
        heard.events += engine.advance()
    assert heard.text == "zero one two zero one two zero one"
    check_times(heard)


def test_a_long_listening_without_a_pause_is_renewed_too(
    engine: GgmlEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = dict.fromkeys(stream_module._TOO_OLD_MS, 7_000)
    monkeypatch.setattr(stream_module, "_TOO_OLD_MS", soon)
    begun: list[int] = []

    def noted(model: Any, family: Family, delay_ms: int, *others: Any) -> Listening:
        begun.append(delay_ms)
        return listen(model, family, delay_ms, *others)

    monkeypatch.setattr(engine_module, "listen", noted)
    heard = hear(engine, bursts(16), 560, speech=1.0)
    assert len(heard.words) == 16 and len(begun) >= 2
    check_times(heard)


# --- two voices -----------------------------------------------------------------------------------


def two_voices(engine: GgmlEngine) -> dict[str, list[str]]:
    streams = {lane: engine.open(StreamOptions(lane, 0, (80,), 0)) for lane in ("me", "them")}
    said: dict[str, list[str]] = {"me": [], "them": []}
    sounds = {"me": bursts(3), "them": bursts(6)}
    for lane, stream in streams.items():
        stream.push(sounds[lane], 0.0)
        stream.finish()
    while not all(stream.done for stream in streams.values()):
        for event in engine.advance():
            if isinstance(event, Word):
                said[event.lane].append(event.text.strip())
            elif isinstance(event, Notice):
                said.setdefault("notices", []).append(event.code)
    return said


def test_two_voices_are_two_loads(cyclic: Path) -> None:
    said = two_voices(load(cyclic))
    assert said == {"me": list(NUMBERS[:3]), "them": list(NUMBERS[:6])}


def test_without_memory_for_another_voices_wait_for_each_other(
    cyclic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = load(cyclic)

    def no_room() -> None:
        raise EngineError("There is not enough memory for it.")

    monkeypatch.setattr(engine, "_load_another", no_room)
    said = two_voices(engine)
    assert said == {"me": list(NUMBERS[:3]), "them": list(NUMBERS[:6]), "notices": ["one-voice"]}


# --- a slow computer ------------------------------------------------------------------------------


def test_where_the_computer_lags_the_chunk_grows_and_no_word_is_lost(cyclic: Path) -> None:
    fast = load(cyclic)
    seconds = iter(range(1_000_000))
    engine = GgmlEngine(
        fast.info, fast.model, "cpu", fast.family, fast._models[0], fast._load_another,
        clock=lambda: float(next(seconds)),  # whatever is done takes a second
    )  # fmt: skip
    stream = engine.open(StreamOptions("me", 3, (80,), 1_000))
    stream.push(bursts(14), 0.0)
    stream.finish()
    heard = Heard()
    while not stream.done:
        heard.events += engine.advance()
    assert stream.delay_ms > 80
    first = heard.notices("longer-delay")[0]
    assert "too slow" in first.message and "320 ms" in first.message
    acting = [event.ms for event in heard.events if isinstance(event, Acting)]
    assert acting[0] == 320 and acting[-1] == stream.delay_ms, "what acts is told, and last of all"
    assert len(heard.words) == 14
    check_times(heard)


def told_at_open(engine: GgmlEngine, delay_ms: int, **options: Any) -> list[Event]:
    """What is told where an utterance begins; it is dropped."""
    engine.open(StreamOptions("me", 0, (delay_ms,), 0, **options)).close()
    return engine.advance()


def test_what_acts_is_told_until_what_was_chosen_acts_again(cyclic: Path) -> None:
    engine = load(cyclic)
    engine.expect(1.3)
    acts, notice = told_at_open(engine, 80)
    assert acts == Acting("me", 0, 1120)
    assert isinstance(notice, Notice) and "1120 ms behind" in notice.message
    assert told_at_open(engine, 80) == [acts], "the sentence once"
    assert told_at_open(engine, 1120) == [Acting("me", 0, 1120), Notice("me", "longer-delay", "")]
    engine.expect(1.3)
    told_at_open(engine, 80)
    engine._floor.ms = 0  # as after a while with room
    assert told_at_open(engine, 80) == [Acting("me", 0, 80), Notice("me", "longer-delay", "")]
    assert told_at_open(engine, 80) == []


def test_a_choice_made_in_a_pause_is_tried(cyclic: Path) -> None:
    engine = load(cyclic)
    engine.expect(1.3)
    told_at_open(engine, 80)
    assert told_at_open(engine, 320, delay_is_new=True)[0] == Acting("me", 0, 320)


def test_what_it_took_the_last_time_counts_at_the_next_start(cyclic: Path, tmp_path: Path) -> None:
    speeds.note(tmp_path, speeds.load_of(cyclic.name), 1.2)
    extra = {"sample": str(paths.resource("sample/jfk.flac"))}
    engine = load(cyclic, cache_dir=tmp_path, extra=extra)
    assert engine.advance() == [], "not told again"
    assert told_at_open(engine, 80)[0] == Acting("me", 0, 1120)


def test_what_it_takes_is_found_out_once(cyclic: Path, tmp_path: Path) -> None:
    """With three seconds of the bundled sample, after it has come."""
    others: dict[str, Any] = {"cache_dir": tmp_path}
    others["extra"] = {"sample": str(paths.resource("sample/jfk.flac"))}
    told = load(cyclic, **others).advance()
    assert [notice.code for notice in told if isinstance(notice, Notice)] == ["measured"]
    found = speeds.read(tmp_path, speeds.load_of(cyclic.name))
    assert found is not None and found > 0
    assert load(cyclic, **others).advance() == []
    others["extra"] = {"sample": str(tmp_path / "speeds.json")}
    others["cache_dir"] = tmp_path / "another"
    assert load(cyclic, **others).advance() == [], "a sample that is none hinders nobody"


def test_where_it_costs_too_much_it_begins_with_a_longer_chunk(cyclic: Path) -> None:
    engine = load(cyclic)
    engine.measured(1.3)
    assert "about 130 % of one" in str(engine.advance())
    stream = engine.open(StreamOptions("me", 0, (80,), 0))
    assert stream.delay_ms == 1120
    assert "1120 ms behind" in str(engine.advance())
    stream.set_delay(0, 80)  # the user insists
    assert stream.delay_ms == 80
    assert engine.advance() == [Acting("me", 0, 80), Notice("me", "longer-delay", "")]
    assert engine.open(StreamOptions("them", 0, (80,), 0)).delay_ms == 80
    engine.measured(0.4)
    assert engine.open(StreamOptions("me", 0, (80,), 0)).delay_ms == 80
