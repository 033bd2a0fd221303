"""A ring that nobody waits for yet is heard later; none is lost between two threads."""

from __future__ import annotations

import threading
from collections import deque

from app.worker.bell import Bell


def test_what_is_put_there_before_each_ring_is_seen() -> None:
    bell, things, seen = Bell(), deque[int](), list[int]()

    def take() -> None:
        while len(seen) < 20_000:
            while things:
                seen.append(things.popleft())
            if len(seen) < 20_000:
                bell.wait()

    taker = threading.Thread(target=take, daemon=True)
    taker.start()
    for number in range(20_000):
        things.append(number)
        bell.ring()
    taker.join(60)
    assert seen == list(range(20_000))


def test_rung_often_it_is_heard_once() -> None:
    bell = Bell()
    for _ in range(5):
        bell.ring()
    bell.wait()
    heard = threading.Event()

    def wait() -> None:
        bell.wait()
        heard.set()

    threading.Thread(target=wait, daemon=True).start()
    assert not heard.wait(0.05)
    bell.ring()
    assert heard.wait(60)
