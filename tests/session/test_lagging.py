"""Too late for long, and no nearer: told apart from catching up, by what a real state tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.session import events as e
from app.session.lagging import FOR_S, TOO_LATE_MS, Lagging, may_give_way
from app.session.status import Stage
from app.worker.client import Restarting
from model_backends import describe
from model_backends.base import Acting, Sentence
from tests.session.playbook import FLOWING, LANE, READY, Play


class Watched:
    """A session that listens, looked at once a second while its engine is behind."""

    def __init__(self) -> None:
        self.play, self.lagging, self.delay_ms = Play().listening(), Lagging(), 480
        self.hopeless = False

    def pass_by(self, seconds: float, lag_ms: Callable[[float], float]) -> None:
        """`lag_ms`: what is unheard after so many of these seconds, beyond the delay."""
        for second in range(1, round(seconds) + 1):
            lag = {LANE: round(lag_ms(second)) + self.delay_ms}
            self.play.at(self.play.now_ms + 1000, e.Tick(lag))
            self.look()

    def look(self) -> None:
        choices = self.play.of(e.Choices)
        self.delay_ms = choices[-1].delay_ms if choices else 480
        now_s = self.play.now_ms / 1000
        self.hopeless |= self.lagging.look(now_s, self.play.status, self.delay_ms)

    def say(self, *events: e.Input) -> None:
        self.play.at(self.play.now_ms + 100, *events)
        self.look()


def later_and_later(second: float) -> float:
    return TOO_LATE_MS + 1500 + 200 * second


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_later_and_later_for_long(watched: Watched) -> None:
    watched.pass_by(FOR_S, later_and_later)
    assert not watched.hopeless
    watched.pass_by(2, later_and_later)
    assert watched.hopeless


def test_as_late_as_before_is_no_better(watched: Watched) -> None:
    watched.pass_by(FOR_S + 2, lambda second: TOO_LATE_MS + 3000 + 500 * (second % 3))
    assert watched.hopeless


def test_twenty_seconds_are_not_long(watched: Watched) -> None:
    for _ in range(4):
        watched.pass_by(20, later_and_later)
        watched.pass_by(3, lambda _second: 0)
    assert not watched.hopeless


def test_a_little_late_can_be_read(watched: Watched) -> None:
    watched.pass_by(3 * FOR_S, lambda _second: TOO_LATE_MS - 1100)
    assert watched.play.status.stage is Stage.CATCHING_UP
    assert not watched.hopeless


def test_who_comes_nearer_is_catching_up(watched: Watched) -> None:
    watched.pass_by(3 * FOR_S, lambda second: 90_000 - 300 * second)
    assert watched.play.status.stage is Stage.CATCHING_UP
    assert not watched.hopeless


def test_but_not_who_stays_there(watched: Watched) -> None:
    watched.pass_by(FOR_S, lambda second: 40_000 - 300 * second)
    watched.pass_by(FOR_S + 2, lambda _second: 31_000)
    assert watched.hopeless


def test_another_worker_is_judged_by_what_it_does_itself(watched: Watched) -> None:
    watched.pass_by(FOR_S - 5, later_and_later)
    watched.say(Restarting(1, Sentence("The speech engine stopped; restarting.")))
    watched.say(READY)
    watched.pass_by(FOR_S - 5, later_and_later)
    assert not watched.hopeless
    watched.pass_by(8, later_and_later)
    assert watched.hopeless


def test_a_pause_ends_it(watched: Watched) -> None:
    watched.pass_by(FOR_S - 5, later_and_later)
    watched.say(e.Pause())
    watched.say(e.Resume(), e.Sound(LANE, 2, FLOWING))
    watched.pass_by(FOR_S - 5, later_and_later)
    assert not watched.hopeless


def test_a_longer_chunk_is_given_the_time_to_help(watched: Watched) -> None:
    for ms in (960, 2400):
        watched.pass_by(FOR_S - 5, later_and_later)
        watched.say(Acting(LANE, 0, ms))
    watched.pass_by(FOR_S - 5, later_and_later)
    assert not watched.hopeless
    watched.pass_by(8, later_and_later)
    assert watched.hopeless, "there is no longer one, or none that helps"


def test_a_computer_that_slept_was_not_behind_meanwhile(watched: Watched) -> None:
    watched.pass_by(5, later_and_later)
    watched.play.at(watched.play.now_ms + 3_600_000)
    watched.pass_by(FOR_S - 5, later_and_later)
    assert not watched.hopeless


def test_what_hears_elsewhere_and_what_is_built_in_never_give_way() -> None:
    for name in ("ggml", "voxtral-cpu", "voxtral-torch", "scripted"):
        assert may_give_way(describe(name))
    assert not may_give_way(describe("embedded"))
    assert not may_give_way(describe("remote"))
    assert not may_give_way(replace(describe("scripted"), takes_server=True))
