"""Sentences for the user: English as they are, translatable, whole after the pipe."""

from __future__ import annotations

import json

import pytest

from model_backends.base import Counted, Sentence, UserError, joined

GERMAN = {
    "“{name}” is {state}.": "„{name}“ ist {state}.",
    "gone": "weg",
    "{count} word": "{count} Wort",
    "{count} words": "{count} Wörter",
    "{share:.1f} %": "{share:.1f} %",
}


class German:
    """A catalogue that is a dictionary."""

    def template(self, english: str) -> str:
        return GERMAN.get(english, english)

    def counted(self, one: str, many: str, count: int) -> str:
        return GERMAN[one if count == 1 else many]

    def number(self, value: float) -> object:
        return Comma(value)


class Comma(float):
    """Written with a decimal comma."""

    def __format__(self, spec: str) -> str:
        return super().__format__(spec or "g").replace(".", ",")


def test_it_is_its_english_text() -> None:
    said = Sentence("There is no file “{name}”.", name="a {b}.wav")
    assert said == "There is no file “a {b}.wav”."
    assert str(UserError(said)) == said


def test_another_language_is_a_catalogue_away() -> None:
    said = Sentence("“{name}” is {state}.", name="USB Mic (2)", state=Sentence("gone"))
    assert said.said_in(German()) == "„USB Mic (2)“ ist weg."


def test_numbers_are_written_as_the_language_does() -> None:
    assert Sentence("{share:.1f} %", share=8.75).said_in(German()) == "8,8 %"


@pytest.mark.parametrize(
    ("count", "english", "german"), [(0, "0 words", "0 Wörter"), (1, "1 word", "1 Wort")]
)
def test_how_many_decides_the_form(count: int, english: str, german: str) -> None:
    said = Counted("{count} word", "{count} words", count=count)
    assert said == english
    assert said.said_in(German()) == german


def test_sentences_behind_one_another_are_still_sentences() -> None:
    said = joined("", Sentence("gone"), "USB", between=": ")
    assert said == "gone: USB"
    assert isinstance(said, Sentence)
    assert said.said_in(German()) == "weg: USB"
    assert joined("", "") == ""
    assert joined("", "alone") == "alone"


def test_it_survives_json() -> None:
    said = Sentence("{a} and {b}", a=3, b=Sentence("{c:.1f} s", c=1.25))
    again = Sentence.from_json(json.loads(json.dumps(said.to_json())))
    assert again == said == "3 and 1.2 s"
    assert again.template == said.template
    assert again.values["b"].template == "{c:.1f} s"


def test_one_of_a_number_survives_json() -> None:
    said = Counted("{count} word", "{count} words", count=1)
    again = Sentence.from_json(json.loads(json.dumps(said.to_json())))
    assert again == said == "1 word"
    assert again.said_in(German()) == "1 Wort"


@pytest.mark.parametrize("count", ["many", None, {"template": "x", "values": {}}])
def test_what_is_no_number_is_no_sentence_about_a_number(count: object) -> None:
    data = {"one": "1 word", "template": "{count:,} words", "values": {"count": count}}
    with pytest.raises((KeyError, TypeError, ValueError, IndexError)):
        Sentence.from_json(data)


def test_a_value_that_is_missing_is_a_fault_of_ours() -> None:
    with pytest.raises(KeyError):
        Sentence("There is no file “{name}”.")
