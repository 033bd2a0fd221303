"""A word as the recogniser guesses it. Knows nothing about audio, models or agreement."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

_MARKS = ".,;:!?…-–—。、，；：！？"


@dataclass(frozen=True, slots=True)
class Guess:
    """One word of a hypothesis. `text` carries its own leading space."""

    text: str
    start_ms: int
    end_ms: int
    probability: float = 1.0  # of its least likely token

    @property
    def key(self) -> str:
        """What two guesses must share to be the same word: no case, no punctuation."""
        kept = (c for c in self.text.casefold() if not _is_mark(c))
        return "".join(kept) or self.text.strip()

    @property
    def bare(self) -> str:
        """The text without the marks at its end."""
        return self.text.rstrip(_MARKS)

    @property
    def mark(self) -> str:
        """The marks at its end, `.` or `?!`; empty if there are none."""
        return self.text[len(self.bare) :]


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] in "PZ"
