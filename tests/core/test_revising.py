"""What an edit leaves alone keeps its time; what it changes gets the time of what stood there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.revising import revised
from model_backends.base import Word
from tests.core.words import spoken

WORDS = spoken(" We met Marina at the light house today.", 1000, language="en")
TEXT = "We met Marina at the light house today."


def times(words: list[Word]) -> list[tuple[str, int, int]]:
    return [(word.text, word.start_ms, word.end_ms) for word in words]


def test_text_that_is_the_same_changes_nothing() -> None:
    assert revised(WORDS, f"  {TEXT}\n") == WORDS


def test_a_word_for_a_word_keeps_its_time() -> None:
    found = revised(WORDS, TEXT.replace("Marina", "Maria"))
    assert times(found[:2] + found[3:]) == times(WORDS[:2] + WORDS[3:])
    assert (found[2].text, found[2].start_ms) == (" Maria", WORDS[2].start_ms)


@pytest.mark.parametrize(
    ("text", "at", "texts"),
    [
        (TEXT.replace("light house", "lighthouse"), (5, 6), [" lighthouse"]),
        (TEXT.replace("Marina", "Anna Marie"), (2, 2), [" Anna", " Marie"]),
    ],
)
def test_other_words_share_the_time_of_what_they_stand_for(
    text: str, at: tuple[int, int], texts: list[str]
) -> None:
    found = revised(WORDS, text)
    assert "".join(word.text for word in found).strip() == text
    changed = [word for word in found if word.text in texts]
    assert [word.text for word in changed] == texts
    assert changed[0].start_ms == WORDS[at[0]].start_ms
    assert changed[-1].end_ms == WORDS[at[1]].end_ms
    assert found[-1] == WORDS[-1]


def test_words_between_two_others_get_the_pause_between_them() -> None:
    found = revised(WORDS, TEXT.replace("met", "met dear"))
    assert found[1] == WORDS[1] and found[3] == WORDS[2]
    assert WORDS[1].end_ms <= found[2].start_ms <= found[2].end_ms <= WORDS[2].start_ms


def test_a_script_without_spaces_keeps_the_times_of_its_words() -> None:
    said = [
        Word("me", 0, 0, text, at * 500, at * 500 + 400, "ja")
        for at, text in enumerate(["今", "日", "は", "天", "気", "だ"])
    ]
    found = revised(said, "今日は元気だ")
    assert "".join(word.text for word in found) == "今日は元気だ"
    assert found[0] == said[0] and found[-1] == said[-1]
    assert (found[3].text, found[3].start_ms) == ("元", 1500)


def test_of_nothing_there_are_no_words() -> None:
    assert revised(WORDS, "  ") == []


@given(st.lists(st.sampled_from(["We", "met", "a", "tower", "today.", "好"]), max_size=12))
def test_whatever_is_written_is_there_in_order_and_within_the_paragraph(texts: list[str]) -> None:
    text = " ".join(texts)
    found = revised(WORDS, text)
    assert "".join(word.text for word in found).strip() == text
    starts = [word.start_ms for word in found]
    assert starts == sorted(starts)
    assert all(1000 <= w.start_ms <= w.end_ms <= WORDS[-1].end_ms for w in found)
