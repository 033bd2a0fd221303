"""Voxline for a team: the HAProxy configuration that is shipped, in front of two servers."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.measure import balancer as balancing
from app.measure.balancer import HAPROXY, Balancer
from app.measure.position import sound
from app.measure.server_kills import Servers
from model_backends.base import Event, StreamOptions, Word
from model_backends.remote.engine import RemoteEngine, RemoteStream
from tests.model_backends.remote.conftest import Load
from tests.model_backends.remote.stage import words_every

CLIENTS = 8
FRAME = 512
LINES = words_every(400, 25)  # 10 s
TEXT = "".join(text for text, _, _ in LINES)

pytestmark = pytest.mark.skipif(HAPROXY is None, reason="needs haproxy; Debian has it")


@dataclass
class Door:
    """HAProxy in front of two servers."""

    balancer: Balancer
    servers: Servers

    @property
    def port(self) -> int:
        return self.balancer.port

    @property
    def url(self) -> str:
        return self.balancer.url

    def streams(self) -> list[int]:
        return self.balancer.streams


@pytest.fixture
def door(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Door]:
    """As it is shipped, but that a server of this busy computer may take its time to say that it is
    well: one that is killed is seen all the same."""
    patient = tmp_path / "haproxy.cfg"
    shipped = balancing.CONFIG.read_text("utf-8")
    assert "\ndefaults\n" in shipped
    patient.write_text(
        shipped.replace("\ndefaults\n", "\ndefaults\n    timeout check 60s\n"), "utf-8"
    )
    monkeypatch.setattr(balancing, "CONFIG", patient)
    script = tmp_path / "script.json"
    script.write_text(json.dumps(LINES), "utf-8")
    streams = getattr(request, "param", CLIENTS)
    with Servers(script, 2) as servers, Balancer(servers.ports, streams) as balancer:
        yield Door(balancer, servers)


class Client:
    """One listener: an engine of its own."""

    def __init__(self, engine: RemoteEngine) -> None:
        self._engine = engine
        self.stream: RemoteStream = engine.open(StreamOptions("me", 0, (480,), 0))
        self.events: list[Event] = []

    def push(self, sample: int) -> None:
        self.stream.push(sound(sample, FRAME), 0.9)

    def advance(self) -> None:
        self.events += self._engine.advance()

    @property
    def text(self) -> str:
        return "".join(each.text for each in self.events if isinstance(each, Word))


def speak(clients: list[Client], from_s: float, until_s: float) -> None:
    for sample in range(round(from_s * 16_000 / FRAME), round(until_s * 16_000 / FRAME)):
        for client in clients:
            client.push(sample * FRAME)
            client.advance()


def test_eight_speak_one_server_is_killed_and_no_word_is_lost(door: Door, load: Load) -> None:
    clients = [Client(load(door.url)) for _ in range(CLIENTS)]
    assert door.streams() == [CLIENTS // 2, CLIENTS // 2]
    speak(clients, 0, 4)
    _until(lambda: all("w4" in client.text for client in clients), clients)
    door.servers.processes[0].kill()
    speak(clients, 4, 11)
    for client in clients:
        client.stream.finish()
    _until(lambda: all(client.stream.done for client in clients), clients)
    assert [client.text for client in clients] == [TEXT] * CLIENTS
    assert door.streams() == [0, CLIENTS]


@pytest.mark.parametrize("door", [1], indirect=True)
def test_who_comes_when_all_is_full_is_told_when_to_try_again(door: Door, load: Load) -> None:
    first = [Client(load(door.url)) for _ in range(2)]
    request = urllib.request.Request(
        f"http://127.0.0.1:{door.port}/v1/realtime",
        headers={
            "Authorization": "Bearer k",
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        },
    )
    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.urlopen(request, timeout=60)
    assert answer.value.code == 503
    assert answer.value.headers["Retry-After"] == "2"
    answer.value.close()
    assert door.streams() == [1, 1]
    del first


def test_nothing_but_captions_is_behind_the_door(door: Door) -> None:
    def status(path: str, **headers: str) -> int:
        request = urllib.request.Request(f"http://127.0.0.1:{door.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    assert status("/health") == 200
    assert status("/v1/models") == 401
    assert status("/v1/models", Authorization="Bearer k") == 200
    assert status("/metrics", Authorization="Bearer k") == 404
    assert status("/v1/chat/completions", Authorization="Bearer k") == 404


def _until(done: object, clients: list[Client]) -> None:
    end = time.monotonic() + 120
    while not done():  # type: ignore[operator]
        assert time.monotonic() < end, [client.text[-20:] for client in clients]
        for client in clients:
            client.advance()
