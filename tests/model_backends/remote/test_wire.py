"""The promises of a vLLM server, and of the engine with one: the same list for the stand-in that
every other test relies on, and for a genuine server (`-m real_vllm`)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from app.audio.files import int16_bytes, open_sound
from app.measure.stand_in_model import SENTENCE
from model_backends.base import EngineError, Pcm, Progress, StreamOptions, Word
from model_backends.remote import probe, wire
from model_backends.remote.addresses import read
from model_backends.remote.engine import RemoteEngine
from tests.model_backends.remote.conftest import KEY, Load, Running

FRAME = 512
BLOCK = 1280


@pytest.fixture(scope="module")
def speech() -> Pcm:
    from app import paths

    with open_sound(paths.resource("sample/jfk.flac")) as sound:
        return np.concatenate(list(sound.blocks())).astype(np.float32)


def caption(engine: RemoteEngine, lanes: dict[str, Pcm], utterance: int = 0) -> list[Any]:
    """All events of one utterance a lane, pushed as fast as it goes."""
    streams = {lane: engine.open(StreamOptions(lane, utterance, (480,), 0)) for lane in lanes}
    events: list[Any] = []
    for at in range(0, max(map(len, lanes.values())), FRAME):
        for lane, pcm in lanes.items():
            if len(pcm[at : at + FRAME]):
                streams[lane].push(pcm[at : at + FRAME], 0.9)
        events += engine.advance()
    for stream in streams.values():
        stream.finish()
    while not all(stream.done for stream in streams.values()):
        events += engine.advance()
    return events + engine.advance()


def text_of(events: list[Any], lane: str = "me") -> str:
    return "".join(each.text for each in events if isinstance(each, Word) and each.lane == lane)


def is_the_sentence(text: str) -> bool:
    """Whether it is that sentence again and again, the last time perhaps not to its end."""
    return bool(text) and (SENTENCE * (len(text) // len(SENTENCE) + 1)).startswith(text)


# --- the engine ------------------------------------------------------------------------------


def test_what_is_said_becomes_words(server: Running, load: Load, speech: Pcm) -> None:
    engine = load(server.url)
    assert engine.model == "voxtral-tiny"
    assert engine.device == read(server.url).host
    events = caption(engine, {"me": speech})
    assert is_the_sentence(text_of(events))
    words = [each for each in events if isinstance(each, Word)]
    assert [w.start_ms for w in words] == sorted(w.start_ms for w in words)
    last = [each for each in events if isinstance(each, Progress)][-1]
    assert last.settled_ms == last.heard_ms == len(speech) // 16


def test_silence_says_nothing(server: Running, load: Load) -> None:
    assert text_of(caption(load(server.url), {"me": np.zeros(16_000 * 3, np.float32)})) == ""


def test_utterances_follow_one_another(server: Running, load: Load, speech: Pcm) -> None:
    engine = load(server.url)
    texts = [text_of(caption(engine, {"me": speech[: 16_000 * 4]}, n)) for n in range(3)]
    assert is_the_sentence(texts[0])
    assert texts == [texts[0]] * 3, "nothing of one is left over for the next"


def test_two_voices_have_a_stream_each(server: Running, load: Load, speech: Pcm) -> None:
    quiet = np.zeros(16_000 * 4, np.float32)
    events = caption(load(server.url), {"me": quiet, "them": speech[: 16_000 * 4]})
    assert text_of(events, "me") == ""
    assert is_the_sentence(text_of(events, "them"))


def test_more_is_heard_than_the_model_is_long(server: Running, load: Load, speech: Pcm) -> None:
    """Rotation: 55 s at one stretch, of which the model takes 38."""
    long = np.concatenate([speech] * 5)
    assert len(long) / 1280 > server.length
    events = caption(load(server.url), {"me": long})
    words = text_of(events).split()
    assert len(words) > 5 * 9
    assert set(words) <= set(SENTENCE.split())
    assert [each for each in events if isinstance(each, Progress)][-1].settled_ms == len(long) // 16


@pytest.mark.parametrize(("key", "says"), [("wrong", "refused the key"), ("", "wants a key")])
def test_a_key_that_is_wrong_is_told(server: Running, load: Load, key: str, says: str) -> None:
    with pytest.raises(EngineError, match=says) as refusal:
        load(server.url, key=key)
    assert "voxline key set" in refusal.value.hint


def test_a_model_that_is_not_there_is_told(server: Running, load: Load) -> None:
    with pytest.raises(EngineError, match="cannot caption") as refusal:
        load(server.url, model="voxtral-huge")
    assert "voxtral-huge" in refusal.value.message


def test_a_server_tells_what_it_serves(server: Running) -> None:
    found = probe.ask(read(server.url), wire.Credentials(KEY, None), None)
    assert found.models == ("voxtral-tiny",)
    assert found.capacity_steps == server.length - 32
    assert found.busy is not None


# --- the protocol, rule by rule --------------------------------------------------------------


class Raw:
    """A client without manners."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    def send(self, kind: str, **fields: Any) -> None:
        self._connection.send(json.dumps({"type": kind, **fields}))

    def audio(self, pcm: Pcm) -> None:
        for at in range(0, len(pcm), BLOCK):
            data = base64.b64encode(int16_bytes(pcm[at : at + BLOCK])).decode()
            self.send("input_audio_buffer.append", audio=data)

    def commit(self, final: bool) -> None:
        self.send("input_audio_buffer.commit", final=final)

    def binary(self, data: bytes) -> None:
        self._connection.send(data)

    def next(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self._connection.recv(timeout=60))
        return event

    def until(self, kind: str) -> list[dict[str, Any]]:
        events = [self.next()]
        while events[-1]["type"] != kind:
            events.append(self.next())
        return events


@pytest.fixture
def raw(server: Running) -> Iterator[Raw]:
    headers = {"Authorization": f"Bearer {KEY}"}
    with connect(f"{server.url}/v1/realtime", additional_headers=headers) as connection:
        yield Raw(connection)


@pytest.fixture
def ready(raw: Raw) -> Raw:
    assert raw.next()["type"] == "session.created"
    raw.send("session.update", model="voxtral-tiny")
    return raw


def test_the_first_frame_has_no_session(raw: Raw) -> None:
    event = raw.next()
    assert event["type"] == "session.created"
    assert {"id", "created"} <= event.keys()
    assert "session" not in event and "event_id" not in event


def test_an_answer_comes_for_every_step(ready: Raw, speech: Pcm) -> None:
    ready.commit(False)
    ready.audio(speech[: BLOCK * 40])
    ready.commit(True)
    events = ready.until("transcription.done")
    deltas, done = events[:-1], events[-1]
    assert len(deltas) >= 40 - 6
    assert done["text"] == "".join(each["delta"] for each in deltas)
    assert done["usage"]["prompt_tokens"] == 39


def test_a_stray_end_loses_the_next_utterance(ready: Raw, speech: Pcm) -> None:
    """Rule 1."""
    ready.commit(True)
    ready.commit(False)
    ready.audio(speech[: BLOCK * 30])
    assert ready.until("transcription.done")[-1]["text"] == ""


def test_sound_after_the_end_is_dropped(ready: Raw, speech: Pcm) -> None:
    """Rule 2."""
    ready.commit(False)
    ready.audio(speech[: BLOCK * 20])
    ready.commit(True)
    ready.audio(speech[BLOCK * 20 : BLOCK * 60])
    ready.until("transcription.done")
    ready.commit(False)
    ready.commit(True)
    assert ready.until("transcription.done")[-1]["text"] == ""


def test_a_full_model_ends_by_itself(ready: Raw, server: Running, speech: Pcm) -> None:
    """Rule 3: `done` without our end."""
    ready.commit(False)
    ready.audio(np.concatenate([speech] * 5)[: BLOCK * (server.length + 20)])
    done = ready.until("transcription.done")[-1]
    assert server.length - 20 <= done["usage"]["total_tokens"] <= server.length + 1


@pytest.mark.parametrize(
    ("kind", "fields", "code"),
    [
        ("session.update", {"model": "none"}, "model_not_found"),
        ("session.update", {}, "invalid_event"),
        ("input_audio_buffer.commit", {"final": False}, "model_not_validated"),
        ("input_audio_buffer.append", {"audio": ""}, "invalid_audio"),
        ("input_audio_buffer.append", {"audio": "QUJD"}, "invalid_audio"),  # one byte and a half
        ("session.sing", {}, "unknown_event"),
    ],
)
def test_what_is_wrong_is_answered(raw: Raw, kind: str, fields: Any, code: str) -> None:
    raw.next()
    raw.send(kind, **fields)
    answer = raw.next()
    assert answer["type"] == "error"
    assert answer["code"] == code
    assert isinstance(answer["error"], str)


def test_a_wrong_key_is_an_http_answer(server: Running) -> None:
    with pytest.raises(InvalidStatus) as refusal, connect(f"{server.url}/v1/realtime"):
        pass
    assert refusal.value.response.status_code == 401


def test_a_binary_frame_ends_the_connection(raw: Raw) -> None:
    raw.next()
    raw.binary(b"\0" * 2560)
    with pytest.raises(ConnectionClosed):
        raw.next()
