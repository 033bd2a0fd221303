"""Which language the windows speak: the system's, until the user chooses one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QDate, QLocale, QObject
from PySide6.QtWidgets import QDialogButtonBox, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app import language, settings
from app.settings import Settings
from app.ui.preferences.interface_language import InterfaceLanguage
from app.ui.widgets import worded
from model_backends.base import Counted, Sentence
from tests.support.longer import speak
from tests.ui.conftest import Rig

SAVED = Sentence("Saved: {path}", path="a.srt")


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    before = QLocale()
    speak("en")
    yield
    speak("en")
    QLocale.setDefault(before)


def test_the_systems_language_is_spoken_until_one_is_chosen(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worded, "systems", lambda: "fr")
    worded.speak_as_chosen(rig.store)
    assert language.chosen() == "fr"
    rig.store.change(interface_language="de")
    assert language.chosen() == "de"
    rig.store.change(interface_language="")
    assert language.chosen() == "fr"


def test_a_language_that_there_is_not_is_refused_in_the_file(rig: Rig) -> None:
    rig.store.change(interface_language="es")
    rig.store.flush()
    assert settings.load()[0].interface_language == "es"
    file = settings.settings_file()
    file.write_text(file.read_text("utf-8").replace('"es"', '"tlh"'), "utf-8")
    loaded, problem = settings.load()
    assert loaded.interface_language == ""
    assert problem is not None


def test_it_is_chosen_by_its_own_name(
    rig: Rig, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worded, "systems", lambda: "es")
    made = InterfaceLanguage(rig.store)
    qtbot.addWidget(made)
    made.show_settings(Settings())
    names = [made.box.itemText(row) for row in range(made.box.count())]
    assert names == ["Español (system)", "English", "Deutsch", "Español", "Français"]
    assert made.box.currentIndex() == 0
    made.box.activated.emit(names.index("Français"))
    assert rig.store.settings.interface_language == "fr"


def test_a_widget_says_its_sentence_in_the_language_of_now(qtbot: QtBot) -> None:
    button = worded.text(QPushButton(), SAVED)
    qtbot.addWidget(button)
    worded.choose("de")
    assert button.text() == "Gespeichert: a.srt"
    worded.text(button, "Saved")  # a name, which stands in the sentence's place
    worded.choose("fr")
    assert button.text() == "Saved"


def test_what_is_gone_is_not_told(qtbot: QtBot) -> None:
    class Follower(QObject):
        told = 0

        def say(self) -> None:
            Follower.told += 1

    label, follower = worded.text(QLabel(), SAVED), Follower()
    worded.follow(follower, follower.say)
    worded.choose("de")
    assert Follower.told == 1
    label.deleteLater()
    follower.deleteLater()
    qtbot.waitUntil(lambda: worded._still_there() == [] or not _is_told(Follower))
    worded.choose("es")
    assert Follower.told == 1


def _is_told(kind: type) -> bool:
    return any(isinstance(each.__self__, kind) for each in worded._still_there())  # type: ignore[attr-defined]


def test_a_tooltip_is_no_markup_in_any_language(qtbot: QtBot) -> None:
    label = worded.tip(QLabel(), Sentence("Saved: {path}", path="<img src=x>"))
    qtbot.addWidget(label)
    worded.choose("de")
    assert label.toolTip() == "<span>Gespeichert: &lt;img src=x&gt;</span>"


def test_numbers_dates_and_qts_own_words_follow(qtbot: QtBot) -> None:
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
    qtbot.addWidget(buttons)
    label = worded.text(QLabel(), Counted("1 word", "{count:,} words", count=6213))
    qtbot.addWidget(label)
    cancel = buttons.button(QDialogButtonBox.StandardButton.Cancel)
    worded.choose("de")
    assert QLocale().language() is QLocale.Language.German
    assert label.text() == "6.213 Wörter"
    assert QLocale().toString(QDate(2026, 3, 5), "d MMMM") == "5 März"
    qtbot.waitUntil(lambda: cancel.text() == "Abbrechen")
    worded.choose("en")
    assert QLocale().language() in (QLocale.Language.English, QLocale.Language.C)
    qtbot.waitUntil(lambda: cancel.text() == "Cancel")
