"""The terminal speaks the language of the windows; what programs read stays English."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest

from app import language
from app.cli import guarded, main, tongue
from app.cli.streams import tell
from app.session.library import Library
from app.settings import Settings, save
from model_backends.base import Sentence, UserError
from tests.session.test_library import NOON, said


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    language.choose("en")


@pytest.fixture
def german(monkeypatch: pytest.MonkeyPatch) -> None:
    """A desktop that speaks it."""
    monkeypatch.setattr(tongue, "of_system", lambda variables: iter(["de_AT.UTF-8"]))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows is asked, not its variables: below")
@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "fr_FR@euro"}, "fr"),
        ({"LANG": "de_DE", "LC_MESSAGES": "fr_FR", "LC_ALL": "es_MX.utf8"}, "es"),
        ({"LANG": "nl_NL.UTF-8", "LANGUAGE": "nl:fr:en"}, "fr"),
        ({"LANG": "C.UTF-8", "LANGUAGE": "de"}, "en"),  # plain, whatever else is said
        ({"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "", "LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "pt_BR.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_systems_language_is_read_as_gettext_does(variables: dict[str, str], code: str) -> None:
    assert language.best_of(tongue.of_system(variables)) == code


@pytest.mark.usefixtures("german")
def test_what_goes_wrong_is_told_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> int:
        raise UserError(Sentence("No session has been kept yet."), Sentence("Wait a moment."))

    assert guarded(fail) == 1
    told = capsys.readouterr().err
    assert told == "Noch ist keine Sitzung aufbewahrt. Warten Sie einen Augenblick.\n"


@pytest.mark.usefixtures("german")
def test_the_preferences_come_before_the_system(capsys: pytest.CaptureFixture[str]) -> None:
    assert save(Settings(interface_language="fr")) is None
    assert main(["sessions", "list"]) == 0
    assert capsys.readouterr().err == "Aucune session n’a encore été gardée.\n"


@pytest.mark.usefixtures("german")
def test_settings_that_cannot_be_read_leave_the_systems(tmp_path: object) -> None:
    assert save(Settings()) is None
    from app.settings import settings_file

    settings_file().write_bytes(b"\xff = [")
    tongue.choose()
    assert language.chosen() == "de"


@pytest.mark.usefixtures("german")
def test_tables_are_for_people_and_json_is_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    shown = capsys.readouterr().out
    assert " fehlt " in shown and " missing " not in shown
    assert main(["models", "list", "--json"]) == 0
    assert {row["state"] for row in json.loads(capsys.readouterr().out)} >= {"missing"}


@pytest.mark.usefixtures("german")
def test_a_number_of_words_has_its_plural(capsys: pytest.CaptureFixture[str]) -> None:
    library = Library()
    numbers = [
        library.keep(said("Yes", "one", NOON)),
        library.keep(said("Yes indeed", "two", NOON + timedelta(days=1))),
    ]
    assert main(["sessions", "delete", *map(str, numbers)]) == 0
    one, two = capsys.readouterr().err.splitlines()
    assert one.startswith("Gelöscht: 2026-11-22") and one.endswith("· 1 Wort")
    assert two.endswith("· 2 Wörter")


def test_yes_may_be_said_in_english_too() -> None:
    for code, yes, no in (("en", "y", "j"), ("de", "Ja", "o"), ("es", "sí", "j"), ("fr", "O", "s")):
        language.choose(code)
        assert tongue.is_yes(f" {yes}\n") and tongue.is_yes("yes\n")
        assert not tongue.is_yes(no) and not tongue.is_yes("\n")
    language.choose("de")
    assert tongue.yes_or_no(Sentence("Delete {folder}?", folder="\x1b[2J")).endswith(
        " löschen? [j/N] "
    )
    assert "\x1b" not in tongue.yes_or_no(Sentence("Delete {folder}?", folder="\x1b[2J"))


def test_what_is_no_sentence_is_told_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    language.choose("de")
    tell("Wait a moment.", "")
    assert capsys.readouterr().err == "Wait a moment.\n"


@pytest.mark.skipif(
    sys.platform != "win32", reason="asks Windows itself; the workflow runs it there"
)
def test_windows_says_its_own_language() -> None:
    (said,) = tongue.of_system({})
    assert said == "" or said[:2].isalpha()
