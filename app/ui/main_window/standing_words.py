"""Which words stand in which paragraph of the transcript, and what to change where a stretch of
them was heard a second time: as little as can be, so that nothing else moves.

Pure bookkeeping: knows paragraphs by number and positions in their text; no widget.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from app.core.reheard import Reheard, middle
from app.core.script import needs_space
from model_backends.base import Word


@dataclass(frozen=True, slots=True)
class Edit:
    """Characters of a paragraph's spoken text, and what stands in their place."""

    begin: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What changes in one paragraph. `edits` are in order, for the text as it stands."""

    block: int
    length: int  # of the spoken text, which is the paragraph's end, before
    edits: list[Edit]
    empty: bool  # nothing is left of it


@dataclass(slots=True)
class _Paragraph:
    block: int
    words: list[Word] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)  # as they stand there


class StandingWords:
    """One session's words, in the paragraphs in which they were shown."""

    def __init__(self) -> None:
        self._lanes: defaultdict[str, list[_Paragraph]] = defaultdict(list)

    def begin(self, block: int, word: Word, text: str) -> None:
        """A paragraph begins with this word, which stands there as `text`."""
        self._lanes[word.lane].append(_Paragraph(block, [word], [text]))

    def add(self, word: Word) -> None:
        """The word now stands at the end of its lane's last paragraph."""
        last = self._lanes[word.lane][-1]
        last.words.append(word)
        last.texts.append(word.text)

    def clear(self) -> None:
        """Another session begins."""
        self._lanes.clear()

    def replace(self, stretch: Reheard) -> list[Rewriting]:
        """The stretch's words stand where those were that it replaces; what changes by that.

        None if the lane has no paragraph at all.
        """
        paragraphs = [one for one in self._lanes.get(stretch.lane, ()) if one.words]
        places = [(one, _span(one, stretch)) for one in paragraphs]
        affected = [(one, span) for one, span in places if span[0] < span[1]]
        if not affected and paragraphs:
            affected = [_nearest(places, stretch)]
        shares = _shared(affected, stretch.words)
        found = [
            _rewritten(one, *span, share)
            for (one, span), share in zip(affected, shares, strict=True)
        ]
        return [rewriting for rewriting in found if rewriting.edits]


def _span(paragraph: _Paragraph, stretch: Reheard) -> tuple[int, int]:
    """The paragraph's words that are replaced, or where there would be any: from, to."""
    replaced = [n for n, word in enumerate(paragraph.words) if stretch.replaces(word)]
    if replaced:
        return replaced[0], replaced[-1] + 1
    at = sum(middle(word) < stretch.start_ms for word in paragraph.words)
    return at, at


_Place = tuple[_Paragraph, tuple[int, int]]


def _nearest(places: Sequence[_Place], stretch: Reheard) -> _Place:
    """Where words go that no caption stood for: behind what was said before them."""
    before = [place for place in places if place[1][0] > 0]
    return before[-1] if before else places[0]


def _shared(affected: Sequence[_Place], words: Sequence[Word]) -> list[list[Word]]:
    """The record's words, each for the paragraph of the captions that were said with it."""
    ends = [(one.words[b - 1].end_ms if b else 0) for one, (_, b) in affected[:-1]]
    begins = [one.words[a].start_ms for one, (a, _) in affected[1:]]
    borders = [(end + begin) // 2 for end, begin in zip(ends, begins, strict=True)]
    shares: list[list[Word]] = [[] for _ in affected]
    for word in words if affected else ():
        shares[sum(middle(word) >= border for border in borders)].append(word)
    return shares


def _rewritten(paragraph: _Paragraph, begin: int, end: int, share: Sequence[Word]) -> Rewriting:
    before = paragraph.texts
    texts = [*before[:begin], *(word.text for word in share), *before[end:]]
    for seam in (begin, begin + len(share)):
        if 0 < seam < len(texts) and needs_space(texts[seam - 1], texts[seam]):
            texts[seam] = " " + texts[seam]
    if texts:
        texts[0] = texts[0].lstrip()
    paragraph.words[begin:end] = share
    paragraph.texts = texts
    length = sum(map(len, before))
    return Rewriting(paragraph.block, length, _edits(before, texts), empty=not texts)


def _edits(before: Sequence[str], after: Sequence[str]) -> list[Edit]:
    starts = [0]
    for text in before:
        starts.append(starts[-1] + len(text))
    codes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return [
        Edit(starts[a1], starts[a2], "".join(after[b1:b2]))
        for kind, a1, a2, b1, b2 in codes
        if kind != "equal"
    ]
