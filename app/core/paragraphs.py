"""Where a paragraph ends: one rule for the transcript in the window and the one in a file.

A paragraph only ever gets longer; whether it takes a word is decided when the word comes, so that
a live transcript and the file saved from it read alike. Knows nothing about windows or formats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.sentences import ends_sentence
from app.core.timeline import Gap, gap_between
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


def paragraphs(words: Sequence[Word], gaps: Sequence[Gap] = ()) -> list[list[Word]]:
    """Whole paragraphs of all lanes, in the order in which they begin; one ends at a gap, too."""
    found: list[list[Word]] = []
    for lane in dict.fromkeys(word.lane for word in words):
        stops = sorted(gap.start_ms for gap in gaps if gap.lane == lane)
        found += _of_one_lane([word for word in words if word.lane == lane], stops)
    return sorted(found, key=lambda paragraph: paragraph[0].start_ms)


def _of_one_lane(words: Sequence[Word], stops: Sequence[int]) -> list[list[Word]]:
    found: list[list[Word]] = []
    current: Paragraph | None = None
    for word in words:
        if (
            current is None
            or gap_between(stops, current.last.start_ms, word.start_ms)
            or not current.takes(word)
        ):
            current = Paragraph.begun(word)
            found.append([word])
        else:
            current.add(word)
            found[-1].append(word)
    return found
