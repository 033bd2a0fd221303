"""The controls: they offer what the engine offers, say what they do, and fit."""

from __future__ import annotations

import html
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QIcon, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from app.audio.choice import MediaFile, from_text
from app.audio.devices.base import SourceInfo
from app.ui.overlay import icons
from app.ui.overlay.controls import BAR_HEIGHT, MINIMUM_WIDTH, ControlsBar

SOURCES = [
    SourceInfo("usb", "USB microphone", "microphone", True),
    SourceInfo("alsa_output.pci-0000_00_1f.3.monitor", "Speakers", "system"),
]


def test_nothing_is_drawn_before_it_is_shown_and_nothing_twice(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Captions are shown before anybody reaches for the controls."""
    drawn: list[str] = []

    def icon(name: str, *colors: QColor) -> QIcon:
        drawn.append(name)
        return draw(name, *colors)

    draw = icons.icon
    monkeypatch.setattr(icons, "icon", icon)
    bar = ControlsBar()
    qtbot.addWidget(bar)
    bar.resize(900, BAR_HEIGHT)
    bar.show_many_lines(True)
    assert drawn == []
    for _ in range(2):
        bar.show()
        bar.hide()
    assert sorted(drawn) == ["close", "fewer", "hold", "larger", "more", "smaller", "source"]
    assert all(not button.icon().isNull() for button in controls_of(bar))
    assert bar.lines.text() == "Fewer lines"


@pytest.fixture
def bar(qtbot: QtBot) -> ControlsBar:
    bar = ControlsBar()
    qtbot.addWidget(bar)
    bar.resize(900, BAR_HEIGHT)
    bar.show_source("USB microphone")
    bar.show()
    return bar


def test_sources_are_offered_by_kind_with_the_one_in_use_marked(
    qtbot: QtBot, bar: ControlsBar
) -> None:
    bar.show_sources(SOURCES, "usb")
    entries = {a.text(): a for a in bar.source_menu.actions() if a.isCheckable()}
    assert [name for name, entry in entries.items() if entry.isChecked()] == ["USB microphone"]
    with qtbot.waitSignal(bar.source_chosen) as chosen:
        entries["Speakers"].trigger()
    assert from_text(chosen.args[0]) == SOURCES[1].choice
    assert [name for name, entry in entries.items() if entry.isChecked()] == ["Speakers"]


def test_a_file_is_asked_for(qtbot: QtBot, bar: ControlsBar, tmp_path: Path) -> None:
    bar.show_sources(SOURCES, "")
    bar.source_menu.actions()[-1].trigger()
    [dialog] = bar.window().findChildren(QFileDialog)
    with qtbot.waitSignal(bar.source_chosen) as chosen:
        dialog.fileSelected.emit(str(tmp_path / "talk 2.1 (final).mp3"))
    assert from_text(chosen.args[0]) == MediaFile(tmp_path / "talk 2.1 (final).mp3")


def test_no_microphone_is_said_in_its_place(bar: ControlsBar) -> None:
    bar.show_sources([], "")
    told = {action.text(): action.isEnabled() for action in bar.source_menu.actions()}
    assert told["No microphone was found"] is False
    assert told["A file…"]


@pytest.mark.parametrize("width", [MINIMUM_WIDTH, 560, 700, 900, 1400])
def test_nothing_overlaps_or_is_cut_off_at_any_width(
    qtbot: QtBot, bar: ControlsBar, width: int
) -> None:
    bar.show_source("USB microphone of Built-in Audio Analog Stereo (very long name)")
    bar.resize(width, BAR_HEIGHT)
    bar.grab()  # lays out
    children = bar.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
    shown = [child for child in children if child.isVisible()]
    places = sorted((child.geometry() for child in shown), key=lambda place: place.left())
    assert places[-1].right() < width
    assert all(a.right() < b.left() for a, b in pairwise(places))
    buttons = [child for child in shown if isinstance(child, QToolButton)]
    assert all(child.width() >= child.minimumSizeHint().width() for child in buttons)
    assert all(child.width() >= 40 and child.height() >= 40 for child in buttons)


def controls_of(bar: ControlsBar) -> list[QToolButton]:
    """In the order in which they stand there."""
    return [
        bar.hold, bar.source, bar.smaller, bar.larger, bar.lines, bar.more, bar.hide_button
    ]  # fmt: skip


def test_every_control_can_be_reached_and_named_without_a_mouse(bar: ControlsBar) -> None:
    controls = controls_of(bar)
    for control in controls:
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus
        assert control.accessibleName()
        assert control.toolTip()
    order: list[QWidget] = []
    at: QWidget = bar.hold
    for _ in range(40):
        order += [at] if at in controls else []
        at = at.nextInFocusChain() or bar.hold
    assert order[: len(controls)] == controls


def test_each_button_asks_for_what_it_says(qtbot: QtBot, bar: ControlsBar) -> None:
    for button, asked in (
        (bar.hold, bar.hold_toggled),
        (bar.smaller, bar.smaller_requested),
        (bar.larger, bar.larger_requested),
        (bar.lines, bar.lines_toggled),
        (bar.more, bar.more_requested),
        (bar.hide_button, bar.hide_requested),
    ):
        with qtbot.waitSignal(asked):
            QTest.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.mark.parametrize(("width", "spelled"), [(699, False), (700, True), (1200, True)])
def test_words_are_there_where_there_is_room(bar: ControlsBar, width: int, spelled: bool) -> None:
    bar.resize(width, BAR_HEIGHT)
    assert bar.hold.text() == ("Hold" if spelled else "")
    assert bar.lines.text() == ("More lines" if spelled else "")
    assert bar.source.text() == "USB microphone"  # which of several is no icon's to say
    bar.resize(MINIMUM_WIDTH, BAR_HEIGHT)
    assert bar.source.text() == ""


def test_a_button_says_what_pressing_it_would_do_now(bar: ControlsBar) -> None:
    assert bar.hold.toolTip() == "Hold the text; listening goes on"
    bar.show_held(True)
    assert bar.hold.isChecked()
    assert bar.hold.toolTip() == "Go on with the newest words"
    bar.show_many_lines(True)
    assert bar.lines.accessibleName() == "Fewer lines"
    bar.show_hiding_key("Ctrl+Alt+C")
    assert bar.hide_button.toolTip() == "Hide captions (Ctrl+Alt+C shows them)"


@pytest.mark.parametrize("key", [Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down])
def test_arrow_keys_are_left_to_the_window(bar: ControlsBar, key: Qt.Key) -> None:
    bar.hold.setFocus()
    event = QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier)
    bar.hold.keyPressEvent(event)
    assert not event.isAccepted()
    assert bar.focusWidget() is bar.hold


@pytest.mark.parametrize(("code", "name"), [("de", "Deutsch"), ("en", "English"), (None, "")])
def test_the_language_is_called_as_its_speakers_do(
    bar: ControlsBar, code: str | None, name: str
) -> None:
    bar.show_language(code)
    assert bar.language.text() == name


@pytest.mark.parametrize("upwards", [True, False])
def test_a_menu_opens_away_from_the_captions(qtbot: QtBot, bar: ControlsBar, upwards: bool) -> None:
    bar.move(100, 400)
    bar.menus_open_upwards = upwards
    bar.show_sources(SOURCES, "usb")
    QTest.mouseClick(bar.source, Qt.MouseButton.LeftButton)
    menu = bar.source_menu
    assert bar.menu_is_open
    assert (menu.y() + menu.height() <= bar.y() + 8) == upwards
    assert (menu.y() >= bar.y() + BAR_HEIGHT - 8) != upwards
    menu.close()
    assert not bar.menu_is_open


def test_headings_say_what_kind_of_source_it_is(bar: ControlsBar) -> None:
    bar.show_sources(SOURCES, "")
    entries = bar.source_menu.actions()
    assert [(entry.text(), entry.isEnabled()) for entry in entries] == [
        ("Automatic: meeting (microphone and this computer’s sound)", True),
        ("Microphones", False),
        ("Default microphone", True),
        ("USB microphone", True),
        ("This computer’s sound", False),
        ("Default output", True),
        ("Speakers", True),
        ("Applications", False),
        ("None is playing now", False),
        ("", True),
        ("A file…", True),
    ]


def test_headings_are_painted(qtbot: QtBot, bar: ControlsBar) -> None:
    """Style sheets do not paint the text of a section."""
    bar.show_sources(SOURCES, "")
    menu = bar.source_menu
    heading = menu.actions()[1]
    picture = menu.grab().toImage()
    row = menu.actionGeometry(heading)
    light = [
        picture.pixelColor(x, y).lightness()
        for x in range(row.left(), row.right())
        for y in range(row.top(), row.bottom())
    ]
    assert max(light) > 120


def test_what_the_computer_plays_is_not_called_a_monitor(bar: ControlsBar) -> None:
    bar.show_source("Monitor of Speakers")
    assert bar.source.text() == "Speakers"
    assert bar.source.toolTip() == "Sound source: This computer’s sound: Speakers"


def test_long_names_are_shortened_in_the_middle_and_told_whole(bar: ControlsBar) -> None:
    name = "Family 17h/19h HD Audio Controller Analog Stereo of the docking station & more"
    bar.show_sources([SourceInfo("a", name, "microphone")], "")
    entry = bar.source_menu.actions()[3]
    shown = entry.text().replace("&&", "&")
    assert len(shown) <= 44
    assert shown.startswith("Family 17h") and shown.endswith("station & more")
    assert html.unescape(entry.toolTip()).count(name) == 1


def test_a_menu_waits_for_its_list_and_opens_with_it(
    qtbot: QtBot, bar: ControlsBar, monkeypatch: pytest.MonkeyPatch
) -> None:
    QTest.mouseClick(bar.source, Qt.MouseButton.LeftButton)
    assert not bar.source_menu.isVisible()
    assert bar.menu_is_open  # the controls stay
    bar.show_sources(SOURCES, "")
    assert bar.source_menu.isVisible()
    assert "Speakers" in [action.text() for action in bar.source_menu.actions()]
    bar.source_menu.close()


def test_a_menu_whose_list_does_not_come_says_so_and_is_opened_anew(
    qtbot: QtBot, bar: ControlsBar
) -> None:
    bar.move(100, 400)
    QTest.mouseClick(bar.source, Qt.MouseButton.LeftButton)
    bar.source_menu._waiting.timeout.emit()  # the time is over
    assert [action.text() for action in bar.source_menu.actions()] == ["Looking …"]
    bar.show_sources([replace(SOURCES[0], id=f"usb{n}") for n in range(3)], "")
    menu = bar.source_menu
    assert menu.isVisible()
    assert menu.y() + menu.height() <= bar.y() + 8  # it has grown away from the captions
    menu.close()


def test_nothing_moves_in_a_menu_that_is_being_read(qtbot: QtBot, bar: ControlsBar) -> None:
    bar.show_sources(SOURCES[:1], "")
    QTest.mouseClick(bar.source, Qt.MouseButton.LeftButton)
    place = bar.source_menu.geometry()
    bar.show_sources(SOURCES, "")
    assert bar.source_menu.geometry() == place
    assert "Speakers" not in [action.text() for action in bar.source_menu.actions()]
    bar.source_menu.close()
    qtbot.waitUntil(lambda: "Speakers" in [a.text() for a in bar.source_menu.actions()])
