"""What comes from outside is shown as it is: no markup, no mnemonic, in every window."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.audio.devices.base import SourceInfo
from app.session.library import Library
from app.session.status import Stage, Status
from app.settings import OverlaySettings
from app.ui.first_run import source_step
from app.ui.main_window import help as help_texts
from app.ui.main_window.window import MainWindow
from app.ui.overlay import window as overlay
from app.ui.overlay.controls import ControlsBar
from app.ui.overlay.toast import Message
from app.ui.overlay.window import CaptionOverlay
from app.ui.sessions.window import SessionsWindow
from app.ui.widgets import plain
from model_backends.base import Notice
from tests.session.test_library import said
from tests.ui.conftest import Rig
from tests.ui.first_run.opened import Guide

EVIL = '<h1>Big</h1><img src="file:///etc/hostname"> & co'


def evil_sessions(qtbot: QtBot) -> SessionsWindow:
    """What was said, its name and the file it came from: all of it from outside."""
    library = Library()
    number = library.keep(said(EVIL, file=f"/{EVIL.replace('/', '')}", origin="file"))
    library.rename(number, EVIL)
    window = SessionsWindow(library)
    window.come_forward()
    qtbot.waitUntil(lambda: window.stored is not None)
    window.import_files([Path("/" + EVIL.replace("/", ""))])
    return window


@pytest.fixture
def windows(rig: Rig, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> list[QWidget]:
    """All windows, each told an evil name wherever a name can come from outside."""
    monkeypatch.setattr(overlay, "list_sources", list)
    monkeypatch.setattr(source_step, "list_sources", list)
    captions = CaptionOverlay(OverlaySettings(), lambda settings: None)
    main = MainWindow(rig.captioning, rig.store)
    evil_source = SourceInfo("evil", EVIL, "microphone")
    rig.captioning.start()
    rig.say(Status(Stage.NO_SOUND, EVIL, EVIL), Notice("me", "x", EVIL, EVIL))
    main.show_saved(Path("/" + EVIL.replace("/", "")))
    main.choices.show_sources([evil_source])
    captions.show_status(Status(Stage.FAILED, EVIL, EVIL))
    captions.tell(EVIL, EVIL)
    captions.controls.show_source(EVIL)
    captions.controls.show_sources([evil_source], "")
    captions.hide_captions()
    preferences = main.open_preferences()
    guide = Guide(rig).open()
    guide.source.show_sources([evil_source, SourceInfo("", "", "system", why_not=EVIL)])
    dialogs = [
        help_texts.show_shortcuts(main, main.menus.with_keys()),
        help_texts.show_kept(main, True),
        help_texts.show_about(main),
    ]
    made = [captions, main, preferences, guide, evil_sessions(qtbot), *dialogs]
    for window in made:
        qtbot.addWidget(window)
    return made


def test_no_label_guesses_whether_its_text_is_markup(windows: list[QWidget]) -> None:
    labels = [label for window in windows for label in window.findChildren(QLabel)]
    assert len(labels) > 30
    guessing = [
        label.text()
        for label in labels
        if label.text() and label.textFormat() != Qt.TextFormat.PlainText
    ]
    assert guessing == []
    assert any(EVIL in label.text() for label in labels)


def test_no_tooltip_is_taken_for_markup(windows: list[QWidget]) -> None:
    """Qt shows a tooltip as markup if it finds a tag in it; then every tag must be ours."""
    everything = [w for window in windows for w in [window, *window.findChildren(QWidget)]]
    tips = [w.toolTip() for w in everything if "Big" in w.toolTip()]
    tips += [
        action.toolTip() for w in everything for action in w.actions() if "Big" in action.toolTip()
    ]
    assert len(tips) >= 3
    for tip in tips:
        assert "<h1>" not in tip
        assert "<img" not in tip


@pytest.mark.parametrize("text", [EVIL, "a\nb & c", "plain", "1 < 2", "Bed & Breakfast"])
def test_a_tooltip_says_what_was_meant(text: str) -> None:
    shown = QTextDocument()
    shown.setHtml(plain.tip(text)) if plain.tip(text) != text else shown.setPlainText(text)
    assert shown.toPlainText() == text


def test_an_ampersand_in_a_name_is_seen(qtbot: QtBot) -> None:
    bar = ControlsBar()
    qtbot.addWidget(bar)
    bar.resize(1400, 46)
    bar.show()
    bar.show_source("Bed & Breakfast")
    bar.show_sources([SourceInfo("a", "Bed & Breakfast", "microphone")], "")
    assert bar.source.text() == "Bed && Breakfast"
    assert bar.source_menu.actions()[3].text() == "Bed && Breakfast"


def test_a_toast_is_plain(qtbot: QtBot, windows: list[QWidget]) -> None:
    captions = windows[0]
    assert isinstance(captions, CaptionOverlay)
    assert captions.message == Message(EVIL, EVIL)
    assert captions._strip.toast.textFormat() == Qt.TextFormat.PlainText
