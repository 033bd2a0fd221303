"""Cues and words in, files' text out; SubRip is read back by an independent reader."""

from __future__ import annotations

import json

import pysubs2
from hypothesis import given

from app.core.cues import Cue, cues
from app.core.export import to_json_object, to_srt, to_txt, to_vtt
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


def test_txt_names_two_speakers() -> None:
    words = [*spoken(" How are you?", lane="me"), *spoken(" Fine.", 1200, lane="them")]
    assert to_txt(words) == "Me: How are you?\n\nThem: Fine.\n"


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
    found = to_json_object(
        file="a.wav", duration_ms=9, engine="embedded", model="base", delay_ms=1000,
        language=None, words=words,
    )  # fmt: skip
    assert list(found) == [
        "file", "duration_ms", "engine", "model", "delay_ms", "language", "text", "words",
    ]  # fmt: skip
    assert "".join(word["text"] for word in found["words"]).strip() == found["text"]
    assert [(w["start_ms"], w["end_ms"]) for w in found["words"]] == [
        (word.start_ms, word.end_ms) for word in words
    ]
    assert json.loads(json.dumps(found)) == found
