"""Samples are authoritative within a run; what is learned from arrivals moves them with care."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audio.clock import GAP_MS, MOST_PACE, Placed, RunClock

BLOCK = np.zeros(512, dtype=np.float32)  # 32 ms
HOURS_3_MS = 3 * 3_600_000


def placed(clock: RunClock, arrivals: list[int]) -> list[Placed]:
    """All that comes of blocks that arrive at these times."""
    return [each for at in arrivals for each in clock.take(at, BLOCK)]


def starts(out: list[Placed]) -> list[int]:
    return [each.start_ms for each in out]


@given(jitter=st.lists(st.integers(0, 90), min_size=10, max_size=300))
def test_jitter_moves_nothing(jitter: list[int]) -> None:
    clock = RunClock()
    out = placed(clock, [1032, 1064])
    out += placed(clock, [1064 + 32 * i + late for i, late in enumerate(jitter, start=1)])
    assert [(p.start_ms, p.index, p.gap_ms) for p in out] == [
        (1000 + 32 * i, 512 * i, 0) for i in range(len(jitter) + 2)
    ]


def test_a_run_begins_where_the_earliest_of_its_first_blocks_says() -> None:
    clock = RunClock()
    assert placed(clock, [1890, 1900, 1910, 1928, 1960, 1992]) == []
    assert starts(clock.take(2040, BLOCK))[:2] == [1800, 1832]
    alone = RunClock()
    alone.take(1800, BLOCK)
    assert starts(alone.idle(1900)) == [1768], "nothing else comes"


def test_a_burst_at_the_beginning_is_as_old_as_it_is_long() -> None:
    clock = RunClock()
    out = placed(clock, [2000] * 50 + [2000 + 32 * i for i in range(1, 6)])
    assert starts(out)[:2] == [400, 432]
    assert starts(out)[-1] == 2128


def test_a_burst_after_a_stall_is_no_gap() -> None:
    clock = RunClock()
    arrivals = [32 * i for i in range(1, 40)]
    arrivals += [32 * 90] * 50  # nothing for 1.6 s, then all of it at once
    arrivals += [32 * i for i in range(91, 200)]
    out = placed(clock, arrivals)
    assert starts(out) == [32 * i for i in range(len(arrivals))]
    assert not any(each.gap_ms for each in out)


def test_lost_samples_are_found_and_what_follows_stands_where_it_was_said() -> None:
    clock = RunClock()
    out = placed(clock, [32 * i for i in range(1, 100)])
    out += placed(clock, [32 * i + 500 for i in range(100, 250)])  # 500 ms never came
    gaps = [each for each in out if each.gap_ms]
    assert [each.gap_ms for each in gaps] == [500]
    assert starts(out) == [32 * i for i in range(99)] + [32 * i + 500 for i in range(99, 249)]
    assert gaps[0].index != out[out.index(gaps[0]) - 1].index + 512


def test_what_is_held_when_a_run_ends_is_not_lost() -> None:
    clock = RunClock()
    placed(clock, [32 * i for i in range(1, 100)])
    placed(clock, [32 * i + 500 for i in range(100, 110)])
    rest = clock.pause()
    assert starts(rest) == [32 * i + 500 for i in range(99, 109)]
    assert rest[0].gap_ms == 500


def test_a_pause_leaves_time_running() -> None:
    clock = RunClock()
    placed(clock, [32, 64])
    clock.pause()
    placed(clock, [10_032, 10_064])
    assert starts(clock.pause()) == [10_000, 10_032]


def test_a_new_run_never_goes_back_in_time() -> None:
    clock = RunClock()
    placed(clock, [31 * i for i in range(1, 400)])  # a sample clock that is 3 % fast
    end_ms = clock.end_ms
    clock.pause()
    placed(clock, [31 * 400, 31 * 401])
    assert starts(clock.pause())[0] >= end_ms


# --- clocks that run apart -----------------------------------------------------------------------


class Device:
    """A source whose clock is off by `ppm`, which sends blocks as real ones arrive.

    Some are late by up to 15 ms, some wait and come in a burst, the first one comes after 1.7 s.
    The resampler is its ideal: a second of the device becomes 16000 x pace samples.
    """

    def __init__(self, ppm: float, seed: int, block_ms: int = 20) -> None:
        self._block_ms = block_ms
        self._true = 1 + ppm / 1e6  # seconds of its own a second of the world
        self._chance = random.Random(seed)
        self._own_ms = 1_700.0  # of its own clock, at which the next block begins
        self._rest = 0.0
        self.clock = RunClock()

    def hear(self, until_ms: float) -> Iterator[tuple[Placed, float]]:
        """What is placed until then, each with when it was really said."""
        waiting: list[tuple[float, np.ndarray]] = []
        said: list[float] = []
        stuck_until = 0.0
        while self._own_ms / self._true < until_ms:
            begin_ms = self._own_ms / self._true
            self._own_ms += self._block_ms
            exact = 16 * self._block_ms * self.clock.pace + self._rest
            self._rest = exact - int(exact)
            waiting.append((begin_ms, np.zeros(int(exact), dtype=np.float32)))
            arrived = self._own_ms / self._true + self._chance.uniform(0, 15)
            if self._chance.random() < 0.002:
                stuck_until = arrived + self._chance.uniform(0, 900)
            if arrived < stuck_until:
                continue
            for was_said, samples in waiting:
                said.append(was_said)
                for each in self.clock.take(round(arrived), samples):
                    yield each, said.pop(0)
            waiting = []


@pytest.mark.parametrize("ppm", [-200, 200])
def test_two_lanes_agree_after_three_hours(ppm: int) -> None:
    errors = []
    for seed, own in enumerate((ppm, -ppm)):
        far, gaps = 0.0, 0
        # long blocks, so that the test is short
        for each, said_ms in Device(own, seed, block_ms=160).hear(HOURS_3_MS):
            far = max(far, abs(each.start_ms - said_ms))
            gaps += each.gap_ms > 0
            last = each.start_ms - said_ms
        assert gaps == 0, "nothing was lost"
        assert far < 50, f"{own} ppm: once {far:.0f} ms off"
        errors.append(last)
    assert abs(errors[0] - errors[1]) < 50


def test_the_pace_is_even_where_the_clock_is() -> None:
    device = Device(200, 3)
    paces = []
    for each, _ in device.hear(900_000):
        if each.start_ms > 400_000:
            paces.append(device.clock.pace)
    assert abs(np.mean(paces) - (1 - 200e-6)) < 30e-6
    assert np.std(paces) < 60e-6


def test_sound_ahead_of_the_clock_is_brought_back_within_half_a_minute() -> None:
    """A system that was late for seconds is taken for a loss; then what was late comes at once."""
    clock = RunClock()
    ahead, own_ms = [], 0.0
    out = placed(clock, [32 * i for i in range(1, 100)])
    out += placed(clock, [32 * i + 600 for i in range(100, 180)])
    assert sum(each.gap_ms for each in out) == 600
    own_ms = 32.0 * 179
    for _ in range(1500):
        own_ms += 32
        samples = np.zeros(round(512 * clock.pace), dtype=np.float32)
        for each in clock.take(round(own_ms), samples):
            ahead.append(each.start_ms + 32 - own_ms)
        assert abs(clock.pace - 1) <= MOST_PACE
    assert ahead[0] > 500
    assert max(ahead[-500:]) <= GAP_MS + 10
