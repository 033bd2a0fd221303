"""A stretch that was heard a second time, and the record: the captions with all such stretches.

Captions stand as they were shown; a stretch says which words the record has in their place. Pure:
knows nothing about who hears, or how a stretch was chosen.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.core.script import needs_space
from model_backends.base import Word


@dataclass(frozen=True, slots=True)
class Reheard:
    """What was said between two times of a lane, heard again.

    It replaces the captions' words whose `middle` lies in it, and no others; `words` may be none.
    Stretches of a lane do not overlap.
    """

    lane: str
    start_ms: int
    end_ms: int
    words: tuple[Word, ...]

    def replaces(self, word: Word) -> bool:
        """Whether the record has this word of the captions no more."""
        return word.lane == self.lane and self.start_ms <= middle(word) < self.end_ms


def middle(word: Word) -> int:
    """The time of a word of the captions: what stretch it belongs to, if any."""
    return (word.start_ms + word.end_ms) // 2


def record_of(captions: Sequence[Word], stretches: Sequence[Reheard]) -> list[Word]:
    """One lane's record: its captions, in their order, with the stretches in their places."""
    ordered = sorted(stretches, key=lambda stretch: stretch.start_ms)
    starts = [stretch.start_ms for stretch in ordered]
    found: list[Word] = []
    told, seam = 0, False
    for word in captions:
        at = bisect_right(starts, middle(word))
        for stretch in ordered[told:at]:
            _append(found, stretch.words, seam=True)
            seam = True
        told = max(told, at)
        if at and ordered[at - 1].replaces(word):
            continue
        _append(found, (word,), seam)
        seam = False
    for stretch in ordered[told:]:
        _append(found, stretch.words, seam=True)
    return found


def _append(found: list[Word], words: Sequence[Word], seam: bool) -> None:
    """Where one hearing follows the other, neither may have brought the space between them."""
    if seam and found and words and needs_space(found[-1].text, words[0].text):
        first = words[0]
        found.append(replace(first, text=" " + first.text))
        words = words[1:]
    found.extend(words)
