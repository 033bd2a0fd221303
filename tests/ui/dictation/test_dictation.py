"""Dictation in the window: off at first, seen while it is on, and only what it may type."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QRect
from pytestqt.qtbot import QtBot

from app.core.voices import ME, THEM
from app.native.typist import Focus, NoTypingError, Typist
from app.session.session import Stage
from app.ui.desktop.control import Control
from app.ui.dictation.badge import Badge
from app.ui.state import dictation as state
from app.ui.state.commands import DICTATE, Commands
from app.ui.state.dictation import Dictation
from tests.share.test_dictation import FakeTypist
from tests.ui.conftest import Rig
from tests.ui.overlay_fakes import words

PATIENCE_MS = 60_000
CAPTIONS = QRect(100, 500, 600, 120)


@pytest.fixture
def typist() -> FakeTypist:
    return FakeTypist()


@pytest.fixture
def dictation(rig: Rig, typist: FakeTypist, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dictation]:
    monkeypatch.setattr(state, "_LEAVE_S", PATIENCE_MS / 1000)
    made = Dictation(rig.captioning, lambda: typist)
    yield made
    made.close()


@pytest.fixture
def badge(dictation: Dictation, qtbot: QtBot) -> Badge:
    made = Badge(dictation, lambda: CAPTIONS)
    qtbot.addWidget(made)
    return made


def typed(dictation: Dictation) -> int:
    return dictation.doing.typed if dictation.doing else 0


def test_it_is_off_until_the_user_has_it_on(
    rig: Rig, dictation: Dictation, badge: Badge, typist: FakeTypist, qtbot: QtBot
) -> None:
    rig.captioning.start()
    rig.reach(Stage.LISTENING)
    rig.say(*words("before"))
    assert not dictation.on and not badge.isVisible()
    dictation.toggle()
    rig.say(*words("one two", start_ms=1_000))
    qtbot.waitUntil(lambda: typed(dictation) == 2, timeout=PATIENCE_MS)
    dictation.toggle()
    rig.say(*words("after", start_ms=2_000))
    dictation.close()
    assert typist.texts == {7: "one two"}
    assert typist.closed.is_set()


def test_the_badge_is_there_for_as_long_as_it_is_on_and_ends_it(
    rig: Rig, dictation: Dictation, badge: Badge, typist: FakeTypist, qtbot: QtBot
) -> None:
    dictation.switch(True)
    assert badge.isVisible()
    assert badge.text() == "Typing is on: captions are off · Stop"
    assert badge.geometry().bottom() < CAPTIONS.top()
    rig.captioning.start()
    rig.reach(Stage.LISTENING)
    assert badge.text() == "Typing what is said · Stop"
    typist.now = Focus(9, ours=True)
    qtbot.waitUntil(lambda: "Voxline’s own window" in badge.text(), timeout=PATIENCE_MS)
    rig.reach(Stage.PAUSED)
    assert "listening is paused" in badge.text()
    assert "password" in badge.toolTip()
    assert "Stop" in badge.accessibleName()
    badge.click()
    assert not badge.isVisible() and not dictation.on


def test_nothing_is_typed_while_listening_is_paused(
    rig: Rig, dictation: Dictation, typist: FakeTypist, qtbot: QtBot
) -> None:
    rig.captioning.start()
    dictation.switch(True)
    rig.reach(Stage.PAUSED)
    rig.say(*words("said before, out only now"))
    rig.reach(Stage.LISTENING)
    rig.say(*words("go on", start_ms=9_000))
    qtbot.waitUntil(lambda: typed(dictation) == 2, timeout=PATIENCE_MS)
    assert typist.texts == {7: "go on"}


def test_what_this_computer_plays_is_typed_only_where_nobody_speaks_into_it(
    rig: Rig, dictation: Dictation, typist: FakeTypist, qtbot: QtBot
) -> None:
    rig.captioning.start()
    dictation.switch(True)
    rig.reach(Stage.SPEECH)
    theirs = [replace(word, lane=THEM) for word in words("theirs")]
    rig.session.voices = (ME, THEM)
    rig.say(*theirs, *words("mine"))
    qtbot.waitUntil(lambda: typed(dictation) == 1, timeout=PATIENCE_MS)
    rig.session.voices = (THEM,)
    rig.say(*theirs)
    qtbot.waitUntil(lambda: typed(dictation) == 2, timeout=PATIENCE_MS)
    assert typist.texts == {7: "mine theirs"}


def test_a_session_after_another_is_typed_on(
    rig: Rig, dictation: Dictation, typist: FakeTypist, qtbot: QtBot
) -> None:
    dictation.switch(True)
    for said in ("one.", "two."):
        rig.captioning.start()
        first, *_ = words(said)
        rig.say(replace(first, text=said))  # a session's first word brings no space
        rig.reach(Stage.STOPPED)
    qtbot.waitUntil(lambda: typed(dictation) == 2, timeout=PATIENCE_MS)
    assert typist.texts == {7: "one. two."}


def refusing() -> Typist:
    raise NoTypingError("On Wayland there is no typing.", "Use X11.")


def test_where_it_cannot_be_it_says_why_and_stays_off(rig: Rig) -> None:
    dictation = Dictation(rig.captioning, refusing)
    told = list[tuple[str, str]]()
    dictation.problem.connect(lambda message, hint: told.append((message, hint)))
    commands = Commands()
    commands.offer(DICTATE.name, dictation.toggle, lambda: dictation.on)
    dictation.switch(True)
    assert not dictation.on
    assert told == [("On Wayland there is no typing.", "Use X11.")]
    control = Control(commands, rig.captioning, lambda: 28)
    answer = json.loads(control.obey(json.dumps({"verb": "dictate", "on": True})))
    assert not answer["done"] and "cannot type" in answer["message"]


def test_it_can_be_had_from_the_command_line(rig: Rig, dictation: Dictation) -> None:
    commands = Commands()
    commands.offer(DICTATE.name, dictation.toggle, lambda: dictation.on)
    control = Control(commands, rig.captioning, lambda: 28)

    def order(on: bool) -> str:
        said: str = json.loads(control.obey(json.dumps({"verb": "dictate", "on": on})))["message"]
        return said

    assert order(True) == "What is said is typed into the window in use."
    assert json.loads(control.obey('{"verb": "status"}'))["dictating"] is True
    assert order(False) == "Nothing is typed."


def test_when_it_breaks_it_is_off_and_says_so(
    rig: Rig, dictation: Dictation, badge: Badge, typist: FakeTypist, qtbot: QtBot
) -> None:
    told = list[str]()
    dictation.problem.connect(lambda message, hint: told.append(message))
    dictation.switch(True)
    typist.error = NoTypingError("The X server does not answer.")
    qtbot.waitUntil(lambda: not dictation.on, timeout=PATIENCE_MS)
    assert told == ["The X server does not answer."]
    assert not badge.isVisible()
