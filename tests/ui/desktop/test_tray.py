"""The tray's menu says what is asked and shows what goes on; nothing depends on a tray."""

from __future__ import annotations

from itertools import combinations

import pytest
from PySide6.QtGui import QAction, QImage
from PySide6.QtWidgets import QSystemTrayIcon
from pytestqt.qtbot import QtBot

from app.session.session import Stage, Status
from app.ui.desktop import tray as tray_module
from app.ui.desktop import tray_pictures
from app.ui.desktop.tray import Tray
from app.ui.state.commands import Commands


class Captions:
    """What the verbs act on."""

    def __init__(self) -> None:
        self.shown = True
        self.through = False
        self.paused = 0

    def turn_over(self) -> None:
        self.shown = not self.shown

    def let_through(self) -> None:
        self.through = not self.through

    def pause(self) -> None:
        self.paused += 1


@pytest.fixture
def captions() -> Captions:
    return Captions()


@pytest.fixture
def tray(qtbot: QtBot, captions: Captions) -> Tray:
    commands = Commands()
    commands.offer("captions", captions.turn_over, lambda: captions.shown)
    commands.offer("click-through", captions.let_through, lambda: captions.through)
    commands.offer("pause", captions.pause)
    return Tray(commands)


def entry(tray: Tray, label: str) -> QAction:
    (action,) = [a for a in tray.menu.actions() if a.text().replace("&", "") == label]
    return action


@pytest.mark.parametrize(
    ("label", "signal"),
    [
        ("Open main window", "main_window_requested"),
        ("Preferences…", "preferences_requested"),
        ("Quit Voxline", "quit_requested"),
    ],
)
def test_each_entry_asks_for_its_thing(tray: Tray, qtbot: QtBot, label: str, signal: str) -> None:
    with qtbot.waitSignal(getattr(tray, signal)):
        entry(tray, label).trigger()


def test_its_verbs_are_those_that_somebody_does(tray: Tray, captions: Captions) -> None:
    entry(tray, "Show captions").trigger()
    assert not captions.shown
    assert not entry(tray, "Show captions").isChecked()
    entry(tray, "Let clicks through").trigger()
    assert captions.through
    entry(tray, "Start").trigger()
    assert captions.paused == 1
    assert not [a for a in tray.menu.actions() if "Hold" in a.text()]  # nobody offered it


def test_what_was_done_elsewhere_is_ticked(tray: Tray, captions: Captions) -> None:
    captions.shown = False
    tray.menu.aboutToShow.emit()
    assert not entry(tray, "Show captions").isChecked()
    captions.shown = True
    tray.tick()
    assert entry(tray, "Show captions").isChecked()


def test_the_state_is_shown(tray: Tray) -> None:
    tray.show_status(Status(Stage.PAUSED))
    assert tray.pause.text() == "&Resume"
    assert tray.icon.toolTip() == "Voxline: Paused"
    tray.show_status(Status(Stage.STOPPING))
    assert not tray.pause.isEnabled()


def test_a_click_on_the_icon_shows_and_hides_the_captions(tray: Tray, captions: Captions) -> None:
    shown = []
    for _ in range(2):
        tray.icon.activated.emit(QSystemTrayIcon.ActivationReason.Trigger)
        shown.append(captions.shown)
    assert shown == [False, True]
    # of a double click the second half is no further wish
    tray.icon.activated.emit(QSystemTrayIcon.ActivationReason.DoubleClick)
    assert captions.shown


def test_on_macos_a_click_opens_the_menu_alone(
    tray: Tray, captions: Captions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tray_module, "DESKTOP", "macos")
    tray.icon.activated.emit(QSystemTrayIcon.ActivationReason.Trigger)
    assert captions.shown


def test_every_state_has_a_mark_and_words_do_not_make_it_flicker(tray: Tray) -> None:
    marks = {stage: tray_pictures.mark_of(stage) for stage in Stage}
    assert marks[Stage.LISTENING] == marks[Stage.SPEECH] == "running"
    assert set(marks.values()) == set(tray_pictures._COLORS)
    tray.show_status(Status(Stage.LISTENING))
    before = tray.icon.icon().cacheKey()
    tray.show_status(Status(Stage.SPEECH))
    assert tray.icon.icon().cacheKey() == before


def shape(mark: str, size: int) -> QImage:
    """Of the mark alone, without its colour: what is bright, and what is not."""
    image = tray_pictures.icon(mark).pixmap(size, size).toImage()
    bright = QImage(image.size(), QImage.Format.Format_Mono)
    bright.fill(0)
    corner = round(image.width() * (1 - tray_pictures._SHARE))
    for x in range(corner, image.width()):
        for y in range(corner, image.height()):
            if image.pixelColor(x, y).lightness() > 110:
                bright.setPixel(x, y, 1)
    return bright


@pytest.mark.parametrize("size", [16, 24, 48])
def test_the_marks_differ_in_shape_not_in_colour_alone(tray: Tray, size: int) -> None:
    shapes = {mark: shape(mark, size) for mark in tray_pictures._COLORS}
    for one, other in combinations(shapes, 2):
        pairs = [
            shapes[one].pixelIndex(x, y) != shapes[other].pixelIndex(x, y)
            for x in range(size)
            for y in range(size)
        ]
        assert sum(pairs) >= size * size * 0.03, (one, other)


def test_the_icon_is_there_to_be_shown(tray: Tray) -> None:
    for size in (16, 64, 256):
        image = tray.icon.icon().pixmap(size, size).toImage()
        assert image.pixelColor(image.width() // 2, image.height() // 8).alpha() > 0


def test_the_desktop_is_told_that_a_name_was_said(
    tray: Tray, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(
        QSystemTrayIcon,
        "showMessage",
        lambda icon, title, text, picture, ms: told.append((title, text)),
    )
    tray.tell_name("Maria", "Could Maria say")
    assert told == [("“Maria” was said", "Could Maria say")]
