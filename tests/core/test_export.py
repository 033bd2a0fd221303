"""Cues and words in, files' text out; SubRip is read back by an independent reader."""

from __future__ import annotations

import json

import pysubs2
import pytest
from hypothesis import given

from app.core.cues import Cue, cues
from app.core.export import FORMATS, Export, to_json_object, to_srt, to_txt, to_vtt
from app.core.timeline import Gap
from model_backends.base import Word
from tests.core.words import letters, sessions, spoken


@given(sessions(lanes=("me", "them")))
def test_srt_is_read_back_as_it_was_meant(words: list[Word]) -> None:
    found = cues(words)
    read = pysubs2.SSAFile.from_string(to_srt(found), format_="srt") if found else []
    assert [(line.start, line.end, line.plaintext) for line in read] == [
        (cue.start_ms, cue.end_ms, cue.text) for cue in found
    ]


def test_srt_to_the_letter() -> None:
    two = [Cue(500, 1500, "One\ntwo", "me"), Cue(3_661_007, 3_662_000, "a --> b", "me")]
    assert to_srt(two) == (
        "1\n00:00:00,500 --> 00:00:01,500\nOne\ntwo\n\n2\n01:01:01,007 --> 01:01:02,000\na -> b\n"
    )
    assert to_srt([]) == ""


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("<i>hello</i>", "‹i›hello‹/i›"), ("{\\an8}top", "(\\an8)top"), ("a < b > c", "a ‹ b › c"),
        ("a < b", "a < b"),
        ("x <b", "x ‹b"), ("1<2", "1<2"), ("I <3 it", "I <3 it"), ("a --> b", "a -> b"),
        ("<<i>>", "‹‹i›>"),
        ('<font color="red">', '‹font color="red"›'), ("<i\n>x", "‹i\n›x"), ("{y:i}", "(y:i)"),
    ],
)  # fmt: skip
def test_srt_says_what_was_said_and_gives_players_no_orders(said: str, written: str) -> None:
    text = to_srt([Cue(0, 900, said, "me")])
    assert text == f"1\n00:00:00,000 --> 00:00:00,900\n{written}\n"
    (line,) = pysubs2.SSAFile.from_string(text, format_="srt")
    assert "\\" not in line.text.replace("\\N", "").replace("(\\an8)", "")  # no tag was understood


def test_vtt_escapes_what_would_be_markup() -> None:
    text = to_vtt([Cue(500, 1500, 'x < y & "z" --> w', "me")])
    assert text == 'WEBVTT\n\n00:00:00.500 --> 00:00:01.500\nx &lt; y &amp; "z" --&gt; w\n'


@given(sessions())
def test_vtt_holds_every_cue_of_the_srt(words: list[Word]) -> None:
    found = cues(words)
    blocks = to_vtt(found).split("\n\n")
    assert blocks[0].strip() == "WEBVTT"
    assert len(blocks) - 1 == len(found)


def test_txt_has_paragraphs_at_pauses_and_marks_gaps() -> None:
    words = [*spoken(" First thing."), *spoken(" Second thing.", 5000), *spoken(" Third.", 70_000)]
    gaps = [Gap("me", 6500, 69_000, "paused")]
    assert to_txt(words, gaps) == (
        "First thing.\n\nSecond thing.\n\n[00:00:06 – 00:01:09 paused]\n\nThird.\n"
    )


def test_gaps_are_told_in_the_readers_language_and_to_programs_in_english() -> None:
    words = [*spoken(" First."), *spoken(" Second.", 70_000, lane="them")]
    gaps = [Gap("me", 6500, 69_000, "paused")]
    export = Export(words, gaps, say=lambda text: {"paused": "angehalten"}[text])
    assert "[00:00:06 – 00:01:09 angehalten]" in FORMATS["txt"].write(export)
    assert "*00:00:06 – 00:01:09 angehalten*" in FORMATS["md"].write(export)
    assert "[00:00:06 – 00:01:09 paused]" in json.loads(FORMATS["json"].write(export))["text"]


def test_txt_names_two_speakers() -> None:
    words = [*spoken(" How are you?", lane="me"), *spoken(" Fine.", 1200, lane="them")]
    assert to_txt(words) == "You: How are you?\n\nOthers: Fine.\n"


def test_a_long_monologue_is_cut_at_a_sentence_with_a_breath() -> None:
    sentence = " It went on and on and nobody could tell when it would ever come to its end."
    words = spoken(sentence * 20, pause_ms=700)
    paragraphs = to_txt(words).strip().split("\n\n")
    assert len(paragraphs) > 1
    assert all(paragraph.endswith(".") for paragraph in paragraphs)


@given(sessions())
def test_txt_loses_nothing(words: list[Word]) -> None:
    assert letters(to_txt(words)) == letters("".join(word.text for word in words))


@given(sessions())
def test_json_text_is_its_words(words: list[Word]) -> None:
    export = Export(words, (), 9, None, "a.wav", "embedded", "base", 1000)
    found = to_json_object(export)
    assert list(found) == [
        "file", "duration_ms", "engine", "model", "delay_ms", "language", "text", "words",
    ]  # fmt: skip
    assert "".join(word["text"] for word in found["words"]).strip() == found["text"]
    assert [(w["start_ms"], w["end_ms"]) for w in found["words"]] == [
        (word.start_ms, word.end_ms) for word in words
    ]
    assert json.loads(json.dumps(found)) == found


def test_each_format_writes_its_own_kind_of_file() -> None:
    export = Export(spoken(" Hello there."), (), 900, "en")
    assert list(FORMATS) == ["srt", "vtt", "txt", "md", "json"]
    assert all(each.suffix == f".{name}" and each.label for name, each in FORMATS.items())
    texts = {name: each.write(export) for name, each in FORMATS.items()}
    assert texts["srt"].startswith("1\n00:00:00,000 --> ")
    assert texts["vtt"].startswith("WEBVTT\n\n")
    assert texts["txt"] == "Hello there.\n"
    assert json.loads(texts["json"])["text"] == "Hello there."
    assert json.loads(texts["json"])["file"] is None


def test_what_cannot_be_seen_makes_no_cue_and_no_paragraph() -> None:
    for nothing in ("  ", "\u200b", "\x1b", "\xa0\n"):
        unseen = Word("me", 0, 0, nothing, 9000, 9100)
        words = [*spoken(" Hello."), unseen]
        assert [cue.text for cue in cues(words)] == ["Hello."]
        assert to_txt(words) == "Hello.\n"
        assert cues([unseen]) == []


def test_a_transcript_as_text_gives_a_terminal_no_orders() -> None:
    assert to_txt(spoken(" a\x1b]0;title\x07 b\x9b2J")) == "a]0;title b2J\n"


# --- two voices --------------------------------------------------------------------------------

TALK = [
    *spoken(" How are you?", lane="them"),
    *spoken(" Fine, <thanks> & you?", 1_200, lane="me"),
    *spoken(" Good.", 4_000, lane="them"),
]
NAMES = {"me": "Ada & Co", "them": "Zoë"}


def test_vtt_gives_each_cue_its_voice() -> None:
    text = FORMATS["vtt"].write(Export(TALK, names=NAMES))
    assert "\n<v Zoë>How are you?\n" in text and "\n<v Ada &amp; Co>Fine, " in text
    assert FORMATS["vtt"].write(Export(TALK[:3])).count("<v") == 0, "one voice needs no name"


def test_srt_names_who_speaks_unless_that_is_not_wished() -> None:
    named = FORMATS["srt"].write(Export(TALK, names=NAMES))
    assert "Zoë: How are you?" in named and "Ada & Co: Fine" in named
    plain = FORMATS["srt"].write(Export(TALK, names=NAMES, name_in_srt=False))
    assert "Zoë" not in plain and "\nHow are you?\n" in plain


def test_txt_says_who_spoke_in_the_order_of_time() -> None:
    text = FORMATS["txt"].write(Export(TALK, names=NAMES))
    assert [line[:4] for line in text.split("\n\n")] == ["Zoë:", "Ada ", "Zoë:"]


def test_json_gives_each_word_its_lane() -> None:
    found = to_json_object(Export(TALK, names=NAMES))
    assert [word["lane"] for word in found["words"]] == [word.lane for word in TALK]
    assert found["names"] == {"them": "Zoë", "me": "Ada & Co"}
    assert found["text"].startswith("Zoë: How are you?")
    assert "lane" not in to_json_object(Export(TALK[:3]))["words"][0]


@given(sessions(lanes=("me", "them")))
def test_no_cue_mixes_two_voices(words: list[Word]) -> None:
    for lane in ("me", "them"):
        own = [cue.text for cue in cues(words, labels=False) if cue.lane == lane]
        assert letters("".join(own)) == letters("".join(w.text for w in words if w.lane == lane))


def test_markdown_has_times_names_and_gaps_and_nothing_said_is_taken_for_a_mark() -> None:
    said = [
        Word("me", 0, 0, " Use", 61_000, 61_300, "en"),
        Word("me", 0, 0, " *p #1", 61_400, 61_900, "en"),
        Word("them", 0, 0, " No_way.", 70_000, 70_500, "en"),
    ]
    export = Export(said, [Gap("me", 64_000, 66_000, "paused")], names={"me": "You", "them": "A*"})
    assert FORMATS["md"].write(export) == (
        "**00:01:01 · You** Use \\*p \\#1\n\n"
        "*00:01:04 – 00:01:06 paused*\n\n"
        "**00:01:10 · A\\*** No\\_way.\n"
    )
    assert FORMATS["md"].write(Export(said[:1])) == "**00:01:01** Use\n"
    assert to_txt(said[:1], times=True) == "00:01:01  Use\n"
