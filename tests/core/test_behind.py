"""Who is late for long and comes no nearer stays late; who catches up does not."""

from __future__ import annotations

from collections.abc import Callable

from app.core.behind import Behind


def looked_at(seconds: int, late_ms: Callable[[int], int]) -> Behind:
    """Once a second, for ten seconds at a time."""
    behind = Behind(10_000, 2_000)
    for second in range(seconds + 1):
        behind.look(second * 1000, late_ms(second))
    return behind


def test_it_is_looked_at_for_long_enough() -> None:
    assert not Behind(10_000, 2_000).stays
    assert not looked_at(9, lambda _second: 5_000).stays
    assert looked_at(10, lambda _second: 5_000).stays


def test_nearer_by_as_much_as_was_asked_is_nearer() -> None:
    assert looked_at(40, lambda second: 90_000 - 199 * second).stays
    assert not looked_at(40, lambda second: 90_000 - 200 * second).stays


def test_what_was_long_ago_does_not_count() -> None:
    assert not looked_at(30, lambda second: 50_000 - 1_000 * second).stays
    assert looked_at(40, lambda second: max(20_000, 50_000 - 1_000 * second)).stays


def test_to_begin_anew_takes_as_long_again() -> None:
    behind = looked_at(10, lambda _second: 5_000)
    behind.forget()
    behind.look(11_000, 5_000)
    assert not behind.stays
