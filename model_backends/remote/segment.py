"""What one server hears at a stretch: a row of blocks sent, texts that come back as words.

An utterance is heard in one segment, or in several when a server is lost, comes to its model's
length, or is spared it by a rotation. Where a segment hears again what was committed, its words
are aligned with those. Pure; knows no connection.
"""

from __future__ import annotations

from collections.abc import Sequence

from model_backends.base import StreamOptions, Word
from model_backends.line_breaks import needs_space
from model_backends.remote.kept import BLOCK_MS
from model_backends.remote.words import FlowWords, StepWords, TimedText
from model_backends.replay import ReplayAligner

UTTERANCE, PAUSE, FORCED = "utterance", "pause", "forced"  # why a segment is ended
_CUT_OFF_MS = 500  # before a forced end: a word here may be cut off, and is heard again


class Segment:
    """`first`: the block it begins with; `next`: the one to be sent next."""

    def __init__(
        self,
        options: StreamOptions,
        first: int,
        stepped: bool,
        committed: Sequence[Word] = (),
        said: int = 0,
    ) -> None:
        """`committed`: words that may be heard again. `said`: how many words of this very
        segment were committed before the server was lost, where times tell nothing."""
        self.first = self.next = first
        self.steps = 0  # answers of a server that gives one each 80 ms
        self.ending = ""  # why no more sound is sent
        self.passed = 0  # words passed on
        self._options = options
        self.stepped = stepped
        self._start_ms = options.start_ms + first * BLOCK_MS
        self._words = StepWords() if stepped else FlowWords()
        self._skip = 0 if stepped else said
        self._last_text = committed[-1].text if committed else ""
        again = stepped and bool(committed)
        self._aligner = ReplayAligner(committed, self._start_ms) if again else None

    @property
    def sent(self) -> int:
        """Blocks that have been sent."""
        return self.next - self.first

    @property
    def aligned(self) -> bool:
        return self._aligner is None or self._aligner.aligned

    @property
    def tail(self) -> str:
        """Tentative text; nothing while old text is heard again."""
        return self._words.tail if self.aligned and not self._skip else ""

    @property
    def settled_ms(self) -> int:
        """Session time before which every word is out."""
        return self._start_ms + self._words.settled_ms

    def text(self, text: str, heard_ms: int, looked_at_ms: int) -> list[Word]:
        """A text has come; `heard_ms` of the segment have been heard, in session time up to
        `looked_at_ms`. The new words, in order."""
        self.steps += self.stepped
        words = self._passed(self._words.push(text, heard_ms))
        if self._aligner is not None and not self._aligner.aligned:
            words += self._spaced(self._aligner.progress(self.settled_ms, looked_at_ms))
        return words

    def end(self, rest: str, heard_ms: int) -> list[Word]:
        """The server has said all: the words that were still to come."""
        passed = self._passed(self._words.finish(rest, heard_ms))
        if self._aligner is not None:
            passed += self._spaced(self._aligner.finish())
        return passed

    def cut_off(self) -> list[Word]:
        """The server ended by itself: its last word may be half of one, and is heard again."""
        return self._spaced(self._aligner.finish()) if self._aligner is not None else []

    def _passed(self, found: Sequence[TimedText]) -> list[Word]:
        words = [self._word(each) for each in found if self._is_whole(each)]
        if self._aligner is not None:
            return self._spaced([new for word in words for new in self._aligner.add(word)])
        old = min(self._skip, len(words))
        self._skip -= old
        self.passed += old
        return self._spaced(words[old:])

    def _is_whole(self, word: TimedText) -> bool:
        """Whether it cannot have been cut off by a forced end, where a server says half a word."""
        return self.ending != FORCED or word.end_ms <= self.sent * BLOCK_MS - _CUT_OFF_MS

    def _spaced(self, words: Sequence[Word]) -> list[Word]:
        """With the space that a segment's first word may lack after another segment's last."""
        spaced = []
        for word in words:
            if not self.passed and needs_space(self._last_text, word.text):
                word = _with_text(word, " " + word.text)
            self.passed += 1
            spaced.append(word)
        return spaced

    def _word(self, found: TimedText) -> Word:
        options, at = self._options, self._start_ms
        return Word(
            options.lane, 0, options.utterance, found.text, at + found.start_ms, at + found.end_ms
        )


def _with_text(word: Word, text: str) -> Word:
    return Word(word.lane, word.track, word.utterance, text, word.start_ms, word.end_ms)
