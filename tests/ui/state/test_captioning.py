"""Sessions come and go as the user chooses; the windows listen to one Captioning."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.audio.choice import Device, Meeting, from_text
from app.audio.devices.base import SourceInfo
from app.core.reheard import Reheard
from app.core.voices import ME, THEM
from app.session.session import Choices, HeardOut, Saved, Stage, Status
from model_backends.base import Notice, UserError, Word
from tests.ui.conftest import Rig
from tests.ui.overlay_fakes import faked, words


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


def test_what_has_begun_early_is_shown_whole_by_the_start(rig: Rig) -> None:
    """The engine loads while the windows are built; they miss nothing of it."""
    rig.captioning.start_early()
    assert rig.calls == ["start"] and not rig.captioning.running
    spoken = words("one two")
    rig.say(Status(Stage.SPEECH), *spoken)
    heard: list[object] = []
    shown: list[object] = []
    rig.captioning.session_changed.connect(shown.append)
    rig.captioning.word.connect(heard.append)
    rig.captioning.status.connect(lambda status: heard.append(status.stage))
    rig.captioning.start()
    assert heard == [Stage.STARTING, Stage.SPEECH, *spoken]
    assert len(shown) == 1 and rig.calls == ["start"], "there is but one session"
    rig.captioning.start()
    assert len(rig.sessions) == 1


def test_what_cannot_begin_early_is_told_by_the_start(rig: Rig) -> None:
    rig.refusal = UserError("There is no such model.", "Choose another.")
    rig.captioning.start_early()
    heard = stages_of(rig)
    rig.captioning.start()
    assert [(each.stage, each.message) for each in heard] == [
        (Stage.FAILED, "There is no such model.")
    ]


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


@pytest.mark.parametrize(
    "change",
    [
        {"engine": "embedded"},
        {"model": "x"},
        {"language": "de"},
        {"device": "cpu"},
        {"precision": "int8"},
    ],
)
def test_another_engine_model_or_language_listens_at_once_and_is_shown_after_the_last_word(
    rig: Rig, change: dict[str, str]
) -> None:
    """U2: nothing that is said meanwhile is lost, nothing is shown out of order."""
    heard: list[object] = []
    rig.captioning.word.connect(heard.append)
    rig.captioning.saved.connect(heard.append)
    rig.captioning.session_changed.connect(lambda bridge: heard.append(bridge.session))
    rig.captioning.start()
    rig.reach(Stage.LISTENING)
    rig.store.change(**change)
    old, new = rig.sessions
    assert [call[0] for call in old.calls] == ["start", "stop"]
    assert rig.calls == ["start"], "and before the other has ended"
    assert new.predecessor is old
    assert rig.opened_with[-1] == rig.store.settings
    first, last = words("new last")
    rig.say(Status(Stage.LISTENING), first)
    rig.say_in(0, Status(Stage.STOPPING), last)
    assert heard == [old, last]
    assert rig.captioning.last_status == Status(Stage.STOPPING)
    assert faked(rig.captioning) is old
    saved = Saved(Path("old.srt"))
    rig.say_in(0, HeardOut())
    assert heard == [old, last, new, first], "saving is not waited for"
    assert rig.captioning.last_status == Status(Stage.LISTENING)
    assert faked(rig.captioning) is new
    rig.say_in(0, saved, Status(Stage.STOPPED))
    assert heard[-1] == saved
    assert rig.captioning.stage is Stage.LISTENING and rig.captioning.running


def test_a_server_matters_only_to_an_engine_that_asks_one(rig: Rig) -> None:
    rig.captioning.start()
    rig.reach(Stage.LISTENING)
    rig.store.change(server_urls="wss://a", agreed_servers={"a": True})
    rig.store.change(server_dialect="openai")
    assert rig.calls == ["start"], "the embedded engine goes on"
    rig.store.change(engine="remote")
    assert len(rig.sessions) == 2
    rig.store.change(server_urls="wss://a wss://b")
    assert len(rig.sessions) == 3


def test_what_is_chosen_meanwhile_is_for_the_one_that_listens(rig: Rig) -> None:
    rig.captioning.start()
    rig.reach(Stage.LISTENING)
    rig.captioning.start_another()
    rig.store.change(source="usb")
    rig.store.change_delay(960)
    assert rig.session.calls == [("start",), ("set_source", Device("usb")), ("set_delay", 960)]


def test_a_session_listens_until_the_next_one_does(rig: Rig, qtbot: QtBot) -> None:
    """A microphone takes up to seconds to open: what is said then belongs to the one before."""
    rig.captioning.start()
    rig.reach(Stage.SPEECH)
    rig.sounds_at_once = False
    rig.store.change(language="de")
    first, second = rig.sessions
    assert second.calls == [("start",)]
    rig.captioning._relief.timeout.emit()
    assert ("stop",) not in first.calls
    second.sounds = True
    qtbot.waitUntil(lambda: first.calls == [("start",), ("stop",)])
    assert not rig.captioning._relief.isActive()


def test_a_session_does_not_wait_for_ever_for_the_next_one(rig: Rig) -> None:
    rig.captioning.start()
    rig.reach(Stage.SPEECH)
    rig.sounds_at_once = False
    rig.captioning.start_another()
    for _ in range(100):
        rig.captioning._relief.timeout.emit()
    assert rig.sessions[0].calls == [("start",), ("stop",)]


@pytest.mark.parametrize("verb", ["pause", "stop"])
def test_what_is_asked_while_two_listen_is_asked_of_both(rig: Rig, verb: str) -> None:
    rig.captioning.start()
    rig.reach(Stage.SPEECH)
    rig.sounds_at_once = False
    rig.captioning.start_another()
    rig.captioning.toggle_pause() if verb == "pause" else rig.captioning.stop()
    first, second = rig.sessions
    assert first.calls == [("start",), ("stop",)]
    assert second.calls == [("start",), (verb,)]


def test_a_third_session_waits_for_both(rig: Rig) -> None:
    shown: list[object] = []
    rig.captioning.session_changed.connect(lambda bridge: shown.append(bridge.session))
    rig.captioning.start()
    rig.captioning.start_another()
    rig.captioning.start_another()
    first, second, third = rig.sessions
    assert second.calls == [("start",), ("stop",)]
    rig.say_in(1, HeardOut(), Status(Stage.STOPPED))
    assert shown == [first]
    rig.say_in(0, HeardOut(), Status(Stage.STOPPED))
    QApplication.processEvents()
    assert shown == [first, second, third]


def test_an_engine_that_is_refused_leaves_the_session_as_it_is(rig: Rig) -> None:
    rig.captioning.start()
    rig.reach(Stage.SPEECH)
    told: list[Notice] = []
    rig.captioning.notice.connect(told.append)
    rig.refusal = UserError("There is no such engine.", "Choose another.")
    rig.store.change(engine="nonsense")
    assert [notice.message for notice in told] == ["There is no such engine."]
    assert rig.calls == ["start"] and rig.captioning.stage is Stage.SPEECH


@pytest.mark.parametrize("change", [{"source": "usb"}, {"engine": "embedded"}, {"language": "de"}])
def test_a_choice_made_after_a_failure_is_tried_at_once(rig: Rig, change: dict[str, str]) -> None:
    """U3: it may be what was missing."""
    rig.captioning.start()
    rig.reach(Stage.FAILED)
    rig.store.change(**change)
    assert len(rig.sessions) == 2 and rig.calls == ["start"]
    assert rig.opened_with[-1] == rig.store.settings


def test_a_choice_made_while_captions_are_off_starts_nothing(rig: Rig) -> None:
    rig.store.change(source="usb")
    rig.captioning.start()
    rig.reach(Stage.STOPPED)
    rig.store.change(source="")
    assert len(rig.sessions) == 1


def test_a_refused_delay_goes_back_where_it_is_chosen(rig: Rig) -> None:
    told: list[Notice] = []
    rig.captioning.start()
    rig.reach(Stage.SPEECH)
    rig.captioning.notice.connect(told.append)
    rig.store.change_delay(2400)
    refused = Notice("me", "delay-refused", "There is not enough memory for 2400 ms.")
    rig.say(Choices("Built-in microphone", 480), refused)
    assert rig.store.settings.delay_ms["scripted"] == 480
    assert told == [refused]
    assert rig.captioning.stage is Stage.SPEECH and len(rig.sessions) == 1


def test_the_delay_that_was_chosen_can_be_insisted_on(rig: Rig) -> None:
    rig.store.change_delay(480)
    rig.captioning.start()
    rig.reach(Stage.SPEECH)
    rig.store.change_delay(480)
    assert rig.calls == ["start"], "it acts"
    rig.say(Choices("Built-in microphone", 960, chosen_delay_ms=480))
    assert rig.store.settings.delay_ms["scripted"] == 480, "the choice stays"
    rig.store.change_delay(480)
    assert rig.session.calls[1:] == [("set_delay", 480)]


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
        ("set_source", Device("usb")),
        ("set_delay", 960),
        ("set_source", Meeting()),
    ]


JABRA = "alsa_input.usb-GN_Netcom_A_S_Jabra_EVOLVE_65-00.mono-fallback"


def test_the_name_of_a_source_is_remembered_once_it_is_found(rig: Rig) -> None:
    """U3: for a choice that an earlier version kept without it."""
    rig.store.change(source=JABRA)
    rig.captioning.start()
    rig.say(Choices("Jabra Evolve 65 Mono", 240))
    assert from_text(rig.store.settings.source) == Device(JABRA, "Jabra Evolve 65 Mono")
    assert rig.calls == ["start"], "which is no other source"


def test_the_name_of_an_output_is_remembered_without_what_it_plays(rig: Rig) -> None:
    kept = "alsa_output.pci-0000_00_1f.3.hdmi-stereo.monitor"
    rig.store.change(source=kept)
    rig.captioning.start()
    rig.say(Choices(SourceInfo(kept, "HDMI / DisplayPort 3", "system").full_name, 240))
    assert from_text(rig.store.settings.source) == Device(kept, "HDMI / DisplayPort 3", plays=True)


def test_the_name_of_what_stands_in_is_not(rig: Rig) -> None:
    rig.store.change(source=JABRA)
    rig.captioning.start()
    rig.say(Choices("Built-in microphone", 240, source_is_away=True))
    assert from_text(rig.store.settings.source) == Device(JABRA)


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


def test_stopping_ends_the_session_that_was_to_follow_too(rig: Rig) -> None:
    idle: list[bool] = []
    rig.captioning.idle.connect(lambda: idle.append(True))
    rig.captioning.start()
    rig.reach(Stage.LISTENING)
    rig.captioning.start_another()
    rig.captioning.stop()
    assert rig.calls == ["start", "stop"]
    rig.say_in(0, HeardOut())
    rig.reach(Stage.STOPPED)
    assert not idle, "the first is still being saved"
    rig.say_in(0, Status(Stage.STOPPED))
    assert idle == [True] and len(rig.sessions) == 2


def test_a_session_that_fails_while_ending_is_still_followed_by_the_next(rig: Rig) -> None:
    rig.captioning.start()
    rig.captioning.start_another()
    rig.say_in(0, Status(Stage.FAILED))
    assert faked(rig.captioning) is rig.sessions[1]
    assert rig.captioning.stage is Stage.STARTING


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


def test_an_abort_reaches_every_session_and_nothing_follows(rig: Rig) -> None:
    rig.captioning.start()
    rig.captioning.start_another()
    rig.captioning.abort()
    assert [[call[0] for call in each.calls] for each in rig.sessions] == [
        ["start", "stop", "abort"],
        ["start", "abort"],
    ]
    for number in (0, 1):
        rig.say_in(number, Status(Stage.STOPPED))
    assert len(rig.sessions) == 2 and not rig.captioning.running


# --- two voices --------------------------------------------------------------------------------


def meeting(rig: Rig) -> None:
    rig.captioning.start()
    rig.say(Choices("Speakers and microphone", 480, voices=(THEM, ME)))


def test_the_users_own_words_are_shown_only_if_wished(rig: Rig) -> None:
    meeting(rig)
    assert rig.captioning.shows(THEM) and not rig.captioning.shows(ME)
    assert rig.captioning.labels == {}, "one voice is to be seen: nobody need be named"
    rig.store.change(show_own_speech=True, own_name="Ada")
    assert rig.captioning.shows(ME)
    assert rig.captioning.labels == {ME: "Ada", THEM: "Others"}


def test_alone_with_a_microphone_one_sees_what_one_says(rig: Rig) -> None:
    rig.captioning.start()
    assert rig.captioning.shows(ME) and rig.captioning.labels == {}
    meeting(rig)
    rig.say(Choices("Microphone", 480))
    assert rig.captioning.shows(ME), "the others are not heard any more"


def test_the_transcript_has_both(rig: Rig) -> None:
    heard: list[Word] = []
    rig.captioning.word.connect(heard.append)
    meeting(rig)
    both = [Word(THEM, 0, 0, " Hi", 0, 200), Word(ME, 0, 1, " Hello", 300, 500)]
    rig.say(*both)
    assert heard == both


# --- while a transcript is being finished ----------------------------------------------------

FINISHING = Status(Stage.STOPPING, "Finishing the transcript …", can_hurry=True)


def finishing(rig: Rig) -> None:
    """The captions are out; the record of them is still being made."""
    rig.captioning.start()
    rig.reach(Stage.SPEECH)
    rig.captioning.stop()
    rig.say(HeardOut(), FINISHING)


def test_what_was_heard_again_is_passed_on(rig: Rig) -> None:
    heard: list[Reheard] = []
    rig.captioning.reheard.connect(heard.append)
    rig.captioning.start()
    stretch = Reheard("me", 0, 900, ())
    rig.say(stretch)
    assert heard == [stretch]


def test_another_stop_saves_the_transcript_as_it_is(rig: Rig) -> None:
    finishing(rig)
    rig.captioning.stop()
    assert rig.calls == ["start", "stop", "stop"]


def test_another_session_need_not_wait_for_it_nor_hurry_it(rig: Rig, qtbot: QtBot) -> None:
    saved: list[object] = []
    rig.captioning.saved.connect(saved.append)
    finishing(rig)
    rig.captioning.start_another()
    assert faked(rig.captioning) is rig.sessions[1]
    rig.reach(Stage.LISTENING)
    assert [call[0] for call in rig.sessions[0].calls] == ["start", "stop"]
    rig.say_in(0, Saved(Path("first.srt")), Status(Stage.STOPPED))
    assert saved == [Saved(Path("first.srt"))]
    assert rig.captioning.stage is Stage.LISTENING


def test_haste_reaches_those_that_are_not_shown_any_more(rig: Rig) -> None:
    finishing(rig)
    rig.captioning.start_another()
    rig.captioning.hurry()
    assert [call[0] for call in rig.sessions[0].calls] == ["start", "stop", "stop"]
    assert rig.calls == ["start"]
