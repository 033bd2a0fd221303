"""Our own windows open where the captions are not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, QSize
from PySide6.QtWidgets import QDialog, QWidget
from pytestqt.qtbot import QtBot

from app.ui.main_window import help as help_texts
from app.ui.main_window import save_as
from app.ui.main_window.window import MainWindow
from app.ui.preferences.names_page import NamesPage
from app.ui.preferences.speech_model_page import SpeechModelPage
from app.ui.preferences.window import Preferences
from app.ui.widgets import beside_captions
from app.ui.widgets.color_button import ColorButton
from app.ui.widgets.sound_file import ask_for_sound_file
from tests.ui.conftest import Rig

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def captions(qtbot: QtBot) -> Iterator[QRect]:
    """In the lower half, where a dialog would be, too."""
    page = QWidget()
    qtbot.addWidget(page)
    screen = page.screen().availableGeometry()
    box = QRect(screen.left() + 40, screen.center().y() + 80, screen.width() - 80, 160)
    beside_captions.follow(lambda: box)
    yield box
    beside_captions.follow(QRect)


OPENED: dict[str, Callable[[MainWindow], object]] = {
    "keys": lambda window: help_texts.show_shortcuts(window, window.menus.with_keys()),
    "kept": lambda window: help_texts.show_kept(window, True),
    "about": help_texts.show_about,
    "report": lambda window: window._report(),
    "save as": lambda window: save_as.ask_where(window, lambda path, kind: None),
    "sound file": lambda window: ask_for_sound_file(window, lambda chosen: None),
    "colour": lambda window: ColorButton("Text", window)._ask(),
    "names, in": lambda window: NamesPage(window._store, window).ask_for_import(),
    "names, out": lambda window: NamesPage(window._store, window).ask_for_export(),
    "model folder": lambda window: SpeechModelPage(window._store, window)._ask_folder(),
}


@pytest.mark.parametrize("name", OPENED)
def test_a_dialog_is_beside_the_captions(
    qtbot: QtBot, rig: Rig, captions: QRect, name: str
) -> None:
    window = MainWindow(rig.captioning, rig.store)
    qtbot.addWidget(window)
    window.show()
    OPENED[name](window)
    (dialog,) = (each for each in window.findChildren(QDialog) if each.isVisible())
    assert not dialog.geometry().intersects(captions)
    assert dialog.screen().availableGeometry().contains(dialog.geometry())
    dialog.close()


def test_no_dialog_is_opened_without_a_thought_for_the_captions() -> None:
    """A new one has to be placed, and to be listed above."""
    made = re.compile(r"\bQ(File|Color|Message|Input|Font)?(Dialog|Box)\(")
    files = sorted((CHECKOUT / "app" / "ui").rglob("*.py"))
    opening = [path for path in files if made.search(path.read_text("utf-8"))]
    assert len(opening) > 4
    assert [path.name for path in opening if "beside_captions" not in path.read_text("utf-8")] == []


def test_preferences_shrink_to_the_room_beside_the_captions(
    qtbot: QtBot, rig: Rig, captions: QRect
) -> None:
    made = Preferences(rig.store)
    qtbot.addWidget(made)
    made.come_forward()
    assert made.geometry().bottom() < captions.top()
    made.resize(made.width(), 400)
    assert not made.sample.isVisible()  # the captions are one
    made.resize(made.width(), 600)
    assert made.sample.isVisible()


def test_a_window_that_is_clear_anyway_stays_where_the_desktop_puts_it(
    qtbot: QtBot, captions: QRect
) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.setGeometry(10, 10, 300, 100)
    dialog = QDialog(parent)
    assert not beside_captions.put(dialog, QSize(100, 50))
    assert dialog.size() == QSize(100, 50)


def test_without_captions_nothing_is_in_the_way(qtbot: QtBot) -> None:
    dialog = QDialog()
    qtbot.addWidget(dialog)
    assert not beside_captions.put(dialog, QSize(300, 200))
    assert dialog.size() == QSize(300, 200)
