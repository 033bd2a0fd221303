"""The app ends only after what was said is saved, and signals reach it while it is idle."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from app import settings
from app.session.session import Stage, Status
from app.ui.desktop import leaving
from app.ui.desktop.interrupts import Interrupts
from app.ui.desktop.leaving import Leaving
from tests.ui.conftest import Rig


class Exit:
    """Where a Leaving goes to."""

    def __init__(self, rig: Rig) -> None:
        self.in_order: list[int] = []
        self.at_once: list[int] = []
        self.leaving = Leaving(rig.captioning, rig.store, self.in_order.append, self.at_once.append)


def test_it_waits_until_the_session_is_saved(rig: Rig) -> None:
    rig.captioning.start()
    rig.reach(Stage.SPEECH)
    door = Exit(rig)
    door.leaving.request()
    assert rig.calls == ["start", "stop"]
    rig.reach(Stage.STOPPING)
    assert door.in_order == []
    rig.reach(Stage.STOPPED)
    assert door.in_order == [0]
    assert door.at_once == []


def test_without_a_session_it_leaves_at_once(rig: Rig) -> None:
    door = Exit(rig)
    door.leaving.request()
    assert door.in_order == [0]


def test_asking_twice_is_asking_once(rig: Rig) -> None:
    begun: list[bool] = []
    rig.captioning.start()
    door = Exit(rig)
    door.leaving.begun.connect(lambda: begun.append(True))
    door.leaving.request()
    door.leaving.request()
    rig.reach(Stage.STOPPED)
    assert (begun, door.in_order, rig.calls) == ([True], [0], ["start", "stop"])


def test_the_second_interrupt_leaves_at_once(rig: Rig) -> None:
    rig.captioning.start()
    door = Exit(rig)
    door.leaving.interrupted(signal.SIGINT)
    assert (rig.calls, door.at_once) == (["start", "stop"], [])
    door.leaving.interrupted(signal.SIGINT)
    assert (rig.calls, door.at_once) == (["start", "stop", "abort"], [130])


def test_a_session_that_never_ends_is_not_waited_for(
    rig: Rig, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaving, "PATIENCE_MS", 1)
    rig.captioning.start()
    door = Exit(rig)
    door.leaving.request()
    qtbot.waitUntil(lambda: door.in_order == [1])
    assert rig.calls == ["start", "stop", "abort"]


def test_a_transcript_that_is_being_finished_is_saved_as_it_is_after_a_while(
    rig: Rig, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaving, "HURRY_MS", 1)
    rig.captioning.start()
    rig.reach(Stage.SPEECH)
    door = Exit(rig)
    door.leaving.request()
    rig.say(Status(Stage.STOPPING, "Finishing the transcript …", can_hurry=True))
    qtbot.waitUntil(lambda: rig.calls[:3] == ["start", "stop", "stop"])
    rig.reach(Stage.STOPPED)
    assert door.in_order == [0]


def test_settings_changed_just_before_are_kept(rig: Rig) -> None:
    rig.store.change(source="usb")
    Exit(rig).leaving.request()
    assert settings.load()[0].source == "usb"


@pytest.fixture
def interrupts(qtbot: QtBot) -> Iterator[Interrupts]:
    before = signal.getsignal(signal.SIGINT)
    made = Interrupts()
    yield made
    made.close()
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no kill that can be caught")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_wakes_an_idle_event_loop(
    interrupts: Interrupts, qtbot: QtBot, number: signal.Signals
) -> None:
    with qtbot.waitSignal(interrupts.received) as caught:
        os.kill(os.getpid(), number)
    assert caught.args == [number]
