"""Events in, a transcript out."""

from __future__ import annotations

from hypothesis import given

from app.core.timeline import Gap, Timeline
from model_backends.base import Notice, Progress, Tail, Word
from tests.core.words import sessions, spoken


def timeline_of(*events: Word | Tail | Gap | Progress | Notice) -> Timeline:
    timeline = Timeline()
    for event in events:
        timeline.add(event)
    return timeline


@given(sessions(lanes=("me", "them")))
def test_words_only_append(words: list[Word]) -> None:
    timeline = Timeline()
    shown: dict[str, list[Word]] = {"me": [], "them": []}
    revision = 0
    for word in words:
        timeline.add(word)
        revision += len(timeline.since(revision))
        now = timeline.words(word.lane)
        assert now[:-1] == shown[word.lane]
        assert now[-1].text.strip() == word.text.strip()
        shown[word.lane] = now
    assert revision == len(words)
    assert timeline.since(revision) == []


@given(sessions(lanes=("me", "them")))
def test_all_lanes_together_keep_each_lanes_order(words: list[Word]) -> None:
    timeline = timeline_of(*words)
    merged = timeline.words()
    assert len(merged) == len(words)
    for lane in ("me", "them"):
        assert [word for word in merged if word.lane == lane] == timeline.words(lane)


def test_lanes_are_merged_by_time() -> None:
    me, them = spoken(" one three", 0, per_char_ms=500), spoken(" two", 1000, lane="them")
    assert timeline_of(*me, *them).text() == "one two three"
    assert timeline_of(*me, *them).lanes() == ["me", "them"]


def test_tracks_are_apart() -> None:
    quick, exact = Word("me", 0, 0, " hat", 0, 1), Word("me", 1, 0, " that", 0, 1)
    timeline = timeline_of(quick, exact)
    assert timeline.words("me") == [quick]
    assert timeline.text(track=1) == "that"


def test_utterances_that_bring_no_space_get_one_but_not_in_chinese() -> None:
    assert timeline_of(Word("me", 0, 0, "Yes.", 0, 1), Word("me", 0, 1, "No.", 2, 3)).text() == (
        "Yes. No."
    )
    assert timeline_of(Word("me", 0, 0, "是。", 0, 1), Word("me", 0, 1, "不", 2, 3)).text() == (
        "是。不"
    )


def test_a_word_comes_back_with_the_space_that_belongs_before_it() -> None:
    timeline = timeline_of(Word("me", 0, 0, "Yes.", 0, 1))
    other = Word("them", 0, 1, "Oh.", 1, 2)
    assert timeline.add(other) == other  # its lane's first word
    added = timeline.add(Word("me", 0, 1, "No.", 2, 3))
    assert isinstance(added, Word) and added.text == " No."
    assert timeline.words("me")[-1] == added


def test_a_gap_says_why_in_words() -> None:
    assert Gap("me", 0, 9, "paused").why == "paused"
    assert "source" in Gap("me", 0, 9, "device").why
    assert Gap("me", 0, 9, "something new").why == "something new"


def test_a_tail_is_replaced_whole_and_gone_with_the_next_word() -> None:
    timeline = timeline_of(Tail("me", 0, 0, " perhaps"), Tail("me", 0, 0, " perhaps not"))
    assert timeline.tail("me") == " perhaps not"
    assert timeline.tail("them") == ""
    timeline.add(Word("me", 0, 0, " perhaps", 0, 1))
    assert timeline.tail("me") == ""


def test_a_tail_does_not_outlive_a_gap_or_silence() -> None:
    tail = Tail("me", 0, 0, " perhaps")
    assert timeline_of(tail, Gap("me", 0, 9, "worker")).tail("me") == ""
    assert timeline_of(tail, Gap("them", 0, 9, "worker")).tail("me") == " perhaps"
    assert timeline_of(tail, Progress("me", 0, 900, 900)).tail("me") == ""
    assert timeline_of(tail, Progress("me", 0, 900, 400)).tail("me") == " perhaps"


def test_the_language_is_that_of_most_recent_words() -> None:
    english, german = spoken(" a b c" * 20, language="en"), spoken(" d e" * 10, language="de")
    assert timeline_of(*english).language() == "en"
    assert timeline_of(*english, *german).language("me") == "de"
    assert timeline_of().language() is None
    assert timeline_of().language("me") is None


def test_the_language_is_unknown_while_words_disagree_or_do_not_say() -> None:
    mixed = [*spoken(" a b c", language="en"), *spoken(" d e f", language="de")]
    assert timeline_of(*mixed).language() is None
    assert timeline_of(*spoken(" a b c"), *spoken(" d", language="en")).language() is None


def test_time_runs_on_through_silence_and_gaps() -> None:
    assert timeline_of(*spoken(" hello")).duration_ms == spoken(" hello")[0].end_ms
    assert timeline_of(Progress("me", 0, 7000, 6000)).duration_ms == 7000
    assert timeline_of(Gap("me", 1, 9000, "paused")).duration_ms == 9000


def test_a_notice_is_not_part_of_the_transcript() -> None:
    timeline = timeline_of(Notice("me", "behind", "It falls behind."))
    assert timeline.words() == [] and timeline.duration_ms == 0
