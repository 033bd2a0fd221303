"""Two voices and an engine that is too slow for both: the others first, and the user is told."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.voices import ME, THEM
from app.worker.turns import Turns


@dataclass
class Behind:
    """Satisfies `turns.Voice`."""

    behind_ms: int


def test_both_are_heard_while_the_first_is_in_time() -> None:
    turns, lanes = Turns(), {THEM: Behind(1_200), ME: Behind(20_000)}
    assert turns.waiting(lanes, idle=False) is None
    assert turns.news(lanes) == []


def test_the_second_waits_until_the_first_has_caught_up() -> None:
    turns, them = Turns(), Behind(4_001)
    lanes = {ME: Behind(900), THEM: them}
    assert turns.waiting(lanes, idle=False) == ME
    them.behind_ms = 1_501
    assert turns.waiting(lanes, idle=False) == ME, "not at every other step"
    them.behind_ms = 1_500
    assert turns.waiting(lanes, idle=False) is None


def test_it_is_told_once_and_taken_back_when_the_second_has_caught_up() -> None:
    turns, them, me = Turns(), Behind(5_000), Behind(5_000)
    lanes = {THEM: them, ME: me}
    turns.waiting(lanes, idle=False)
    (notice,) = turns.news(lanes)
    assert (notice.lane, notice.code) == (ME, "two-voices") and "two voices" in notice.message
    assert turns.news(lanes) == []
    them.behind_ms = 0
    turns.waiting(lanes, idle=False)
    assert turns.news(lanes) == [], "the second is still behind"
    me.behind_ms = 3_000
    assert [each.message for each in turns.news(lanes)] == [""]
    assert turns.news(lanes) == []


def test_who_says_nothing_need_not_wait() -> None:
    turns, lanes = Turns(), {THEM: Behind(9_000), ME: Behind(0)}
    assert turns.waiting(lanes, idle=False) is None


def test_an_engine_that_has_nothing_to_do_hears_anybody() -> None:
    turns, lanes = Turns(), {THEM: Behind(9_000), ME: Behind(9_000)}
    assert turns.waiting(lanes, idle=True) is None


def test_one_voice_alone_never_waits() -> None:
    turns = Turns()
    for lane in (ME, THEM):
        assert turns.waiting({lane: Behind(90_000)}, idle=False) is None
