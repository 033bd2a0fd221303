"""What callers try who mean harm, against a server of ours on this computer.

Every attack returns how many tries it took. The client is written with bare sockets where a
library would not do what is wrong. As a process (`python -m app.measure.attacks`) it reads the
target from a line of standard input, `[port, key]`, and attacks in every way at once until that is
closed. Knows nothing of what the server does besides.
"""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from app.worker.priority import give_way

_HOST = "127.0.0.1"
_NONCE = base64.b64encode(b"an odd 16 bytes.").decode()
_BLOCK = base64.b64encode(bytes(2560)).decode()


@dataclass(frozen=True, slots=True)
class Target:
    """`voxline serve`, and its key for attacks of those who have it."""

    port: int
    key: str


def strangers(target: Target) -> int:
    """No key, a wrong one, one in the address; a page of elsewhere; a domain pointed here."""
    wrong = {"Authorization": "Bearer nonsense"}
    asked = [
        _request(target, "/v1/realtime", {}),
        _request(target, "/v1/realtime", wrong),
        _request(target, f"/v1/realtime?key={target.key}", {}),
        _request(target, "/v1/realtime", _holder(target) | {"Origin": "https://evil.example"}),
        _request(target, "/v1/realtime", _holder(target) | {"Host": f"evil.example:{target.port}"}),
        _request(target, "/v1/models", wrong),
        _request(target, "/../../etc/passwd", _holder(target)),
    ]
    for request in asked:
        with contextlib.suppress(OSError), _dialled(target) as link:
            link.sendall(request)
            answer = link.recv(4096).split(b" ", 2)
            if answer[1:2] and answer[1][:1] != b"4":
                raise AssertionError(f"let in: {answer}")
    return len(asked)


def huge_frames(target: Target) -> int:
    """Frames of 20 MB, of one who has the key."""
    with contextlib.suppress(WebSocketException, OSError), _client(target) as client:
        client.send("A" * 20_000_000)
        client.recv(10)
        client.recv(10)
    return 1


def slow_lorises(target: Target) -> int:
    """More unfinished handshakes than there may be, each fed a byte now and then."""
    count = 100
    with contextlib.ExitStack() as stack:
        links = []
        for _ in range(count):
            with contextlib.suppress(OSError):
                links.append(stack.enter_context(_dialled(target)))
        for byte in b"GET /v1/realtime HTTP/1.1\r\n":
            for link in links:
                with contextlib.suppress(OSError):
                    link.sendall(bytes([byte]))
            time.sleep(0.05)
    return count


def connections(target: Target) -> int:
    """Connections that say nothing."""
    count = 100
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            with contextlib.suppress(OSError):
                stack.enter_context(_dialled(target))
    return count


def floods(target: Target) -> int:
    """Events without end, of one who has the key: as fast as they are taken."""
    count = 3_000
    event = '{"type":"input_audio_buffer.append","audio":"' + _BLOCK + '"}'
    with contextlib.suppress(WebSocketException, OSError), _client(target) as client:
        for _ in range(count):
            client.send(event)
    return count


def nonsense(target: Target) -> int:
    """What is no event, until it hangs up."""
    count = 1_000
    with contextlib.suppress(WebSocketException, OSError), _client(target) as client:
        for _ in range(count):
            client.send("{")
    return count


ATTACKS: Mapping[str, Callable[[Target], int]] = {
    "strangers": strangers,
    "frames of 20 MB": huge_frames,
    "slow lorises": slow_lorises,
    "connections": connections,
    "events in floods": floods,
    "nonsense": nonsense,
}


def _holder(target: Target) -> dict[str, str]:
    return {"Authorization": f"Bearer {target.key}"}


def _request(target: Target, path: str, headers: Mapping[str, str]) -> bytes:
    sent = {
        "Host": f"{_HOST}:{target.port}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": _NONCE,
    } | dict(headers)
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _dialled(target: Target) -> socket.socket:
    return socket.create_connection((_HOST, target.port), 10)


def _client(target: Target) -> ClientConnection:
    url = f"ws://{_HOST}:{target.port}/v1/realtime"
    return connect(url, additional_headers=_holder(target), open_timeout=30, close_timeout=1)


def main() -> int:
    """Attack until nobody holds our standard input any more; 1 if somebody was let in."""
    give_way()
    target = Target(*json.loads(sys.stdin.readline()))
    over = threading.Event()
    counts = dict.fromkeys(ATTACKS, 0)
    failures: list[AssertionError] = []

    def repeat(name: str) -> None:
        try:
            while not over.is_set():
                counts[name] += ATTACKS[name](target)
        except AssertionError as error:
            failures.append(error)

    threads = [threading.Thread(target=repeat, args=(name,)) for name in ATTACKS]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    over.set()
    for thread in threads:
        thread.join()
    print(json.dumps(counts))
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
