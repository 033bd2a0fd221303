"""What a screen reader finds in the windows, asked as it asks: through QAccessible."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.session.status import Stage, Status
from app.settings import OverlaySettings
from app.ui.main_window.window import MainWindow
from app.ui.overlay import window as overlay
from app.ui.overlay.window import CaptionOverlay
from app.ui.widgets import banner
from app.ui.widgets.delay_slider import DelaySlider
from tests.ui.conftest import Rig
from tests.ui.overlay_fakes import words

KINDS = (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
)
pytestmark = pytest.mark.usefixtures("screen_reader")


def told(widget: QWidget, what: QAccessible.Text = QAccessible.Text.Name) -> str:
    interface: QAccessibleInterface = QAccessible.queryAccessibleInterface(widget)
    return interface.text(what)


def controls(window: QWidget) -> list[QWidget]:
    """What Tab reaches, and what belongs to nobody else."""
    return [
        widget
        for widget in window.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and isinstance(widget, KINDS)
        and not isinstance(widget.parent(), (QComboBox, QAbstractSpinBox))  # a part of that one
        and widget.window() is window.window()  # not the list of a closed combo box
    ]


@pytest.fixture
def captions(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> CaptionOverlay:
    monkeypatch.setattr(overlay, "list_sources", list)
    made = CaptionOverlay(OverlaySettings(), lambda settings: None)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def main_window(rig: Rig, qtbot: QtBot) -> MainWindow:
    made = MainWindow(rig.captioning, rig.store)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.mark.parametrize("status", [None, Status(Stage.FAILED, "It failed.", "Try again.")])
def test_before_there_is_a_session_every_caption_control_has_a_name(
    captions: CaptionOverlay, status: Status | None
) -> None:
    if status:
        captions.show_status(status)
    found = controls(captions.controls)
    assert len(found) >= 6
    assert [type(w) for w in found if not told(w).strip()] == []


def test_every_control_of_the_windows_has_a_name_that_its_description_does_not_repeat(
    main_window: MainWindow, captions: CaptionOverlay, rig: Rig
) -> None:
    rig.captioning.start()
    rig.reach(Stage.SPEECH)
    captions.show_status(Status(Stage.SPEECH))
    preferences = main_window.open_preferences()
    nameless, repeated = [], []
    for window in (main_window.page, captions, preferences):
        for widget in controls(window):
            name = told(widget).strip()
            nameless += [] if name else [widget]
            if name and name == told(widget, QAccessible.Text.Description):
                repeated.append(name)
    assert nameless == []
    assert repeated == []
    preferences.close()


def test_captions_are_text_and_the_state_is_a_label(captions: CaptionOverlay) -> None:
    for word in words("Good morning everyone"):
        captions.captions.add_word(word)
    direct = Qt.FindChildOption.FindDirectChildrenOnly
    (text,) = captions.captions.findChildren(QWidget, options=direct)
    interface = QAccessible.queryAccessibleInterface(text).textInterface()
    assert interface.text(0, interface.characterCount()) == "Good morning everyone"
    captions.show_status(Status(Stage.NO_SOUND, "No sound is arriving.", "Is it muted?"))
    assert told(captions.status_row) == "No sound is arriving. Is it muted?"


def test_a_delay_is_a_number_of_milliseconds_and_told_in_words(qtbot: QtBot) -> None:
    slider = DelaySlider()
    qtbot.addWidget(slider)
    slider.offer((500, 1000), 500)
    description = QAccessible.Text.Description
    assert told(slider, description) == "Words appear about 0.5 seconds after they are said."
    value = QAccessible.queryAccessibleInterface(slider).valueInterface()
    assert (value.minimumValue(), value.currentValue(), value.maximumValue()) == (500, 500, 1000)
    assert "milliseconds" in told(slider)
    value.setCurrentValue(810)  # assistive technology may ask for anything
    assert (slider.delay_ms, value.currentValue()) == (1000, 1000)
    assert told(slider, description) == "Words appear about 1 second after they are said."


def test_the_level_is_told_in_a_word(main_window: MainWindow, rig: Rig) -> None:
    rig.captioning.start()
    rig.reach(Stage.SPEECH)
    meter = main_window.header.meter
    for level, word in ((0.0, "silent"), (0.003, "quiet"), (0.05, "good"), (0.5, "loud")):
        rig.captioning.level.emit(level)
        assert told(meter, QAccessible.Text.Description) == word


def test_a_banner_is_announced_once(
    main_window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(banner, "announce", lambda widget, text: said.append(text))
    for _ in range(2):
        main_window.banners.tell("warning", "Captions come late.", "Close other programs.")
    assert said == ["Captions come late. Close other programs."]
