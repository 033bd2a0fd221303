"""What `voxline control` orders is done by the app that runs, and told in a sentence."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from app import language
from app.session.session import Choices
from app.session.status import Stage, Status
from app.ui.desktop.control import Control
from app.ui.state.commands import VERBS, Commands
from tests.ui.conftest import Rig
from tests.ui.overlay_fakes import words


class App:
    """The verbs, and what they act on."""

    def __init__(self, rig: Rig) -> None:
        self.on = {"captions": True, "hold": False, "click-through": False}
        self.size, self.marks = 28, 0
        self.commands = Commands()
        for name in self.on:
            self.commands.offer(name, partial(self.turn, name), partial(self.on.__getitem__, name))
        self.commands.offer(
            "pause",
            rig.captioning.toggle_pause,
            lambda: rig.captioning.stage in (Stage.PAUSED, Stage.IDLE),
        )
        self.commands.offer("bigger", lambda: self.grow(2))
        self.commands.offer("smaller", lambda: self.grow(-2))
        self.commands.offer("mark", self.mark)
        self.control = Control(self.commands, rig.captioning, lambda: self.size)

    def turn(self, name: str) -> None:
        self.on[name] = not self.on[name]

    def grow(self, by: int) -> None:
        self.size += by

    def mark(self) -> None:
        self.marks += 1

    def order(self, verb: str, on: bool | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.control.obey(json.dumps({"verb": verb, "on": on})))
        return answer


@pytest.fixture
def app(rig: Rig) -> App:
    return App(rig)


def test_captions_are_shown_and_hidden(app: App) -> None:
    told = []
    for verb in ("hide", "hide", "toggle", "show"):
        told.append((app.order(verb)["message"], app.on["captions"]))
    hidden, shown = ("The captions are hidden.", False), ("The captions are shown.", True)
    assert told == [hidden, hidden, shown, shown]


@pytest.mark.parametrize("verb", ["hold", "click-through"])
def test_what_is_on_or_off_is_turned_over_or_set(app: App, verb: str) -> None:
    on = app.order(verb)["message"]
    assert app.on[verb]
    assert app.order(verb, True)["message"] == on
    assert app.on[verb]
    off = app.order(verb, False)["message"]
    assert not app.on[verb]
    assert off != on


def test_listening_pauses_and_goes_on(app: App, rig: Rig) -> None:
    assert app.order("pause", True)["message"] == "Listening is paused."  # nothing runs
    assert app.order("pause")["message"] == "Voxline is listening."
    rig.reach(Stage.SPEECH)
    assert app.order("pause", False)["done"]
    assert rig.calls == ["start"]
    assert app.order("pause", True)["message"] == "Listening is paused."
    assert rig.calls == ["start", "pause"]
    rig.reach(Stage.STOPPING)
    refused = app.order("pause")
    assert not refused["done"]
    assert refused["message"] == "The transcript is being saved."


def test_text_grows_and_a_place_is_marked(app: App) -> None:
    assert app.order("bigger")["message"] == "The text is 30 pt now."
    assert app.order("smaller")["message"] == "The text is 28 pt now."
    marked = "This place is marked."
    assert app.order("mark") == {"done": True, "message": marked, "hint": "", "said": marked}
    assert app.marks == 1


def test_people_are_told_in_the_language_of_the_windows_and_programs_in_english(app: App) -> None:
    language.choose("de")
    try:
        answer, state = app.order("no such verb"), app.order("status")
    finally:
        language.choose("en")
    assert answer["message"] == "This Voxline cannot do that."
    assert answer["said"] == "Dieses Voxline kann das nicht. Vielleicht ist es eine andere Version."
    assert "captions are" in state["message"] and "Untertitel sind" in state["said"]


def test_the_state_is_told_without_what_was_said(app: App, rig: Rig) -> None:
    rig.captioning.start()
    rig.say(Status(Stage.NO_SOUND, "No sound is arriving.", "Is it muted?"), *words("secret talk"))
    app.order("hold")
    told = app.order("status")
    assert told["message"] == (
        "No sound is arriving. Is it muted? The captions are shown. "
        "The text is held; listening goes on."
    )
    facts = {"stage": "no sound", "held": True, "captions_shown": True, "click_through": False}
    assert facts.items() <= told.items()
    assert (told["words"], told["engine"], told["delay_ms"]) == (2, "scripted", 480)
    assert "secret" not in json.dumps(told)


def test_the_delay_that_acts_is_told(app: App, rig: Rig) -> None:
    rig.captioning.start()
    rig.reach(Stage.SPEECH)
    assert "chosen" not in app.order("status")["message"]
    rig.say(Choices("Built-in microphone", 960, chosen_delay_ms=480))
    told = app.order("status")
    assert (told["delay_ms"], told["chosen_delay_ms"]) == (960, 480)
    assert "Words come 960 ms behind: the 480 ms that were chosen" in told["message"]


@pytest.mark.parametrize(
    "line", ["", "hide", "[]", "{}", "5", '{"verb": ["hide"]}', "{" * 9, "[" * 30_000]
)
def test_what_is_no_order_is_refused(app: App, line: str) -> None:
    answer = json.loads(app.control.obey(line))
    assert not answer["done"]
    assert answer["message"].endswith(".")
    assert answer["hint"].endswith(".")


def test_what_nobody_does_is_refused(rig: Rig) -> None:
    control = Control(Commands(), rig.captioning, lambda: 28)
    for verb in (*VERBS, "dance"):
        answer = json.loads(control.obey(json.dumps({"verb": verb})))
        assert not answer["done"]
