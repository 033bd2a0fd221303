"""A server in the preferences: nothing is sent to it before the user agrees."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from app.measure.stand_in import StandIn
from app.settings import Settings
from app.ui.preferences.server_group import ServerGroup, ask_server
from app.ui.preferences.speech_model_page import SpeechModelPage
from app.ui.preferences.window import Preferences
from app.ui.state.engines import EngineChoice
from app.ui.state.settings_store import SettingsStore
from model_backends import availability, describe
from model_backends.remote.addresses import read
from model_backends.remote.keys import VARIABLE, KeyStore

URL = "wss://captions.example.org"
HOST = "captions.example.org"
KEY = "sk-very-secret"


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import keyring
    from keyring.backends import fail

    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call]
    monkeypatch.delenv(VARIABLE, raising=False)
    yield
    keyring.set_keyring(before)


@pytest.fixture
def store(qtbot: QtBot) -> Iterator[SettingsStore]:
    made = SettingsStore(Settings())
    yield made
    made.flush()


@pytest.fixture
def group(store: SettingsStore, qtbot: QtBot) -> ServerGroup:
    made = ServerGroup(store, ask=lambda address, ca_file: f"{address.host} is well.")
    qtbot.addWidget(made)
    made.show()
    store.changed.connect(lambda now, _: made.show_settings(now))
    return made


def question(group: ServerGroup) -> QMessageBox:
    (box,) = [box for box in group.findChildren(QMessageBox) if box.isVisible()]
    return box


def answer(box: QMessageBox, text: str) -> None:
    (button,) = [each for each in box.buttons() if each.text() == text]
    button.click()


def test_it_is_used_once_the_user_agrees(group: ServerGroup, store: SettingsStore) -> None:
    assert not group.use.isEnabled() and not group.test.isEnabled()
    group.urls.setText(URL)
    group.use.click()
    box = question(group)
    assert HOST in box.text() and "is sent to" in box.text()
    assert box.defaultButton().text() == "Do not send"
    assert store.settings == Settings(), "nothing is used before"
    answer(box, "Agree")
    assert store.settings.engine == "remote"
    assert store.settings.server_urls == URL
    assert store.settings.agreed_servers == {HOST: True}
    assert HOST in group.status.text()


def test_who_refuses_has_nothing_sent(group: ServerGroup, store: SettingsStore) -> None:
    group.urls.setText(URL)
    group.use.click()
    answer(question(group), "Do not send")
    assert store.settings == Settings()


def test_consent_can_be_taken_back(group: ServerGroup, store: SettingsStore) -> None:
    store.change(engine="remote", server_urls=URL, agreed_servers={HOST: True, "other": True})
    assert group.revoke.isEnabled()
    group.revoke.click()
    assert store.settings.engine == "embedded"
    assert store.settings.agreed_servers == {"other": True}
    assert not group.revoke.isEnabled()


def test_an_address_that_is_none_is_told(group: ServerGroup, store: SettingsStore) -> None:
    for button in (group.use, group.test):
        group.urls.setText("wss://sk-1@a")
        button.click()
        assert "holds a key" in group.status.text()
        assert "sk-1" not in group.status.text()
    assert not group.findChildren(QMessageBox)
    assert store.settings == Settings()


def test_a_key_is_stored_unseen_and_deleted(
    group: ServerGroup, qtbot: QtBot, user_folders: Path
) -> None:
    keys = KeyStore(user_folders / "config" / "keys.json")
    group.urls.setText(URL)
    group.key.setText(KEY)
    group.keep_key.click()
    qtbot.waitUntil(lambda: "keys.json" in group.status.text(), timeout=30_000)
    assert keys.find(HOST).key == KEY
    assert group.key.text() == "" and KEY not in group.status.text()
    group.drop_key.click()
    qtbot.waitUntil(lambda: "is deleted" in group.status.text(), timeout=30_000)
    assert keys.find(HOST).key is None


def test_a_server_is_tested(group: ServerGroup, qtbot: QtBot) -> None:
    group.urls.setText(f"{URL} ws://b:1")
    group.test.click()
    qtbot.waitUntil(lambda: "b:1 is well." in group.status.text(), timeout=30_000)
    assert f"{HOST} is well." in group.status.text()


def test_a_true_server_tells_how_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)
    with StandIn(key=KEY) as server:
        assert "It serves: voxtral-tiny." in ask_server(read(server.url), None)
        monkeypatch.setenv(VARIABLE, "wrong")
        assert "refused the key" in ask_server(read(server.url), None)
    assert "cannot be reached" in ask_server(read(server.url), None)


def test_the_engine_can_be_chosen_only_with_a_server(store: SettingsStore, qtbot: QtBot) -> None:
    page = SpeechModelPage(store)
    qtbot.addWidget(page)
    page.show_engines(
        [
            EngineChoice(describe(name), tuple(availability(name, Path())))
            for name in ("embedded", "remote")
        ]
    )

    def enabled() -> bool:
        index = page.engine.findData("remote")
        return bool(page.engine.model().index(index, 0).flags().value & 0x20)

    assert not enabled()
    store.change(server_urls=URL)
    page.show_settings(store.settings)
    assert not enabled(), "nobody has agreed"
    store.change(agreed_servers={HOST: True})
    page.show_settings(store.settings)
    assert enabled()


def test_what_the_server_decides_is_said_instead_of_offered(
    store: SettingsStore, qtbot: QtBot
) -> None:
    store.change(engine="remote", server_urls=URL, agreed_servers={HOST: True})
    made = Preferences(store)
    qtbot.addWidget(made)
    listening = made.listening
    assert "server finds the language" in listening.hearing.language_note.text()
    assert "server decides the delay" in listening.hearing.delay_text.text()
    assert listening.hearing.language.isHidden() and listening.hearing.delay.isHidden()
    store.change(server_dialect="mistral")
    assert not listening.hearing.language.isHidden() and not listening.hearing.delay.isHidden()
