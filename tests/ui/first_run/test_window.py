"""The first run: every step acts at once on captions that run, and each can be the last."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app.audio.choice import Device, Microphone, SystemSound
from app.audio.devices.base import SourceInfo
from app.core.voices import ME, THEM
from app.native.keys import parse
from app.session.status import Stage, Status
from app.ui.desktop.hotkeys import NO_KEYS
from app.ui.first_run import heard, source_step
from app.ui.first_run import window as first_run_window
from app.ui.first_run.opening import TOLD, is_due
from app.ui.first_run.window import FirstRunWindow
from app.ui.widgets import beside_captions
from tests.ui.conftest import Rig
from tests.ui.desktop.fake_keys import FakeKeys
from tests.ui.first_run.opened import Guide
from tests.ui.overlay_fakes import words
from tests.ui.test_accessibility import controls, told

MICROPHONE = SourceInfo(
    "alsa_input.usb-Blue_Yeti-00", "Yeti (USB) №2 🎤", "microphone", default=True
)
SPEAKERS = SourceInfo("alsa_output.pci-0000_00_1f.3.monitor", "Speakers", "system", default=True)
DEAF = SourceInfo("", "", "system", why_not="This Mac cannot hear itself before macOS 14.4.")


@pytest.fixture
def guide(qtbot: QtBot, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guide]:
    monkeypatch.setattr(source_step, "list_sources", lambda: [MICROPHONE, SPEAKERS])
    rig.captioning.start()
    listen(rig, THEM, ME)
    made = Guide(rig)
    yield made
    if made.window is not None:
        made.window.close()


@pytest.fixture
def window(qtbot: QtBot, guide: Guide) -> FirstRunWindow:
    made = guide.open()
    yeti = Qt.MatchFlag.MatchStartsWith
    qtbot.waitUntil(lambda: made.source.source.findText("Yeti", yeti) >= 0)  # the list has come
    return made


def listen(rig: Rig, *voices: str) -> None:
    """The session listens to these, and all of them are silent."""
    rig.session.voices = voices
    rig.session.levels = dict.fromkeys(voices, 0.0)
    rig.reach(Stage.LISTENING)


def hear(rig: Rig, **levels: float) -> None:
    rig.session.levels = levels
    rig.captioning.level.emit(max(levels.values()))


def shown(window: FirstRunWindow) -> str:
    """The page's words, or what it says instead of any."""
    page = window.source.heard
    if page.words.isVisible():
        return " ".join(page.words.committed_text)
    return page.told.text()


# --- what do you want to read? --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "source"), [("system", SystemSound()), ("microphone", Microphone())]
)
def test_an_answer_is_listened_to_at_once(
    window: FirstRunWindow, rig: Rig, answer: str, source: object
) -> None:
    assert window.source.answers["meeting"].isChecked(), "what runs until somebody chooses"
    window.source.answers[answer].click()
    assert rig.session.calls[-1] == ("set_source", source)
    assert window.source.answers[answer].isChecked()


def test_a_device_is_chosen_from_the_list_and_is_none_of_the_answers(
    window: FirstRunWindow, rig: Rig
) -> None:
    rows = window.source.source
    rows.chosen.emit(rows.itemData(rows.findText("Yeti", Qt.MatchFlag.MatchStartsWith)))
    assert rig.session.calls[-1] == ("set_source", Device(MICROPHONE.id, MICROPHONE.name))
    assert not any(answer.isChecked() for answer in window.source.answers.values())
    rig.store.change(source="microphone")  # from wherever
    assert window.source.answers["microphone"].isChecked()


def test_what_this_computer_cannot_hear_is_not_offered_and_told_why(window: FirstRunWindow) -> None:
    window.source.show_sources([MICROPHONE, DEAF])
    usable = [name for name, answer in window.source.answers.items() if answer.isEnabled()]
    assert usable == ["microphone"]
    assert window.source.why_not.isVisible() and window.source.why_not.text() == DEAF.why_not


def test_each_voice_that_is_listened_to_has_its_own_meter(window: FirstRunWindow, rig: Rig) -> None:
    hear(rig, them=0.2, me=0.004)
    meters = window.source.meters
    assert meters[THEM].lit > meters[ME].lit > 0
    listen(rig, ME)
    hear(rig, me=0.2)
    assert not meters[THEM].isVisible() and meters[ME].lit > 8
    assert told(meters[ME]) == "Sound level"


def test_ones_own_words_are_offered_where_there_are_two_voices(
    window: FirstRunWindow, rig: Rig
) -> None:
    assert window.source.own_speech.isEnabled()
    window.source.own_speech.click()
    assert rig.store.settings.show_own_speech
    window.source.answers["microphone"].click()
    assert not window.source.own_speech.isEnabled(), "alone, they are always shown"


# --- what is heard --------------------------------------------------------------------------------


def test_while_nothing_is_heard_it_says_so_and_captions_nothing(
    window: FirstRunWindow, rig: Rig
) -> None:
    assert shown(window).startswith("Nothing is playing, and nobody speaks.")
    rig.session.voices = (THEM,)  # of both, the one that can be heard
    rig.say(Status(Stage.LISTENING, "Listening.", remark="No microphone. Plug one in."))
    assert shown(window).startswith("No microphone. Plug one in. Nothing is playing now.")
    rig.reach(Stage.NO_SOUND, "No microphone.")
    assert shown(window) == "No sound is arriving. No microphone."
    assert window.source.heard.words.committed_text == []


def test_sound_is_told_before_there_are_words_and_silence_again(
    window: FirstRunWindow, rig: Rig
) -> None:
    hear(rig, them=0.1, me=0.0)
    assert shown(window).startswith("Sound arrives.")
    hear(rig, them=0.0001, me=0.0)
    assert shown(window).startswith("Sound arrives."), "between two words there is silence, too"
    window.source.heard._silence.timeout.emit()
    assert shown(window).startswith("Nothing is playing, and nobody speaks.")


def test_real_words_are_in_the_page_with_who_says_them(window: FirstRunWindow, rig: Rig) -> None:
    assert not rig.captioning.shows(ME)
    rig.reach(Stage.SPEECH)
    rig.say(*words("Can you hear me?"))
    assert shown(window) == "You: Can you hear me?", "in the captions only if wished"
    listen(rig, ME)
    window.source.answers["microphone"].click()
    rig.say(*words("Yes.", start_ms=9_000))
    assert shown(window).endswith("Yes.") and shown(window).count("You:") == 1
    rig.reach(Stage.NO_SOUND, "It is muted.")
    assert shown(window) == "No sound is arriving. It is muted."


def test_captions_that_do_not_run_can_be_started_here(window: FirstRunWindow, rig: Rig) -> None:
    assert not window.source.heard.start.isVisible()
    rig.reach(Stage.STOPPED, "Captions are off.")
    assert window.source.heard.start.text() == "Start captions"
    window.source.heard.start.click()
    assert len(rig.sessions) == 2


def test_trouble_is_announced(
    window: FirstRunWindow, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(heard, "announce", lambda widget, text: said.append(text))
    rig.reach(Stage.LISTENING)
    rig.reach(Stage.NO_SOUND, "It is muted.")
    assert said == ["No sound is arriving. It is muted."]


# --- the other steps ------------------------------------------------------------------------------


def test_a_look_and_a_size_are_in_the_captions_settings_at_once(
    window: FirstRunWindow, rig: Rig
) -> None:
    window.show_step(1)
    looks = window.look.looks
    looks.presets.cards["contrast"].click()
    assert rig.store.settings.overlay.text_color == "#ffff00"
    assert looks.presets.cards["contrast"].isChecked()
    size = rig.store.settings.overlay.font_size
    looks.size.more.click()
    assert rig.store.settings.overlay.font_size > size
    assert looks.contrast.text() == "Readable on any background"


def test_language_and_delay_are_what_the_engine_offers(window: FirstRunWindow, rig: Rig) -> None:
    window.show_step(2)
    hearing = window.hearing.hearing
    assert hearing.language_note.isVisible() and not hearing.language.isVisible()
    QTest.keyClick(hearing.delay, Qt.Key.Key_Right)
    assert ("set_delay", rig.store.settings.delay_ms["scripted"]) in rig.session.calls
    rig.store.change(engine="embedded")
    assert hearing.language.isVisible()
    hearing.language.chosen.emit("de")
    assert rig.store.settings.language == "de"


def test_what_is_kept_is_asked_and_the_keys_that_work_are_taught(
    window: FirstRunWindow, rig: Rig
) -> None:
    window.show_step(3)
    window.keeping.keeping.keep.click()
    assert not rig.store.settings.keep_transcripts
    assert "nothing of what is said" in window.keeping.keeping.where.text()
    assert taught(window) == ["Ctrl+Alt+C", "Ctrl+Alt+H", "Ctrl+Alt+P"]
    rig.store.change(keys={"hold": "Ctrl+Alt+J"})
    assert taught(window) == ["Ctrl+Alt+C", "Ctrl+Alt+J", "Ctrl+Alt+P"]


def taught(window: FirstRunWindow) -> list[str]:
    grid = window.keeping.keys
    cells = (grid.itemAtPosition(row, 0) for row in range(grid.rowCount()))
    return [cell.widget().text() for cell in cells if cell is not None]  # type: ignore[union-attr]


def test_keys_that_others_have_are_not_taught(rig: Rig, guide: Guide) -> None:
    theirs = Guide(rig, FakeKeys({parse("Ctrl+Alt+C"), parse("Ctrl+Alt+H")}))
    window = theirs.open()
    assert taught(window) == ["Ctrl+Alt+P"]
    assert window.keeping.no_keys.isHidden()
    theirs.hotkeys.none_to_be_had = True
    theirs.hotkeys.changed.emit()
    assert taught(window) == []
    assert not window.keeping.no_keys.isHidden() and window.keeping.no_keys.text() == NO_KEYS
    window.close()


# --- on, back, away -------------------------------------------------------------------------------


def test_it_is_walked_through_by_keys_alone(window: FirstRunWindow, rig: Rig, guide: Guide) -> None:
    assert window.focusWidget() is window.source.answers["meeting"]
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Up)
    assert rig.store.settings.source == "microphone"
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Return)
    cards = window.look.looks.presets.cards
    assert window.focusWidget() is cards["classic"]
    QTest.keyClick(window, Qt.Key.Key_Tab)
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Space)
    assert cards["contrast"].isChecked()
    QTest.keyClick(window, Qt.Key.Key_Return)
    QTest.keyClick(window, Qt.Key.Key_Return)
    assert window.focusWidget() is window.keeping.keeping.keep
    assert window.next.text() == "&Start reading"
    QTest.keyClick(window, Qt.Key.Key_Return)
    assert guide.shown == [1, 2, 3, 4, 0]
    assert guide.all_seen and rig.store.settings.told[TOLD]


def test_back_shows_the_step_before(window: FirstRunWindow, guide: Guide) -> None:
    assert not window.back.isEnabled()
    window.next.click()
    window.back.click()
    assert guide.shown == [1, 2, 1]
    assert window.progress.text() == "Step 1 of 4" and window.heading.text() == window.source.title


@pytest.mark.parametrize("step", range(3))
@pytest.mark.parametrize("way", ["skip", "escape", "close"])
def test_every_step_can_be_skipped_and_is_not_shown_again(
    window: FirstRunWindow, rig: Rig, guide: Guide, qtbot: QtBot, step: int, way: str
) -> None:
    guide.expect()
    assert is_due(rig.store.settings.told, none_kept=False), "until it was ended"
    window.show_step(step)
    if way == "escape":
        QTest.keyClick(window, Qt.Key.Key_Escape)
    else:
        window.skip.click() if way == "skip" else window.close()
    assert not is_due(rig.store.settings.told, none_kept=False)
    assert guide.window is None and guide.shown[-1] == 0
    assert not guide.all_seen, "so the main window still tells what is kept"


def test_it_opens_again_from_its_beginning(
    window: FirstRunWindow, guide: Guide, qtbot: QtBot
) -> None:
    window.show_step(2)
    assert guide.open() is window, "one that is open stays where it is"
    assert window.pages.currentIndex() == 2
    window.close()
    qtbot.waitUntil(lambda: not isValid(window))
    again = guide.open()
    assert again is not window and again.pages.currentIndex() == 0


def test_what_goes_on_after_its_end_does_not_reach_it(
    window: FirstRunWindow, rig: Rig, guide: Guide, qtbot: QtBot
) -> None:
    """An exception in a slot fails the test."""
    window.close()
    qtbot.waitUntil(lambda: not isValid(window))
    rig.store.change(source="system")
    hear(rig, them=0.2)
    rig.say(Status(Stage.SPEECH), *words("Go on."))
    assert rig.captioning.stage is Stage.SPEECH, "it was told"
    rig.captioning.choices_changed.emit()
    rig.captioning.session_changed.emit(None)
    guide.hotkeys.changed.emit()


def test_an_app_that_ends_has_not_ended_it(window: FirstRunWindow, rig: Rig, guide: Guide) -> None:
    guide.leave()
    assert not window.isVisible()
    assert TOLD not in rig.store.settings.told


@pytest.mark.parametrize(
    ("told_before", "none_kept", "due"),
    [
        ({}, True, True),
        ({}, False, False),  # an older Voxline's settings: no newcomer
        ({TOLD: False}, False, True),  # it was begun, and the app ended
        ({TOLD: True}, False, False),
        ({TOLD: True}, True, False),
    ],
)
def test_who_is_a_newcomer(told_before: dict[str, bool], none_kept: bool, due: bool) -> None:
    assert is_due(told_before, none_kept) is due


# --- for everybody --------------------------------------------------------------------------------


@pytest.mark.usefixtures("screen_reader")
def test_every_control_has_a_name_and_each_step_is_announced(
    window: FirstRunWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(first_run_window, "announce", lambda widget, text: said.append(text))
    found = controls(window)
    assert len(found) > 15
    assert [type(widget) for widget in found if not told(widget).strip()] == []
    window.show_step(1)
    assert said == ["Step 2 of 4. How should captions look?"]


def test_tab_goes_from_top_to_bottom_and_then_to_the_buttons(window: FirstRunWindow) -> None:
    step, page = window.source, window.pages.widget(0)
    assert page is not None
    in_order = [step.answers["meeting"], step.own_speech, step.source, window.skip, window.next]
    assert reached_by_tab(window) == in_order
    window.resize(window.minimumSize())
    # what scrolls is scrolled by keys, too: before its controls, which is after the last button
    assert reached_by_tab(window) == [*in_order, page]
    assert told(page) == step.title


def reached_by_tab(window: FirstRunWindow) -> list[QWidget]:
    window.source.answers["meeting"].setFocus()
    seen: list[QWidget] = []
    while (at := window.focusWidget()) not in seen:
        seen.append(at)
        QTest.keyClick(window, Qt.Key.Key_Tab)
    return seen


def test_it_goes_aside_when_the_captions_grow_over_it(window: FirstRunWindow, qtbot: QtBot) -> None:
    screen = window.screen().availableGeometry()
    captions = QRect(20, screen.height() - 200, screen.width() - 40, 160)
    beside_captions.follow(lambda: captions)
    try:
        window._clear.place()
        free = window.size()
        assert not window.frameGeometry().intersects(captions)
        captions = QRect(20, 260, screen.width() - 40, screen.height() - 300)
        look_twice(window)
        assert not window.frameGeometry().intersects(captions)
        assert window.height() < free.height() and screen.contains(window.frameGeometry())
        captions = QRect(20, screen.height() - 200, screen.width() - 40, 160)
        look_twice(window)
        assert window.size() == free, "as high as before, now that there is room"
        window.resize(free - QSize(0, 40))  # by the user
        window.move(QPoint(30, 40))
        look_twice(window)
        captions = QRect(20, screen.height() - 180, screen.width() - 40, 160)  # no nearer
        look_twice(window)
        assert window.size() == free - QSize(0, 40) and window.pos() == QPoint(30, 40)
    finally:
        beside_captions.follow(QRect)


def test_it_does_not_slip_from_under_the_hand(
    window: FirstRunWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside_captions.follow(window.frameGeometry)
    before = window.frameGeometry()
    monkeypatch.setattr(QApplication, "mouseButtons", lambda: Qt.MouseButton.LeftButton)
    look_twice(window)
    beside_captions.follow(QRect)
    assert window.frameGeometry() == before


def look_twice(window: FirstRunWindow) -> None:
    for _ in range(2):
        window._clear.look()
