"""Words to expect: where the bonus goes, and what it does to the tiny model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from model_backends.base import EngineError
from model_backends.voxtral.engine import VoxtralEngine
from model_backends.voxtral.hotwords import Hotwords, hotwords_of
from model_backends.voxtral.reader import Reader
from model_backends.voxtral.schedule import Schedule
from model_backends.voxtral.speech_model import MOST_BONUSES, Decoded, DecodeWork
from model_backends.voxtral.tekken import Tekken
from tests.model_backends.voxtral.transcribing import (
    TINY,
    clip,
    reference_ids,
    reference_text,
    transcribe,
)

P, W = 32, 33
MADE_UP = ("Voxline", "Kubernetes", "zerofive", "Ägypten")


@pytest.fixture(scope="module")
def tokens() -> Tekken:
    return Tekken.load(TINY / "tekken.json", 1400)


def lifted(hotwords: Hotwords, said: Sequence[int]) -> list[int]:
    """Ids that have a bonus after these."""
    path = hotwords.path()
    for token in said:
        path.push(token)
    return sorted(token for token, _ in path.bonuses)


def test_a_bonus_follows_the_group_mark_or_a_path_and_nothing_else(tokens: Tekken) -> None:
    hotwords = Hotwords(["seven", "six"], tokens)
    se, ve, n = tokens.encode(" seven")
    (six,) = tokens.encode(" six")
    assert lifted(hotwords, [W]) == sorted([se, six])
    assert lifted(hotwords, [W, se]) == [ve]
    assert lifted(hotwords, [W, se, ve]) == [n]
    for said in ([], [P], [W, P], [W, se, P], [W, six], [W, n], [W, se, ve, n], [se], [W, se, n]):
        assert lifted(hotwords, said) == [], said
    assert lifted(hotwords, [W, se, P, W]) == sorted([se, six])


def test_silence_and_the_mark_never_get_one(tokens: Tekken) -> None:
    path = Hotwords([*MADE_UP, "zero"], tokens).path()
    for token in (W, *tokens.encode(" zerofive")):
        path.push(token)
        assert all(tokens.is_text(lifted) and bonus > 0 for lifted, bonus in path.bonuses)


def test_each_word_of_a_phrase_has_its_own_mark(tokens: Tekken) -> None:
    both = Hotwords(["one two"], tokens)
    assert lifted(both, [W]) == sorted(tokens.encode(" one") + tokens.encode(" two"))
    plain, spaced = tokens.encode("東")[0], tokens.encode(" 東")[0]
    assert set(lifted(Hotwords(["東"], tokens), [W])) == {plain, spaced}


def test_what_is_no_list_of_words_or_too_long_is_refused(tokens: Tekken) -> None:
    assert hotwords_of({}, tokens) is None
    assert hotwords_of({"hotwords": []}, tokens) is None
    for wrong in ("Voxline", [3]):
        with pytest.raises(EngineError, match="list of words"):
            hotwords_of({"hotwords": wrong}, tokens)
    # " a" is one token, "a" .. are bytes: texts without a space begin in as many ways as one likes
    many = [chr(0x4E00 + 64 * 64 * i) for i in range(6)]
    assert hotwords_of({"hotwords": many}, tokens) is not None
    crowd = Tekken(
        {"<s>": 1, "</s>": 2, "[STREAMING_PAD]": P, "[STREAMING_WORD]": W},
        [bytes([i]) for i in range(256)] + [f" {chr(i)}".encode() for i in range(0x4E00, 0x4F00)],
        1000,
    )
    words = [chr(i) for i in range(0x4E00, 0x4E00 + MOST_BONUSES + 1)]
    with pytest.raises(EngineError, match="too many"):
        hotwords_of({"hotwords": words}, crowd)


def test_one_step_at_a_time_where_a_bonus_may_come_and_drafts_as_ever(tokens: Tekken) -> None:
    """A model that says a word, then silence: work with a bonus has one position."""
    se, ve, n = tokens.encode(" seven")
    script = iter([W, se, ve, n, *[P] * 20])
    reader = Reader(tokens, 0, 0, 6, hotwords=Hotwords(["seven"], tokens))
    first = reader.work(100, None)
    assert first is not None
    reader.take(first, [Decoded(P, 9.0, 0.0)] * len(first.rows))
    works: list[DecodeWork] = []
    while len(works) < 8 and (work := reader.work(100, None)) is not None:
        works.append(work)
        rest = [Decoded(P, 9.0, 0.0)] * (len(work.rows) - 1)
        reader.take(work, [Decoded(next(script), 9.0, 0.0), *rest])
    assert len(works[0].rows) == 4, "a draft"
    assert [[i for i, _ in work.bonuses] for work in works[:5]] == [[], [se], [ve], [n], []]
    assert all(len(work.rows) == 1 for work in works if work.bonuses)


@pytest.fixture
def expecting(engine: VoxtralEngine) -> Iterator[VoxtralEngine]:
    """The engine of this room's conftest, to be given words; none afterwards."""
    yield engine
    engine._hotwords = None


@pytest.mark.parametrize("realtime", [True, False])
def test_made_up_words_that_nobody_said_change_nothing(
    expecting: VoxtralEngine, realtime: bool
) -> None:
    expecting._hotwords = Hotwords(MADE_UP, expecting._tokens)
    pieces = 1600 if realtime else 10**9
    for name, delay in (("join_03", 6), ("fast_mixed", 1)):
        got = transcribe(expecting, clip(name), delay, pieces=pieces, realtime=realtime)
        assert got.ids[0] == reference_ids(name, delay)


def test_a_word_that_was_said_and_missed_is_written_when_expected(
    expecting: VoxtralEngine,
) -> None:
    """In the quiet clip the model takes its first "four" for "five"."""
    missed = reference_text("quiet", 6)
    assert missed == "one six five one eight zero two two four"
    expecting._hotwords = Hotwords(["four"], expecting._tokens)
    assert transcribe(expecting, clip("quiet"), 6).text() == missed.replace("five", "four")


def test_a_word_that_was_not_said_is_not_written(expecting: VoxtralEngine) -> None:
    """Expecting "nine" where others are said clearly: no word turns into it."""
    expecting._hotwords = Hotwords(["nine", "five"], expecting._tokens)
    got = transcribe(expecting, clip("join_03"), 6)
    assert got.text() == reference_text("join_03", 6)
    assert (
        len(got.ids[0])
        == len(reference_ids("join_03", 6))
        == Schedule(6).rows(len(clip("join_03"))) - Schedule(6).prompt_positions + 1
    )
