"""An utterance heard twice: committed words plus those passed on are the utterance, once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_backends.base import Word
from model_backends.replay import ReplayAligner
from tests.core.words import letters, spoken

_COMMON = (
    "no yes and the a to I see go there their house is was very really captions seventeen when "
    "nobody would ever have known it"
)
VOCABULARY = _COMMON.split()


def replayed(committed: list[Word], again: list[Word], start_ms: int | None = None) -> list[Word]:
    """All that an aligner passes on of a replay that is then finished."""
    aligner = ReplayAligner(committed, start_ms)
    return [word for heard in again for word in aligner.add(heard)] + aligner.finish()


def texts(words: list[Word]) -> list[str]:
    return [word.text for word in words]


def shifted(words: list[Word], by_ms: int) -> list[Word]:
    return [replace(w, start_ms=w.start_ms + by_ms, end_ms=w.end_ms + by_ms) for w in words]


@st.composite
def utterances(draw: st.DrawFn, min_words: int = 1) -> list[Word]:
    """Words of ordinary pace: 2 to 6 a second, with repetitions and pauses."""
    words, at = [], draw(st.integers(0, 5000))
    for text in draw(st.lists(st.sampled_from(VOCABULARY), min_size=min_words, max_size=40)):
        length = draw(st.integers(120, 450))
        words.append(Word("me", 0, 0, " " + text, at, at + length))
        at += length + draw(st.sampled_from([0, 0, 20, 60, 400]))
    return words


@given(utterances(), st.data())
def test_the_same_again_gives_the_rest_exactly(words: list[Word], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(words)))
    assert replayed(words[:cut], words) == words[cut:]


@given(utterances(), st.data())
def test_a_replay_may_begin_inside_what_was_committed(
    words: list[Word], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(words)))
    first = data.draw(st.integers(0, len(words) - 1))
    cut = max(cut, first)
    start_ms = words[first].start_ms
    assert replayed(words[:cut], words[first:], start_ms) == words[cut:]


@given(utterances(), st.integers(-100, 100), st.data())
def test_times_may_differ_a_little(words: list[Word], by_ms: int, data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(words)))
    assert texts(replayed(words[:cut], shifted(words, by_ms))) == texts(words[cut:])


@given(utterances(min_words=4), st.data())
def test_committed_words_may_be_spelled_otherwise(words: list[Word], data: st.DataObject) -> None:
    cut = data.draw(st.integers(2, len(words)))
    spoiled = data.draw(st.integers(0, cut - 2))
    again = list(words)
    again[spoiled] = replace(again[spoiled], text=again[spoiled].text.upper() + "ly,")
    assert replayed(words[:cut], again) == words[cut:]


@given(utterances(min_words=2), st.data())
def test_words_may_be_joined_or_parted(words: list[Word], data: st.DataObject) -> None:
    """The replay writes two committed words as one."""
    cut = data.draw(st.integers(2, len(words)))
    at = data.draw(st.integers(0, cut - 2))
    one = replace(words[at], text=words[at].text + words[at + 1].text.strip())
    one = replace(one, end_ms=words[at + 1].end_ms)
    again = [*words[:at], one, *words[at + 2 :]]
    assert replayed(words[:cut], again) == words[cut:]
    whole = [*words[:at], one, *words[at + 2 : cut]]
    assert replayed(whole, words) == words[cut:]


def test_repeated_words_are_told_apart_by_their_times() -> None:
    words = spoken(" no no no no no no no no")
    for cut in range(len(words) + 1):
        assert replayed(words[:cut], shifted(words, 60)) == shifted(words, 60)[cut:]


def test_a_repeated_word_missed_in_the_replay_costs_no_new_one() -> None:
    words = [Word("me", 0, 0, " no", at, at + 200) for at in (0, 1000, 2000, 2500)]
    assert replayed(words[:3], [words[0], *words[2:]]) == words[3:]


def test_a_replay_that_misses_the_last_committed_word_doubles_and_loses_nothing() -> None:
    words = spoken(" we went to the old house and nobody was there")
    again = [word for word in words if word.text != " old"]
    assert replayed(words[:5], again) == words[5:]


def test_a_word_put_on_the_other_side_of_a_pause_is_the_same_word() -> None:
    before = [("but", 6784, 6896), ("his", 6896, 7196), ("he", 7196, 7488)]
    after = [("but", 6784, 6896), ("his,", 6896, 7488), ("he", 7840, 7916), ("makes", 7916, 8116)]
    committed, again = (
        [Word("me", 0, 0, f" {text}", start, end) for text, start, end in said]
        for said in (before, after)
    )
    assert texts(replayed(committed, again)) == [" makes"]
    twice = [*again[:1], *committed[1:], *again[2:]]  # said on both sides
    assert texts(replayed(committed, twice)) == [" he", " makes"]


def test_an_only_word_heard_later_the_second_time_is_the_same_word() -> None:
    committed = [Word("me", 0, 0, " A", 39_712, 39_776)]
    again = [Word("me", 0, 0, " A", 40_064, 40_104), Word("me", 0, 0, " book", 40_104, 40_264)]
    assert texts(replayed(committed, again, 39_712)) == [" book"]
    begun_behind_it = 39_770  # of which nothing may be left to hear
    assert texts(replayed(committed, again, begun_behind_it)) == [" A", " book"]


def test_a_word_committed_before_it_was_spoken_is_not_passed_on_again() -> None:
    """ "… squire of dames, and" at a pause; after the crash "and has" is heard behind the pause."""
    before = [Word("me", 0, 0, " of", 25_700, 25_900), Word("me", 0, 0, " dames,", 25_900, 26_270)]
    after = [Word("me", 0, 0, " and", 26_750, 26_910), Word("me", 0, 0, " has", 26_910, 27_250)]
    guessed = Word("me", 0, 0, " and", 26_270, 26_272)
    assert texts(replayed([*before, guessed], before + after)) == [" has"]
    spoken_twice = replace(guessed, end_ms=26_400)
    assert texts(replayed([*before, spoken_twice], [*before, spoken_twice, *after])) == [
        " and",
        " has",
    ]


def test_a_replay_that_begins_inside_a_committed_word() -> None:
    words = spoken(" listening to the captions again")
    fragment = replace(words[0], text="ning", start_ms=words[0].end_ms - 200)
    start_ms = fragment.start_ms
    assert replayed(words[:2], [fragment, *words[1:]], start_ms) == words[2:]
    assert replayed(words[:1], [fragment, *words[1:]], start_ms) == words[1:]
    assert replayed(words[:1], words[1:], words[1].start_ms - 100) == words[1:]


def test_chinese_cut_otherwise_is_passed_on_by_the_character() -> None:
    first = [Word("me", 0, 0, "今天", 0, 500), Word("me", 0, 0, "天", 500, 750)]
    again = [Word("me", 0, 1, "今", 0, 250), Word("me", 0, 1, "天天气很好。", 250, 1700)]
    assert texts(replayed(first, again)) == ["气很好。"]


def test_a_mark_already_committed_is_not_doubled() -> None:
    first = [Word("me", 0, 0, "今天", 0, 500), Word("me", 0, 0, "。", 500, 520)]
    again = [Word("me", 0, 1, "今天", 0, 500), Word("me", 0, 1, "。", 500, 520)]
    again.append(Word("me", 0, 1, "好", 900, 1200))
    assert texts(replayed(first, again)) == ["好"]


def test_nothing_committed_passes_all_at_once() -> None:
    aligner = ReplayAligner([])
    assert aligner.aligned
    (word,) = spoken(" hello")
    assert aligner.add(word) == [word]
    assert aligner.finish() == []


def test_words_are_held_until_the_replay_is_past_the_committed_text() -> None:
    words = spoken(" one two three four five six seven eight nine ten")
    aligner = ReplayAligner(words[:2])
    held = [aligner.add(word) for word in words[:3]]
    assert held == [[], [], []]
    aligned = [aligner.aligned]
    assert aligner.progress(words[1].end_ms, words[2].end_ms) == []
    assert aligner.progress(words[1].end_ms + 5000, 9000) == words[2:3]
    aligned.append(aligner.aligned)
    assert aligned == [False, True]
    assert aligner.add(words[3]) == [words[3]]


def test_hours_of_committed_text_cost_no_more_than_its_end() -> None:
    words = spoken(" captions go on and on" * 4000)
    assert replayed(words[:-5], words[-60:], words[-60].start_ms) == words[-5:]


@pytest.mark.parametrize("mark", ["—", " …", "。"])
def test_a_replay_of_marks_only(mark: str) -> None:
    words = spoken(" hello there")
    assert replayed(words, [Word("me", 0, 1, mark, 0, 10)]) == []


@given(utterances(min_words=6), st.data())
def test_letters_are_neither_lost_nor_doubled_when_much_differs(
    words: list[Word], data: st.DataObject
) -> None:
    """Each word's time jitters and case and marks change: the letters still add up."""
    cut = data.draw(st.integers(1, len(words)))
    again = []
    for word in words:
        by = data.draw(st.integers(-80, 80))
        mark = data.draw(st.sampled_from(["", "", ",", "."]))
        text = data.draw(st.sampled_from([word.text, word.text.title()])) + mark
        again.append(replace(shifted([word], by)[0], text=text))
    union = [*words[:cut], *replayed(words[:cut], again)]
    plain = "".join(char for char in letters("".join(texts(union))).lower() if char.isalnum())
    assert plain == letters("".join(texts(words))).lower()


STRETCHED = [
    # an engine that is tiny.en committed the first and said the second after a kill in the pause
    ((" steel", 62_384, 62_720), (" steel.", 62_384, 63_792)),
    ((" physique", 5_216, 5_856), (" physique.", 5_216, 7_300)),
    ((" sitting.", 30_100, 30_540), (" sitting.", 30_132, 32_000)),
    ((" him.", 18_000, 18_210), (" him.", 18_020, 19_900)),
    ((" you?", 44_000, 44_260), (" you", 43_990, 45_420)),
    ((" prevailed.", 9_000, 9_600), (" prevailed.", 9_010, 11_640)),
]


@pytest.mark.parametrize(("once", "again"), STRETCHED)
@pytest.mark.parametrize("exchanged", [False, True])
def test_a_last_word_stretched_over_the_pause_is_the_same_word(
    once: tuple[str, int, int], again: tuple[str, int, int], exchanged: bool
) -> None:
    if exchanged:
        once, again = again, once
    before = Word("me", 0, 0, " almost", once[1] - 500, once[1] - 20)
    after = Word(
        "me", 0, 1, " From", 1_000 + max(once[2], again[2]), 1_300 + max(once[2], again[2])
    )
    heard = [before, Word("me", 0, 1, *again), after]
    assert replayed([before, Word("me", 0, 0, *once)], heard) == [after]


@given(utterances(min_words=2), st.data())
def test_ends_stretched_over_pauses_double_and_lose_nothing(
    words: list[Word], data: st.DataObject
) -> None:
    """Any word that a pause follows may be longer, in either hearing."""
    cut = data.draw(st.integers(1, len(words)))
    assert texts(replayed(stretched(words, data)[:cut], stretched(words, data))) == texts(
        words[cut:]
    )


def stretched(words: list[Word], data: st.DataObject) -> list[Word]:
    """The words as an engine says them that takes pauses for parts of words."""
    found = []
    for word, after in zip(words, [*words[1:], None], strict=True):
        most = after.start_ms - word.end_ms if after else 2_000
        found.append(replace(word, end_ms=word.end_ms + data.draw(st.integers(0, max(0, most)))))
    return found
