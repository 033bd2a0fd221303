"""Cycles of Qt's objects die in the thread that owns the windows, whoever allocates meanwhile."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from app.ui.desktop import garbage
from app.ui.desktop.garbage import Garbage


class Ring:
    """Holds itself, so that only the collector can end it; says in which thread it did."""

    def __init__(self, ended_in: list[threading.Thread]) -> None:
        self.me, self._ended_in = self, ended_in

    def __del__(self) -> None:
        self._ended_in.append(threading.current_thread())


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch, qapp: object) -> Iterator[Garbage]:
    before = gc.isenabled()
    monkeypatch.setattr(garbage, "EVERY_MS", 10)
    gc.enable()
    made = Garbage()
    yield made
    made.close()
    if not before:
        gc.disable()


def allocate_elsewhere() -> None:
    def work() -> None:
        kept = [[number] for number in range(20_000)]
        assert kept

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_another_thread_never_ends_a_cycle(collector: Garbage, qtbot: QtBot) -> None:
    ended_in: list[threading.Thread] = []
    Ring(ended_in)
    allocate_elsewhere()
    assert ended_in == []
    kept = [[number] for number in range(2_000)]  # so that it is due
    qtbot.waitUntil(lambda: ended_in == [threading.main_thread()])
    assert kept


def test_nothing_is_collected_before_it_is_due(collector: Garbage) -> None:
    gc.collect()
    assert garbage.collect_due() is None


def test_what_has_settled_is_not_looked_at_again(collector: Garbage) -> None:
    collector.settle()
    assert gc.get_freeze_count() > 10_000
    collector.close()
    assert gc.get_freeze_count() == 0 and gc.isenabled()


def test_what_was_imported_is_not_looked_at_at_all(collector: Garbage) -> None:
    assert gc.get_freeze_count() > 10_000
    assert gc.get_count()[0] < 10_000
