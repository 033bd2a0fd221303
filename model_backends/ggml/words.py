"""Pieces of text with times to words that never change. Pure; times are milliseconds.

A piece is what a model says at once: a part of a word, a word, or several. A word can grow until
a piece begins with a space, or a line could break before it (Chinese, Japanese), or nothing more
has come for a while. What comes later all the same (a full stop) follows as a piece of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from model_backends.guess import Guess
from model_backends.line_breaks import can_break

_WORD = re.compile(r"\s*\S+")


@dataclass
class WordBuilder:
    """`last_end_ms`: words do not begin before this."""

    last_end_ms: int = 0
    pending: Guess | None = None  # the word that may still grow

    def push(self, text: str, start_ms: int, end_ms: int, probability: float = 1.0) -> list[Guess]:
        """Take a piece; the words that it ends."""
        done: list[Guess] = []
        for part in spread(text, start_ms, end_ms, probability):
            if self.pending is not None and can_break(self.pending.text, part.text):
                done += self.take()
            self._grow(part)
        return done

    def take(self) -> list[Guess]:
        """The word that could still have grown: it is done."""
        if self.pending is None:
            return []
        start_ms = max(self.pending.start_ms, self.last_end_ms)
        word = replace(self.pending, start_ms=start_ms, end_ms=max(self.pending.end_ms, start_ms))
        self.last_end_ms, self.pending = word.end_ms, None
        return [word]

    def _grow(self, part: Guess) -> None:
        if self.pending is None:
            self.pending = part
            return
        self.pending = Guess(
            self.pending.text + part.text,
            self.pending.start_ms,
            max(self.pending.end_ms, part.end_ms),
            min(self.pending.probability, part.probability),
        )


def spread(text: str, start_ms: int, end_ms: int, probability: float = 1.0) -> list[Guess]:
    """The words of a text that was said within this time, each with its share by its letters."""
    parts = _WORD.findall(text)
    total = sum(len(part.strip()) for part in parts)
    guesses, at = [], 0
    for part in parts:
        begin = start_ms + (end_ms - start_ms) * at // total
        at += len(part.strip())
        end = start_ms + (end_ms - start_ms) * at // total
        guesses.append(Guess(part, begin, end, probability))
    return guesses


def retimed(words: Sequence[str], before: Sequence[Guess], heard_ms: int) -> list[Guess]:
    """The words of a new draft, with the times of those that the draft before had, too; the others
    share what lies between. `heard_ms`: how far the new draft was heard."""
    from difflib import SequenceMatcher

    old, new = [g.key for g in before], [Guess(text, 0, 0).key for text in words]
    timed: list[Guess] = []
    at = 0
    for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        known = before[block.a].start_ms if block.size else heard_ms
        begin = timed[-1].end_ms if timed else 0
        between = "".join(words[at : block.b])
        timed += spread(between, begin, max(begin, known))
        for offset in range(block.size):
            same = before[block.a + offset]
            timed.append(replace(same, text=words[block.b + offset]))
        at = block.b + block.size
    return timed


def words_of(text: str) -> list[str]:
    """A text's words, each with the space before it."""
    return _WORD.findall(text)
