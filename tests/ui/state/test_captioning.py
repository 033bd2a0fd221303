"""Sessions come and go as the user chooses; the windows listen to one Captioning."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication

from app.session.session import Stage, Status
from model_backends.base import UserError, Word
from tests.ui.conftest import Rig
from tests.ui.overlay_fakes import words


def stages_of(rig: Rig) -> list[Status]:
    heard: list[Status] = []
    rig.captioning.status.connect(heard.append)
    return heard


def test_a_session_begins_with_the_settings_and_its_words_are_passed_on(rig: Rig) -> None:
    heard: list[Word] = []
    rig.captioning.word.connect(heard.append)
    rig.store.change(language="en")
    rig.captioning.start()
    spoken = words("one two")
    rig.say(*spoken)
    assert rig.opened_with == [rig.store.settings]
    assert rig.calls == ["start"]
    assert heard == spoken
    assert rig.captioning.timeline is rig.session.timeline


def test_starting_twice_opens_one_session(rig: Rig) -> None:
    rig.captioning.start()
    rig.captioning.start()
    assert len(rig.sessions) == 1


@pytest.mark.parametrize(
    ("stage", "told"),
    [
        (Stage.STARTING, ["start", "pause"]),
        (Stage.SPEECH, ["start", "pause"]),
        (Stage.NO_SOUND, ["start", "pause"]),
        (Stage.PAUSED, ["start", "resume"]),
        (Stage.STOPPING, ["start"]),
    ],
)
def test_the_toggle_pauses_or_resumes(rig: Rig, stage: Stage, told: list[str]) -> None:
    rig.captioning.start()
    rig.reach(stage)
    rig.captioning.toggle_pause()
    assert rig.calls == told


@pytest.mark.parametrize("stage", [Stage.STOPPED, Stage.FAILED])
def test_the_toggle_begins_anew_after_the_end(rig: Rig, stage: Stage) -> None:
    rig.captioning.toggle_pause()
    rig.reach(stage)
    rig.captioning.toggle_pause()
    assert len(rig.sessions) == 2
    assert rig.calls == ["start"]


@pytest.mark.parametrize("change", [{"engine": "embedded"}, {"model": "x"}, {"language": "de"}])
def test_another_engine_model_or_language_waits_until_the_session_is_saved(
    rig: Rig, change: dict[str, str]
) -> None:
    idle: list[bool] = []
    rig.captioning.idle.connect(lambda: idle.append(True))
    rig.captioning.start()
    rig.reach(Stage.LISTENING)
    rig.store.change(**change)
    assert rig.calls == ["start", "stop"]
    assert len(rig.sessions) == 1
    rig.reach(Stage.STOPPED)
    assert len(rig.sessions) == 2
    assert rig.opened_with[-1] == rig.store.settings
    assert not idle


def test_who_paused_is_not_heard_again_because_of_another_engine(rig: Rig) -> None:
    rig.captioning.start()
    rig.reach(Stage.PAUSED)
    rig.store.change(engine="embedded")
    rig.reach(Stage.STOPPED)
    assert len(rig.sessions) == 1
    assert rig.calls == ["start", "stop"]


def test_source_and_delay_reach_the_running_session(rig: Rig) -> None:
    rig.captioning.start()
    rig.reach(Stage.LISTENING)
    rig.store.change(source="usb")
    rig.store.change_delay(960)
    rig.store.change(delay_ms={**rig.store.settings.delay_ms, "embedded": 2000})  # another's
    rig.store.change(source="")
    assert rig.session.calls[1:] == [
        ("set_source", "usb"),
        ("set_delay", 960),
        ("set_source", None),
    ]


def test_looks_do_not_touch_the_session(rig: Rig) -> None:
    rig.captioning.start()
    rig.store.change_overlay(lines=4)
    assert rig.calls == ["start"]


def test_stopping_is_idle_once_saved(rig: Rig) -> None:
    idle: list[bool] = []
    rig.captioning.idle.connect(lambda: idle.append(True))
    rig.captioning.start()
    rig.reach(Stage.SPEECH)
    rig.captioning.stop()
    rig.reach(Stage.STOPPING)
    assert not idle
    rig.captioning.stop()
    assert rig.calls == ["start", "stop"]  # once is enough
    rig.reach(Stage.STOPPED)
    assert idle == [True]


def test_stopping_when_nothing_runs_is_idle_at_once(rig: Rig) -> None:
    idle: list[bool] = []
    rig.captioning.idle.connect(lambda: idle.append(True))
    rig.captioning.stop()
    assert idle == [True]


def test_stopping_calls_off_the_session_that_was_to_follow(rig: Rig) -> None:
    rig.captioning.start()
    rig.reach(Stage.LISTENING)
    rig.captioning.start_another()
    rig.captioning.stop()
    rig.reach(Stage.STOPPED)
    assert len(rig.sessions) == 1


def test_a_session_that_fails_while_ending_is_still_followed_by_the_next(rig: Rig) -> None:
    rig.captioning.start()
    rig.captioning.start_another()
    rig.reach(Stage.FAILED)
    assert len(rig.sessions) == 2


def test_an_ended_session_is_not_heard_any_more(rig: Rig) -> None:
    rig.captioning.start()
    rig.reach(Stage.STOPPED)
    old = rig.session
    rig.captioning.start()
    heard = stages_of(rig)
    old.say(Status(Stage.SPEECH))
    QApplication.processEvents()
    assert heard == []


def test_what_the_user_can_mend_is_told_and_can_be_tried_again(rig: Rig) -> None:
    heard = stages_of(rig)
    rig.refusal = UserError("No microphone was found.", "Plug one in.")
    rig.captioning.start()
    assert heard[-1] == Status(Stage.FAILED, "No microphone was found.", "Plug one in.")
    assert not rig.captioning.running
    rig.refusal = None
    rig.captioning.toggle_pause()
    assert rig.calls == ["start"]


def test_what_nobody_foresaw_is_told_too(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.refusal = ZeroDivisionError("inside")
    rig.captioning.start()
    assert rig.captioning.last_status.stage == Stage.FAILED
    assert "ZeroDivisionError" in caplog.text
    assert "ZeroDivision" not in rig.captioning.last_status.message


def test_an_abort_reaches_the_session_and_nothing_follows(rig: Rig) -> None:
    rig.captioning.start()
    rig.captioning.start_another()
    rig.captioning.abort()
    rig.reach(Stage.STOPPED)
    assert rig.calls == ["start", "stop", "abort"]
    assert len(rig.sessions) == 1
