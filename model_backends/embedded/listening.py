"""What a window says: the recogniser's words placed where somebody speaks, and no speech left out.

Whisper sometimes stops early, or skips a stretch; the attention then spreads a neighbouring word
over everything that got no words ("said" for nine seconds). So words are held to a length that
their letters allow, and speech left without words is a *hole*: it is transcribed once more, by
itself, before anything is committed or cut away. Knows nothing about agreement or the engine.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TypeAlias

from model_backends.base import SAMPLE_RATE, Pcm
from model_backends.embedded.window import Window
from model_backends.guess import Guess
from model_backends.repeats import without_repeats

_MS = SAMPLE_RATE // 1000  # samples in a millisecond
_NEARBY = 160 * _MS  # a word must have speech within this distance, or it was invented
_BREATH = 250 * _MS  # no word goes on after so long a silence
_SHORTEST_HOLE = 1_000 * _MS  # speech without words: two short words and more
_SHORTEST_AT_END = 2_000 * _MS  # live, what was said last is heard again anyway
_SHORTEST_APART = 400 * _MS  # with silence on both sides: a few words of their own
_OVER = 96 * _MS  # of silence at the end: what was said last has been said
_LONGEST_PIECE = 10_000 * _MS  # of a hole: the window that costs least
_MOST_PIECES = 4  # one call is to stay bounded
_MOST_HOLES = 2
_CONTEXT = 1_500 * _MS  # a word beside a hole that is no longer than this is heard with it
_LEAD = 200 * _MS  # heard before the onset of speech
_BARREN = 0.7  # a hole of which so much was tried in vain is not tried again

_START_MS = 300  # the longest a word takes: this ...
_LETTER_MS = 80  # ... and this for each letter: half as fast again as people read aloud
_LETTERS_OF_DIGIT = 5  # "7" is "seven"
_LETTERS_OF_SYLLABLE = 2.5  # an ideograph, a kana, a Hangul block
_STRETCHED_MS = 400  # beyond the longest: not drawn out but stretched over a hole


class Care(Enum):
    """How well a window is heard."""

    QUICK = auto()  # greedily: it will be heard again
    CAREFUL = auto()  # with several candidates: the last word on doubtful words
    WHOLE = auto()  # so, and long audio in the model's full window: nobody waits


Transcribe: TypeAlias = Callable[[Pcm, Care], list[Guess]]
"""What a stream needs of a recogniser: words in milliseconds from the audio's start."""


def longest_ms(text: str) -> int:
    """The longest that saying `text` takes, pauses left out."""
    return round(_START_MS + _LETTER_MS * sum(_letters(c) for c in text))


def _letters(character: str) -> float:
    if character.isdigit():
        return _LETTERS_OF_DIGIT
    if not character.isalpha():
        return 0.0
    wide = unicodedata.east_asian_width(character) in "WF"
    return _LETTERS_OF_SYLLABLE if wide else 1.0


@dataclass(frozen=True, slots=True)
class _Placed:
    """A word at its place in the window, in samples."""

    word: Guess
    begin: int
    end: int
    stretched: bool = False

    @property
    def longest(self) -> int:
        return longest_ms(self.word.text) * _MS

    def held(self, last: bool) -> _Placed:
        """No longer than its letters allow: the last word of a guess began where it begins, any
        other was stretched back over what was skipped before it."""
        if not self.stretched:
            return self
        if last:
            return replace(self, end=self.begin + self.longest)
        return replace(self, begin=self.end - self.longest)


@dataclass(frozen=True, slots=True)
class _Hole:
    """Speech that got no words: words from index `first` up to `after` are stretched over it."""

    begin: int
    end: int
    first: int
    after: int


class Listening:
    """Transcribes one utterance's window."""

    def __init__(self, window: Window, start_ms: int) -> None:
        """`start_ms`: session time of the window's sample 0."""
        self._window = window
        self._start_ms = start_ms
        self._barren: list[tuple[int, int]] = []  # heard twice, and no word in it

    def words(
        self, transcribe: Transcribe, until: int, care: Care, settled_ms: int | None = None
    ) -> list[Guess]:
        """The words up to sample `until`, in session time.

        Holes that end by `settled_ms` are left alone: their words stand already.
        """
        start = self._window.start
        if not self._window.speech(start, until):
            return []
        placed = self._placed(transcribe(self._window.audio(until), care), start)
        settled = start if settled_ms is None else (settled_ms - self._start_ms) * _MS
        holes = [
            hole
            for hole in self._holes(placed, until, care)
            if hole.end > settled and not self._tried(hole)
        ]
        for hole in reversed(holes[:_MOST_HOLES]):
            placed = self._filled(transcribe, placed, hole, until, care)
        last = len(placed) - 1
        words = [self._timed(one.held(index == last)) for index, one in enumerate(placed)]
        return without_repeats(words)

    # --- where words are -----------------------------------------------------------------------

    def _placed(self, words: Sequence[Guess], origin: int) -> list[_Placed]:
        placed = [self._place(word, origin) for word in words]
        return [one for one in placed if one is not None]

    def _place(self, word: Guess, origin: int) -> _Placed | None:
        """Without the silence around it; None if nobody spoke there.

        Where the attention reaches over a pause, the word is before it, unless there is but a rest
        of the word before; where it goes on behind the pause, that is the onset of the next one.
        """
        begin, end = origin + word.start_ms * _MS, origin + word.end_ms * _MS
        stretches = self._window.spoken(begin, end, _BREATH)
        if not stretches:
            if self._window.voiced_span(begin - _NEARBY, end + _NEARBY) is None:
                return None
            return _Placed(word, begin, begin)  # none of that time is speech
        lengths = [end - begin for begin, end in stretches]
        begin, end = next(s for s in stretches if 2 * (s[1] - s[0]) >= max(lengths))
        longest = longest_ms(word.text) * _MS
        speech = sum(lengths) if end - begin > longest else end - begin
        stretched = speech > longest + _STRETCHED_MS * _MS
        return _Placed(word, begin, end, stretched)

    def _timed(self, placed: _Placed) -> Guess:
        begin_ms, end_ms = placed.begin // _MS, placed.end // _MS
        return replace(
            placed.word, start_ms=self._start_ms + begin_ms, end_ms=self._start_ms + end_ms
        )

    # --- speech without words ------------------------------------------------------------------

    def _holes(self, placed: Sequence[_Placed], until: int, care: Care) -> list[_Hole]:
        """Between the words that are where they can be, the stretches with too much speech."""
        holes = []
        begin, first = self._window.start, 0
        for index, one in enumerate([*placed, None]):
            if one is not None and one.stretched:
                continue
            end = until if one is None else one.begin
            spared = sum(word.longest for word in placed[first:index])
            speech = self._window.speech(begin, end) - spared if end > begin else 0
            if speech >= self._shortest(begin, end, last=one is None, care=care):
                holes.append(_Hole(begin, end, first, index))
            if one is not None:
                begin, first = max(begin, one.end), index + 1
        return holes

    def _shortest(self, begin: int, end: int, last: bool, care: Care) -> int:
        """How much speech between two words makes a hole."""
        span = self._window.voiced_span(begin, end)
        after = _OVER if last else _BREATH
        if span is not None and span[0] - begin >= _BREATH and end - span[1] >= after:
            return _SHORTEST_APART
        return _SHORTEST_AT_END if last and care is Care.QUICK else _SHORTEST_HOLE

    def _tried(self, hole: _Hole) -> bool:
        length = self._window.speech(hole.begin, hole.end)
        tried = sum(
            self._window.speech(max(begin, hole.begin), min(end, hole.end))
            for begin, end in self._barren
            if begin < hole.end and end > hole.begin
        )
        return tried >= _BARREN * length

    def _filled(
        self,
        transcribe: Transcribe,
        placed: list[_Placed],
        hole: _Hole,
        until: int,
        care: Care,
    ) -> list[_Placed]:
        """The words with those of a second hearing in the hole, if it has any."""
        before = placed[hole.first - 1] if hole.first else None
        after = placed[hole.after] if hole.after < len(placed) else None
        before = before if before and before.end - before.begin <= _CONTEXT else None
        after = after if after and after.end - after.begin <= _CONTEXT else None
        begin = before.begin if before else hole.begin
        end = min(after.end if after else hole.end, until)
        if care is not Care.QUICK and (begin, end) == (self._window.start, until):
            begin, before = self._onset(hole), None  # the same again would give the same again
        found = _without_neighbours(self._again(transcribe, begin, end), before, after)
        inside = [one for one in found if hole.begin <= (one.begin + one.end) // 2 < hole.end]
        if not inside:
            self._barren.append((hole.begin, hole.end))
            return placed
        return [*placed[: hole.first], *inside, *placed[hole.after :]]

    def _onset(self, hole: _Hole) -> int:
        """Just before somebody speaks in the hole."""
        span = self._window.voiced_span(hole.begin, hole.end)
        return max(hole.begin, span[0] - _LEAD) if span else hole.begin

    def _again(self, transcribe: Transcribe, begin: int, end: int) -> list[_Placed]:
        """The words of a stretch, heard in pieces that cost little."""
        found: list[_Placed] = []
        for _ in range(_MOST_PIECES):
            cut, paused = self._piece_end(begin, end)
            pcm = self._window.audio(cut, begin)
            words = self._placed(transcribe(pcm, Care.CAREFUL), begin)
            begin = cut
            if not paused and len(words) > 1:  # the last one may be cut off: it comes again
                begin = words.pop().begin
            found += words
            if begin >= end:
                break
        return found

    def _piece_end(self, begin: int, end: int) -> tuple[int, bool]:
        """Where a piece ends, best in a pause."""
        if end - begin <= _LONGEST_PIECE:
            return end, True
        pauses = self._window.pauses(begin + _LONGEST_PIECE // 2, begin + _LONGEST_PIECE)
        if not pauses:
            return begin + _LONGEST_PIECE, False
        pause_begin, pause_end = max(pauses, key=lambda pause: pause[1] - pause[0])
        return (pause_begin + pause_end) // 2, True


def _without_neighbours(
    words: list[_Placed], before: _Placed | None, after: _Placed | None
) -> list[_Placed]:
    """Without the words before and after the hole, which were heard again with it."""
    if words and before is not None and words[0].word.key == before.word.key:
        words = words[1:]
    if words and after is not None and words[-1].word.key == after.word.key:
        words = words[:-1]
    return words
