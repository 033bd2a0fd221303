"""Who speaks: the user's own words in the captions, and what voices are called."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.settings import Settings
from app.ui.preferences.voices_group import VoicesGroup
from app.ui.state.settings_store import SettingsStore


@pytest.fixture
def store(qtbot: QtBot) -> Iterator[SettingsStore]:
    made = SettingsStore(Settings())
    yield made
    made.flush()  # or it would write into the next test's folder


@pytest.fixture
def group(store: SettingsStore, qtbot: QtBot) -> VoicesGroup:
    made = VoicesGroup(store)
    qtbot.addWidget(made)
    store.changed.connect(lambda now, before: made.show_settings(now))
    made.show_settings(store.settings)
    made.show()
    return made


def test_what_is_chosen_is_set_at_once(group: VoicesGroup, store: SettingsStore) -> None:
    group.own_speech.click()
    group.in_subtitles.click()
    QTest.keyClicks(group.own_name, " Ada ")
    QTest.keyClicks(group.others_name, "Team")
    group.others_name.editingFinished.emit()
    assert group.own_name.text() == " Ada ", "what is being typed stays"
    group.own_name.editingFinished.emit()
    now = store.settings
    assert (now.show_own_speech, now.names_in_subtitles) == (True, False)
    assert dict(now.voice_names) == {"me": "Ada", "them": "Team"}


def test_what_changes_elsewhere_is_shown(group: VoicesGroup, store: SettingsStore) -> None:
    store.change(own_name="Ada", show_own_speech=True, names_in_subtitles=False)
    assert group.own_name.text() == "Ada" and group.own_speech.isChecked()
    assert not group.in_subtitles.isChecked()
    store.change(own_name="")
    assert group.own_name.text() == ""
    assert group.own_name.placeholderText() == store.settings.voice_names["me"] == "You"
