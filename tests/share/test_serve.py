"""`voxline serve`, the real process: clients, several at once, a killed worker, the end."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.sync.client import connect

from app.audio.files import int16_bytes, open_sound
from app.measure.evaluation import normalizer, word_errors
from tests.share.served import (
    COMMIT,
    PREFIX,
    RATE_16,
    Client,
    NotServedError,
    Served,
    counting_script,
    numbers,
    served,
    speech,
    unbroken,
)

SPEECH = speech(6)
JFK = (
    "And so my fellow Americans, ask not what your country can do for you, "
    "ask what you can do for your country."
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    script = counting_script(tmp_path_factory.mktemp("script"))
    with served("--engine", "scripted", "--model", str(script), "--streams", "3") as each:
        yield each


def test_clients_of_both_dialects_at_once_lose_no_word(server: Served) -> None:
    """Three at a time, turn after turn, and one more when one of them has left."""
    found: dict[str, list[int]] = {}

    def two_turns(name: str) -> None:
        with server.client() as client:
            client.begin()
            found[f"{name} 1"] = numbers(client.turn(SPEECH))
            found[f"{name} 2"] = numbers(client.turn(SPEECH))

    def vllm() -> None:
        found["vllm"] = numbers(vllm_turn(server, SPEECH))

    threads = [threading.Thread(target=two_turns, args=(name,)) for name in "ab"]
    threads.append(threading.Thread(target=vllm))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    two_turns("late")
    assert found.keys() == {"a 1", "a 2", "b 1", "b 2", "vllm", "late 1", "late 2"}
    for name, count in found.items():
        assert len(count) >= 20, name
        assert unbroken(count), name


def vllm_turn(server: Served, pcm: bytes) -> str:
    """What vLLM's own example client does: it reads only when all has been sent."""
    with connect(server.url, additional_headers=server.headers, open_timeout=60) as connection:
        assert json.loads(connection.recv(60))["type"] == "session.created"
        client = Client(connection)
        client.send({"type": "session.update", "model": "whatever"})
        client.send(COMMIT)
        client.say(pcm, part=4096)
        client.send(COMMIT | {"final": True})
        done = client.until("transcription.done")
        deltas = [event["delta"] for event in client.events if "delta" in event]
        assert "".join(deltas) == done["text"]
        return str(done["text"])


def test_the_gate_ends_turns_by_itself(server: Served) -> None:
    with server.client() as client:
        client.begin(by_hand=False)
        client.say(speech(3) + bytes(32_000 * 3) + speech(3) + bytes(32_000 * 3))
        first = client.until(f"{PREFIX}.completed")
        second = client.until(f"{PREFIX}.completed")
        kinds = [event["type"].rsplit(".", 1)[-1] for event in client.events]
    assert kinds.count("speech_started") == kinds.count("speech_stopped") == 2
    assert first["item_id"] != second["item_id"]
    assert unbroken(numbers(first["transcript"])) and unbroken(numbers(second["transcript"]))
    assert numbers(first["transcript"])[-1] < numbers(second["transcript"])[0]


def test_a_killed_worker_costs_no_word_of_anybody(server: Served) -> None:
    with server.client() as one, server.client() as two:
        for client in (one, two):
            client.begin()
            client.say(SPEECH)
            client.until(f"{PREFIX}.delta")
        server.worker.kill()
        for client in (one, two):
            client.say(SPEECH)
            client.send(COMMIT)
            count = numbers(client.until(f"{PREFIX}.completed")["transcript"])
            assert len(count) >= 40
            assert unbroken(count)


def test_one_more_than_there_is_room_for_is_told_so(server: Served) -> None:
    with server.client() as one, server.client() as two, server.client() as three:
        for client in (one, two, three):
            client.begin()
            client.say(SPEECH)
        with server.client() as four:
            four.begin()
            four.say(SPEECH[:6400])
            assert four.close_code() == 1013
            assert four.events[-1]["error"]["code"] == "overloaded"
        one.connection.close()
        wait_until(lambda: health(server)["streams"] == 2)
        with server.client() as five:
            five.begin()
            assert unbroken(numbers(five.turn(SPEECH)))


def health(server: Served) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/health", timeout=60) as answer:
        told: dict[str, Any] = json.loads(answer.read())
        return told


def wait_until(condition: Any) -> None:
    ends = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_the_models_are_told_to_who_has_the_key(server: Served) -> None:
    address = f"http://127.0.0.1:{server.port}/v1/models"
    with urllib.request.urlopen(urllib.request.Request(address, headers=server.headers)) as answer:
        assert [row["id"][:9] for row in json.loads(answer.read())["data"]] == ["scripted/"]
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(address)


def test_an_engine_that_cannot_be_had_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotServedError, match="is not a script") as told:
        Served("--engine", "scripted", "--model", str(tmp_path))
    assert told.value.args[1] == 1


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(NotServedError, match="--port") as told:
            Served("--engine", "scripted", "--port", port)
    assert told.value.args[1] == 1


def test_a_host_that_is_no_address_is_told() -> None:
    with pytest.raises(NotServedError, match="is no address") as told:
        Served("--engine", "scripted", "--host", "evil.example")
    assert told.value.args[1] == 2


@pytest.mark.weights
@pytest.mark.usefixtures("weights")
def test_the_embedded_engine_captions_two_at_once(sample: Path) -> None:
    """Real words, by both dialects; the smaller model, since it is quick."""
    with open_sound(sample) as sound:
        pcm = int16_bytes(np.concatenate(list(sound.blocks())))
    heard: dict[str, str] = {}
    with served("--engine", "embedded", "--model", "tiny.en") as server:

        def openai() -> None:
            with server.client() as client:
                client.begin()
                heard["openai"] = client.turn(pcm)

        thread = threading.Thread(target=openai)
        thread.start()
        heard["vllm"] = vllm_turn(server, pcm)
        thread.join(120)
    for name in ("openai", "vllm"):
        rate = word_errors(JFK, heard[name], normalizer("en")).rate
        assert rate is not None and rate <= 0.25, heard


@pytest.mark.filterwarnings("ignore")  # of its own imports
def test_the_official_client_captions(server: Served) -> None:
    """OpenAI's own Python package, in transcription."""
    openai = pytest.importorskip("openai", reason="OpenAI's client is not installed")
    base = server.url.replace("ws://", "http://").removesuffix("/realtime")
    client = openai.OpenAI(api_key=server.key, base_url=base)
    encoded = base64.b64encode(SPEECH).decode()
    audio = {"input": {"format": RATE_16, "turn_detection": None}}
    with client.realtime.connect(extra_query={"intent": "transcription"}) as connection:
        connection.session.update(session={"type": "transcription", "audio": audio})
        connection.input_audio_buffer.append(audio=encoded)
        connection.input_audio_buffer.commit()
        deltas = []
        for event in connection:
            assert event.type != "error", event
            if event.type == f"{PREFIX}.delta":
                deltas.append(event.delta)
            if event.type == f"{PREFIX}.completed":
                break
    assert "".join(deltas) == event.transcript
    assert unbroken(numbers(event.transcript))


def test_the_end_lets_those_who_speak_finish(server: Served) -> None:
    """The last: it ends the server of the others."""
    with server.client() as by_hand, server.client() as gated, server.client() as silent:
        by_hand.begin()
        gated.begin(by_hand=False)
        silent.begin()
        for client in (by_hand, gated):
            client.say(SPEECH)
            client.until(f"{PREFIX}.delta")
        assert server.stop() == 0
        for client in (by_hand, gated):
            assert client.close_code() == 1012
            completed = [e for e in client.events if e["type"] == f"{PREFIX}.completed"]
            assert unbroken(numbers(completed[-1]["transcript"]))
            assert len(numbers(completed[-1]["transcript"])) >= 20
        assert silent.close_code() == 1012
