"""What was said, heard a second time with nobody waiting: which words of the record replace which
words of the captions.

Captions are hurried; a patient hearing of the same sound makes fewer mistakes, and comes later.
The two are laid side by side and cut into *stretches* where both pause, or where both have the
same words: there, and only there, the words on one side of the cut can come from one hearing and
those on the other side from the other without any word coming twice or falling through. A stretch
whose record is worse than the captions (empty, far too short, looping) stays as the captions had
it. Pure: knows nothing about engines, workers, clocks or files.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import pairwise

from app.core.reheard import Reheard, middle
from app.core.script import needs_space
from app.core.timeline import spaced
from model_backends.base import Word

_PAUSE_MS = 160  # silence in both hearings that is a pause; their word times differ by less
_NEAR_MS = 3_000  # two hearings of one word are no further apart
_LEAST_MS = 6_000  # a stretch is no shorter while more is to come: there must be enough to judge
_FAR_MS = 3_000  # captions so far behind a place that is looked at cannot matter to it
_OWN_MS = 500  # a word of the captions this near says that the record's word is the user's
_NEVER = 1 << 53
_ONE_WORD_MS = 1_500  # no word lasts longer, whatever its times say

# when the record is the worse of the two
_LEAST_LETTERS = 0.6  # of the captions' letters: with fewer something was left out
_FEW_LETTERS = 8  # … unless it is about a word or two
_SILENT_MS = 2_000  # no word of the record for so long while the captions have …
_SILENT_WORDS = 3  # … so many
_LOOP_PERIOD = 8  # words that come again and again …
_LOOP_TIMES = 4  # … so often on end …
_LOOP_WORDS = 6  # … with so many words in all: who says no four times means it
_MOST_LETTERS = 3.0  # times the captions' letters: nobody missed that much


@dataclass(frozen=True, slots=True)
class Cut:
    """A place where the hearings may be joined: a time, and how many words of each lie before."""

    at_ms: int
    captions: int
    record: int


class SecondHearing:
    """One lane's two hearings. Words and progress in, stretches out, in order of time.

    `own_only`: the lane is a microphone beside loudspeakers. What they say was kept out of the
    captions by their sound; the record may have it again, so it has words only where they do.
    """

    def __init__(self, lane: str, own_only: bool = False) -> None:
        self.own_only = own_only
        self._lane = lane
        self._captions: list[Word] = []  # from the last cut on
        self._record: list[Word] = []
        self._from_ms = 0  # the last cut: what was before has been decided
        self._captions_ms = self._record_ms = 0  # every word that ends before this has come
        self._looked_ms = 0
        self._holes: list[tuple[int, int]] = []  # the second hearing never heard this
        self._last: Word | None = None  # of the record

    @property
    def behind(self) -> bool:
        """Captions have words of which the record has not been heard yet."""
        return bool(self._captions)

    @property
    def settled_ms(self) -> int:
        """What was said before this has been decided."""
        return self._from_ms

    def caption(self, word: Word) -> None:
        """The captions have another word."""
        self._captions.append(word)

    def caption_progress(self, settled_ms: int) -> list[Reheard]:
        """The captions have every word that ends before this."""
        self._captions_ms = max(self._captions_ms, settled_ms)
        return self._settle(self._until_ms)

    def hear(self, word: Word) -> None:
        """The record has another word."""
        self._last = spaced(self._last, word)
        self._record.append(replace(self._last, lane=self._lane, track=0))

    def progress(self, settled_ms: int) -> list[Reheard]:
        """The record has every word that ends before this; what that settles."""
        self._record_ms = max(self._record_ms, settled_ms)
        return self._settle(self._until_ms)

    def miss(self, start_ms: int, end_ms: int) -> None:
        """The second hearing will never hear this: it stays as the captions had it."""
        self._holes.append((start_ms, end_ms))

    def finish(self) -> list[Reheard]:
        """Both hearings are complete: decide on all of it."""
        captions, record = self._in_sight(_NEVER)
        ends = [word.end_ms for word in (*captions, *record)]
        end_ms = max([self._from_ms, self._record_ms, *ends])
        end = Cut(end_ms + 1, len(captions), len(record))
        places = [cut for cut in self._places(captions, record) if cut.at_ms < end.at_ms]
        return self._stretches([*places, end], captions, record, last=True)

    def give_up(self) -> list[Reheard]:
        """The record comes no further: what it has not settled stays as the captions had it."""
        return self._settle(self._until_ms, last=True)

    # --- inside ----------------------------------------------------------------------------

    @property
    def _until_ms(self) -> int:
        """Every word that begins before this has come, of either."""
        return min(self._captions_ms, self._record_ms) - _ONE_WORD_MS

    def _settle(self, until_ms: int, last: bool = False) -> list[Reheard]:
        if until_ms - max(self._from_ms, self._looked_ms) < _LEAST_MS and not last:
            return []
        self._looked_ms = until_ms
        captions, record = self._in_sight(until_ms)
        found = self._places(captions, record, until_ms)
        places = [cut for cut in found if cut.at_ms <= until_ms]
        return self._stretches(places, captions, record, last)

    def _in_sight(self, until_ms: int) -> tuple[list[Word], list[Word]]:
        """The words that matter to what was said before this time."""
        near = [i for i, w in enumerate(self._captions) if w.start_ms < until_ms + _FAR_MS]
        captions = self._captions[: near[-1] + 1] if near else []
        if self.own_only:
            self._record = [
                word
                for word in self._record
                if word.start_ms >= until_ms or any(_touch(word, other) for other in captions)
            ]
        return captions, self._record

    def _places(
        self, captions: Sequence[Word], record: Sequence[Word], until_ms: int = 0
    ) -> list[Cut]:
        return [cut for cut in cuts(captions, record, until_ms) if cut.at_ms > self._from_ms]

    def _stretches(
        self,
        places: Sequence[Cut],
        captions: Sequence[Word],
        record: Sequence[Word],
        last: bool = False,
    ) -> list[Reheard]:
        """Stretches from the last cut on, none too short to be judged but the last of all."""
        found: list[Reheard] = []
        before = Cut(self._from_ms, 0, 0)
        for cut in places:
            if cut.at_ms - before.at_ms >= _LEAST_MS or (last and cut is places[-1]):
                found += self._stretch(before, cut, captions, record)
                before = cut
        self._forget(before)
        return found

    def _stretch(
        self, begin: Cut, end: Cut, captions: Sequence[Word], record: Sequence[Word]
    ) -> Iterator[Reheard]:
        said = captions[begin.captions : end.captions]
        again = record[begin.record : end.record]
        missed = any(s < end.at_ms and e > begin.at_ms for s, e in self._holes)
        if (said or again) and not missed and not worse(said, again):
            yield Reheard(self._lane, begin.at_ms, end.at_ms, tuple(again))

    def _forget(self, cut: Cut) -> None:
        self._from_ms = cut.at_ms
        del self._captions[: cut.captions]
        del self._record[: cut.record]
        self._holes = [hole for hole in self._holes if hole[1] > self._from_ms]


# --- where the hearings may be joined --------------------------------------------------------


def cuts(captions: Sequence[Word], record: Sequence[Word], until_ms: int = 0) -> list[Cut]:
    """Every place at which the words of the two can be parted alike, in order of time; the last
    is behind all of them, at `until_ms` or later.

    The captions' words before `at_ms` are those whose middle lies before it.
    """
    middles = [middle(word) for word in captions]
    pairs = _pairs(captions, record)
    last = Cut(max([until_ms, *map(_end, (*captions, *record))]), len(captions), len(record))
    places = [*_pauses(captions, record), *_between_pairs(middles, pairs), last]
    found: list[Cut] = []
    for cut in sorted(places, key=lambda cut: cut.at_ms):
        i, j = cut.captions, cut.record
        parted = all((at < cut.at_ms) == (n < i) for n, at in enumerate(middles))
        later = not found or (
            cut.at_ms > found[-1].at_ms and i >= found[-1].captions and j >= found[-1].record
        )
        split = any((a < i) != (b < j) for a, b in pairs)
        if parted and later and not split and not (_inside(captions, i) or _inside(record, j)):
            found.append(cut)
    return found


def _inside(words: Sequence[Word], index: int) -> bool:
    """Whether the word goes on the one before it, without a space: "rock" and "-n-roll"."""
    return 0 < index < len(words) and needs_space(words[index - 1].text, words[index].text)


def _pauses(captions: Sequence[Word], record: Sequence[Word]) -> Iterator[Cut]:
    """The middles of the pauses that both hearings have."""
    spans = sorted((w.start_ms, _end(w)) for w in (*captions, *record))
    until_ms = 0
    for start_ms, end_ms in spans:
        if start_ms - until_ms >= _PAUSE_MS:
            at_ms = (until_ms + start_ms + 1) // 2
            yield Cut(at_ms, _before(captions, at_ms), _before(record, at_ms))
        until_ms = max(until_ms, end_ms)


def _between_pairs(middles: Sequence[int], pairs: Sequence[tuple[int, int]]) -> Iterator[Cut]:
    """Between two words that both hearings have, one after the other."""
    for (i, j), (k, m) in pairwise(pairs):
        if (k, m) == (i + 1, j + 1) and middles[k] > middles[i]:
            yield Cut((middles[i] + middles[k] + 1) // 2, k, m)


def _pairs(captions: Sequence[Word], record: Sequence[Word]) -> list[tuple[int, int]]:
    """Words that both hearings have at about the same time: their numbers in each."""
    old, new = [_key(w) for w in captions], [_key(w) for w in record]
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    return [
        (block.a + n, block.b + n)
        for block in blocks
        for n in range(block.size)
        if old[block.a + n]
        and abs(middle(captions[block.a + n]) - middle(record[block.b + n])) <= _NEAR_MS
    ]


def _before(words: Sequence[Word], at_ms: int) -> int:
    return sum(middle(word) < at_ms for word in words)


def _key(word: Word) -> str:
    folded = unicodedata.normalize("NFKC", word.text).casefold()
    return "".join(char for char in folded if char.isalnum())


def _end(word: Word) -> int:
    return min(word.end_ms, word.start_ms + _ONE_WORD_MS)


def _touch(word: Word, other: Word) -> bool:
    return word.start_ms < other.end_ms + _OWN_MS and other.start_ms < word.end_ms + _OWN_MS


# --- whether the record is the better one ----------------------------------------------------


def worse(captions: Sequence[Word], record: Sequence[Word]) -> str:
    """Why the captions of a stretch stay: "empty", "short", "silent", "loop"; "" if they do not."""
    said, again = _letters(captions), _letters(record)
    if said and not again:
        return "empty"
    if again < _LEAST_LETTERS * said and said - again > _FEW_LETTERS:
        return "short"
    if said > _FEW_LETTERS and again > _MOST_LETTERS * said:
        return "loop"
    if _loops(record) and not _loops(captions):
        return "loop"
    return "silent" if _is_silent(captions, record) else ""


def _letters(words: Sequence[Word]) -> int:
    return sum(len(_key(word)) for word in words)


def _loops(words: Sequence[Word]) -> bool:
    """The same words come again and again."""
    keys = [key for key in map(_key, words) if key]
    for period in range(1, _LOOP_PERIOD + 1):
        same = 0  # words that are those of a period before, on end
        for before, word in zip(keys, keys[period:], strict=False):
            same = same + 1 if before == word else 0
            if same + period >= max(_LOOP_TIMES * period, _LOOP_WORDS):
                return True
    return False


def _is_silent(captions: Sequence[Word], record: Sequence[Word]) -> bool:
    """A run of the captions' words in whose time the record has none."""
    run: list[Word] = []
    for word in captions:
        if any(a.start_ms < word.end_ms and word.start_ms < _end(a) for a in record):
            run = []
            continue
        run.append(word)
        if len(run) >= _SILENT_WORDS and run[-1].end_ms - run[0].start_ms >= _SILENT_MS:
            return True
    return False
