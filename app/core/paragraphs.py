"""Where a paragraph ends: one rule for the transcript in the window and the one in a file.

A paragraph only ever gets longer; whether it takes a word is decided when the word comes, so that
a live transcript and the file saved from it read alike. Knows nothing about windows or formats.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.core.sentences import ends_sentence
from model_backends.base import Word

PAUSE_MS = 2000  # a silence this long begins a paragraph
LONG_MS = 30_000  # and once one lasts as long, or has as many characters, its next sentence's end
LONG_CHARACTERS = 600


@dataclass(slots=True)
class Paragraph:
    """One lane's paragraph while it grows, from its first word on."""

    start_ms: int
    last: Word
    characters: int

    @classmethod
    def begun(cls, word: Word) -> Paragraph:
        """A paragraph of one word."""
        return cls(word.start_ms, word, len(word.text))

    def takes(self, word: Word) -> bool:
        """Whether the lane's next word belongs to it; if so, `add` it."""
        if word.start_ms - self.last.end_ms >= PAUSE_MS:
            return False
        return not (self._long and ends_sentence(self.last.text, word.text, word.language))

    def add(self, word: Word) -> None:
        """The word now stands at the paragraph's end."""
        self.last = word
        self.characters += len(word.text)

    @property
    def _long(self) -> bool:
        lasts = self.last.end_ms - self.start_ms > LONG_MS
        return lasts or self.characters >= LONG_CHARACTERS
