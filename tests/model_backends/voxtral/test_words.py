"""Ids to words: UTF-8 that is split, groups, times, and what two decoders both said."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_backends.voxtral.handover import Handover
from model_backends.voxtral.schedule import Schedule, end_ms, hangover_ms
from model_backends.voxtral.tekken import Tekken
from model_backends.voxtral.words import TimedText, WordBuilder

SPECIAL = {"<s>": 1, "</s>": 2, "[STREAMING_PAD]": 32, "[STREAMING_WORD]": 33}
P, W = 32, 33
BYTES = Tekken(SPECIAL, [bytes([i]) for i in range(256)], 1000)  # one id a byte


def ids(text: str) -> list[int]:
    return [1000 + byte for byte in text.encode()]


def built(tokens: list[int], vocabulary: Tekken = BYTES) -> list[TimedText]:
    builder = WordBuilder(vocabulary)
    words = [word for at, token in enumerate(tokens) for word in builder.push(token, at)]
    return words + builder.finish()


@pytest.mark.parametrize("text", [" naïve", " 日本語", " नमस्ते", " مرحبا", " 👩‍🚀 ok", " 𝄞"])
def test_bytes_of_a_character_may_come_one_by_one(text: str) -> None:
    assert "".join(word.text for word in built([W, *ids(text), P])) == text


@given(st.text(min_size=1), st.data())
def test_no_split_loses_a_character(text: str, data: st.DataObject) -> None:
    """Silence may even fall between the bytes of one character."""
    tokens = ids(" " + text)
    at = data.draw(st.integers(0, len(tokens)))
    words = built([W, *tokens[:at], P, P, *tokens[at:], P])
    assert "".join(word.text for word in words) == " " + text


def test_a_broken_tail_becomes_a_replacement_character_only_at_the_end() -> None:
    builder = WordBuilder(BYTES)
    for token in (W, *ids(" é")[:-1]):
        assert builder.push(token, 5) == []
    assert "�" not in builder.tail
    assert builder.finish()[0].text == " �"


def test_a_word_is_committed_when_it_cannot_grow() -> None:
    builder = WordBuilder(BYTES)
    assert builder.push(W, 10) == []
    assert builder.open
    for token in ids(" one"):
        assert builder.push(token, 11) == []
    assert builder.tail == " one"
    assert [word.text for word in builder.push(W, 15)] == [" one"]
    assert builder.open
    assert builder.push(P, 16) == []
    assert not builder.open


def test_the_end_of_a_word_is_that_of_its_group_mark() -> None:
    words = built([P] * 10 + [W] + ids(" a") + [P])
    assert [word.end_ms for word in words] == [end_ms(10)]
    assert words[0].start_ms < words[0].end_ms


def test_words_of_one_group_follow_each_other() -> None:
    words = built([P] * 20 + [W] + ids(" of the") + [W] + ids(" day") + [P])
    assert [word.text for word in words] == [" of", " the", " day"]
    assert all(word.start_ms < word.end_ms for word in words)
    assert all(a.end_ms <= b.start_ms for a, b in itertools.pairwise(words))


def test_control_ids_are_never_printed() -> None:
    assert built([W, 24, 25, 999, 2, 34, *ids(" x"), P])[0].text == " x"


def test_the_schedule_of_the_recommended_delay() -> None:
    schedule = Schedule(6)
    assert (schedule.prompt_positions, schedule.flush_rows) == (39, 17)
    assert schedule.rows(0) == 32 + 17
    assert schedule.rows(1) == schedule.rows(1280) == 33 + 17
    assert hangover_ms(480) == 17 * 80


def word(text: str, end: int) -> TimedText:
    return TimedText(text, end - 200, end)


def test_a_word_said_by_both_is_said_once() -> None:
    handover = Handover([word(" one", 1000), word(" two", 1500)])
    heard = [word(" won", 1050), word(" two", 1650), word(" three", 2100)]
    assert [w.text for w in handover.unsaid(heard)] == [" three"]


def test_the_same_word_twice_in_a_row_is_two_words() -> None:
    handover = Handover([word(" two", 1500)])
    heard = [word(" two", 1480), word(" two", 1700)]
    assert [w.end_ms for w in handover.unsaid(heard)] == [1700]


def test_a_slower_decoder_repeats_words_after_it_took_over() -> None:
    handover = Handover([word(" one", 1000), word(" two", 1500)])
    assert handover.unsaid([word(" one", 1010)]) == []
    assert handover.unsaid([word(" two", 1490)]) == []
    assert [w.text for w in handover.unsaid([word(" six", 1990)])] == [" six"]


def test_what_was_passed_over_stays_unsaid() -> None:
    """Captions are append-only: a word before the last said one would be out of order."""
    handover = Handover([word(" two", 1500)])
    assert handover.unsaid([word(" zero", 700)]) == []
