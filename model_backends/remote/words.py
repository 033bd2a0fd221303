"""Texts to words with times, of servers that count steps and of those that only write.

A server that sends one text for each 80 ms tells when a word was spoken by its place in the row;
of others only the moment is known at which text came. Pure; times are milliseconds from the start
of the sound that a segment sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from model_backends.line_breaks import UNSPACED, can_break
from model_backends.voxtral.schedule import ROW_MS, end_ms

# how long a word takes to say, as the Voxtral engine has it: see `voxtral.words`
_BASE_MS, _PER_CHARACTER_MS, _LONGEST_WORD_MS = 150, 75, 1200
_WORD = re.compile(r"\s*\S+")
_LONGEST_UNSPACED = 40  # characters; marks that may begin no line could go on for ever


@dataclass(frozen=True, slots=True)
class TimedText:
    """One word that will not grow any more, with its own leading space where it has one."""

    text: str
    start_ms: int
    end_ms: int


class Words(Protocol):
    """Collects the texts of one segment."""

    @property
    def tail(self) -> str:
        """Text of the word that may still grow."""

    def push(self, text: str, heard_ms: int) -> list[TimedText]:
        """Take one text; `heard_ms`: how much sound the server has been sent, or has heard."""

    def finish(self, text: str, heard_ms: int) -> list[TimedText]:
        """The last text, and that of the word that was growing."""


def spoken_ms(text: str) -> int:
    """How long a word takes to say, roughly."""
    return min(_BASE_MS + _PER_CHARACTER_MS * len(text.strip()), _LONGEST_WORD_MS)


class StepWords:
    """Of a server that answers each 80 ms: a word is announced by an empty text one step before
    its own, in the step whose sound it ended in, the delay apart. `heard_ms` is not needed."""

    def __init__(self) -> None:
        self._text = ""
        self._step = 0  # of the text that comes next
        self._end_step = 0  # in which the growing word ended
        self._last_end_ms = 0

    @property
    def tail(self) -> str:
        return self._text

    @property
    def settled_ms(self) -> int:
        """Every word that ends before this is out: those being written hold it back."""
        return self._last_end_ms if self._text else max(self._last_end_ms, end_ms(self._step - 2))

    def push(self, text: str, heard_ms: int) -> list[TimedText]:
        words = self._commit() if not text or text[:1].isspace() else []
        if text:
            if not self._text:
                self._end_step = self._step - 1
            self._text += text
        self._step += 1
        return words

    def finish(self, text: str, heard_ms: int) -> list[TimedText]:
        words = self.push(text, heard_ms) if text else []
        return words + self._commit()

    def _commit(self) -> list[TimedText]:
        text, self._text = self._text, ""
        if not text.strip():
            return []
        end = end_ms(self._end_step)
        if end <= self._last_end_ms:  # the second of two words that were announced together
            end = self._last_end_ms + ROW_MS
        start = max(self._last_end_ms, end - spoken_ms(text), 0)
        self._last_end_ms = end
        return [TimedText(text, start, end)]


def words_in(text: str) -> list[str]:
    """The words of a text, each with the space before it; where a script has no spaces, what a line
    may end behind. Linear in the length of the text."""
    words = []
    for word in _WORD.findall(text):
        begin = 0
        if _unspaced().search(word):
            first = len(word) - len(word.lstrip())
            for at in range(first + 1, len(word)):
                if can_break(word[at - 1], word[at]) or at - begin == _LONGEST_UNSPACED:
                    words.append(word[begin:at])
                    begin = at
        words.append(word[begin:])
    return words


@cache  # it takes a while to compile, and is not needed before there are words
def _unspaced() -> re.Pattern[str]:
    return re.compile(f"[{UNSPACED}]")


class FlowWords:
    """Of a server that writes when it likes: words are spread over the time before they came."""

    def __init__(self) -> None:
        self._text = ""
        self._last_end_ms = 0

    @property
    def tail(self) -> str:
        return self._text

    @property
    def settled_ms(self) -> int:
        """Nothing is certain before the segment's end."""
        return 0

    def push(self, text: str, heard_ms: int) -> list[TimedText]:
        self._text += text
        written = self._text.rstrip()
        whole = words_in(written)
        if whole and written == self._text:
            whole.pop()  # may still grow
        self._text = self._text[sum(map(len, whole)) :]
        return self._timed(whole, heard_ms)

    def finish(self, text: str, heard_ms: int) -> list[TimedText]:
        words = self.push(text, heard_ms)
        rest, self._text = self._text.rstrip(), ""
        return words + self._timed([rest] if rest else [], heard_ms)

    def _timed(self, texts: list[str], heard_ms: int) -> list[TimedText]:
        """Words end at `heard_ms`, each as long as it takes to say if there is time for it."""
        lengths = [spoken_ms(text) for text in texts]
        room = max(heard_ms - self._last_end_ms, len(texts))
        scale = min(1.0, room / max(sum(lengths), 1))
        at = self._last_end_ms + room - sum(lengths) * scale
        words = []
        for text, length in zip(texts, lengths, strict=True):
            start, at = at, at + length * scale
            words.append(TimedText(text, round(start), round(at)))
            self._last_end_ms = round(at)
        return words
