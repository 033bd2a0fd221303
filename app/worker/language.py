"""Which language a lane is speaking, found in its committed text when the engine does not say.

py3langid compares byte n-grams. It is right about sentences and guesses about single words, so
nothing is said before there is a sentence's worth of text and the answer is clear.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from typing import Any

# the languages of Voxtral Realtime; a wider choice only adds confusions between neighbours
LANGUAGES = ("ar", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "nl", "pt", "ru", "zh")
_ENOUGH_BYTES = 24
_WORDS = 20
_SURE = 0.9


class LanguageTracker:
    """Follows one lane: feed committed words, ask for the language."""

    def __init__(self) -> None:
        self._words: deque[str] = deque(maxlen=_WORDS)
        self.language: str | None = None  # ISO 639-1, None while unsure

    def add(self, text: str) -> str | None:
        """Take one more word; return what is known with it."""
        self._words.append(text)
        self.language = identify("".join(self._words))
        return self.language


def identify(text: str) -> str | None:
    """The language of `text` as ISO 639-1, or None when it is too short or unclear."""
    if len(text.encode()) < _ENOUGH_BYTES:
        return None
    language, probability = _identifier().classify(text.lower())
    return str(language) if probability >= _SURE else None


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier
