"""What threads are handed holds nothing of Qt, and what they ask dies in the UI thread."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable

import pytest
from PySide6.QtCore import QObject, QThreadPool
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from app.ui.state.background import in_background
from app.ui.state.ui_thread import Knock


class Room(QObject):
    """Somebody to knock at, who says in which thread it went."""

    def __init__(self, went: list[threading.Thread]) -> None:
        super().__init__()
        self.heard: list[tuple[object, threading.Thread]] = []
        self._went = went

    def take(self, *values: object) -> None:
        self.heard.append((values, threading.current_thread()))

    def __del__(self) -> None:
        self._went.append(threading.current_thread())


def in_a_thread(work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


@pytest.fixture
def went(qapp: object) -> list[threading.Thread]:
    return []


def test_a_knock_is_answered_in_the_ui_thread(went: list[threading.Thread], qtbot: QtBot) -> None:
    room = Room(went)
    knock = Knock(room.take)
    in_a_thread(lambda: knock("word", 3))
    assert room.heard == []
    qtbot.waitUntil(lambda: room.heard == [(("word", 3), threading.main_thread())])


@pytest.mark.parametrize("how", ["let go", "deleted by Qt"])
def test_nobody_answers_once_it_is_gone(
    how: str, went: list[threading.Thread], qtbot: QtBot
) -> None:
    room, other = Room(went), Room([])
    knock, another = Knock(room.take), Knock(other.take)
    in_a_thread(knock)
    heard = room.heard
    if how == "let go":
        del room
    else:
        delete(room)
    in_a_thread(knock)
    in_a_thread(another)
    qtbot.waitUntil(lambda: len(other.heard) == 1)
    assert heard == []


def test_a_thread_that_may_knock_does_not_keep_who_is_knocked_at(
    went: list[threading.Thread],
) -> None:
    room = Room(went)
    knock = Knock(room.take)
    begun, end = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        end.wait()
        knock()

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    del room
    assert went == [threading.main_thread()]
    end.set()
    thread.join()


@pytest.mark.parametrize("fails", [False, True])
def test_what_a_question_holds_is_let_go_of_in_the_ui_thread(
    fails: bool, went: list[threading.Thread], qtbot: QtBot
) -> None:
    asked, answered = threading.Event(), list[object]()

    def ask_of(room: Room) -> Callable[[], str]:
        def ask() -> str:
            kept = room  # a frame of its own holds it, too
            asked.wait()
            if fails:
                raise OSError(f"{len(kept.heard)} heard")
            return "found"

        return ask

    in_background(ask_of(Room(went)), answered.append, answered.append)
    asked.set()
    assert QThreadPool.globalInstance().waitForDone(60_000)
    gc.collect()
    assert went == []  # nobody has looked yet
    qtbot.waitUntil(lambda: bool(answered))
    assert str(answered[0]) == ("0 heard" if fails else "found")
    answered.clear()
    assert went == [threading.main_thread()]


def test_an_answer_for_an_owner_that_is_gone_is_not_given(qtbot: QtBot) -> None:
    owner, answered = QObject(), list[str]()
    in_background(lambda: "late", answered.append, lambda _error: None, owner=owner)
    delete(owner)
    in_background(lambda: "in time", answered.append, lambda _error: None)
    qtbot.waitUntil(lambda: "in time" in answered)
    QThreadPool.globalInstance().waitForDone(60_000)
    qtbot.wait(0)
    assert answered == ["in time"]
