"""After a crash an utterance is heard again: pass on the words that are new, and only those.

The replayed words are aligned with the committed ones character by character (edit distance, with
a price on differences in time), so that other spellings and other word boundaries do no harm. The
alignment must use up the committed words and is free to end anywhere in the replay, between
words or between Chinese or Japanese characters; what lies behind that cut is new.

An engine may stretch a word's end over the pause after it, in one hearing and not in the other,
so a letter's time is a span: from where it stands at an ordinary pace to where the word's own
length puts it, and that no longer than a word can be.

Knows nothing about processes or engines.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from model_backends.base import Word
from model_backends.line_breaks import can_break, is_opener
from model_backends.repeats import repeat_length

CERTAIN_MS = 700  # how far past the last committed word the replay must have come
_REACH_MS = 12_000  # how much committed text is aligned; what is older settles nothing

# Prices, in units of one character left out on either side.
_SUBSTITUTION = 1.0
_SAME_TIME_MS = 250  # two hearings of one word differ by this much at no cost …
_TIME_SLOPE_MS = 400  # … and by this much more at the cost of one character
_LATE_MS = 100  # a match may lie so far behind the end of the last committed word at no cost
_EDGE_MS = 80  # how sharply the end of the last committed word parts old from new
_ONSET_MS = 500  # a word this close to where the replay begins may not be heard again
_PACE_MS = 80  # a letter at an ordinary pace; what a word takes longer may be a pause
_WORD_MS, _LETTER_MS = 200, 150  # no word lasts longer than this and so much for each letter
_NO_TIME_MS = 40  # less is no word; engines that count in steps have steps of 80
_MOST_MOVED = 2  # words; of more the alignment finds out itself
_PAUSE_MS = 1_000  # that a word may be moved over
_LEFT_OUT = 0.9  # of its letters' price: the word was in the one hearing and not in the other
_FAR = 3.0  # never matched: dearer than leaving both out


@dataclass(frozen=True, slots=True)
class _Char:
    """A letter or digit as compared, and where it stands: somewhere from early_ms to at_ms."""

    text: str
    early_ms: float
    at_ms: float
    word: int  # index of its word
    stop: int  # offset in the word's text just after it


class ReplayAligner:
    """Give it one lane and track of a replay; it returns what may be committed.

    Words are held until the replay has come `CERTAIN_MS` past the last committed word; from then
    on (`aligned`) every word is passed on as it comes. With nothing committed all words pass.
    """

    def __init__(self, committed: Sequence[Word], start_ms: int | None = None) -> None:
        """`start_ms`: where the replay begins; None: it holds all of `committed` again."""
        self._start_ms = start_ms
        bounded = [_bounded(word) for word in committed]
        self._end_ms = max((word.end_ms for word in bounded), default=0)
        earliest = self._end_ms - _REACH_MS
        if start_ms is not None:
            earliest = max(earliest, start_ms)
        self._committed = [word for word in bounded if word.end_ms > earliest]
        self._held: list[Word] = []
        self._aligned = not self._committed

    @property
    def aligned(self) -> bool:
        """Whether old and new have been told apart; a tail shown before that would be old text."""
        return self._aligned

    def add(self, word: Word) -> list[Word]:
        """Take in a replayed word; returns the new words that are now certain, in order."""
        if self._aligned:
            return [word]
        self._held.append(word)
        return self._release() if word.start_ms >= self._end_ms + CERTAIN_MS else []

    def progress(self, settled_ms: int, heard_ms: int) -> list[Word]:
        """The replay has returned every word that ends before `settled_ms`."""
        if self._aligned or settled_ms < self._end_ms + CERTAIN_MS:
            return []
        return self._release()

    def finish(self) -> list[Word]:
        """The replay is over: decide on what was heard."""
        return [] if self._aligned else self._release()

    def _release(self) -> list[Word]:
        self._aligned = True
        earliest = self._committed[0].start_ms
        held = [word for word in self._held if _bounded(word).end_ms > earliest]
        self._held = []
        onset_ms = self._committed[0].start_ms - _ONSET_MS
        if self._start_ms is not None:
            onset_ms = self._start_ms
        new = _new_words(self._committed, held, onset_ms, self._end_ms)
        return _without_repeat(self._committed, new)


def _new_words(
    committed: Sequence[Word], replayed: Sequence[Word], onset_ms: int, end_ms: int
) -> list[Word]:
    old, again = _chars(committed), _chars(replayed)
    if not again:  # nothing but punctuation
        return [word for word in replayed if word.start_ms >= end_ms]
    costs = _alignment_costs(old, again, onset_ms, end_ms)
    cut = _best_cut(costs, again, replayed, end_ms)
    if cut == 0:
        last = committed[-1]
        heard_whole = (last.start_ms + last.end_ms) / 2 >= onset_ms
        return list(replayed)[_moved(committed[-1:], [], replayed) if heard_whole else 0 :]
    end = again[cut - 1]
    word = replayed[end.word]
    rest = list(replayed[end.word + 1 :])
    moved = _moved(committed, replayed[: end.word + 1], rest)
    if moved and _left_out(committed, moved, again, cut, onset_ms, end_ms, costs[cut]):
        rest = rest[moved:]
    if cut < len(again) and again[cut].word == end.word:  # between two CJK characters
        start_ms = round((end.at_ms + again[cut].at_ms) / 2)
        rest.insert(0, replace(word, text=word.text[end.stop :], start_ms=start_ms))
    return _without_repeated_mark(committed[-1].text, rest)


def _moved(committed: Sequence[Word], old: Sequence[Word], new: Sequence[Word]) -> int:
    """How many of the `new` words are the last committed ones, put behind the next pause.

    The two hearings disagree on which side of it they were said. A word that was said on both
    sides is heard twice, so that `old` ends with it, too.
    """
    said = [_key(word) for word in committed if _key(word)]
    for count in range(min(_MOST_MOVED, len(said), len(new)), 0, -1):
        moved = [_key(word) for word in new[:count]]
        apart_ms = new[0].start_ms - committed[-1].end_ms
        again = moved == [_key(word) for word in old[-count:]]
        if moved == said[-count:] and not again and apart_ms <= _PAUSE_MS:
            return count
    return 0


def _left_out(
    committed: Sequence[Word],
    count: int,
    again: Sequence[_Char],
    cut: int,
    onset_ms: int,
    end_ms: int,
    cost: float,
) -> bool:
    """Whether the alignment up to `cut` has nothing for the last `count` committed words."""
    shorter = _chars([word for word in committed if _key(word)][:-count])
    without = _alignment_costs(shorter, again, onset_ms, end_ms)[cut]
    letters = len(_chars(committed)) - len(shorter)
    return cost - without >= _LEFT_OUT * letters


def _key(word: Word) -> str:
    return "".join(char for char in word.text.casefold() if char.isalnum())


def _without_repeat(committed: Sequence[Word], words: list[Word]) -> list[Word]:
    """Without words that were committed before they were spoken, and have now been spoken."""
    said = [word for word in committed if any(map(str.isalnum, word.text))]
    again = repeat_length(said, [_bounded(word) for word in words])
    timed = any(word.end_ms - word.start_ms > _NO_TIME_MS for word in said[len(said) - again :])
    return words if timed else words[again:]


def _without_repeated_mark(before: str, words: list[Word]) -> list[Word]:
    """Drop punctuation at the cut if the committed text has its own."""
    if not words or not before.strip() or before.rstrip()[-1].isalnum():
        return words
    text = words[0].text
    starts = [index for index, char in enumerate(text) if char.isalnum() or is_opener(char)]
    if not starts:
        return words[1:]
    if starts[0] == 0 or text[0].isspace():
        return words
    return [replace(words[0], text=text[starts[0] :]), *words[1:]]


def _chars(words: Sequence[Word]) -> list[_Char]:
    """The letters and digits of the words, folded, each with its share of its word's time."""
    found: list[_Char] = []
    for index, word in enumerate(words):
        letters = [(offset, char) for offset, char in enumerate(word.text) if char.isalnum()]
        for number, (offset, char) in enumerate(letters):
            length_ms = (_bounded(word).end_ms - word.start_ms) / len(letters)
            early_ms = word.start_ms + (number + 0.5) * min(length_ms, _PACE_MS)
            at_ms = word.start_ms + (number + 0.5) * length_ms
            folded = unicodedata.normalize("NFKC", char).casefold()
            found.append(_Char(folded, early_ms, at_ms, index, offset + 1))
    return found


def _bounded(word: Word) -> Word:
    """The word, no longer than a word can be."""
    letters = sum(map(str.isalnum, word.text))
    return replace(word, end_ms=min(word.end_ms, word.start_ms + _WORD_MS + _LETTER_MS * letters))


def _best_cut(
    costs: Sequence[float], again: Sequence[_Char], replayed: Sequence[Word], end_ms: int
) -> int:
    """How many characters of the replay are old: the end of the cheapest alignment."""
    passing = [_limited((end_ms - char.at_ms) / _EDGE_MS, 1.0) for char in again]
    passed_after = list(accumulate(reversed(passing), initial=0.0))[::-1]
    cuts = [cut for cut in range(len(again) + 1) if _may_cut(again, replayed, cut)]
    return min(cuts, key=lambda cut: costs[cut] + passed_after[cut])


def _alignment_costs(
    old: Sequence[_Char], again: Sequence[_Char], onset_ms: int, end_ms: int
) -> list[float]:
    """Cost of aligning all of `old` with the first n characters of `again`, for n = 0, 1, …"""
    dropping = [1.0 + _limited((char.at_ms - end_ms) / _EDGE_MS, 2.0) for char in again]
    row = list(accumulate(dropping, initial=0.0))
    for char in old:
        left_out = _limited((char.at_ms - onset_ms) / _ONSET_MS, 1.0)
        above, row = row, [row[0] + left_out]
        for index, other in enumerate(again):
            row.append(
                min(
                    above[index] + _matching(char, other, end_ms),
                    above[index + 1] + left_out,
                    row[index] + dropping[index],
                )
            )
    return row


def _matching(old: _Char, again: _Char, end_ms: int) -> float:
    same = old.text == again.text
    leeway = 1.0 if same else 0.5  # what reads differently must agree better in time
    apart_ms = max(old.early_ms - again.at_ms, again.early_ms - old.at_ms) - leeway * _SAME_TIME_MS
    late_ms = again.early_ms - end_ms - leeway * _LATE_MS  # said after all that was committed
    prices = (_limited(late / _TIME_SLOPE_MS, _FAR) for late in (apart_ms, late_ms))
    return sum(prices, 0.0 if same else _SUBSTITUTION)


def _may_cut(again: Sequence[_Char], replayed: Sequence[Word], cut: int) -> bool:
    """Between words, and inside one only where a line could break."""
    if cut in (0, len(again)) or again[cut - 1].word != again[cut].word:
        return True
    text, stop = replayed[again[cut].word].text, again[cut - 1].stop
    return can_break(text[:stop], text[stop:])


def _limited(value: float, most: float) -> float:
    return min(max(value, 0.0), most)
