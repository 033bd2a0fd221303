"""The language of a lane, found in its words: said when it is clear, and not before."""

from __future__ import annotations

import pytest

from app.worker.language import LanguageTracker

TEXTS = {
    "en": "I would really like to know what you think about that proposal of theirs",
    "de": "ich würde wirklich gerne wissen was Sie über diesen Vorschlag denken",
    "fr": "je voudrais vraiment savoir ce que vous pensez de cette proposition",
    "ja": "あなたがその提案についてどう思うか本当に知りたいです",
    "ru": "мне действительно хотелось бы знать что вы думаете об этом",
}


@pytest.mark.parametrize("language", TEXTS)
def test_a_sentence_is_enough(language: str) -> None:
    tracker = LanguageTracker()
    found = [tracker.add(" " + word) for word in TEXTS[language].split()]
    assert found[-1] == tracker.language == language
    assert set(found) <= {None, language}, "never another on the way"


def test_a_word_is_not() -> None:
    tracker = LanguageTracker()
    assert tracker.add(" Restaurant") is None


def test_a_change_is_followed() -> None:
    tracker = LanguageTracker()
    for text in (TEXTS["en"], TEXTS["de"], TEXTS["de"]):
        for word in text.split():
            tracker.add(" " + word)
    assert tracker.language == "de"
