"""Servers that drip, flood, write nonsense or close for reasons of their own: nothing stops, and
nothing is said or kept that could not be printed."""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from app.measure.stand_in import StandIn
from app.measure.stand_in_model import Script
from app.measure.stand_in_talk import Plan
from model_backends.base import EngineError, StreamOptions
from model_backends.remote import probe, wire
from model_backends.remote.addresses import read
from model_backends.remote.connection import Received
from model_backends.remote.dialects.base import Dialect, Text, Trouble, read_json
from model_backends.remote.servers import Lost, Servers
from model_backends.remote.words import FlowWords
from tests.model_backends.remote.conftest import Load
from tests.model_backends.remote.test_dialects import MAKE, ready
from tests.model_backends.remote.test_engine import LINES, TEXT, Talking

HALF = "\\ud83d"  # of an emoji, as JSON has it
DELTA = {
    "vllm": {"type": "transcription.delta", "delta": "x"},
    "mistral": {"type": "transcription.text.delta", "text": "x"},
    "openai": {
        "type": "conversation.item.input_audio_transcription.delta",
        "item_id": "i",
        "delta": "x",
    },
}
EVENTS: dict[str, list[dict[str, Any]]] = {
    "vllm": [
        DELTA["vllm"],
        {"type": "transcription.done", "text": "x", "usage": {"prompt_tokens": 39}},
        {"type": "error", "error": "x", "code": "processing_error"},
        {"type": "session.created", "id": "x", "created": 1},
    ],
    "mistral": [
        DELTA["mistral"],
        {"type": "transcription.done", "text": "x", "language": "en", "segments": []},
        {"type": "transcription.language", "audio_language": "en"},
        {"type": "error", "error": {"message": "x", "code": 500}},
        {"type": "session.updated", "session": {}},
    ],
    "openai": [
        DELTA["openai"],
        {
            "type": "conversation.item.input_audio_transcription.completed",
            "item_id": "i",
            "transcript": "x",
        },
        {
            "type": "conversation.item.input_audio_transcription.failed",
            "item_id": "i",
            "error": {"message": "x"},
        },
        {"type": "input_audio_buffer.committed", "item_id": "i", "previous_item_id": None},
        {"type": "error", "error": {"type": "x", "code": "x", "message": "x"}},
    ],
}
ODD: list[Any] = [None, True, -1, 1e308, "", "\x00", [], [1], {}, {"a": []}, "y" * 3000]


@pytest.fixture
def dripping() -> Iterator[int]:
    """The port of a server that answers with a byte now and then, for ever."""
    over = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        with contextlib.suppress(OSError):
            caller, _ = listening.accept()
            with caller:
                caller.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                while not over.wait(0.02):
                    caller.sendall(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    yield listening.getsockname()[1]
    over.set()
    listening.close()
    thread.join()


def test_an_answer_that_drips_is_not_waited_for(
    dripping: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "PATIENCE_S", 0.3)
    address = read(f"ws://127.0.0.1:{dripping}")
    found = probe.ask(address, wire.Credentials(None, None), None)
    assert found.lost is not None
    assert found.lost.kind == "slow"


@pytest.mark.parametrize("told", ["nan", "inf", "-inf", "-5", "1e300", "soon", ""])
def test_whatever_a_full_server_says_it_is_tried_again(told: str) -> None:
    servers = Servers([read("ws://a:1")], random.Random(1))
    (server,) = servers.all
    servers.failed(server, wire.answered(503, {"Retry-After": told}), 100.0)
    assert servers.choose(100.0) is None
    assert servers.choose(140.0) is server


@pytest.mark.parametrize("code", [1000, 1008, 4001])
def test_words_go_on_however_a_connection_was_closed(load: Load, code: int) -> None:
    plan = Plan(after=40, fault="close", code=code)
    with StandIn(lambda: Script(LINES), plan=lambda n: Plan() if n else plan) as server:
        assert Talking(load(server.url)).say(8).finish().text == TEXT


class Flood:
    """A queue of news that is never empty; whoever does not stop is stopped."""

    def __init__(self, number: int) -> None:
        self._news = number, Received("{")
        self.left = 1_000_000

    def get_nowait(self) -> tuple[int, Received]:
        self.left -= 1
        assert self.left, "for ever"
        return self._news

    def get(self, timeout: float) -> tuple[int, Received]:
        return self.get_nowait()

    def put(self, news: object) -> None:
        """What the true server says drowns in it."""


def test_a_flood_does_not_keep_the_worker(load: Load) -> None:
    with StandIn() as server:
        engine = load(server.url)
        engine.open(StreamOptions("me", 0, (480,), 0))
        flood = Flood(next(iter(engine.links)))
        engine._news = flood  # type: ignore[assignment]
        engine.advance()
        assert flood.left < 1_000_000


@pytest.mark.parametrize("name", MAKE)
def test_half_of_a_character_is_replaced(name: str) -> None:
    dialect = ready(name)
    dialect.begin()
    frame = json.dumps(DELTA[name] | {"delta": "@", "text": "@"}).replace("@", f"a{HALF}b")
    ((text,), _) = dialect.receive(frame)
    assert isinstance(text, Text)
    assert text.text.encode() == "a\N{REPLACEMENT CHARACTER}b".encode()
    assert read_json('["\\ud83d\\ude00", "\\u00e4"]') == ["\N{GRINNING FACE}", "ä"]


def test_more_than_can_be_said_in_a_step_ends_the_connection() -> None:
    dialect = ready("vllm")
    dialect.begin()
    ((trouble,), _) = dialect.receive(json.dumps(DELTA["vllm"] | {"delta": "x" * 1_000_000}))
    assert isinstance(trouble, Trouble)
    assert trouble.kind == "lost"


@pytest.mark.parametrize("name", ["mistral", "openai"])
def test_more_than_can_be_said_in_an_utterance_ends_the_connection(name: str) -> None:
    dialect = ready(name)
    dialect.begin()
    frame = json.dumps(DELTA[name] | {"delta": "x" * 60_000, "text": "x" * 60_000})
    said = [each for _ in range(2) for each in dialect.receive(frame)[0]]
    assert isinstance(said[0], Text)
    assert isinstance(said[1], Trouble)
    assert said[1].kind == "lost"


@pytest.mark.parametrize("name", ["mistral", "openai"])
def test_an_end_with_more_than_can_be_said_ends_the_connection(name: str) -> None:
    dialect = _streaming(name, finishing=True)
    done = EVENTS[name][1] | {"text": "x" * 200_000, "transcript": "x" * 200_000}
    ((trouble,), _) = dialect.receive(json.dumps(done))
    assert isinstance(trouble, Trouble)


def test_text_without_a_space_does_not_keep_the_worker() -> None:
    """Looked at anew from each of its characters, so much would take minutes."""
    words = FlowWords()
    for _ in range(100):
        assert words.push("x" * 1000, 1000) == []
    assert words.push(" " * 100_000, 1000)[0].text == "x" * 100_000
    assert words.push("x", 1000) == []
    assert words.tail == " " * 100_000 + "x"
    marks = "。" * 100_000
    assert "".join(each.text for each in words.finish(marks, 1000)) == " " * 100_000 + "x" + marks


def test_languages_without_spaces_are_not_kept_until_the_end() -> None:
    """A character is done once another comes; marks stay with what they stand behind."""
    text = "今日は、いい天気「です」。AI技術も。"
    wanted = [*"今日", "は、", *"いい天気", "「で", "す」。", "AI", *"技術", "も。"]
    words = FlowWords()
    by_character = [each.text for at in range(len(text)) for each in words.push(text[at], 100 * at)]
    assert by_character == wanted[:-1]
    assert words.tail == wanted[-1]
    assert [each.text for each in words.finish("", 2000)] == wanted[-1:]
    at_once = FlowWords().push(text, 2000)
    assert [each.text for each in at_once] == wanted[:-1], "whatever the pieces in which it came"
    times = [time for each in at_once for time in (each.start_ms, each.end_ms)]
    assert times == sorted(times)


@pytest.mark.parametrize("length", [33, 40, 56])
def test_a_model_too_short_for_a_word_is_told(load: Load, length: int) -> None:
    with (
        StandIn(lambda: Script(LINES), max_model_len=length) as server,
        pytest.raises(EngineError, match="at a time") as told,
    ):
        load(server.url)
    assert read(server.url).host in told.value.message


def test_what_a_server_says_of_itself_is_shortened() -> None:
    told = wire.why_not(read("wss://a"), Lost("fatal", "no. " * 1_000_000), True)
    assert len(told.message) < 400


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("finishing", [False, True])
def test_fields_of_any_kind_are_borne(name: str, finishing: bool) -> None:
    """Every field of every event with every odd value, or left out."""
    for event in EVENTS[name]:
        for field, odd in itertools.product(event, [*ODD, "left out"]):
            dialect = _streaming(name, finishing)
            changed = {key: value for key, value in event.items() if key != field}
            if odd != "left out":
                changed[field] = odd
            said, _ = dialect.receive(json.dumps(changed))
            for each in said:
                str(each).encode()
                if isinstance(each, Trouble):
                    assert isinstance(each.message, str)


def _streaming(name: str, finishing: bool) -> Dialect:
    dialect = ready(name)
    dialect.begin()
    if finishing:
        dialect.end()
    return dialect
