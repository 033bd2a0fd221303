"""The tray's menu says what is asked and shows what goes on; nothing depends on a tray."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QSystemTrayIcon
from pytestqt.qtbot import QtBot

from app.session.session import Stage, Status
from app.ui.desktop.tray import Tray


@pytest.fixture
def tray(qtbot: QtBot) -> Tray:
    return Tray()


def entry(tray: Tray, label: str) -> QAction:
    (action,) = [a for a in tray.menu.actions() if a.text().replace("&", "") == label]
    return action


@pytest.mark.parametrize(
    ("label", "signal"),
    [
        ("Start", "pause_toggled"),
        ("Open main window", "main_window_requested"),
        ("Preferences…", "preferences_requested"),
        ("Quit Voxline", "quit_requested"),
    ],
)
def test_each_entry_asks_for_its_thing(tray: Tray, qtbot: QtBot, label: str, signal: str) -> None:
    with qtbot.waitSignal(getattr(tray, signal)):
        entry(tray, label).trigger()


def test_captions_are_hidden_and_shown(tray: Tray) -> None:
    asked: list[bool] = []
    tray.captions_toggled.connect(asked.append)
    entry(tray, "Show captions").trigger()
    entry(tray, "Show captions").trigger()
    assert asked == [False, True]
    tray.show_captions_visible(False)  # from elsewhere: shown, not asked for again
    assert not entry(tray, "Show captions").isChecked()
    assert asked == [False, True]


def test_the_state_is_shown(tray: Tray) -> None:
    tray.show_status(Status(Stage.PAUSED))
    assert tray.pause.text() == "&Resume"
    assert tray.icon.toolTip() == "Voxline: Paused"
    tray.show_status(Status(Stage.STOPPING))
    assert not tray.pause.isEnabled()


def test_a_click_on_the_icon_opens_the_window(tray: Tray, qtbot: QtBot) -> None:
    with qtbot.waitSignal(tray.main_window_requested):
        tray.icon.activated.emit(QSystemTrayIcon.ActivationReason.Trigger)


def test_the_icon_is_there_to_be_shown(tray: Tray) -> None:
    for size in (16, 64, 256):
        image = tray.icon.icon().pixmap(size, size).toImage()
        assert image.pixelColor(image.width() // 2, image.height() // 8).alpha() > 0
