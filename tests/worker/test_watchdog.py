"""A worker that hangs is told from one that is slow, by its heartbeats; time is data."""

from __future__ import annotations

import pytest

from app.worker import messages as m
from app.worker.watchdog import Patience, Watch

P = Patience()


class Followed:
    """A watch that is asked every second, as the client does."""

    def __init__(self, ready: bool = True) -> None:
        self.now = 0.0
        self.watch = Watch(P, 0.0)
        if ready:
            self.watch.heard(m.Ready("e", "m", "cpu", 1), 0.0)

    def pass_(self, seconds: int, beat: m.Alive | None = None, **grow: int) -> str:
        """Let time pass with a beat every two seconds; the verdict at the end."""
        steps, cpu_ms = (beat.steps, beat.cpu_ms) if beat else (0, 0)
        for second in range(seconds):
            self.now += 1
            if beat is not None and second % 2:
                steps += grow.get("steps", 0)
                cpu_ms += grow.get("cpu_ms", 0)
                self.watch.heard(m.Alive(steps, beat.idle, cpu_ms), self.now)
            if why := self.watch.hung(self.now):
                return why
        return ""


BUSY = m.Alive(1, False, 100)
IDLE = m.Alive(1, True, 100)


def test_a_stopped_process_is_given_up_after_half_a_minute() -> None:
    followed = Followed()
    assert followed.pass_(29) == ""
    assert "no sign of life" in followed.pass_(2)


def test_a_decode_of_minutes_on_a_slow_machine_is_no_hang() -> None:
    assert Followed().pass_(600, BUSY, cpu_ms=1_900) == ""


def test_a_thread_that_waits_for_ever_is_a_hang() -> None:
    followed = Followed()
    assert "no step" in followed.pass_(70, BUSY, cpu_ms=1)
    assert 60 <= followed.now <= 63


def test_a_thread_that_runs_in_circles_is_a_hang_in_the_end() -> None:
    assert "no step" in Followed().pass_(1_000, BUSY, cpu_ms=1_900)


def test_an_engine_on_a_graphics_card_needs_no_processor() -> None:
    assert Followed().pass_(2_000, BUSY, steps=1, cpu_ms=1) == ""


def test_a_worker_with_nothing_to_do_is_left_alone() -> None:
    assert Followed().pass_(10_000, IDLE, cpu_ms=1) == ""


def test_a_mute_worker_that_loads_is_given_up_in_the_end_and_later() -> None:
    followed = Followed(ready=False)
    assert "while loading" in followed.pass_(300)
    assert P.silent_s < followed.now == P.loading_silent_s + 1


def test_a_load_of_many_minutes_that_reports_is_no_hang() -> None:
    followed = Followed(ready=False)
    for tensor in range(20):
        followed.watch.heard(m.Loading(tensor / 20, "weights"), followed.now)
        assert followed.pass_(240, m.Alive(0, False, 0), cpu_ms=1) == ""


def test_a_computer_that_slept_is_forgiven() -> None:
    followed = Followed()
    followed.pass_(10, BUSY, cpu_ms=500)
    followed.now += 8 * 3600
    assert followed.pass_(20) == ""
    assert followed.pass_(20) != ""


@pytest.mark.parametrize("field", ["silent_s", "stuck_s"])
def test_loading_is_given_more_time(field: str) -> None:
    assert getattr(P, f"loading_{field}") > getattr(P, field)
