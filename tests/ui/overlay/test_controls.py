"""The controls: they offer what the engine offers, say what they do, and fit."""

from __future__ import annotations

import html
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from app.audio.choice import MediaFile, from_text
from app.audio.devices.base import SourceInfo
from app.session.session import Stage, Status
from app.ui.overlay.controls import BAR_HEIGHT, MINIMUM_WIDTH, ControlsBar
from app.ui.state.engines import EngineChoice
from app.ui.widgets import engine_names
from app.ui.widgets.delay_slider import DelaySlider, delay_description
from model_backends.base import Availability
from model_backends.scripted import INFO
from tests.ui.overlay_fakes import RATES

DELAYS = (80, 240, 480, 960, 2400)
SOURCES = [
    SourceInfo("usb", "USB microphone", "microphone", True),
    SourceInfo("alsa_output.pci-0000_00_1f.3.monitor", "Speakers", "system"),
]


@pytest.fixture
def bar(qtbot: QtBot) -> ControlsBar:
    bar = ControlsBar()
    qtbot.addWidget(bar)
    bar.resize(900, BAR_HEIGHT)
    bar.show_source("USB microphone")
    bar.show_engine("scripted", "Scripted")
    bar.show_delays(DELAYS, 480, RATES)
    bar.show()
    return bar


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (480, "0.48 s · about 8.7 % of words wrong"),
        (80, "0.08 s"),  # nothing published: nothing invented
        (2400, "2.4 s · about 6.7 % of words wrong"),
    ],
)
def test_a_delay_is_told_with_what_it_costs_where_that_is_known(ms: int, text: str) -> None:
    assert delay_description(ms, RATES) == text


def test_the_slider_has_exactly_the_engines_delays(bar: ControlsBar) -> None:
    reached = set()
    for ms in range(bar.delay.minimum(), bar.delay.maximum() + 1):
        bar.delay.setValue(ms)
        reached.add(bar.delay.delay_ms)
    assert tuple(sorted(reached)) == DELAYS


def test_keys_choose_a_delay_and_its_words_follow(qtbot: QtBot, bar: ControlsBar) -> None:
    with qtbot.waitSignal(bar.delay_chosen) as chosen:
        QTest.keyClick(bar.delay, Qt.Key.Key_Right)
    assert chosen.args == [960]
    assert bar.delay_text.text() == "0.96 s · about 7.7 % of words wrong"
    in_words = (
        "Words appear about 0.96 seconds after they are said. About 7.7 % of words are wrong."
    )
    assert bar.delay.accessibleDescription() == bar.delay.toolTip()
    assert bar.delay.toolTip() == in_words


def test_a_drag_sends_the_engine_only_where_it_ends(qtbot: QtBot, bar: ControlsBar) -> None:
    chosen: list[int] = []
    bar.delay.delay_chosen.connect(chosen.append)
    ends = [QPoint(x, bar.delay.height() // 2) for x in (12, bar.delay.width() - 12)]
    QTest.mousePress(bar.delay, Qt.MouseButton.LeftButton, pos=ends[0])
    QTest.mouseMove(bar.delay, ends[1])
    assert bar.delay.delay_ms == 2400  # what would be chosen can be read meanwhile
    assert chosen == []
    QTest.mouseRelease(bar.delay, Qt.MouseButton.LeftButton, pos=ends[1])
    assert chosen == [2400]


def test_showing_a_delay_tells_nobody(qtbot: QtBot) -> None:
    slider = DelaySlider()
    qtbot.addWidget(slider)
    slider.delay_chosen.connect(lambda _: pytest.fail("nobody chose"))
    slider.offer(DELAYS, 240)
    slider.offer((1000, 2000), 2000)
    assert slider.delay_ms == 2000


def test_one_delay_leaves_nothing_to_slide(bar: ControlsBar) -> None:
    bar.show_delays((1000,), 1000, {})
    assert bar.delay.isHidden()
    assert bar.delay_text.text() == "1 s"
    assert bar.delay.in_words == "Words appear about 1 second after they are said."


@pytest.mark.parametrize(
    ("stage", "does"),
    [
        (Stage.IDLE, "Start captions"),
        (Stage.FAILED, "Try again"),
        (Stage.PAUSED, "Listen again"),
        (Stage.SPEECH, "Pause listening"),
        (Stage.STARTING, "Pause listening"),
    ],
)
def test_the_first_button_says_what_it_would_do(
    qtbot: QtBot, bar: ControlsBar, stage: Stage, does: str
) -> None:
    bar.show_status(Status(stage))
    assert bar.pause.accessibleName() == does
    assert bar.pause.toolTip().startswith(does)
    with qtbot.waitSignal(bar.pause_toggled):
        QTest.mouseClick(bar.pause, Qt.MouseButton.LeftButton)


def test_a_session_that_is_ending_cannot_be_paused(bar: ControlsBar) -> None:
    bar.show_status(Status(Stage.STOPPING))
    assert not bar.pause.isEnabled()


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


def test_engines_that_cannot_run_say_why(qtbot: QtBot, bar: ControlsBar) -> None:
    big = replace(INFO, name="voxtral", label="Voxtral")
    bar.show_engines(
        [
            EngineChoice(INFO, (Availability("scripted", "hello", True),)),
            EngineChoice(big, (Availability("voxtral", "4b", False, "Too little memory."),)),
        ]
    )
    here, missing = bar.engine_menu.actions()
    assert (here.text(), here.isChecked(), here.isEnabled()) == ("Scripted", True, True)
    assert (missing.isEnabled(), missing.toolTip()) == (False, "Too little memory.")


def test_choosing_the_engine_in_use_changes_nothing(bar: ControlsBar) -> None:
    bar.engine_chosen.connect(lambda _: pytest.fail("it is in use already"))
    bar.show_engines([EngineChoice(INFO, (Availability("scripted", "hello", True),))])
    bar.engine_menu.actions()[0].trigger()


@pytest.mark.parametrize("width", [MINIMUM_WIDTH, 560, 700, 900, 1400])
def test_nothing_overlaps_or_is_cut_off_at_any_width(
    qtbot: QtBot, bar: ControlsBar, width: int
) -> None:
    bar.show_source("USB microphone of Built-in Audio Analog Stereo (very long name)")
    bar.show_engine("voxtral", "Voxtral Realtime 4B on this computer")
    bar.resize(width, BAR_HEIGHT)
    bar.grab()  # lays out
    children = bar.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
    shown = [child for child in children if child.isVisible()]
    places = sorted((child.geometry() for child in shown), key=lambda place: place.left())
    assert places[-1].right() < width
    assert all(a.right() < b.left() for a, b in pairwise(places))
    buttons = [child for child in shown if isinstance(child, QToolButton)]
    assert all(child.width() >= child.minimumSizeHint().width() for child in buttons)
    assert bar.delay_text.text().startswith("0.48 s")


def test_every_control_can_be_reached_and_named_without_a_mouse(bar: ControlsBar) -> None:
    controls = [bar.pause, bar.source, bar.engine, bar.delay, bar.main_window, bar.more]
    controls.append(bar.hide_button)
    for control in controls:
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus
        assert control.accessibleName()
    order: list[QWidget] = []
    at: QWidget = bar.pause
    for _ in range(40):
        order += [at] if at in controls else []
        at = at.nextInFocusChain() or bar.pause
    assert order[: len(controls)] == controls


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


def test_what_can_only_be_had_on_apple_is_not_offered_elsewhere(
    bar: ControlsBar, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlx = replace(INFO, name="voxtral-mlx", label="Voxtral Realtime (MLX)")
    choices = [EngineChoice(mlx, (Availability("voxtral-mlx", "4b", False, "No Metal."),))]
    for desktop, offered in (("linux", 0), ("windows", 0), ("macos", 1)):
        monkeypatch.setattr(engine_names, "DESKTOP", desktop)
        bar.show_engines(choices)
        assert len(bar.engine_menu.actions()) == offered
