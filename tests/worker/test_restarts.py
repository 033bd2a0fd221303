"""When a dead worker is brought back; times are data."""

from __future__ import annotations

from app.worker.ending import read_ending
from app.worker.restarts import Backoff, Restarts, Verdict


def died(
    restarts: Restarts, times: int, every_s: float = 3.0, heard: bool = False
) -> list[Verdict]:
    verdicts = []
    for number in range(times):
        if heard:
            restarts.progressed()
        verdicts.append(restarts.died(number * every_s))
    return verdicts


def test_a_worker_that_never_loads_is_given_up() -> None:
    assert died(Restarts(Backoff(), live=True), 6) == [Verdict.AGAIN] * 5 + [Verdict.GIVE_UP]


def test_what_to_do_depends_on_how_it_ended() -> None:
    loading, ran = Restarts(Backoff(), live=True), Restarts(Backoff(), live=True)
    ran.ready()
    crashed, killed = read_ending(-6), read_ending(-9)
    assert "download it again" in loading.advice(crashed)
    for advice in (loading.advice(killed), ran.advice(crashed)):
        assert advice == "The log has the details; see `voxline doctor`."


def test_one_that_hears_something_each_time_always_comes_back() -> None:
    restarts = Restarts(Backoff(), live=False)
    restarts.ready()
    assert set(died(restarts, 100, heard=True)) == {Verdict.AGAIN}


def test_sound_at_which_each_dies_is_left_out_live_and_ends_a_file() -> None:
    live, file = Restarts(Backoff(), live=True), Restarts(Backoff(), live=False)
    live.ready()
    file.ready()
    assert died(live, 9) == [Verdict.AGAIN] * 5 + [
        Verdict.SKIP, Verdict.AGAIN, Verdict.AGAIN, Verdict.SKIP,
    ]  # fmt: skip
    assert died(file, 6)[-1] is Verdict.GIVE_UP


def test_the_wait_grows_and_is_forgotten() -> None:
    restarts = Restarts(Backoff(), live=True)
    restarts.ready()
    waits = []
    for number in range(12):
        restarts.progressed()
        restarts.died(float(number))
        waits.append(restarts.wait_s)
    assert waits[0] == 0 and waits == sorted(waits) and waits[-1] == 30
    restarts.died(1_000.0)
    assert restarts.wait_s == 0
