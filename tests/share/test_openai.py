"""The OpenAI dialect, as playbooks."""

from __future__ import annotations

from typing import Any

import pytest

from app.share.realtime.speaker import BETWEEN_TURNS_MS, Flush, Serving, Spoken
from model_backends.scripted import INFO
from tests.share.playbook import Play, kinds, progress, speech, word

PREFIX = "conversation.item.input_audio_transcription"


def update(**fields: Any) -> dict[str, Any]:
    session = {"type": "transcription", "audio": {"input": fields}}
    return {"type": "session.update", "session": session}


RATE_16 = {"type": "audio/pcm", "rate": 16_000}
COMMIT = {"type": "input_audio_buffer.commit"}
BY_HAND = update(format=RATE_16, turn_detection=None)


def error_of(said: list[dict[str, Any]]) -> dict[str, Any]:
    assert said[-1]["type"] == "error"
    told: dict[str, Any] = said[-1]["error"]
    return told


def test_every_event_has_an_id_of_its_own() -> None:
    play = Play(BY_HAND)
    play.sound(1)
    play.client(COMMIT)
    play.engine(word(" one", 100), progress(1000))
    ids = [event["event_id"] for event in play.said]
    assert len(set(ids)) == len(ids) == 5


def test_an_update_is_acknowledged_with_what_holds() -> None:
    play = Play(update(format=RATE_16, transcription={"model": "whisper-1"}, turn_detection=None))
    session = play.said[-1]["session"]
    assert play.said[-1]["type"] == "session.updated"
    assert session["audio"]["input"]["format"]["rate"] == 16_000
    assert session["audio"]["input"]["transcription"]["model"] == "scripted/hello"
    assert session["audio"]["input"]["turn_detection"] is None


def test_a_committed_turn_is_told_word_by_word_and_completed_when_all_is_out() -> None:
    play = Play(BY_HAND)
    play.sound(2)
    assert play.engine(progress(1500)) == []
    answers = play.client(COMMIT)
    assert Flush() in answers
    committed = play.said[-1]
    assert committed["type"] == "input_audio_buffer.committed"
    said = play.engine(word(" one", 100), word(" two", 400), progress(1900))
    assert [event["delta"] for event in said] == ["one", " two"]
    done = play.engine(word(".", 1900), progress(1999))
    assert done[-1]["type"] == f"{PREFIX}.completed"
    assert done[-1]["transcript"] == "one two."
    assert {event["item_id"] for event in [*said, *done]} == {committed["item_id"]}


def test_two_utterances_of_a_turn_get_the_space_that_neither_brings() -> None:
    play = Play(BY_HAND)
    play.sound(4)
    said = play.engine(word("one", 100), word("two", 2100, utterance=1), word(".", 2300, 1))
    assert "".join(event["delta"] for event in said) == "one two."


def test_turns_in_flight_do_not_mix() -> None:
    """The second is spoken before the words of the first are out."""
    play = Play(BY_HAND)
    play.sound(1)
    play.client(COMMIT)
    play.sound(1)
    play.client(COMMIT)
    begun_ms = play.heard[1].start_ms
    assert begun_ms == 1000 + BETWEEN_TURNS_MS
    first, second = (e for e in play.said if e["type"] == "input_audio_buffer.committed")
    assert second["previous_item_id"] == first["item_id"]
    said = play.engine(word(" a", 900), word(" b", begun_ms, 1), progress(begun_ms + 1000))
    by_item = [(event["item_id"], event.get("delta") or event["transcript"]) for event in said]
    assert by_item == [
        (first["item_id"], "a"),
        (second["item_id"], "b"),
        (first["item_id"], "a"),
        (second["item_id"], "b"),
    ]


def test_the_gate_finds_turns() -> None:
    play = Play(update(format=RATE_16))
    play.sound(3)
    begun = play.engine(speech(True, 500))
    assert kinds(begun) == ["input_audio_buffer.speech_started"]
    words = play.engine(word(" hello", 200))
    ended = play.engine(speech(False, 2600))
    assert kinds(ended) == ["input_audio_buffer.speech_stopped", "input_audio_buffer.committed"]
    assert play.engine(progress(2000)) == []
    done = play.engine(progress(2100))
    assert done[0]["transcript"] == "hello"
    assert {begun[0]["item_id"], words[0]["item_id"], done[0]["item_id"]} == {ended[1]["item_id"]}


def test_a_worker_that_hears_old_sound_again_begins_no_turn() -> None:
    play = Play(update(format=RATE_16))
    play.sound(8)
    play.engine(speech(True, 500), word(" one", 400), speech(False, 3000), progress(2900))
    assert play.engine(speech(True, 520), speech(False, 2990)) == []
    again = play.engine(speech(True, 4000))
    assert kinds(again) == ["input_audio_buffer.speech_started"]


def test_a_commit_ends_what_the_gate_has_opened_once() -> None:
    play = Play(update(format=RATE_16))
    play.sound(2)
    play.engine(speech(True, 500))
    play.client(COMMIT)
    assert play.engine(speech(False, 1990)) == []
    assert kinds(play.engine(progress(2000))) == [f"{PREFIX}.completed"]


def test_what_is_cleared_is_not_told() -> None:
    play = Play(BY_HAND)
    play.sound(1)
    play.client({"type": "input_audio_buffer.clear"})
    assert play.said[-1]["type"] == "input_audio_buffer.cleared"
    assert play.engine(word(" unwanted", 300), progress(1000)) == []
    play.sound(1)
    play.client(COMMIT)
    start_ms = play.heard[-1].start_ms
    assert [e["delta"] for e in play.engine(word(" wanted", start_ms + 10))] == ["wanted"]


def test_too_little_sound_cannot_be_committed() -> None:
    play = Play(BY_HAND)
    play.sound(0.05)
    play.client(COMMIT)
    assert error_of(play.said)["code"] == "input_audio_buffer_commit_empty"


def test_sound_at_24_khz_becomes_16_khz_and_loses_nothing() -> None:
    play = Play(update(turn_detection=None))
    for _ in range(25):
        play.sound(0.08, rate=24_000)
    play.client(COMMIT)
    samples = sum(len(heard.pcm) // 2 for heard in play.heard)
    assert samples == 2 * 16_000
    assert [heard.index for heard in play.heard[1:]] == [
        heard.index + len(heard.pcm) // 2 for heard in play.heard[:-1]
    ]


def test_a_language_is_passed_on_before_the_first_sound_alone() -> None:
    play = Play(update(format=RATE_16, transcription={"language": "EN-us"}))
    assert Spoken("en") in play.answers
    play.sound(1)
    play.client(update(transcription={"language": "de"}))
    assert error_of(play.said)["param"] == "session.audio.input.transcription.language"


def test_an_engine_that_finds_the_language_is_not_told_one() -> None:
    """It is no error: most clients name one. The acknowledgement says what holds."""
    play = Play(serving=Serving(INFO, "scripted/hello"))
    play.client(update(transcription={"language": "en"}))
    assert play.said[-1]["session"]["audio"]["input"]["transcription"]["language"] is None


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ("{", "invalid_json"),
        ("[" * 100_000, "invalid_json"),
        ('"text"', "invalid_event"),
        ('{"type": "\\ud83d"}', "invalid_json"),
        ('{"type": "session.update", "event_id": "\\ud83d"}', "invalid_json"),
        ({"type": "response.create"}, "unknown_event"),
        ({"type": ["list"]}, "unknown_event"),
        ({}, "unknown_event"),
        ({"type": "input_audio_buffer.append"}, "invalid_value"),
        ({"type": "input_audio_buffer.append", "audio": "no base64!"}, "invalid_audio"),
        ({"type": "session.update"}, "invalid_value"),
        ({"type": "session.update", "session": {"type": "realtime"}}, "invalid_value"),
        (update(format={"type": "audio/pcmu"}), "invalid_value"),
        (update(format={"type": "audio/pcm", "rate": 44_100}), "invalid_value"),
        (update(format={"type": "audio/pcm", "rate": True}), "invalid_value"),
        (update(turn_detection={"type": "semantic_vad"}), "invalid_value"),
        (update(transcription={"language": "tlh"}), "invalid_value"),
        ({"type": "session.update", "session": {"audio": []}}, "invalid_value"),
    ],
)
def test_what_makes_no_sense_is_told_and_changes_nothing(event: object, code: str) -> None:
    play = Play(BY_HAND)
    before = play.said[-1]["session"]
    play.client(event)
    assert error_of(play.said)["code"] == code
    play.client({"type": "session.update", "session": {}})
    assert play.said[-1]["session"] == before
    assert not play.hangups


def test_an_error_names_the_event_it_is_about() -> None:
    play = Play({"type": "nonsense", "event_id": "mine"})
    assert error_of(play.said)["event_id"] == "mine"


def test_whoever_sends_nothing_but_nonsense_is_let_go() -> None:
    play = Play()
    for _ in range(100):
        assert not play.hangups
        play.client("{")
    assert [hangup.code for hangup in play.hangups] == [1008]


def test_the_end_of_the_server_ends_what_is_being_said() -> None:
    play = Play(update(format=RATE_16))
    play.sound(1)
    answers = play.conversation.end()
    assert Flush() in answers
    assert play.waits()
    play.engine(word(" last", 500), progress(1000))
    assert not play.waits()
    assert play.said[-1]["transcript"] == "last"
