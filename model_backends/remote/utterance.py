"""One utterance at a server: its sound, the words that are out, and how far it has come. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from model_backends.base import Event, Progress, StreamOptions, Tail, Word
from model_backends.remote.kept import BLOCK_MS, Kept

CONTEXT_BLOCKS = 100  # heard again after a loss: a model that begins cold mishears
QUIET = 0.35  # a voice detector's score of no speech
_WORDS_KEPT_MS = 30_000


class Utterance:
    """`next_first`: the block with which the next segment begins; `said`: how many words of a turn
    that was lost are out, where times tell nothing."""

    def __init__(self, options: StreamOptions) -> None:
        self.options = options
        self.kept = Kept()
        self.committed: list[Word] = []
        self.next_first = 0
        self.said = 0
        self._heard_ms = self._settled_ms = options.start_ms  # as told; session time
        self._tail = ""

    @property
    def settled_block(self) -> int:
        """The first block that is not settled whole."""
        return max(0, self._settled_ms - self.options.start_ms) // BLOCK_MS

    def time_of(self, block: int) -> int:
        """The session's time at which a block begins."""
        return self.options.start_ms + block * BLOCK_MS

    def commit(self, words: Sequence[Word]) -> list[Event]:
        """These are out, and are not taken back."""
        self.committed += words
        if words:
            oldest_ms = words[-1].end_ms - _WORDS_KEPT_MS
            self.committed = [word for word in self.committed if word.end_ms > oldest_ms]
        return [*words]

    def progress(self, heard_ms: int, settled_ms: int) -> list[Event]:
        """The server has come so far, in session time; what was told only grows."""
        before = self._heard_ms, self._settled_ms
        end_ms = self.options.start_ms + self.kept.length_ms
        self._heard_ms = max(self._heard_ms, min(heard_ms, end_ms))
        self._settled_ms = max(self._settled_ms, min(settled_ms, self._heard_ms))
        self.kept.forget(self.settled_block - 2 * CONTEXT_BLOCKS)
        after = self._heard_ms, self._settled_ms
        return [] if after == before else [Progress(self.options.lane, 0, *after)]

    def over(self) -> list[Event]:
        """All of it has been heard."""
        end_ms = self.options.start_ms + self.kept.length_ms
        return self.progress(end_ms, end_ms)

    def show_tail(self, text: str) -> list[Event]:
        """Tentative text, if it is another one than before."""
        if text == self._tail:
            return []
        self._tail = text
        return [Tail(self.options.lane, 0, self.options.utterance, text)]

    def spoken_until(self, first: int, until: int) -> int:
        """The block before which somebody spoke last, of those from `first` to `until`."""
        at = until
        while at > max(first, self.kept.first) and self.kept.speech(at - 1) < QUIET:
            at -= 1
        return at
