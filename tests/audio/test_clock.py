"""Samples are authoritative within a run; lasting lateness is a gap."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.audio.clock import RunClock

BLOCK = 512  # 32 ms


@given(jitter=st.lists(st.integers(0, 90), min_size=10, max_size=300))
def test_jitter_moves_nothing(jitter: list[int]) -> None:
    clock = RunClock()
    first = clock.stamp(1000 + 32, BLOCK).start_ms
    for i, late in enumerate(jitter, start=1):
        stamp = clock.stamp(1000 + 32 * (i + 1) + late, BLOCK)
        assert (stamp.start_ms, stamp.index, stamp.gap_ms) == (first + 32 * i, BLOCK * i, 0)


def test_a_burst_after_a_stall_is_no_gap() -> None:
    clock = RunClock()
    arrivals = [32 * i for i in range(1, 40)]
    arrivals += [32 * 90] * 50  # nothing for 1.6 s, then all of it at once
    arrivals += [32 * i for i in range(91, 200)]
    stamps = [clock.stamp(at, BLOCK) for at in arrivals]
    assert [s.start_ms for s in stamps] == [32 * i for i in range(len(stamps))]


def test_lost_samples_are_found_and_marked() -> None:
    clock = RunClock()
    for i in range(1, 100):
        clock.stamp(32 * i, BLOCK)
    stamps = [clock.stamp(32 * i + 500, BLOCK) for i in range(100, 250)]  # 500 ms never came
    gaps = [s for s in stamps if s.gap_ms]
    assert len(gaps) == 1
    assert gaps[0].gap_ms == 500
    assert stamps[-1].start_ms == 32 * 248 + 500
    assert gaps[0].index != stamps[stamps.index(gaps[0]) - 1].index + BLOCK


def test_a_pause_leaves_time_running() -> None:
    clock = RunClock()
    clock.stamp(32, BLOCK)
    clock.pause()
    assert clock.stamp(10_032, BLOCK).start_ms == 10_000


def test_a_new_run_never_goes_back_in_time() -> None:
    clock = RunClock()
    for i in range(1, 400):
        clock.stamp(31 * i, BLOCK)  # a sample clock that is 3 % fast
    end_ms = clock.end_ms
    clock.pause()
    assert clock.stamp(31 * 400, BLOCK).start_ms >= end_ms
