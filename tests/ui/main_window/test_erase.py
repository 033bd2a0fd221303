""" "Delete everything" asks first, says what stays, and deletes what was chosen."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.session.library import Library
from app.settings import Settings
from app.ui.main_window import erase
from app.ui.main_window.erase import EraseDialog
from app.ui.main_window.window import MainWindow
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets.banner import BannerStack
from tests.session.test_library import said
from tests.ui.conftest import Rig


class Desk:
    """Somewhere to be asked, and what came of it."""

    def __init__(self, qtbot: QtBot) -> None:
        self.parent, self.banners = QWidget(), BannerStack()
        qtbot.addWidget(self.parent)
        qtbot.addWidget(self.banners)
        self.erased: list[str] = []

    def ask(self, running: bool = False) -> EraseDialog:
        return erase.ask(self.parent, self.banners, running, self._take)

    def _take(self, parts: Sequence[str]) -> None:
        self.erased.extend(parts)


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    return Desk(qtbot)


def test_what_was_said_goes_once_it_is_confirmed(desk: Desk, qtbot: QtBot) -> None:
    Library().keep(said("secret"))
    desk.ask().reject()
    assert len(Library().sessions()) == 1
    desk.ask().delete.click()
    qtbot.waitUntil(lambda: bool(desk.banners.banners))
    assert desk.erased == ["said"]
    assert desk.banners.banners[0].text == "It is deleted."
    assert Library().sessions() == []


def test_nothing_chosen_is_nothing_to_delete(desk: Desk) -> None:
    dialog = desk.ask()
    dialog.parts["said"].setChecked(False)
    assert not dialog.delete.isEnabled()
    dialog.parts["logs"].setChecked(True)
    assert dialog.delete.isEnabled()
    dialog.reject()


def test_it_says_that_a_running_session_stays(desk: Desk) -> None:
    for running in (True, False):
        dialog = desk.ask(running)
        told = " ".join(label.text() for label in dialog.findChildren(QLabel))
        assert ("that is running is not deleted" in told) == running
        dialog.reject()


def test_it_is_reached_from_help_and_from_the_preferences(rig: Rig, qtbot: QtBot) -> None:
    window = MainWindow(rig.captioning, rig.store)
    qtbot.addWidget(window)
    wanted: list[bool] = []
    window.erase_wanted.connect(lambda: wanted.append(True))
    window.open_preferences().privacy.erase.click()
    assert wanted == [True]


def test_settings_that_were_deleted_are_those_of_a_new_voxline(qtbot: QtBot) -> None:
    store = SettingsStore(Settings(own_name="Maria", keep_days=30))
    store.forget()
    assert store.settings == Settings()
    store.flush()
    from app.settings import settings_file

    assert not settings_file().exists()
