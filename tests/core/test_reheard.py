"""The record: captions with what was heard a second time in its place."""

from __future__ import annotations

from app.core.export import FORMATS, export_of, to_json_object
from app.core.reheard import Reheard, record_of
from app.core.timeline import Timeline
from model_backends.base import Word


def word(text: str, start_ms: int, lane: str = "me", utterance: int = 0) -> Word:
    return Word(lane, 0, utterance, text, start_ms, start_ms + 200)


def text(words: list[Word]) -> str:
    return "".join(w.text for w in words)


CAPTIONS = [word(" one", 0), word(" too", 300), word(" tree", 600), word(" four", 900)]


def test_a_stretch_replaces_the_words_whose_middle_lies_in_it_and_no_others() -> None:
    middle = Reheard("me", 400, 701, (word(" two", 310), word(" three", 590)))
    assert text(record_of(CAPTIONS, [middle])) == " one two three four"
    assert text(record_of(CAPTIONS, [Reheard("me", 401, 701, ())])) == " one too four"
    assert text(record_of(CAPTIONS, [Reheard("me", 400, 700, ())])) == " one tree four"


def test_stretches_may_come_in_any_order_and_stand_where_captions_had_nothing() -> None:
    late = Reheard("me", 5000, 6000, (word(" end", 5100),))
    early = Reheard("me", -10, 50, (word(" so", 0),))
    assert text(record_of(CAPTIONS, [late, early])) == " so one too tree four end"
    assert text(record_of([], [late, early])) == " so end"


def test_where_hearings_meet_and_neither_brings_a_space_there_is_one() -> None:
    captions = [word("One.", 0), word("Two.", 300, utterance=1), word("Three.", 600, utterance=2)]
    again = Reheard("me", 300, 500, (word("too", 300),))
    assert text(record_of(captions, [again])) == "One. too Three."
    chinese = [word("你好", 0), word("吗", 300, utterance=1)]
    assert text(record_of(chinese, [Reheard("me", 300, 500, (word("嗎", 300),))])) == "你好嗎"


def timeline() -> Timeline:
    kept = Timeline()
    for event in (*CAPTIONS, word(" yes", 450, "them")):
        kept.add(event)
    kept.add(Reheard("me", 350, 750, (word(" two", 310), word(" three", 590))))
    return kept


def test_a_timeline_keeps_what_was_shown_beside_the_record_of_all_lanes() -> None:
    assert text(timeline().words()) == " one too yes tree four"
    assert text(timeline().record()) == " one two yes three four"
    assert text(timeline().words("them")) == " yes"


def test_files_hold_the_record_and_json_the_captions_too() -> None:
    export = export_of(timeline())
    assert "two" in FORMATS["srt"].write(export)
    assert "too" not in FORMATS["vtt"].write(export)
    assert "three four" in FORMATS["txt"].write(export)
    written = to_json_object(export)
    assert [w["text"] for w in written["words"]] == [" one", " two", " yes", " three", " four"]
    assert [w["text"] for w in written["captions"]["words"]][1] == " too"
    assert "too" in written["captions"]["text"] and "too" not in written["text"]


def test_as_shown_is_what_the_reader_saw() -> None:
    shown = export_of(timeline()).as_shown
    assert "tree" in FORMATS["srt"].write(shown)
    assert "captions" not in to_json_object(shown)


def test_without_a_second_hearing_there_is_one_text() -> None:
    kept = Timeline()
    kept.add(CAPTIONS[0])
    export = export_of(kept)
    assert export.shown is None and export.as_shown is export
    assert "captions" not in to_json_object(export)
