"""A model that has come takes over when nobody speaks, once, and not against the user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.session.preparing import Preparation
from app.session.session import HeardOut, Stage
from app.settings import Settings
from app.ui.state.change_over import QUIET_S, ChangeOver, Wish
from model_backends.base import Tail, UserError
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


class Engine:
    """Stands for a worker that loads; shaped like `Preparation`."""

    def __init__(self, settings: Settings, settled: Callable[[UserError | None], None]) -> None:
        self.settings, self.settled = settings, settled
        self.calls: list[str] = []

    def hand_over(self) -> None:
        self.calls.append("hand over")

    def close(self) -> None:
        self.calls.append("close")


@pytest.fixture
def engines() -> list[Engine]:
    """Every engine that was begun to be loaded."""
    return []


@pytest.fixture
def change(rig: Rig, clock: Clock, told: list[str], engines: list[Engine]) -> ChangeOver:
    def prepare(settings: Settings, settled: Callable[[UserError | None], None]) -> Any:
        engines.append(Engine(settings, settled))
        return engines[-1]

    made = ChangeOver(rig.captioning, rig.store, prepare, now=clock, parent=rig.captioning)
    made.told.connect(lambda text, hint: told.append(f"{text} {hint}"))
    made._timer.setInterval(3_600_000)  # the test says when it looks
    return made


def listening(rig: Rig) -> None:
    rig.captioning.start()
    rig.reach(Stage.LISTENING)


def settle(engine: Engine, problem: UserError | None = None) -> None:
    """It is loaded, or cannot be; told from another thread, heard in this one."""
    engine.settled(problem)
    QApplication.processEvents()


def test_the_engines_stand_in_has_the_real_ones_verbs() -> None:
    for verb in ("hand_over", "close"):
        assert callable(getattr(Preparation, verb))


def test_at_once_where_nothing_runs(
    rig: Rig, change: ChangeOver, told: list[str], engines: list[Engine]
) -> None:
    change.wish(WISH)
    assert rig.store.settings.model == "Voxtral"
    assert (change.waiting, told, rig.sessions, engines) == (False, [], [], [])


def test_at_the_next_pause_where_somebody_speaks(
    rig: Rig, change: ChangeOver, clock: Clock, told: list[str], engines: list[Engine]
) -> None:
    listening(rig)
    clock.now += 60
    rig.reach(Stage.SPEECH)
    change.wish(WISH)
    assert told == ["Voxtral is being loaded. Captions go on, and change over to it at a pause."]
    settle(engines[0])
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


def test_what_is_said_while_it_loads_is_the_present_sessions(
    rig: Rig, change: ChangeOver, clock: Clock, engines: list[Engine]
) -> None:
    """However quiet it is: nobody waits for words of an engine that is not there yet."""
    listening(rig)
    clock.now += 60
    change.wish(WISH)
    change.look()
    assert (engines[0].settings.engine, engines[0].settings.model) == ("scripted", "Voxtral")
    assert len(rig.sessions) == 1
    said = words("nobody misses this")
    rig.say(*said)
    assert rig.sessions[0].timeline.words() == said
    clock.now += 60
    settle(engines[0])
    assert len(rig.sessions) == 2
    assert rig.sessions[1].predecessor is engines[0], "which takes the loaded worker"
    assert engines[0].calls == ["hand over"]


def test_what_the_user_asks_for_waits_for_no_pause_and_loses_no_word_either(
    rig: Rig, change: ChangeOver, told: list[str], engines: list[Engine]
) -> None:
    listening(rig)
    rig.reach(Stage.SPEECH)
    change.wish(replace(WISH, waits=False))
    assert told[-1].endswith("change over to it when it is.")
    assert len(rig.sessions) == 1
    settle(engines[0])
    assert len(rig.sessions) == 2


def test_one_that_cannot_be_loaded_changes_nothing(
    rig: Rig, change: ChangeOver, clock: Clock, told: list[str], engines: list[Engine]
) -> None:
    listening(rig)
    clock.now += 60
    before = rig.store.settings
    change.wish(WISH)
    rig.say(*words("said meanwhile"))
    settle(engines[0], UserError("There is too little memory.", "Close other programs."))
    assert told[-1] == (
        "Voxtral could not be loaded: captions go on as before. "
        "There is too little memory. Close other programs."
    )
    assert not change.waiting
    assert rig.store.settings == before
    assert len(rig.sessions) == 1
    assert rig.calls == ["start"], "it was not even asked to end"
    assert engines[0].calls == ["close"]


def test_an_engine_that_nobody_wants_any_more_is_let_go(
    rig: Rig, change: ChangeOver, clock: Clock, engines: list[Engine]
) -> None:
    listening(rig)
    change.wish(WISH)
    change.wish(replace(WISH, model="another"))
    assert engines[0].calls == ["close"]
    clock.now += 60
    settle(engines[0])
    assert len(rig.sessions) == 1, "it was for the wish before"
    rig.captioning.stop()
    rig.reach(Stage.STOPPED)
    change.look()
    assert rig.store.settings.model == "another"
    assert engines[1].calls == ["close"]


def test_whoever_has_paused_is_not_heard_for_it(rig: Rig, change: ChangeOver, clock: Clock) -> None:
    listening(rig)
    rig.reach(Stage.PAUSED)
    clock.now += 60
    change.wish(WISH)
    assert change.waiting
    assert len(rig.sessions) == 1


def test_another_choice_of_the_users_ends_the_wish(
    rig: Rig, change: ChangeOver, clock: Clock, engines: list[Engine]
) -> None:
    listening(rig)
    change.wish(WISH)
    rig.store.change(model="another")
    assert engines[0].calls == ["close"]
    settle(engines[0])
    clock.now += 60
    change.look()
    assert not change.waiting
    assert rig.store.settings.model == "another"


def test_what_is_set_already_is_no_wish(rig: Rig, change: ChangeOver) -> None:
    rig.store.change(model="Voxtral")
    listening(rig)
    change.wish(WISH)
    assert not change.waiting


def taken_over(rig: Rig, change: ChangeOver, clock: Clock, engines: list[Engine]) -> None:
    rig.store.change(model="base")
    listening(rig)
    clock.now += 60
    change.wish(WISH)
    settle(engines[0])
    rig.say_in(0, HeardOut())  # its words are out: the next one is shown


def test_one_that_fails_all_the_same_gives_way(
    rig: Rig,
    change: ChangeOver,
    clock: Clock,
    told: list[str],
    qtbot: QtBot,
    engines: list[Engine],
) -> None:
    taken_over(rig, change, clock, engines)
    rig.reach(Stage.FAILED, "There is too little memory.")
    qtbot.waitUntil(lambda: rig.store.settings.model == "base", timeout=10_000)
    assert told[-1] == (
        "Voxtral could not be loaded: captions go on as before. There is too little memory."
    )
    assert rig.opened_with[-1].model == "base", "and they do"
    QApplication.processEvents()


def test_a_later_failure_is_not_the_changes_doing(
    rig: Rig, change: ChangeOver, clock: Clock, engines: list[Engine]
) -> None:
    taken_over(rig, change, clock, engines)
    rig.reach(Stage.LISTENING)
    rig.reach(Stage.FAILED, "The device is gone.")
    QApplication.processEvents()
    assert rig.store.settings.model == "Voxtral"
