"""Callers who mean harm, or are broken, at the real process: who captions there is unharmed.

While one after another tries its worst, a client of the endpoint speaks on and loses no word, and
the process keeps neither their connections nor their memory.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator

import psutil
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from app.measure.attacks import ATTACKS, Target
from tests.share.served import (
    COMMIT,
    Client,
    Served,
    counting_script,
    numbers,
    open_files,
    served,
    speech,
    unbroken,
)

LOCAL = "127.0.0.1"
TURN = speech(3)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    script = counting_script(tmp_path_factory.mktemp("script"))
    with served("--engine", "scripted", "--model", str(script), "--streams", "4") as each:
        yield each


@pytest.fixture(autouse=True)
def somebody_speaks(server: Served) -> Iterator[None]:
    """Turn after turn, for as long as the test lasts, and one at least."""
    begun, stop, turns = threading.Event(), threading.Event(), [list[int]()]
    turns.clear()

    def speak() -> None:
        with server.client() as client:
            client.begin()
            begun.set()
            while not (turns and stop.is_set()):
                turns.append(numbers(client.turn(TURN)))

    thread = threading.Thread(target=speak)
    thread.start()
    assert begun.wait(60), "who is still at the door may be sent away with the others there"
    yield
    stop.set()
    thread.join(120)
    assert not thread.is_alive()
    assert turns
    assert all(len(turn) >= 8 and unbroken(turn) for turn in turns)
    assert server.process.poll() is None


def status_of(server: Served, headers: dict[str, str]) -> int:
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(server.url, additional_headers=headers, open_timeout=60),
    ):
        pass
    return refused.value.response.status_code


def test_strangers_stay_outside(server: Served) -> None:
    """No key, a wrong key, a key in the address, a page of elsewhere, a rebound domain."""
    wrong = {"Authorization": "Bearer nonsense"}
    assert status_of(server, {}) == 401
    assert status_of(server, wrong) == 401
    with pytest.raises(InvalidStatus, match="401"):
        connect(f"{server.url}?key={server.key}&api_key={server.key}").close()
    elsewhere = server.headers | {"Origin": "https://evil.example"}
    assert status_of(server, elsewhere) == 403
    with socket.create_connection((LOCAL, server.port)) as link:
        rebound = connect_as("evil.example", server, link)
        assert rebound == 421


def connect_as(host: str, server: Served, link: socket.socket) -> int:
    request = (
        f"GET /v1/realtime HTTP/1.1\r\nHost: {host}:{server.port}\r\n"
        f"Authorization: Bearer {server.key}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    link.sendall(request.encode())
    return int(link.recv(100).split()[1])


def test_a_frame_of_20_mb_ends_its_connection_alone(server: Served) -> None:
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    for _ in range(5):
        with server.client() as client, contextlib.suppress(ConnectionClosed):
            client.send({"type": "input_audio_buffer.append", "audio": "A" * 20_000_000})
            assert client.close_code() == 1009
    assert process.memory_info().rss - before < 100_000_000


def test_slow_lorises_keep_nobody_out(server: Served) -> None:
    """More of them than there may be unfinished handshakes: the oldest goes for the newest."""
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            link = stack.enter_context(socket.create_connection((LOCAL, server.port)))
            with contextlib.suppress(OSError):
                link.sendall(b"GET /v1/realtime HTTP/1.1\r\nHost: 127.0.0.1")
        with server.client() as client:
            client.begin()
            assert unbroken(numbers(client.turn(TURN)))
        link.settimeout(60)
        with contextlib.suppress(ConnectionError):
            assert link.recv(1) == b""  # the last of them is let go, too


def test_a_thousand_connections(server: Served) -> None:
    process = psutil.Process(server.process.pid)
    before = open_files(process)
    for _ in range(10):
        with contextlib.ExitStack() as stack:
            for _ in range(100):
                stack.enter_context(socket.create_connection((LOCAL, server.port)))
            assert process.num_threads() < 500
    with server.client() as client:
        client.begin()
        assert unbroken(numbers(client.turn(TURN)))
    for _ in range(1200):
        if open_files(process) <= before + 10:
            break
        threading.Event().wait(0.05)
    assert open_files(process) <= before + 10


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00" * 10_000,
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10_000,
        b"GET /" + b"a" * 100_000,
        b"POST /v1/realtime HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # somebody tries TLS
    ],
)
def test_what_is_no_request_is_hung_up_on(server: Served, sent: bytes) -> None:
    with (
        socket.create_connection((LOCAL, server.port), 60) as link,
        contextlib.suppress(ConnectionError),
    ):
        link.sendall(sent)
        while link.recv(65_536):
            pass


def test_a_flood_of_events_is_read_slowly_and_answered(server: Served) -> None:
    with server.client() as client:
        client.begin()
        for _ in range(1500):
            client.send({"type": "input_audio_buffer.append", "audio": ""})
        client.say(TURN)
        client.send(COMMIT)
        client.until("input_audio_buffer.committed")


def test_a_flood_of_nonsense_ends_with_a_word(server: Served) -> None:
    with server.client() as client:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(1000):
                client.connection.send("{")
        assert client.close_code() == 1008


def test_a_client_that_does_not_read_costs_nobody_else(server: Served) -> None:
    with socket.create_connection((LOCAL, server.port)) as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        assert connect_as(LOCAL, server, link) == 101
        frame = json.dumps({"type": "session.update", "session": {}}).encode()
        header = bytes([0x81, 0x80 | len(frame)]) + bytes(4)  # masked with zeros
        link.settimeout(0.5)
        with contextlib.suppress(OSError):
            for _ in range(2000):
                link.sendall(header + frame)
        with server.client() as client:
            client.begin()
            assert unbroken(numbers(client.turn(TURN)))


def test_binary_frames_are_refused(server: Served) -> None:
    with server.client() as client:
        with contextlib.suppress(ConnectionClosed):
            client.connection.send(b"\x00" * 100)
        assert client.close_code() == 1003


def test_callers_who_say_nothing_are_limited(server: Served) -> None:
    """With the key: so many connections, and no more; the next is told."""
    with contextlib.ExitStack() as stack:
        callers = [stack.enter_context(server.client()) for _ in range(12)]
        codes = [client for client in callers if over(client)]
        assert codes
        assert len(codes) < 12
    while over_now(server):
        pass  # until the last of them has left, so that there is room for who comes next


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.exhaustive) for name in ATTACKS]
)
def test_every_attack_of_the_measurement(server: Served, name: str) -> None:
    """Those of `app.measure.hostile`, once each: nobody is let in, and who speaks is unharmed."""
    assert ATTACKS[name](Target(server.port, server.key)) > 0


def over_now(server: Served) -> bool:
    with server.client() as client:
        return over(client)


def over(client: Client) -> bool:
    """Whether the first that it hears is that there is no room."""
    return bool(json.loads(client.connection.recv(60))["type"] == "error")
