"""Sentences for the user: English as they are, translatable, whole after the pipe."""

from __future__ import annotations

import json

import pytest

from model_backends.base import Sentence, UserError

GERMAN = {"“{name}” is {state}.": "„{name}“ ist {state}.", "gone": "weg"}


def test_it_is_its_english_text() -> None:
    said = Sentence("There is no file “{name}”.", name="a {b}.wav")
    assert said == "There is no file “a {b}.wav”."
    assert str(UserError(said)) == said


def test_another_language_is_a_catalogue_away() -> None:
    said = Sentence("“{name}” is {state}.", name="USB Mic (2)", state=Sentence("gone"))
    assert said.said_in(lambda template: GERMAN.get(template, template)) == "„USB Mic (2)“ ist weg."


def test_it_survives_json() -> None:
    said = Sentence("{a} and {b}", a=3, b=Sentence("{c:.1f} s", c=1.25))
    again = Sentence.from_json(json.loads(json.dumps(said.to_json())))
    assert again == said == "3 and 1.2 s"
    assert again.template == said.template
    assert again.values["b"].template == "{c:.1f} s"


def test_a_value_that_is_missing_is_a_fault_of_ours() -> None:
    with pytest.raises(KeyError):
        Sentence("There is no file “{name}”.")
