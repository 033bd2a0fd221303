"""Who is let in: names, pages and keys; and whether an engine keeps up."""

from __future__ import annotations

import base64
import os
import stat
from http import HTTPStatus

import pytest

from app.share import key as keys
from app.share.door import Guard
from app.share.lateness import TOO_LATE_MS, Lateness

KEY = "a-key-that-is-long-enough"
GUARD = Guard(8421, KEY)


def status(headers: dict[str, str | list[str]]) -> HTTPStatus | None:
    def header(name: str) -> list[str]:
        value = headers.get(name, [])
        return value if isinstance(value, list) else [value]

    refusal = GUARD.place(header) or GUARD.holder(header)
    return refusal.status if refusal else None


def basic(user: str) -> str:
    return f"Basic {base64.b64encode(user.encode()).decode()}"


LOCAL = {"Host": "127.0.0.1:8421", "Authorization": f"Bearer {KEY}"}


@pytest.mark.parametrize(
    "headers",
    [
        LOCAL,
        LOCAL | {"Host": "LOCALHOST:8421"},
        LOCAL | {"Host": "[::1]:8421"},
        LOCAL | {"Host": "192.168.1.20:8421"},
        LOCAL | {"Origin": "http://127.0.0.1:8421"},
        LOCAL | {"Authorization": basic(f"voxline:{KEY}")},
        {
            "Host": "127.0.0.1:8421",
            "Sec-WebSocket-Protocol": f"realtime, openai-insecure-api-key.{KEY}",
        },
    ],
)
def test_let_in(headers: dict[str, str | list[str]]) -> None:
    assert status(headers) is None


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        (LOCAL | {"Host": "evil.example:8421"}, 421),
        (LOCAL | {"Host": "127.0.0.1.evil.example:8421"}, 421),
        (LOCAL | {"Host": "127.0.0.1:80"}, 421),
        (LOCAL | {"Host": "127.0.0.1"}, 421),
        (LOCAL | {"Host": "user@127.0.0.1:8421"}, 421),
        (LOCAL | {"Host": "127.0.0.1:8421/x"}, 421),
        (LOCAL | {"Host": "127.0.0.1:port"}, 421),
        (LOCAL | {"Host": ["127.0.0.1:8421", "127.0.0.1:8421"]}, 421),
        (LOCAL | {"Host": []}, 421),
        (LOCAL | {"Origin": "https://evil.example"}, 403),
        (LOCAL | {"Origin": "null"}, 403),
        (LOCAL | {"Origin": "https://127.0.0.1:8421"}, 403),
        (LOCAL | {"Origin": "http://127.0.0.1:8422"}, 403),
        (LOCAL | {"Origin": "http://localhost:8421"}, 403),
        (LOCAL | {"Authorization": "Bearer wrong"}, 401),
        (LOCAL | {"Authorization": "Bearer "}, 401),
        (LOCAL | {"Authorization": KEY}, 401),
        (LOCAL | {"Authorization": f"Digest {KEY}"}, 401),
        (LOCAL | {"Authorization": basic(f"{KEY}:wrong")}, 401),
        (LOCAL | {"Authorization": basic(KEY)}, 401),
        (LOCAL | {"Authorization": "Basic no base64"}, 401),
        (LOCAL | {"Authorization": "Basic /w=="}, 401),
        (LOCAL | {"Authorization": "Bearer \udcff"}, 401),
        ({"Host": "127.0.0.1:8421"}, 401),
    ],
)
def test_kept_out(headers: dict[str, str | list[str]], why: int) -> None:
    assert status(headers) == why


def test_the_key_is_made_once_and_is_its_users_alone() -> None:
    first = keys.kept_key()
    assert keys.kept_key() == first
    assert len(first) >= 32
    if os.name == "posix":
        assert stat.S_IMODE(keys.key_file().stat().st_mode) == 0o600
        keys.key_file().chmod(0o644)
        assert keys.kept_key() == first
        assert stat.S_IMODE(keys.key_file().stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 40, b"a\x00" * 20])
def test_a_damaged_key_is_told_not_used(content: bytes) -> None:
    keys.kept_key()
    keys.key_file().write_bytes(content)
    with pytest.raises(keys.KeyFileError, match="damaged"):
        keys.kept_key()


def late(*looks: tuple[int, int, int]) -> Lateness:
    """Seconds after the beginning, seconds that have come, seconds unheard."""
    lateness = Lateness()
    for elapsed, pushed, unheard in looks:
        lateness.look(elapsed * 1000, pushed * 1000, unheard * 1000)
    return lateness


def test_live_speech_that_falls_ever_further_behind_is_hopeless() -> None:
    looks = [(second, second, second // 2) for second in range(1, 60)]
    assert not late(*looks[:20]).hopeless
    assert late(*looks).late_ms == 29_000
    assert late(*looks).hopeless


def test_what_is_late_and_catches_up_is_not() -> None:
    looks = [(second, second, 90 - second) for second in range(50, 70)]
    assert late(*looks).late_ms > TOO_LATE_MS
    assert not late(*looks).hopeless


def test_what_comes_at_once_after_a_lost_connection_is_not_late() -> None:
    assert late((1, 9, 8)).late_ms == 0


def test_a_file_is_never_late() -> None:
    looks = [(second, second * 10, second * 9) for second in range(1, 60)]
    assert late(*looks).patient
    assert late(*looks).late_ms == 0
    assert not late(*looks).hopeless


def test_a_key_that_cannot_be_replaced_is_told() -> None:
    keys.key_file("page").mkdir(parents=True)
    with pytest.raises(keys.KeyFileError, match="cannot be used"):
        keys.another_key("page")
