"""A model that has come takes over when nobody speaks, once, and not against the user."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.session.session import HeardOut, Stage
from app.ui.state.change_over import QUIET_S, ChangeOver, Wish
from model_backends.base import Tail
from tests.ui.conftest import Rig
from tests.ui.overlay_fakes import words

WISH = Wish("scripted", "Voxtral", "Voxtral")  # the fakes' engine: what matters is the model


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def change(rig: Rig, clock: Clock, told: list[str]) -> ChangeOver:
    made = ChangeOver(rig.captioning, rig.store, now=clock, parent=rig.captioning)
    made.told.connect(lambda text, hint: told.append(f"{text} {hint}"))
    made._timer.setInterval(3_600_000)  # the test says when it looks
    return made


def listening(rig: Rig) -> None:
    rig.captioning.start()
    rig.reach(Stage.LISTENING)


def test_at_once_where_nothing_runs(rig: Rig, change: ChangeOver, told: list[str]) -> None:
    change.wish(WISH)
    assert rig.store.settings.model == "Voxtral"
    assert (change.waiting, told, rig.sessions) == (False, [], [])


def test_at_the_next_pause_where_somebody_speaks(
    rig: Rig, change: ChangeOver, clock: Clock, told: list[str]
) -> None:
    listening(rig)
    clock.now += 60
    rig.reach(Stage.SPEECH)
    change.wish(WISH)
    assert told == ["Voxtral is here. Captions change over to it at the next pause."]
    rig.say(words("and then")[0])
    rig.reach(Stage.LISTENING)
    clock.now += QUIET_S / 2
    change.look()
    rig.say(Tail("me", 0, 0, "we"))
    clock.now += QUIET_S * 0.9
    change.look()
    assert len(rig.sessions) == 1, "a guess of a word is speech, too"
    clock.now += QUIET_S
    change.look()
    assert not change.waiting
    assert len(rig.sessions) == 2, "the session’s own change, which keeps every word"
    assert rig.opened_with[1].model == "Voxtral"
    assert told[1].startswith("Voxtral takes over.")


def test_whoever_has_paused_is_not_heard_for_it(rig: Rig, change: ChangeOver, clock: Clock) -> None:
    listening(rig)
    rig.reach(Stage.PAUSED)
    clock.now += 60
    change.wish(WISH)
    assert change.waiting
    assert len(rig.sessions) == 1


def test_another_choice_of_the_users_ends_the_wish(
    rig: Rig, change: ChangeOver, clock: Clock
) -> None:
    listening(rig)
    change.wish(WISH)
    rig.store.change(model="another")
    clock.now += 60
    change.look()
    assert not change.waiting
    assert rig.store.settings.model == "another"


def test_what_is_set_already_is_no_wish(rig: Rig, change: ChangeOver) -> None:
    rig.store.change(model="Voxtral")
    listening(rig)
    change.wish(WISH)
    assert not change.waiting


def taken_over(rig: Rig, change: ChangeOver, clock: Clock) -> None:
    rig.store.change(model="base")
    listening(rig)
    clock.now += 60
    change.wish(WISH)
    rig.say_in(0, HeardOut())  # its words are out: the next one is shown


def test_one_that_cannot_be_loaded_gives_way(
    rig: Rig, change: ChangeOver, clock: Clock, told: list[str], qtbot: QtBot
) -> None:
    taken_over(rig, change, clock)
    rig.reach(Stage.FAILED, "There is too little memory.")
    qtbot.waitUntil(lambda: rig.store.settings.model == "base", timeout=10_000)
    assert told[-1] == (
        "Voxtral could not be loaded: captions go on as before. There is too little memory."
    )
    assert rig.opened_with[-1].model == "base", "and they do"
    QApplication.processEvents()


def test_a_later_failure_is_not_the_changes_doing(
    rig: Rig, change: ChangeOver, clock: Clock
) -> None:
    taken_over(rig, change, clock)
    rig.reach(Stage.LISTENING)
    rig.reach(Stage.FAILED, "The device is gone.")
    QApplication.processEvents()
    assert rig.store.settings.model == "Voxtral"
