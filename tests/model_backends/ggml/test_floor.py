"""The delay that a computer carries: it grows at once; what was chosen is tried again in time."""

from __future__ import annotations

import pytest

from model_backends.ggml.floor import Floor
from tests.support.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def floor(clock: Clock) -> Floor:
    made = Floor(clock)
    made.grow(320)
    return made


def test_what_was_chosen_is_tried_again_after_two_minutes_with_room(
    floor: Floor, clock: Clock
) -> None:
    assert floor.ms == 320 and floor.is_news
    clock.now += 119
    floor.relax(0.3)
    assert floor.ms == 320, "too soon"
    clock.now += 1
    floor.relax(0.6)
    assert floor.ms == 320, "no room"
    floor.relax(0)
    assert floor.ms == 320, "nobody knows"
    floor.relax(0.3)
    assert floor.ms == 0


def test_what_was_tried_too_early_waits_twice_as_long_and_is_no_news(
    floor: Floor, clock: Clock
) -> None:
    for waits_s in (120, 240, 480, 960, 1920, 1920):
        clock.now += waits_s - 1
        floor.relax(0.3)
        assert floor.ms, f"not before {waits_s} s"
        clock.now += 1
        floor.relax(0.3)
        assert not floor.ms
        floor.is_news = False
        clock.now += 10
        floor.grow(320)
        assert (floor.ms, floor.is_news) == (320, False)


def test_what_held_for_a_while_counts_anew(floor: Floor, clock: Clock) -> None:
    clock.now += 120
    floor.relax(0.3)
    clock.now += 10
    floor.grow(320)  # from now on 240 s
    clock.now += 240
    floor.relax(0.3)
    clock.now += 3_600
    floor.grow(320)
    assert floor.is_news
    clock.now += 120
    floor.relax(0.3)
    assert not floor.ms


def test_it_only_grows_until_it_is_tried_again(floor: Floor) -> None:
    floor.is_news = False
    floor.grow(80)
    assert floor.ms == 320 and not floor.is_news, "another voice lags at less"
    floor.grow(560)
    assert floor.ms == 560 and floor.is_news


def test_a_choice_of_the_user_is_tried_at_once(floor: Floor) -> None:
    floor.forget()
    assert (floor.ms, floor.is_news) == (0, False)
