"""vLLM's dialect, as playbooks."""

from __future__ import annotations

import pytest

from app.share.realtime.speaker import Flush, Spoken
from tests.share.playbook import Play, kinds, progress, word

UPDATE = {"type": "session.update", "model": "voxtral"}
START = {"type": "input_audio_buffer.commit"}
FINAL = {"type": "input_audio_buffer.commit", "final": True}


def test_its_client_finds_what_it_waits_for_in_the_greeting() -> None:
    created = Play().said[0]
    assert created["type"] == "session.created"
    assert created["id"]


def test_a_client_that_begins_at_once_is_known() -> None:
    """As the example of vLLM's first versions did."""
    play = Play(START)
    play.sound(1)
    play.client(FINAL)
    said = play.engine(word(" one", 100), progress(1000))
    assert kinds(said) == ["transcription.delta", "transcription.done"]


def test_a_language_is_passed_on_before_the_first_sound_alone() -> None:
    play = Play(UPDATE | {"language": "EN-us"}, START)
    assert Spoken("en") in play.answers
    play.sound(1)
    play.client(UPDATE | {"language": "en"})
    assert play.said[-1]["type"] == "session.updated"
    play.client(UPDATE | {"language": "de"})
    assert play.said[-1]["code"] == "invalid_value"
    play = Play(UPDATE | {"language": "tlh"})
    assert play.said[-1]["code"] == "invalid_value"


def test_deltas_put_together_are_what_is_done() -> None:
    play = Play(UPDATE, START)
    assert kinds(play.said) == ["session.created", "session.updated"]
    play.sound(2)
    said = play.engine(word(" one", 100), word(" two", 500))
    assert Flush() in play.client(FINAL)
    said += play.engine(word("three", 1500, utterance=1), progress(2000))
    assert kinds(said) == ["transcription.delta"] * 3 + ["transcription.done"]
    assert said[-1]["text"] == "".join(event["delta"] for event in said[:-1]) == "one two three"


def test_silence_has_a_heart_beat_while_somebody_could_speak() -> None:
    play = Play(UPDATE, START)
    play.sound(2)
    beats = play.engine(*(progress(ms) for ms in range(0, 2000, 50)))
    assert {event["delta"] for event in beats} == {""}
    assert len(beats) == 8
    play.client(FINAL)
    play.engine(progress(2000))
    assert play.engine(progress(2500)) == []


def test_what_is_sent_between_final_and_done_is_the_next_utterance() -> None:
    play = Play(UPDATE, START)
    play.sound(1)
    play.client(FINAL)
    play.client(START)
    play.sound(1)
    play.client(FINAL)
    second_ms = play.heard[1].start_ms
    said = play.engine(word(" a", 100), word(" b", second_ms, 1), progress(second_ms + 1000))
    assert [event["text"] for event in said if "text" in event] == ["a", "b"]


def test_an_end_without_a_beginning_is_answered() -> None:
    play = Play(UPDATE)
    play.client(FINAL)
    assert (play.said[-1]["type"], play.said[-1]["text"]) == ("transcription.done", "")


def test_an_end_without_sound_waits_for_the_utterance_before() -> None:
    play = Play(UPDATE, START)
    play.sound(1)
    play.client(FINAL)
    play.client(FINAL)
    said = play.engine(word(" a", 100), progress(1000))
    assert [event["text"] for event in said if "text" in event] == ["a", ""]


@pytest.mark.parametrize(
    ("event", "code"),
    [("{", "invalid_json"), ({"type": "response.create"}, "unknown_event")],
)
def test_errors_have_their_shape(event: object, code: str) -> None:
    play = Play(UPDATE)
    play.client(event)
    assert play.said[-1]["code"] == code
    assert isinstance(play.said[-1]["error"], str)
