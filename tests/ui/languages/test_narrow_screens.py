"""Every window on a screen of 512 × 300 points (1024 × 600 at 200 %), in every language."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, QSize
from PySide6.QtWidgets import QApplication, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from app.session.library import Library
from app.session.status import Stage, Status
from app.ui.main_window.captions_page import CaptionsPageDialog
from app.ui.main_window.report import show_report
from app.ui.main_window.window import MainWindow
from app.ui.preferences.window import Preferences
from app.ui.sessions.import_dialog import ImportDialog
from app.ui.sessions.window import SessionsWindow
from app.ui.widgets import theme
from tests.support.longer import speak
from tests.ui.conftest import Rig
from tests.ui.languages import windows as windows_module
from tests.ui.languages.windows import Windows
from tests.ui.photographs import checks

SCREEN = QRect(0, 0, 512, 300)
ROOM = SCREEN.size() - QSize(2, 32)  # in the frame of a usual desktop
NOT_WINDOWS = ("captions", "tray", "menu of the captions")  # theirs are tests of their own
FILES = [Path(f"{'W' * 60} {number}.mp3") for number in range(30)]
SETTLE = 5  # turns of the event loop, for layouts within layouts
CODE_PX = 190  # of a captions page in the local network


class NarrowScreen:
    def availableGeometry(self) -> QRect:
        return QRect(SCREEN)


@pytest.fixture
def narrow(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(QWidget, "screen", lambda _window: NarrowScreen())
    palette = qapp.palette()
    theme._dress(qapp)  # as users see it: buttons are wider
    yield
    qapp.setStyleSheet("")
    qapp.setPalette(palette)
    speak("en")


@pytest.mark.parametrize("code", ["en", "de", "es", "fr"])
def test_every_window_is_on_a_narrow_screen_with_all_that_is_in_it(
    narrow: None, rig: Rig, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    speak(code)
    monkeypatch.setattr(windows_module, "ROOM", ROOM)
    windows = Windows(rig, monkeypatch)
    windows.all["report"] = show_report(windows.main, rig.captioning, rig.store.settings)
    windows.all["files"] = ImportDialog(windows.main, FILES, ["de", "es"], lambda _jobs: None)
    windows.all["files"].resize(windows.all["files"].sizeHint().boundedTo(ROOM))
    windows.all["files"].show()
    page = windows.all["captions page"]
    assert isinstance(page, CaptionsPageDialog)
    page.code.setMinimumSize(CODE_PX, CODE_PX)
    page.code.show()
    page._grow()
    page.resize(page.size().boundedTo(ROOM))
    shown = {n: w for n, w in windows.all.items() if n not in NOT_WINDOWS}
    windows.main.resize(ROOM)
    faults = [
        f"{page}: {fault}"
        for page, window in windows.pages()
        for name in [page.rstrip(" 0123456789")]
        if name in shown
        for fault in faults_of(window)
    ]
    windows.close()
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("code", ["en", "de", "es", "fr"])
def test_what_a_session_does_is_told_whole_and_moves_nothing(
    narrow: None, rig: Rig, qtbot: QtBot, code: str
) -> None:
    speak(code)
    rig.store.change(told={"kept": True})
    window = MainWindow(rig.captioning, rig.store)
    qtbot.addWidget(window)
    window.show()
    window.resize(ROOM)
    header = window.header
    places: dict[Stage, tuple[int, ...]] = {}
    for stage in Stage:
        header.show_status(Status(stage))
        for _ in range(SETTLE):
            QApplication.processEvents()
        assert not list(faults_of(window)), stage
        places[stage] = header.height(), header.meter.x(), window.transcript.y()
    assert places[Stage.LISTENING] == places[Stage.SPEECH], "it is another with each breath"


@pytest.mark.parametrize("code", ["en", "de", "es", "fr"])
def test_the_first_start_is_whole_on_the_screen_with_all_that_it_tells(
    narrow: None, rig: Rig, qtbot: QtBot, code: str
) -> None:
    speak(code)
    window = MainWindow(rig.captioning, rig.store)
    qtbot.addWidget(window)
    window.show()
    window.header.show_status(Status(Stage.NO_SOUND, "No sound is arriving from the microphone."))
    for _ in range(SETTLE):
        QApplication.processEvents()
    window.resize(ROOM)
    assert window.banners.banners, "it is told what is kept"
    assert window.size() == ROOM, f"{window.minimumSizeHint().toTuple()} is needed"


def faults_of(window: QWidget) -> Iterator[str]:
    if window.width() > ROOM.width() or window.height() > ROOM.height():
        yield f"{window.size().toTuple()} is more than {ROOM.toTuple()}"
    for area in window.findChildren(QScrollArea):
        page = area.widget()
        if area.isVisible() and page and page.width() > area.viewport().width():
            yield f"{page.width()} px of a page scroll sideways in {area.viewport().width()}"
    yield from (each for each in checks.inside(window) if not each.startswith("SourceBox"))


def test_a_box_turns_the_pages_where_the_list_has_no_room(
    narrow: None, rig: Rig, qtbot: QtBot
) -> None:
    window = Preferences(rig.store)
    qtbot.addWidget(window)
    window.come_forward()
    assert window.page_box.isVisible() and not window.list.isVisible()
    window.page_box.setCurrentIndex(1)
    window.page_box.activated.emit(1)
    assert window.listening.isVisible() and not window.captions.isVisible()
    window.show_page(window.captions)
    assert window.page_box.currentText() == "Captions" and window.captions.isVisible()


def test_what_is_looked_for_in_the_sessions_can_be_read(narrow: None, qtbot: QtBot) -> None:
    speak("de")  # which has a long word for the button that would be beside it
    window = SessionsWindow(Library())
    qtbot.addWidget(window)
    window.resize(ROOM)
    window.show()
    assert window.search.width() >= window.fontMetrics().horizontalAdvance("n" * 12)
