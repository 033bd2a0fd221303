"""The main window shows what the session does and asks for what the user wants."""

from __future__ import annotations

from pathlib import Path
from threading import current_thread
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QKeySequence, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QFileDialog,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app import __version__, paths
from app.audio.choice import Application, Device, MediaFile, from_text, to_text
from app.audio.devices.base import SourceInfo
from app.core.reheard import Reheard
from app.core.timeline import Gap
from app.session.record import Saved
from app.session.session import Stage, Status
from app.ui.main_window import help as help_texts
from app.ui.main_window import report, save_as, state_header
from app.ui.main_window import window as window_module
from app.ui.main_window.window import _LEAST, MainWindow
from app.ui.widgets import stages
from app.ui.widgets.source_box import SourceBox
from model_backends.base import Notice
from tests.ui.conftest import Rig
from tests.ui.overlay_fakes import words

MICROPHONES = [
    SourceInfo("usb", "USB microphone", "microphone", True),
    SourceInfo("hdmi.monitor", "HDMI", "system"),
]


@pytest.fixture
def window(rig: Rig, qtbot: QtBot) -> MainWindow:
    rig.store.change(told={"kept": True})
    made = MainWindow(rig.captioning, rig.store)
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    return made


def press(button: QAbstractButton) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def told(window: MainWindow) -> list[str]:
    return [banner.text for banner in window.banners.banners]


def choose(box: QComboBox, data: str) -> None:
    """As a user does: open the list, go to the item, press Enter."""
    box.open_now() if isinstance(box, SourceBox) else box.showPopup()
    index = box.findData(data)
    box.view().setCurrentIndex(box.model().index(index, 0))
    QTest.keyClick(box.view(), Qt.Key.Key_Return)


def labels(box: QComboBox) -> list[str]:
    return [box.itemText(index) for index in range(box.count())]


# --- state ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "button"),
    [
        (Stage.STARTING, "&Pause listening"),
        (Stage.SPEECH, "&Pause listening"),
        (Stage.NO_SOUND, "&Pause listening"),
        (Stage.PAUSED, "&Resume"),
        (Stage.STOPPED, "&Start"),
        (Stage.FAILED, "&Try again"),
    ],
)
def test_every_stage_is_named_with_what_can_be_done(
    window: MainWindow, rig: Rig, stage: Stage, button: str
) -> None:
    rig.captioning.start()
    rig.say(Status(stage, "What has happened.", "What to do."))
    assert window.header.state.text() == stages.title(stage)
    assert window.header.detail.text() == "What has happened. What to do."
    assert window.header.toggle.text() == window.menus.toggle.text() == button
    assert window.header.toggle.isEnabled()


def test_a_remark_in_the_header_does_not_move_what_is_being_read(
    window: MainWindow, rig: Rig, qtbot: QtBot
) -> None:
    rig.captioning.start()
    rig.say(Status(Stage.SPEECH))
    for number in range(60):
        rig.say(*words(f"Paragraph {number}", start_ms=20_000 * number))
    bar = window.transcript.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    read = QTextCursor(window.transcript.document().findBlockByNumber(30))

    def place() -> int:
        QApplication.processEvents()
        within = window.transcript.cursorRect(read).topLeft()
        return window.transcript.viewport().mapTo(window, within).y()

    before, top = place(), window.transcript.y()
    remark = "The sound from USB is very quiet. Turn the microphone up, or come nearer to it."
    rig.say(Status(Stage.SPEECH, remark=remark))
    qtbot.waitUntil(lambda: window.transcript.y() > top)
    assert place() == before
    lower = window.transcript.y()
    rig.say(Status(Stage.SPEECH))
    qtbot.waitUntil(lambda: window.transcript.y() < lower)
    assert place() == before


def test_there_is_a_name_for_every_stage() -> None:
    assert len({stages.title(stage) for stage in Stage}) == len(Stage)


def test_trouble_is_said_once() -> None:
    silent = Status(Stage.NO_SOUND, "No sound is arriving from Yeti.", "Is it muted?")
    said = "No sound is arriving from Yeti. Is it muted?"
    assert stages.announcement(Stage.LISTENING, silent) == stages.in_full(silent) == said
    behind = Status(Stage.CATCHING_UP, "Catching up …")
    assert stages.announcement(Stage.LISTENING, behind) == "Catching up."


def test_nothing_can_be_pressed_twice_while_saving(window: MainWindow, rig: Rig) -> None:
    rig.captioning.start()
    rig.reach(Stage.STOPPING)
    assert not window.header.toggle.isEnabled()
    assert not window.menus.new.isEnabled()
    assert not window.menus.stop.isEnabled()


def test_loading_shows_how_far_it_is(window: MainWindow, rig: Rig) -> None:
    rig.captioning.start()
    rig.say(Status(Stage.STARTING, "Loading the speech model …", "", 0.4))
    assert window.header.detail.text() == "Loading the speech model … 40%"


def test_the_meter_shows_speech_as_loud_as_it_is_to_the_ear(window: MainWindow, rig: Rig) -> None:
    rig.captioning.start()
    rig.reach(Stage.SPEECH)
    rig.captioning.level.emit(0.05)  # RMS of ordinary speech
    assert window.header.meter.lit >= 6
    assert window.header.meter.accessibleDescription() == "good"


@pytest.mark.parametrize("stage", [Stage.PAUSED, Stage.STOPPING, Stage.STOPPED, Stage.FAILED])
def test_the_meter_is_dark_when_nothing_is_listened_to(
    window: MainWindow, rig: Rig, stage: Stage
) -> None:
    rig.captioning.start()
    rig.reach(Stage.SPEECH)
    rig.captioning.level.emit(0.7)
    rig.reach(stage)
    assert window.header.meter.lit == 0
    rig.captioning.level.emit(0.7)  # one that was on its way
    assert window.header.meter.lit == 0


def test_one_starts_pauses_and_begins_anew(window: MainWindow, rig: Rig) -> None:
    press(window.header.toggle)
    rig.reach(Stage.SPEECH)
    press(window.header.toggle)
    rig.reach(Stage.PAUSED)
    press(window.header.toggle)
    rig.reach(Stage.SPEECH)
    window.menus.new.trigger()
    assert [call[0] for call in rig.sessions[0].calls] == ["start", "pause", "resume", "stop"]
    assert rig.calls == ["start"]
    assert len(rig.sessions) == 2


def test_the_menu_stops_and_saves(window: MainWindow, rig: Rig) -> None:
    rig.captioning.start()
    rig.reach(Stage.SPEECH)
    window.menus.stop.trigger()
    assert rig.calls == ["start", "stop"]
    rig.reach(Stage.STOPPED)
    assert len(rig.sessions) == 1
    assert not window.menus.stop.isEnabled()


# --- transcript ----------------------------------------------------------------------------


def test_words_and_gaps_appear(window: MainWindow, rig: Rig) -> None:
    rig.captioning.start()
    rig.say(*words("One two"), Gap("me", 1000, 9000, "device"), *words("three", start_ms=9000))
    text = window.transcript.toPlainText()
    assert [line.split("\t")[-1] for line in text.split("\n")] == [
        "One two",
        "— No sound from the source, 0:00:01 to 0:00:09 —",
        "three",
    ]


def test_sessions_stand_one_below_the_other(window: MainWindow, rig: Rig) -> None:
    for text in ("First", "second"):
        rig.captioning.start()
        rig.say(*words(text))
        rig.reach(Stage.STOPPED)
    lines = window.transcript.toPlainText().split("\n")
    assert [lines[0].split("\t")[-1], lines[2].split("\t")[-1]] == ["First", "second"]
    assert len(lines) == 3


def test_the_way_back_to_the_newest_words_shows_only_when_needed(
    window: MainWindow, rig: Rig
) -> None:
    rig.captioning.start()
    rig.say(*(word for n in range(60) for word in words(f"w{n}", start_ms=n * 9000)))
    assert window.latest.isHidden()
    window.transcript.verticalScrollBar().setValue(0)
    assert window.latest.isVisible()
    press(window.latest)
    assert window.latest.isHidden()
    bar = window.transcript.verticalScrollBar()
    assert bar.value() == bar.maximum()


def test_the_way_back_goes_once_all_words_are_in_sight(
    window: MainWindow, rig: Rig, qtbot: QtBot
) -> None:
    """As when a banner goes: the range shrinks to nothing, and nobody scrolls."""
    rig.captioning.start()
    rig.say(*words("word " * 250))
    window.resize(window.width(), window.minimumSizeHint().height())
    qtbot.waitUntil(lambda: window.transcript.verticalScrollBar().maximum() > 0)
    window.transcript.verticalScrollBar().setValue(0)
    assert window.latest.isVisible()
    window.resize(window.width(), 1400)
    qtbot.waitUntil(window.latest.isHidden)


@pytest.mark.parametrize(
    ("name", "chosen_filter", "written", "begins"),
    [
        ("talk.srt", "", "talk.srt", "1\n00:00:00,000 --> "),
        ("talk.vtt", "", "talk.vtt", "WEBVTT"),
        ("talk.txt", "", "talk.txt", "Hello there"),
        ("talk", "Subtitles, WebVTT (*.vtt)", "talk.vtt", "WEBVTT"),
        ("talk 14.30", "", "talk 14.30.srt", "1\n"),
    ],
)
def test_the_transcript_is_saved_as_its_name_says(
    window: MainWindow,
    rig: Rig,
    qtbot: QtBot,
    tmp_path: Path,
    name: str,
    chosen_filter: str,
    written: str,
    begins: str,
) -> None:
    rig.captioning.start()
    rig.say(*words("Hello there"))
    dialog = window.save_transcript()
    assert dialog is not None
    if chosen_filter:
        dialog.selectNameFilter(chosen_filter)
    dialog.fileSelected.emit(str(tmp_path / name))
    qtbot.waitUntil(lambda: f"Saved: {tmp_path / written}" in told(window))
    assert (tmp_path / written).read_text("utf-8").startswith(begins)
    dialog.close()


def test_what_was_heard_again_stands_in_the_transcript_and_in_copies(
    window: MainWindow, rig: Rig, qtbot: QtBot, tmp_path: Path
) -> None:
    rig.captioning.start()
    shown = words("Hello their")
    again = Reheard("me", 0, 60_000, tuple(words("Hello there")))
    rig.say(*shown, again)
    assert "Hello there" in window.transcript.toPlainText()
    for as_shown, text in ((False, "Hello there"), (True, "Hello their")):
        dialog = window.save_transcript(as_shown)
        assert dialog is not None
        path = tmp_path / f"{as_shown}.txt"
        dialog.fileSelected.emit(str(path))
        qtbot.waitUntil(path.exists)
        assert path.read_text("utf-8").strip() == text
        dialog.close()


def test_a_transcript_that_is_being_finished_can_be_saved_as_it_is(
    window: MainWindow, rig: Rig
) -> None:
    rig.captioning.start()
    rig.reach(Stage.STOPPING)
    assert not window.menus.stop.isEnabled()
    rig.say(Status(Stage.STOPPING, "Finishing the transcript …", can_hurry=True))
    assert window.menus.stop.isEnabled() and window.menus.new.isEnabled()
    window.menus.stop.trigger()
    assert rig.calls == ["start", "stop"]


def test_a_format_chosen_in_the_dialog_changes_the_name(window: MainWindow, rig: Rig) -> None:
    rig.captioning.start()
    rig.say(*words("Hello"))
    dialog = window.save_transcript()
    assert dialog is not None
    dialog.filterSelected.emit("Text without times (*.txt)")
    assert dialog.selectedFiles()[0].endswith(".txt")
    dialog.close()


def test_a_copy_is_written_outside_the_windows_thread(
    window: MainWindow,
    rig: Rig,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    writers: list[str] = []
    write = save_as.write

    def noted(*choices: Any) -> Path:
        writers.append(current_thread().name)
        return write(*choices)

    monkeypatch.setattr(save_as, "write", noted)
    rig.captioning.start()
    rig.say(*words("Hello"))
    dialog = window.save_transcript()
    assert dialog is not None
    dialog.fileSelected.emit(str(tmp_path / "talk.srt"))
    qtbot.waitUntil(lambda: f"Saved: {tmp_path / 'talk.srt'}" in told(window))
    assert writers and writers != [current_thread().name]
    dialog.close()


def test_a_place_that_cannot_be_written_is_told(
    window: MainWindow, rig: Rig, qtbot: QtBot, tmp_path: Path
) -> None:
    rig.captioning.start()
    rig.say(*words("Hello"))
    dialog = window.save_transcript()
    assert dialog is not None
    dialog.fileSelected.emit(str(tmp_path / "missing" / "talk.srt"))
    qtbot.waitUntil(
        lambda: any("missing" in text and "no such folder" in text for text in told(window))
    )
    dialog.close()


def test_with_nothing_said_there_is_nothing_to_save(window: MainWindow, rig: Rig) -> None:
    rig.captioning.start()
    window.menus.save.trigger()
    assert told(window) == ["There is nothing to save yet: nobody has spoken."]


def test_a_saved_session_is_announced_with_the_way_to_it(
    window: MainWindow, rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opened: list[Path] = []

    def open_folder(folder: Path) -> bool:
        opened.append(folder)
        return True

    monkeypatch.setattr(save_as, "open_folder", open_folder)
    rig.captioning.start()
    rig.say(Saved(tmp_path / "talk.srt"))
    (banner,) = window.banners.banners
    assert banner.text == f"Saved: {tmp_path / 'talk.srt'}"
    (way,) = [b for b in banner.findChildren(QPushButton) if "older" in b.text()]
    press(way)
    assert opened == [tmp_path]


# --- banners -------------------------------------------------------------------------------


def test_a_notice_is_shown_once_and_can_be_dismissed(window: MainWindow, rig: Rig) -> None:
    rig.captioning.start()
    notice = Notice("me", "behind", "The engine is slower than speech.", "Take a smaller model.")
    rig.say(notice, notice)
    (banner,) = window.banners.banners
    assert (banner.text, banner.hint) == (notice.message, notice.hint)
    press(banner.findChildren(QPushButton)[0])
    assert not window.banners.banners
    assert window.banners.isHidden()


def test_where_there_is_little_room_notices_scroll_and_none_is_cut(
    qtbot: QtBot, window: MainWindow, rig: Rig
) -> None:
    long = "Something that takes more than one line to be told is the matter with the sound. " * 2
    for number in range(2):
        window.banners.tell("warning", f"{number}. {long}", "Choose another source above.")
    window.setMinimumHeight(0)
    window.resize(_LEAST.width(), window.minimumSizeHint().height())
    *_, newest = shown = window.banners.banners

    def whole_and_in_sight() -> bool:
        whole = all(each.height() >= each.heightForWidth(each.width()) for each in shown)
        corners = newest.rect().topLeft(), newest.rect().bottomRight()
        seen = (newest.mapTo(window.banners, corner) for corner in corners)
        return whole and all(window.banners.rect().contains(corner) for corner in seen)

    qtbot.waitUntil(whole_and_in_sight)
    assert window.banners.height() < sum(each.height() for each in shown)


def test_a_question_is_whole_with_all_its_buttons(qtbot: QtBot, window: MainWindow) -> None:
    window.resize(_LEAST)
    banner = window.banners.ask("The session of 21 November, 14:02 was cut off: save it?", "…" * 90)
    for text in ("Save the subtitle file", "Delete…", "Later"):
        QApplication.processEvents()  # it is laid out without the button
        banner.add_button(text, lambda: None)
    qtbot.waitUntil(lambda: banner.height() >= banner.heightForWidth(banner.width()))
    qtbot.waitUntil(lambda: window.banners.height() >= banner.height())


def test_many_notices_do_not_push_a_question_away(window: MainWindow, rig: Rig) -> None:
    window.banners.ask("Save?")
    for number in range(9):
        window.banners.tell("info", f"Notice {number}")
    assert told(window)[0] == "Save?"
    assert told(window)[-1] == "Notice 8"
    assert len(told(window)) == 2


def test_settings_that_cannot_be_saved_are_told(window: MainWindow, rig: Rig) -> None:
    rig.store.flush()  # what the window wanted kept: a slow machine has written it by now
    file = paths.config_dir() / "settings.toml"
    file.unlink()
    file.mkdir()
    rig.store.change(source="usb")
    rig.store.flush()
    assert any("could not be saved" in text for text in told(window))


# --- choices -------------------------------------------------------------------------------


def test_sources_are_offered_by_name(window: MainWindow, rig: Rig) -> None:
    window.choices.show_sources(MICROPHONES)
    source = window.choices.source
    assert labels(source) == [
        "Automatic: meeting (microphone and this computer’s sound)",
        "Microphones",
        "Default microphone",
        "USB microphone",
        "This computer’s sound",
        "Default output",
        "HDMI",
        "Applications",
        "None is playing now",
        "A file…",
    ]
    assert source.currentIndex() == 0, "nobody has chosen yet"
    hdmi = to_text(MICROPHONES[1].choice)
    choose(source, hdmi)
    assert rig.store.settings.source == hdmi
    assert source.currentText() == "HDMI"


def test_a_list_that_is_late_is_waited_for_and_what_is_in_it_is_whole(
    window: MainWindow,
) -> None:
    source = window.choices.source
    asked: list[None] = []
    source.about_to_open.disconnect()
    source.about_to_open.connect(lambda: asked.append(None))
    source.showPopup()
    assert asked and not source.view().isVisible()
    window.choices.show_sources(MICROPHONES)
    assert source.view().isVisible()
    assert "HDMI" in labels(source)
    source.hidePopup()


def test_a_list_that_does_not_come_in_time_is_shown_once_it_does(window: MainWindow) -> None:
    source = window.choices.source
    source.about_to_open.disconnect()
    source._sources = None
    source.show_chosen("")
    source.showPopup()
    source._waiting.timeout.emit()  # the time is over
    assert source.view().isVisible()
    assert "Looking …" in labels(source) and "A file…" in labels(source)
    window.choices.show_sources(MICROPHONES)
    assert source.view().isVisible()
    assert "HDMI" in labels(source) and "Looking …" not in labels(source)
    window.choices.show_sources(MICROPHONES[:1])
    assert "HDMI" in labels(source), "nothing moves under what is read"
    source.hidePopup()


def test_a_file_can_be_taken_and_until_then_nothing_changes(
    window: MainWindow, rig: Rig, tmp_path: Path
) -> None:
    window.choices.show_sources(MICROPHONES)
    source = window.choices.source
    choose(source, "file:")
    assert rig.store.settings.source == ""
    assert source.currentIndex() == 0
    [dialog] = window.findChildren(QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "one.flac"))
    assert from_text(rig.store.settings.source) == MediaFile(tmp_path / "one.flac")
    assert source.currentText() == "File: one.flac"


def test_a_key_that_no_button_has_now_chooses_no_source(window: MainWindow, rig: Rig) -> None:
    """Alt+P is "Pause listening"; once paused nothing has it, and "paplay" begins with P."""
    program = SourceInfo("app:paplay", "paplay", "application")
    window.choices.show_sources([*MICROPHONES, program])
    source = window.choices.source
    for modifier in (Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier):
        QTest.keyClick(source, Qt.Key.Key_P, modifier)
        assert rig.store.settings.source == ""
    QTest.keyClick(source, Qt.Key.Key_P)
    assert from_text(rig.store.settings.source) == Application("paplay"), "a letter alone does"


def test_a_usual_list_of_sources_is_seen_whole(window: MainWindow) -> None:
    """As styled, the app's lists end after so many rows, and the file is the last one."""
    devices = [SourceInfo(f"mic{n}", f"Microphone {n}", "microphone") for n in range(8)]
    window.choices.show_sources([*devices, *MICROPHONES[1:]])
    source = window.choices.source
    assert 10 < source.count() <= source.maxVisibleItems()


def test_a_chosen_source_that_is_gone_stays_in_the_list(window: MainWindow, rig: Rig) -> None:
    headset = to_text(Device("bluez_input.00_11.2", "Jabra Evolve2 (1/2)"))
    rig.store.change(source=headset)
    window.choices.show_sources(MICROPHONES)
    assert window.choices.source.currentText() == "Jabra Evolve2 (1/2) (not connected)"
    assert rig.store.settings.source == headset


@pytest.mark.parametrize("kept", ["device:usb\nIts name of old", "usb"])
def test_a_device_is_known_by_its_id_whatever_it_is_called_now(
    window: MainWindow, rig: Rig, kept: str
) -> None:
    rig.store.change(source=kept)
    window.choices.show_sources(MICROPHONES)
    assert window.choices.source.currentText() == "USB microphone"
    assert labels(window.choices.source).count("USB microphone") == 1


def test_languages_are_offered_only_where_one_can_be_chosen(window: MainWindow, rig: Rig) -> None:
    assert window.choices.language.isHidden()  # "scripted" finds it itself
    rig.store.change(engine="embedded")
    assert not window.choices.language.isHidden()
    choose(window.choices.language, "de")
    assert rig.store.settings.language == "de"
    assert "Deutsch" in window.choices.language.currentText()


def test_only_languages_that_the_model_knows_are_offered(window: MainWindow, rig: Rig) -> None:
    rig.store.change(engine="embedded", language="de")
    box = window.choices.language
    assert box.currentData() == "de" and box.count() > 50
    rig.store.change(model="tiny.en")
    assert [box.itemData(at) for at in range(box.count())] == ["", "en"]
    assert box.currentData() == ""


def test_looking_around_finds_the_engines_for_the_preferences(
    window: MainWindow, qtbot: QtBot
) -> None:
    preferences = window.open_preferences()
    window.look_around()
    engine = preferences.speech_model.engine
    qtbot.waitUntil(lambda: engine.findData("embedded") >= 0, timeout=20_000)
    assert engine.currentData() == "scripted"
    preferences.close()


# --- closing, keyboard, names --------------------------------------------------------------


def test_closing_is_closing_and_remembers_the_place(
    window: MainWindow, rig: Rig, qtbot: QtBot
) -> None:
    window.resize(701, 602)
    with qtbot.assertNotEmitted(window.quit_requested), qtbot.waitSignal(window.closed):
        window.close()
    assert not window.isVisible()
    again = MainWindow(rig.captioning, rig.store)
    qtbot.addWidget(again)
    assert (again.width(), again.height()) == (701, 602)


def test_while_saving_it_says_so(window: MainWindow) -> None:
    window.show_leaving()
    assert window.windowTitle().startswith("Saving")
    assert not window.header.toggle.isEnabled()


def test_it_is_placed_clear_of_the_captions_until_the_user_places_it(
    window: MainWindow, rig: Rig
) -> None:
    available = window.screen().availableGeometry()
    captions = QRect(100, available.bottom() - 180, 600, 160)
    window.place_clear_of(captions)
    assert window.frameGeometry().bottom() < captions.top()
    window.close()
    window.move(30, 40)
    window.place_clear_of(captions)
    assert window.pos() == QPoint(30, 40)


@pytest.mark.parametrize("size", [(1024, 600), (640, 400)])
def test_it_fits_small_screens_with_its_buttons(
    window: MainWindow, rig: Rig, size: tuple[int, int]
) -> None:
    """640 x 400 is what 1280 x 800 leaves at a scale of two."""
    rig.store.change(engine="embedded")  # the one with languages
    least = window.minimumSizeHint()
    assert least.width() <= size[0]
    assert least.height() <= size[1] - 40  # the desktop's frame
    window.resize(least)
    toggle = window.header.toggle
    assert window.rect().contains(toggle.mapTo(window, toggle.rect().bottomRight()))


class NarrowScreen:
    """1024 × 600 at 200 %."""

    def availableGeometry(self) -> QRect:
        return QRect(0, 0, 512, 300)


def test_the_window_is_no_wider_than_a_narrow_screen(
    rig: Rig, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MainWindow, "screen", lambda window: NarrowScreen())
    made = MainWindow(rig.captioning, rig.store)
    qtbot.addWidget(made)
    assert made.width() <= 512
    assert made.minimumSizeHint().expandedTo(made.minimumSize()).width() <= 512


def test_nothing_is_crushed_however_low_the_screen_is(
    rig: Rig, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window_module, "_ORDINARY_SCREEN", 10_000)
    rig.store.change(engine="embedded", told={"kept": True})
    window = MainWindow(rig.captioning, rig.store)
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    for number in range(2):
        window.banners.tell("warning", f"Captions come late {number}.", "Close other programs.")
    window.menus.find.trigger()
    QApplication.sendPostedEvents()  # the layout sees to it
    window.resize(_LEAST.width(), 10)
    QApplication.processEvents()
    for each in (*window.banners.banners, window.find_bar, window.header, window.choices):
        assert each.height() >= each.minimumSizeHint().height(), each
    assert window.transcript.height() >= window.transcript.minimumHeight() > 0
    assert window.height() <= _LEAST.height() + 40


def test_every_control_is_reached_by_tab_and_has_a_name(window: MainWindow, rig: Rig) -> None:
    rig.store.change(engine="embedded")  # the one with languages
    rig.captioning.start()
    rig.reach(Stage.SPEECH)
    kinds = (QAbstractButton, QComboBox, QAbstractSlider)
    controls = {
        control
        for kind in kinds
        for control in window.page.findChildren(kind)
        if control.isVisible() and control.focusPolicy() & Qt.FocusPolicy.TabFocus
    }
    assert {window.header.toggle, window.header.save, window.choices.language} <= controls
    for control in controls:
        name = control.accessibleName() or getattr(control, "text", lambda: "")()
        assert name, control
    window.header.toggle.setFocus()
    reached = set()
    for _ in range(40):
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        reached.add(window.focusWidget())
    assert controls <= reached


def test_labels_lead_to_their_controls_and_no_two_share_a_key(window: MainWindow) -> None:
    page = window.page
    texts = [label.text() for label in page.findChildren(QLabel) if "&" in label.text()]
    assert all(label.buddy() for label in page.findChildren(QLabel) if "&" in label.text())
    texts += [b.text() for b in page.findChildren(QPushButton) if b.isVisible() and "&" in b.text()]
    menus = [action.text() for action in window.menuBar().actions()]
    keys = [QKeySequence.mnemonic(text).toString() for text in [*texts, *menus]]
    assert len(keys) == len(set(keys)), sorted(keys)


def test_shortcuts_are_all_different(window: MainWindow) -> None:
    menus = [action.menu() for action in window.menuBar().actions()]
    actions = [action for menu in menus for action in menu.actions()]  # type: ignore[attr-defined]
    shortcuts = [keys for action in actions if (keys := action.shortcut().toString())]
    assert len(shortcuts) >= 10
    assert len(shortcuts) == len(set(shortcuts))


def test_find_opens_from_the_keyboard(window: MainWindow, rig: Rig) -> None:
    rig.captioning.start()
    rig.say(*words("needle in hay"))
    window.menus.find.trigger()
    assert window.find_bar.isVisible()
    QTest.keyClicks(window.find_bar.entry, "needle")
    assert window.find_bar.count.text() == "1 of 1"


# --- notices that end, and what is told once --------------------------------------------------


def test_what_is_told_of_a_state_ends_with_it(window: MainWindow, rig: Rig) -> None:
    rig.captioning.start()
    rig.say(Notice("me", "restarting", "The engine is restarted.", "No words are lost."))
    assert "The engine is restarted." in told(window)
    rig.reach(Stage.STARTING)
    assert "The engine is restarted." in told(window)
    rig.reach(Stage.LISTENING)
    assert "The engine is restarted." not in told(window)


def test_of_one_thing_only_the_newest_is_told(window: MainWindow, rig: Rig) -> None:
    rig.captioning.start()
    rig.say(Notice("me", "behind", "Captions come late.", "Choose tiny.en for English."))
    rig.say(Notice("me", "smaller-model", "English is now heard with tiny.en."))
    assert told(window) == ["English is now heard with tiny.en."]
    rig.reach(Stage.STOPPED)
    rig.captioning.start()  # another session, another state
    assert told(window) == []


def test_a_notice_that_is_taken_back_goes(window: MainWindow, rig: Rig) -> None:
    rig.captioning.start()
    rig.say(Notice("me", "smaller-model", "English is now heard with tiny.en."))
    rig.say(Notice("me", "file", "It has two audio tracks."), Notice("me", "smaller-model", ""))
    assert told(window) == ["It has two audio tracks."]


def test_another_source_ends_what_was_told_of_the_last(window: MainWindow, rig: Rig) -> None:
    rig.captioning.start()
    rig.say(Notice("me", "moved", "USB is gone; listening to Speakers instead."))
    rig.store.change(source="alsa_input.pci-0000_00_1f.3.analog-stereo")
    assert told(window) == []


@pytest.mark.parametrize("keeps", [True, False])
def test_at_the_first_start_one_is_told_that_transcripts_are_kept(
    rig: Rig, qtbot: QtBot, keeps: bool
) -> None:
    rig.store.change(told={}, keep_transcripts=keeps)
    for start in range(2):
        window = MainWindow(rig.captioning, rig.store)
        qtbot.addWidget(window)
        assert any("kept as a transcript" in text for text in told(window)) == (keeps and not start)


def test_who_wants_nothing_kept_says_so_there(rig: Rig, qtbot: QtBot) -> None:
    rig.store.change(told={})
    window = MainWindow(rig.captioning, rig.store)
    qtbot.addWidget(window)
    (nothing,) = [b for b in window.findChildren(QPushButton) if b.text() == "Keep nothing"]
    nothing.click()
    assert not rig.store.settings.keep_transcripts
    assert told(window) == ["From the next session on nothing is kept."]


# --- help --------------------------------------------------------------------------------------


def texts(dialog: QWidget) -> str:
    said = [label.text() for label in dialog.findChildren(QLabel)]
    return "\n".join(said + [each.toPlainText() for each in dialog.findChildren(QPlainTextEdit)])


def test_every_shortcut_is_listed(window: MainWindow) -> None:
    dialog = help_texts.show_shortcuts(window, window.menus.with_keys())
    listed = texts(dialog)
    for action in window.menus.with_keys():
        assert action.text().replace("&", "").rstrip("…") in listed
        assert action.shortcut().toString() in listed
    dialog.close()


def test_help_fits_small_screens(window: MainWindow, rig: Rig) -> None:
    dialogs = [
        help_texts.show_shortcuts(window, window.menus.with_keys()),
        help_texts.show_kept(window, True),
        help_texts.show_about(window),
        report.show_report(window, rig.captioning, rig.store.settings),
    ]
    for dialog in dialogs:
        assert dialog.minimumSizeHint().height() <= 360
        dialog.close()


def test_what_is_kept_is_told_with_where(window: MainWindow) -> None:
    for keeps in (True, False):
        dialog = help_texts.show_kept(window, keeps)
        listed = texts(dialog)
        assert (str(paths.transcripts_dir()) in listed) == keeps
        assert (str(paths.library_dir()) in listed) == keeps
        assert str(paths.journal_dir()) in listed
        assert str(paths.models_dir()) in listed
        assert str(paths.cache_dir()) in listed
        dialog.close()


def test_about_names_the_version_and_the_licences(window: MainWindow) -> None:
    dialog = help_texts.show_about(window)
    assert __version__ in texts(dialog)
    assert "Apache" in texts(dialog)
    (text,) = dialog.findChildren(QTextEdit)
    licences = text.toPlainText()
    assert "PySide6" in licences
    assert "| --- |" not in licences and "##" not in licences  # tables and headings, drawn
    dialog.close()


def test_assistive_technology_is_told_of_trouble_and_its_end_only(
    window: MainWindow, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(state_header, "announce", lambda widget, text: said.append(text))
    rig.captioning.start()
    for stage in (Stage.LISTENING, Stage.SPEECH, Stage.LISTENING, Stage.SPEECH):
        rig.reach(stage)
    assert said == []
    rig.say(Status(Stage.NO_SOUND, "No sound is arriving.", "Is it muted?"))
    rig.say(Status(Stage.NO_SOUND, "No sound is arriving.", "Is it muted?"))
    rig.reach(Stage.SPEECH)
    assert said == ["No sound is arriving. Is it muted?", "Captions go on."]
