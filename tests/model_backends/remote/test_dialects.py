"""Each dialect as a playbook: what comes in, what it means, what goes out; and what is refused."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from model_backends.remote.dialects.base import (
    Dialect,
    Ended,
    MisuseError,
    Ready,
    Said,
    Text,
    Trouble,
    Wishes,
)
from model_backends.remote.dialects.mistral import Mistral
from model_backends.remote.dialects.openai import Openai
from model_backends.remote.dialects.vllm import Vllm

BLOCK = bytes(2560)
CREATED: dict[str, dict[str, Any]] = {
    "vllm": {"type": "session.created", "id": "sess-1", "created": 1},
    "mistral": {"type": "session.created", "session": {"audio_format": {}}},
    "openai": {"type": "session.created", "event_id": "e1", "session": {}},
}
MAKE: dict[str, Any] = {"vllm": Vllm, "mistral": Mistral, "openai": Openai}


def hear(dialect: Dialect, **event: Any) -> tuple[list[Said], list[dict[str, Any]]]:
    said, frames = dialect.receive(json.dumps(event))
    return said, [json.loads(frame) for frame in frames]


def sent(frames: list[str]) -> list[str]:
    return [json.loads(frame)["type"] for frame in frames]


def ready(name: str, **wishes: Any) -> Dialect:
    dialect: Dialect = MAKE[name](Wishes("m", **wishes))
    assert dialect.opened() == []
    hear(dialect, **CREATED[name])
    if name != "vllm":
        assert not dialect.ready
        hear(dialect, type="session.updated", session={})
    assert dialect.ready
    return dialect


# --- all of them -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("verb", ["append", "end"])
def test_out_of_order_is_refused_before_it_is_sent(name: str, verb: str) -> None:
    """Rules 1 and 2: a server would lose sound without a word."""
    dialect = ready(name)
    call = {"append": lambda: dialect.append(BLOCK), "end": dialect.end}[verb]
    with pytest.raises(MisuseError):
        call()
    dialect.begin()
    dialect.end()
    with pytest.raises(MisuseError):
        call()
    with pytest.raises(MisuseError):
        dialect.begin()


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("theirs", CREATED)
def test_a_server_of_another_dialect_is_recognised(name: str, theirs: str) -> None:
    dialect: Dialect = MAKE[name](Wishes("m"))
    said, _ = hear(dialect, **CREATED[theirs])
    if theirs == name:
        assert not any(isinstance(each, Trouble) for each in said)
    else:
        (trouble,) = said
        assert isinstance(trouble, Trouble) and trouble.kind == "fatal"
        assert f"--dialect {theirs}" in trouble.message


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize(
    "frame",
    ["", "[]", "7", "{", "null", '{"type": 3}', '{"type": "new.event", "x": {}}', "[" * 100_000,
     '{"type": "error"}'],
)  # fmt: skip
def test_what_is_unknown_is_borne(name: str, frame: str) -> None:
    dialect = ready(name)
    dialect.receive(frame)


# --- vLLM ------------------------------------------------------------------------------------


def test_vllm_from_the_first_frame_to_the_last() -> None:
    dialect = Vllm(Wishes("voxtral"))
    said, frames = hear(dialect, **CREATED["vllm"])
    assert said == [Ready()]
    assert frames == [{"type": "session.update", "model": "voxtral"}]
    assert [json.loads(f) for f in dialect.begin()] == [
        {"type": "input_audio_buffer.commit", "final": False}
    ]
    (append,) = [json.loads(frame) for frame in dialect.append(BLOCK)]
    assert base64.b64decode(append["audio"]) == BLOCK
    assert hear(dialect, type="transcription.delta", delta="")[0] == [Text("")]
    assert hear(dialect, type="transcription.delta", delta=" The")[0] == [Text(" The")]
    assert [json.loads(f) for f in dialect.end()] == [
        {"type": "input_audio_buffer.commit", "final": True}
    ]
    usage = {"prompt_tokens": 39, "completion_tokens": 2}
    said, _ = hear(dialect, type="transcription.done", text=" The fox", usage=usage)
    assert said == [Ended(" fox", True, 480)]
    assert dialect.ready


def test_vllm_may_end_by_itself() -> None:
    """Rule 3."""
    dialect = ready("vllm")
    dialect.begin()
    assert hear(dialect, type="transcription.done", text="")[0] == [Ended("", asked=False)]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("model_not_found", "fatal"),
        ("model_not_validated", "fatal"),
        ("invalid_event", "fatal"),
        ("processing_error", "lost"),
        ("invalid_audio", "lost"),
        ("buffer_full", "lost"),
        ("some_new_code", "lost"),
        ("unknown_event", None),
    ],
)
def test_vllms_errors(code: str, kind: str | None) -> None:
    """Rules 7 and 8."""
    dialect = ready("vllm")
    dialect.begin()
    said, _ = hear(dialect, type="error", error="words", code=code)
    assert said == ([Trouble(kind, "words")] if kind else [])


# --- Mistral ---------------------------------------------------------------------------------


def test_mistral_settings_are_sent_before_the_sound_and_never_after() -> None:
    dialect = Mistral(Wishes("m", 960, "de", ("Voxline",)))
    said, (update,) = hear(dialect, **CREATED["mistral"])
    assert said == []
    assert update["session"] == {
        "audio_format": {"encoding": "pcm_s16le", "sample_rate": 16000},
        "target_streaming_delay_ms": 960,
        "language": "de",
        "context_bias": ["Voxline"],
    }
    assert hear(dialect, type="session.updated", session={})[0] == [Ready()]
    assert dialect.begin() == []
    assert hear(dialect, type="session.updated", session={}) == ([], [])


def test_mistral_hears_one_utterance() -> None:
    dialect = ready("mistral")
    dialect.begin()
    assert len(dialect.append(bytes(600_000))) == 3, "262,144 bytes are the most"
    assert hear(dialect, type="transcription.text.delta", text="Hal")[0] == [Text("Hal")]
    assert sent(dialect.end()) == ["input_audio.end"]
    assert hear(dialect, type="transcription.done", text="Hallo")[0] == [Ended("lo")]
    assert dialect.once and not dialect.ready


@pytest.mark.parametrize(
    ("code", "message", "trouble"),
    [
        (401, "no", Trouble("fatal", "no")),
        (429, "slow", Trouble("full", "slow")),
        (500, {"detail": ["x"]}, Trouble("lost", '{"detail": ["x"]}')),
    ],
)
def test_mistrals_errors(code: int, message: Any, trouble: Trouble) -> None:
    dialect = ready("mistral")
    dialect.begin()
    said, _ = hear(dialect, type="error", error={"message": message, "code": code})
    assert said == [trouble]


# --- OpenAI ----------------------------------------------------------------------------------

ITEM = "conversation.item.input_audio_transcription."


def test_openai_settings() -> None:
    dialect = Openai(Wishes("m", None, "fr", ("Voxline", "Qt")))
    _, (update,) = hear(dialect, **CREATED["openai"])
    assert update["session"]["type"] == "transcription"
    assert update["session"]["audio"]["input"] == {
        "format": {"type": "audio/pcm", "rate": 24_000},
        "transcription": {"model": "m", "language": "fr", "prompt": "Voxline, Qt"},
        "turn_detection": None,
    }


def test_openai_is_sent_24_khz_to_the_last_sample() -> None:
    dialect = ready("openai")
    dialect.begin()
    frames = [frame for _ in range(25) for frame in dialect.append(BLOCK)] + dialect.end()
    audio = [json.loads(f) for f in frames if "append" in f]
    count = sum(len(base64.b64decode(each["audio"])) for each in audio)
    assert abs(count // 2 - 25 * 1280 * 3 // 2) <= 2
    assert sent(frames)[-1] == "input_audio_buffer.commit"


def test_openai_commit_ends_a_turn() -> None:
    dialect = ready("openai")
    assert dialect.begin() == []
    dialect.append(BLOCK)
    dialect.end()
    hear(dialect, type="input_audio_buffer.committed", item_id="a", previous_item_id=None)
    assert hear(dialect, type=ITEM + "delta", item_id="a", delta="Hel")[0] == [Text("Hel")]
    said, _ = hear(dialect, type=ITEM + "completed", item_id="a", transcript="Hello.")
    assert said == [Text("lo."), Ended()]
    assert dialect.ready


def test_openai_items_come_in_their_own_order() -> None:
    dialect = ready("openai")
    dialect.begin()
    dialect.end()
    hear(dialect, type="input_audio_buffer.committed", item_id="b", previous_item_id="a")
    hear(dialect, type="input_audio_buffer.committed", item_id="c", previous_item_id="b")
    assert hear(dialect, type=ITEM + "completed", item_id="c", transcript="two")[0] == []
    said, _ = hear(dialect, type=ITEM + "completed", item_id="b", transcript="one")
    assert said == [Text("one"), Text("two"), Ended()]


def test_openai_a_turn_without_sound_is_over() -> None:
    dialect = ready("openai")
    dialect.begin()
    dialect.end()
    error = {"code": "input_audio_buffer_commit_empty", "message": "empty"}
    assert hear(dialect, type="error", error=error)[0] == [Ended()]


@pytest.mark.parametrize(
    ("code", "kind"),
    [("invalid_api_key", "fatal"), ("rate_limit_exceeded", "full"), ("session_expired", "lost")],
)
def test_openais_errors(code: str, kind: str) -> None:
    dialect = ready("openai")
    dialect.begin()
    said, _ = hear(dialect, type="error", error={"code": code, "message": "words"})
    assert said == [Trouble(kind, "words")]


def test_openai_a_failed_item_is_lost() -> None:
    dialect = ready("openai")
    dialect.begin()
    said, _ = hear(dialect, type=ITEM + "failed", item_id="a", error={"message": "words"})
    assert said == [Trouble("lost", "words")]
