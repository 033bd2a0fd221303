"""A model that has come takes over when nobody speaks, once, and not against the user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.session.preparing import NoRoomError, Preparation
from app.session.session import HeardOut, Stage
from app.settings import Settings
from app.ui.state.change_over import PATIENCE_S, QUIET_S, ChangeOver, Wish
from model_backends.base import Tail, UserError
from tests.support.clock import Clock
from tests.ui.conftest import Rig
from tests.ui.overlay_fakes import words

WISH = Wish("scripted", "Voxtral", "Voxtral")  # the fakes' engine: what matters is the model


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> list[str]:
    return []


class Engine:
    """Stands for a worker that loads; shaped like `Preparation`."""

    label = "Whisper"

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
    def prepare(
        settings: Settings, settled: Callable[[UserError | None], None], running: object
    ) -> Any:
        if running is not None and fits_what_runs(rig, settings):
            return None
        if settings.model == "nonsense":
            raise KeyError("nobody foresaw this")
        if settings.model == "refused":
            raise UserError("There is no such model.", "Choose another.")
        engines.append(Engine(settings, settled))
        return engines[-1]

    made = ChangeOver(rig.captioning, rig.store, prepare, now=clock, parent=rig.captioning)
    made.told.connect(lambda text, hint: told.append(f"{text} {hint}"))
    made._timer.setInterval(3_600_000)  # the test says when it looks
    return made


def fits_what_runs(rig: Rig, settings: Settings) -> bool:
    """As an engine does that is told its language by every session."""
    runs = rig.opened_with[-1]
    return (runs.engine, runs.model) == (settings.engine, settings.model)


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


def test_what_the_user_asks_for_waits_some_seconds_for_a_pause_and_loses_no_word_either(
    rig: Rig, change: ChangeOver, clock: Clock, engines: list[Engine]
) -> None:
    listening(rig)
    rig.reach(Stage.SPEECH)
    change.wish(replace(WISH, waits=False))
    settle(engines[0])
    clock.now += PATIENCE_S * 0.9
    change.look()
    assert len(rig.sessions) == 1
    clock.now += PATIENCE_S * 0.2
    change.look()
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
    settle(engines[1])
    clock.now += 60
    change.look()
    assert not change.waiting
    assert rig.store.settings.model == "another"
    assert [each.model for each in rig.opened_with] == ["", "another"]


# --- what is chosen by name, or with another language ---------------------------------------------


def test_what_is_chosen_by_name_is_loaded_beside_the_session_too(
    rig: Rig, change: ChangeOver, clock: Clock, told: list[str], engines: list[Engine]
) -> None:
    listening(rig)
    rig.reach(Stage.SPEECH)
    rig.store.change(model="another")
    assert told == ["Whisper is being loaded. Captions go on, and change over to it at a pause."]
    assert engines[0].settings == rig.store.settings, "and the page shows what was chosen"
    said = words("nobody misses this")
    rig.say(*said)
    assert rig.sessions[0].timeline.words() == said
    settle(engines[0])
    assert len(rig.sessions) == 1
    rig.reach(Stage.LISTENING)
    clock.now += QUIET_S
    change.look()
    assert len(rig.sessions) == 2
    assert rig.sessions[1].predecessor is engines[0]
    assert told[-1].startswith("Whisper takes over.")


def test_a_language_that_the_engine_is_only_told_needs_no_load(
    rig: Rig, change: ChangeOver, told: list[str], engines: list[Engine]
) -> None:
    listening(rig)
    rig.store.change(language="de")
    assert (len(rig.sessions), engines, told) == (2, [], [])
    assert rig.sessions[1].predecessor is rig.sessions[0], "whose worker it takes"


def test_a_choice_that_cannot_be_loaded_goes_back_and_says_why(
    rig: Rig, change: ChangeOver, told: list[str], engines: list[Engine]
) -> None:
    listening(rig)
    before = rig.store.settings
    rig.store.change(engine="voxtral-torch", model="")
    rig.store.change(source="usb")
    settle(engines[0], UserError("There is too little memory.", "Close other programs."))
    assert told[-1] == (
        "Whisper could not be loaded: captions go on as before. "
        "There is too little memory. Close other programs."
    )
    assert rig.store.settings == replace(before, source="usb")
    assert len(rig.sessions) == 1 and ("stop",) not in rig.session.calls
    assert engines[0].calls == ["close"]


def test_one_that_is_refused_at_once_goes_back_too(
    rig: Rig, change: ChangeOver, told: list[str]
) -> None:
    listening(rig)
    rig.store.change(model="refused")
    assert rig.store.settings.model == ""
    assert told == [
        "Captions go on as before: the other engine could not be loaded. "
        "There is no such model. Choose another."
    ]
    assert len(rig.sessions) == 1


def test_what_nobody_foresaw_ends_no_captions(
    rig: Rig, change: ChangeOver, told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    listening(rig)
    rig.store.change(model="nonsense")
    assert rig.store.settings.model == "" and len(rig.sessions) == 1
    assert told[0].endswith("Something went wrong inside Voxline. "
                            "The log says why: Help, Open log folder.")  # fmt: skip
    assert "nobody foresaw this" in caplog.text


def test_who_chooses_twice_gets_the_second_and_keeps_the_first_session_till_then(
    rig: Rig, change: ChangeOver, told: list[str], engines: list[Engine]
) -> None:
    listening(rig)
    rig.store.change(model="one")
    rig.store.change(model="two")
    assert engines[0].calls == ["close"]
    settle(engines[1], UserError("It is gone."))
    assert rig.store.settings.model == "", "back to what captions, not to what never did"
    assert len(rig.sessions) == 1


def test_who_chooses_what_captions_already_is_left_in_peace(
    rig: Rig, change: ChangeOver, engines: list[Engine]
) -> None:
    listening(rig)
    rig.store.change(model="one")
    rig.store.change(model="")
    assert engines[0].calls == ["close"] and not change.waiting
    assert len(rig.sessions) == 1


def test_a_session_begun_meanwhile_is_the_present_engines(
    rig: Rig, change: ChangeOver, engines: list[Engine]
) -> None:
    """Else nobody would be captioned until the other is there."""
    listening(rig)
    rig.store.change(model="one")
    rig.captioning.start_another()
    assert rig.opened_with[-1].model == ""
    assert engines[0].calls == []


def test_where_memory_holds_one_model_loading_waits_for_a_pause_and_says_so(
    rig: Rig, change: ChangeOver, clock: Clock, told: list[str], engines: list[Engine]
) -> None:
    listening(rig)
    rig.reach(Stage.SPEECH)
    rig.store.change(model="large")
    settle(engines[0], NoRoomError("There is not enough memory for two models at once."))
    assert told[-1].startswith("There is not enough memory for two models at once. It is loaded at")
    assert len(rig.sessions) == 1 and rig.store.settings.model == "large"
    rig.reach(Stage.LISTENING)
    clock.now += QUIET_S
    change.look()
    first, second = rig.sessions
    assert second.predecessor is first and first.makes_room
    assert told[-1].startswith("Whisper is being loaded. What is said meanwhile")
    rig.say_in(0, HeardOut())
    rig.reach(Stage.FAILED, "It is damaged.")
    QApplication.processEvents()
    assert rig.store.settings.model == "", "and it gives way like any other"
    assert rig.opened_with[-1].model == ""


def test_a_choice_is_the_next_try_of_captions_that_failed_meanwhile(
    rig: Rig, change: ChangeOver, engines: list[Engine]
) -> None:
    listening(rig)
    rig.store.change(model="one")
    settle(engines[0])
    rig.reach(Stage.FAILED, "The engine stopped again and again.")
    change.look()
    assert len(rig.sessions) == 2
    assert rig.sessions[1].predecessor is engines[0]


def test_captions_that_are_off_meanwhile_begin_with_it(
    rig: Rig, change: ChangeOver, engines: list[Engine]
) -> None:
    listening(rig)
    rig.store.change(model="one")
    rig.captioning.stop()
    rig.reach(Stage.STOPPED)
    change.look()
    assert engines[0].calls == ["close"] and len(rig.sessions) == 1
    rig.captioning.start()
    assert rig.opened_with[-1].model == "one"


def test_the_delay_of_what_is_being_loaded_is_not_the_present_sessions(
    rig: Rig, change: ChangeOver
) -> None:
    listening(rig)
    rig.store.change(engine="embedded")
    rig.store.change(delay_ms={"embedded": 2000})
    assert all(call[0] != "set_delay" for call in rig.session.calls)


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
    qtbot.waitUntil(lambda: rig.store.settings.model == "base", timeout=60_000)
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
