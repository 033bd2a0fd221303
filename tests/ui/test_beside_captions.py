"""Our own windows open where the captions are not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, QSize
from PySide6.QtWidgets import QDialog, QWidget
from pytestqt.qtbot import QtBot

from app.session.library import Library
from app.session.stored import Said
from app.ui.main_window import captions_page, erase, save_as
from app.ui.main_window import help as help_texts
from app.ui.main_window.window import MainWindow
from app.ui.preferences.names_page import NamesPage
from app.ui.preferences.speech_model_page import SpeechModelPage
from app.ui.preferences.window import Preferences
from app.ui.sessions.window import SessionsWindow
from app.ui.widgets import beside_captions
from app.ui.widgets.color_button import ColorButton
from app.ui.widgets.sound_file import ask_for_sound_file
from tests.ui.conftest import Rig
from tests.ui.overlay_fakes import words

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
    "captions page": lambda window: window._show_captions_page(),
    "delete": lambda window: erase.ask(window, window.banners, True, lambda parts: None),
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


@pytest.mark.parametrize("dialog", ["correct", "import", "none"])
def test_past_sessions_are_beside_the_captions(
    qtbot: QtBot, captions: QRect, tmp_path: Path, dialog: str
) -> None:
    library = Library(tmp_path / "sessions.db")
    library.keep(Said("a", datetime.now().astimezone(), words("Good morning, everyone.")))
    window = SessionsWindow(library)
    qtbot.addWidget(window)
    window.come_forward()
    qtbot.waitUntil(lambda: window.stored is not None)
    if dialog == "correct":
        window.correct_paragraph()
    if dialog == "import":
        window.import_files([tmp_path / "talk.mp3"])
    shown = [window, *(each for each in window.findChildren(QDialog) if each.isVisible())]
    assert len(shown) == (1 if dialog == "none" else 2)
    for each in shown:
        assert not each.geometry().intersects(captions)
        assert each.screen().availableGeometry().contains(each.geometry())


def test_a_dialog_that_grows_stays_beside_the_captions(
    qtbot: QtBot, rig: Rig, captions: QRect
) -> None:
    window = MainWindow(rig.captioning, rig.store)
    qtbot.addWidget(window)
    window.captions_page.port = 0
    dialog = captions_page.show(window.captions_page, window)
    before = dialog.size()
    dialog.on.click()
    dialog.network.click()
    dialog.resize(dialog.width(), dialog.minimumSizeHint().height())
    least = dialog.address.copy.sizeHint().height()
    try:
        assert dialog.address.copy.height() >= least, "what is too high is scrolled, not squeezed"
        assert dialog.code.isVisible() and dialog.width() > before.width()
        assert not dialog.geometry().intersects(captions)
    finally:
        window.captions_page.close()


def test_no_dialog_is_opened_without_a_thought_for_the_captions() -> None:
    """A new one has to be placed, and to be listed above, or in the test of past sessions."""
    own, of_qt = r"[A-Z]\w+Dialog", r"Q(File|Color|Message|Input|Font)?(Dialog|Box)"
    made = re.compile(rf"(?<!class )\b({own}|{of_qt})\(")
    files = sorted((CHECKOUT / "app" / "ui").rglob("*.py"))
    opening = [path for path in files if made.search(path.read_text("utf-8"))]
    assert len(opening) > 4
    placed = re.compile(r"beside_captions|\.come_forward\(\)")  # which places what it brings
    assert [path.name for path in opening if not placed.search(path.read_text("utf-8"))] == []


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
