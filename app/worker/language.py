"""Which language a lane is speaking, found in its committed text when the engine does not say.

py3langid compares byte n-grams. It is right about sentences and guesses about single words, so
nothing is said before there is a sentence's worth of text and the answer is clear. Its model takes
a second of a processor to load, in which nothing would be heard: for live speech that is done in
the background, and the first words go without.
"""

from __future__ import annotations

import threading
from collections import deque
from functools import lru_cache
from typing import Any

# the languages of Voxtral Realtime; a wider choice only adds confusions between neighbours
LANGUAGES = ("ar", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "nl", "pt", "ru", "zh")
_ENOUGH_BYTES = 24
_WORDS = 20
_SURE = 0.9


class LanguageTracker:
    """Follows one lane: feed committed words, ask for the language.

    `live`: do not wait for the model; what comes before it is there has no language.
    """

    def __init__(self, live: bool = False) -> None:
        self._live = live
        self._words: deque[str] = deque(maxlen=_WORDS)
        self.language: str | None = None  # ISO 639-1, None while unsure

    def add(self, text: str) -> str | None:
        """Take one more word; return what is known with it."""
        self._words.append(text)
        if not self._live or _model.there.is_set():
            self.language = identify("".join(self._words))
        else:
            prepare()
        return self.language


def identify(text: str) -> str | None:
    """The language of `text` as ISO 639-1, or None when it is too short or unclear."""
    if len(text.encode()) < _ENOUGH_BYTES:
        return None
    language, probability = _model.get().classify(text.lower())
    return str(language) if probability >= _SURE else None


class _Model:
    """Loaded once, by whoever needs it first."""

    def __init__(self) -> None:
        self.there = threading.Event()
        self._loading = threading.Lock()
        self._loaded: Any = None

    def get(self) -> Any:
        with self._loading:
            if self._loaded is None:
                self._loaded = _load()
                self.there.set()
            return self._loaded


_model = _Model()


@lru_cache(maxsize=1)
def prepare() -> None:
    """Begin to load what is needed, in the background; a second time it does nothing.

    Not at a lower priority: on a busy computer a thread that is kept waiting while it holds the
    interpreter's lock keeps the captions waiting, too. Most of the time it unpacks, without it.
    """
    threading.Thread(target=_model.get, daemon=True, name="language").start()


def _load() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier
