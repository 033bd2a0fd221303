"""The language of a lane, found in its words: said when it is clear, and not before."""

from __future__ import annotations

import threading

import pytest

from app.worker import language
from app.worker.language import LanguageTracker

TEXTS = {
    "en": "I would really like to know what you think about that proposal of theirs",
    "de": "ich würde wirklich gerne wissen was Sie über diesen Vorschlag denken",
    "fr": "je voudrais vraiment savoir ce que vous pensez de cette proposition",
    "ja": "あなたがその提案についてどう思うか本当に知りたいです",
    "ru": "мне действительно хотелось бы знать что вы думаете об этом",
}


@pytest.mark.parametrize("spoken", TEXTS)
def test_a_sentence_is_enough(spoken: str) -> None:
    tracker = LanguageTracker()
    found = [tracker.add(" " + word) for word in TEXTS[spoken].split()]
    assert found[-1] == tracker.language == spoken
    assert set(found) <= {None, spoken}, "never another on the way"


def test_a_word_is_not() -> None:
    tracker = LanguageTracker()
    assert tracker.add(" Restaurant") is None


def test_a_change_is_followed() -> None:
    tracker = LanguageTracker()
    for text in (TEXTS["en"], TEXTS["de"], TEXTS["de"]):
        for word in text.split():
            tracker.add(" " + word)
    assert tracker.language == "de"


def test_live_speech_never_waits_for_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes a second to load; captions would stand still for as long."""
    may_load, model = threading.Event(), language._Model()
    real = language._load

    def slow() -> object:
        may_load.wait(300)
        return real()

    monkeypatch.setattr(language, "_load", slow)
    monkeypatch.setattr(language, "_model", model)
    language.prepare.cache_clear()
    tracker = LanguageTracker(live=True)
    assert {tracker.add(" " + word) for word in TEXTS["de"].split()} == {None}
    may_load.set()
    assert model.there.wait(300)
    assert tracker.add(" denken") == "de", "and what came before counts"
