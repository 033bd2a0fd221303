"""Token ids to words with times.

The stream's grammar is `[P]* [W] t1 t2 .. [P]* [W] ..`: [W] comes when a word has ended (plus
the delay), its text follows one token per 80 ms. A word is committed when it cannot grow any
more: at the next [P], [W] or token that begins with a space. Bytes of a split character wait
until it is whole. Knows nothing about models or streams; times are milliseconds from the start
of the real audio. Error, over 140 words of the tiny model against the energy of the recordings:
end -2 ms +- 72 ms (5-95 %: -50 to 110 ms), start, a guess from the text, -24 ms +- 121 ms; the
same at 80, 480 and 2400 ms of delay. With the published weights neither has been measured.
"""

from __future__ import annotations

import codecs
import math
from dataclasses import dataclass

from model_backends.voxtral.schedule import ROW_MS, end_ms
from model_backends.voxtral.tekken import Tekken

# Where a word began is not in the stream. Spoken English takes about 75 ms a character and
# 150 ms besides; a pause detector must allow for the longest word.
_BASE_MS, _PER_CHARACTER_MS, LONGEST_WORD_MS = 150, 75, 1200


@dataclass(frozen=True, slots=True)
class TimedText:
    """One committed word: `text` with its own leading space where the script uses spaces."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float | None = None  # the least probability of its tokens


class WordBuilder:
    """Collects ids of one decoder into words.

    `after_ms`: words do not begin before this (the end of what another decoder has said).
    """

    def __init__(self, tokens: Tekken, after_ms: int = 0) -> None:
        self._tokens = tokens
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._text = ""  # the word that may still grow
        self._end_token = 0  # audio token in which the current group ended
        self._in_group = False
        self._last_end_ms = after_ms
        self._logprob = 0.0  # the least of the growing word's tokens

    @property
    def tail(self) -> str:
        """Text of the word that may still grow."""
        return self._text

    @property
    def open(self) -> bool:
        """Whether a word has been announced or begun and is not yet committed."""
        return self._in_group

    def push(self, token: int, end_token: int, logprob: float = 0.0) -> list[TimedText]:
        """Take one id; `end_token` is the audio token in which a word announced now ended."""
        if self._tokens.is_text(token):
            words = self._push_text(self._tokens.text(token), end_token)
            self._logprob = min(self._logprob, logprob)
            return words
        words = self._commit()
        self._in_group = token == self._tokens.word
        if self._in_group:
            self._end_token = end_token
        return words

    def finish(self) -> list[TimedText]:
        """No more ids: the last word, with a replacement character for a broken tail."""
        self._text += self._decoder.decode(b"", final=True)
        return self._commit()

    def _push_text(self, piece: bytes, end_token: int) -> list[TimedText]:
        words = self._commit() if piece[:1].isspace() else []
        if not self._in_group:  # text without [W]: the token before was its group mark
            self._in_group, self._end_token = True, end_token - 1
        self._text += self._decoder.decode(piece)
        return words

    def _commit(self) -> list[TimedText]:
        text, self._text = self._text, ""
        if not text:
            return []
        confidence, self._logprob = round(math.exp(self._logprob), 4), 0.0
        end = end_ms(self._end_token)
        if end <= self._last_end_ms:  # a second word of the group, or a piece of the one before
            end = self._last_end_ms + ROW_MS
        start = max(self._last_end_ms, end - spoken_ms(text), 0)
        self._last_end_ms = end
        return [TimedText(text, start, end, confidence)]


def spoken_ms(text: str) -> int:
    """How long it takes to say a word, guessed from its letters."""
    return min(_BASE_MS + _PER_CHARACTER_MS * len(text.strip()), LONGEST_WORD_MS)
