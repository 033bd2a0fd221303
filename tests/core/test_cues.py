"""Words in, subtitle cues out: the rules, in their order of precedence."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.cues import Cue, cues
from app.core.script import display_width
from app.core.timeline import Gap
from app.core.voices import label_of
from model_backends.base import Word
from tests.core.plain_cues import plain_cues
from tests.core.words import letters, rambling, sessions, spoken

STORY = (
    " When the boy reached the bottom of the hill, he saw that the old house was still there, and"
    " that its windows were dark. He did not know what to do. Should he knock at the door or go"
    " back to the village before the night came? Nobody would have blamed him for that, he thought;"
    " but then nobody would ever have known."
)


GAPS_AT = range(50, 4000, 100)
BEFORE = (447, "3ec5a27927f113e9")  # cues, and the start of their hash


def assert_hard_rules(found: list[Cue]) -> None:
    """What holds whatever the words are like."""
    for cue in found:
        rows = cue.text.split("\n")
        assert len(rows) <= 2
        assert all(row.strip() == row and row for row in rows)
        assert all(display_width(row) <= 42 for row in rows)
        assert 833 < cue.end_ms - cue.start_ms <= 7000
    for before, after in pairwise(found):
        assert after.start_ms - before.end_ms >= 80


def speed(cue: Cue) -> float:
    return len(cue.text) * 1000 / (cue.end_ms - cue.start_ms)


@given(sessions())
def test_no_word_is_lost_and_every_cue_keeps_the_rules(words: list[Word]) -> None:
    found = cues(words)
    assert_hard_rules(found)
    assert letters("".join(cue.text for cue in found)) == letters("".join(w.text for w in words))


@given(sessions(lanes=("me", "them")))
def test_two_lanes_keep_the_rules_and_their_words(words: list[Word]) -> None:
    found = cues(words)
    assert_hard_rules(found)
    lanes = {word.lane for word in words}
    for lane in lanes:
        label = label_of(lane) if len(lanes) > 1 else ""
        own = [cue.text for cue in found if cue.lane == lane]
        assert all(text.startswith(label) for text in own)
        said = letters("".join(text.removeprefix(label) for text in own))
        assert said == letters("".join(word.text for word in words if word.lane == lane))


@given(sessions(), st.lists(st.integers(0, 60_000), max_size=3))
def test_a_cue_never_spans_a_gap(words: list[Word], starts: list[int]) -> None:
    gaps = [Gap("me", start, start + 500, "device") for start in starts]
    found = cues(words, gaps)
    assert_hard_rules(found)
    assert letters("".join(cue.text for cue in found)) == letters("".join(w.text for w in words))


@given(sessions(lanes=("me", "them")), st.lists(st.integers(0, 60_000), max_size=9))
def test_the_quick_way_finds_what_the_plain_way_finds(words: list[Word], starts: list[int]) -> None:
    gaps = [Gap("me", start, start + 500, "device") for start in starts]
    assert cues(words, gaps) == plain_cues(words, gaps)


def test_a_long_talk_is_cut_as_it_was_by_the_version_that_weighed_everything() -> None:
    words = rambling(4000, seed=7)
    gaps = [Gap("me", words[at].start_ms - 5, words[at].start_ms - 1, "device") for at in GAPS_AT]
    found = cues(words, gaps)
    assert (len(found), hashlib.sha256(repr(found).encode()).hexdigest()[:16]) == BEFORE


def test_a_gap_between_two_words_ends_the_cue() -> None:
    words = [*spoken(" Hello there"), *spoken(" my friend", 1500)]
    assert len(cues(words)) == 1
    assert len(cues(words, [Gap("me", 800, 1400, "device")])) == 2


def test_ordinary_speech_can_be_read_and_is_on_time() -> None:
    words = spoken(STORY, 500, pause_ms=350)
    found = cues(words)
    assert_hard_rules(found)
    assert all(speed(cue) <= 17 for cue in found)
    starts = {word.start_ms for word in words}
    assert all(cue.start_ms in starts for cue in found)


def test_cues_end_at_sentences_and_clauses() -> None:
    found = cues(spoken(STORY, 500, pause_ms=350))
    assert all(cue.text[-1] in ".,;?" for cue in found)


def test_two_lines_are_about_equally_long_and_break_before_a_joining_word() -> None:
    (cue,) = cues(spoken(" Should he knock at the door or go back to the village tonight?"))
    upper, lower = cue.text.split("\n")
    assert abs(len(upper) - len(lower)) <= 12
    assert lower.split()[0] in ("or", "to", "at")


def test_a_short_text_stays_on_one_line() -> None:
    (cue,) = cues(spoken(" He did not know what to do at all."))
    assert cue.text == "He did not know what to do at all."


def test_a_word_alone_is_shown_long_enough() -> None:
    (cue,) = cues([Word("me", 0, 0, " Yes.", 4000, 4150)])
    assert (cue.start_ms, cue.end_ms) == (4000, 4834)


def test_a_word_drawn_out_is_shown_seven_seconds_at_most() -> None:
    (cue,) = cues([Word("me", 0, 0, " Ooooh", 0, 20_000)])
    assert cue.end_ms - cue.start_ms == 7000


def test_a_silence_ends_a_cue() -> None:
    words = [*spoken(" Well"), *spoken(" maybe.", 3000)]
    assert [cue.text for cue in cues(words)] == ["Well", "maybe."]


def test_fast_speech_borrows_time_from_the_pause_after_it() -> None:
    words = spoken(" and so on and so on and so on and so on.", per_char_ms=40)
    (cue,) = cues(words)
    assert cue.end_ms > words[-1].end_ms
    assert speed(cue) <= 17


def test_a_cue_waits_a_moment_for_the_one_before_it_to_be_read() -> None:
    words = spoken(" Nobody would ever have known about it but for the boy.", per_char_ms=55)
    text = " And then it all went on as it had always done in the old house."
    follows = spoken(text, words[-1].end_ms + 90)
    first, second = cues([*words, *follows])
    assert speed(first) <= 17
    assert 0 < second.start_ms - follows[0].start_ms <= 500


@pytest.mark.parametrize("language", ["zh", "ja"])
def test_full_width_text_counts_double(language: str) -> None:
    sentence = "今天天气很好，我们一起去公园散步吧。"
    words = [
        Word("me", 0, 0, char, index * 250, index * 250 + 240, language)
        for index, char in enumerate(sentence * 4)
    ]
    found = cues(words)
    assert_hard_rules(found)
    assert all(len(row) <= 21 for cue in found for row in cue.text.split("\n"))
    assert all(row[0] not in "，。" for cue in found for row in cue.text.split("\n"))
    assert {cue.language for cue in found} == {language}


def test_equal_times_lose_nothing_and_still_keep_the_rules() -> None:
    words = [Word("me", 0, 0, f" word{index}", 1000, 1000) for index in range(200)]
    found = cues(words)
    assert_hard_rules(found)
    assert " ".join(cue.text for cue in found).split() == [f"word{i}" for i in range(200)]


def test_who_speaks_is_named_only_when_there_are_two() -> None:
    me, them = spoken(" How are you?", lane="me"), spoken(" Fine.", 400, lane="them")
    assert [cue.text for cue in cues(me)] == ["How are you?"]
    assert [cue.text for cue in cues([*me, *them])] == ["You: How are you?", "Others: Fine."]


def test_nothing_said_gives_no_cue() -> None:
    assert cues([]) == []
    assert cues([Word("me", 0, 0, "  \n", 0, 10)]) == []
