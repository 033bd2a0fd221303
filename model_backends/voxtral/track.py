"""One output track of a stream: a delay, the words said at it, and the guard that watches it.

A track is served by one reader. To change the delay, or to recover when it has gone mute, a
second reader starts some seconds back on the same encoder rows, catches up with the first, hands
over the words that had not been said, and takes its place. Knows nothing about audio or tensors.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from model_backends.base import (
    EngineError,
    Event,
    Notice,
    Progress,
    Sentence,
    StreamOptions,
    Tail,
    Word,
)
from model_backends.mute_guard import MuteGuard
from model_backends.voxtral.handover import Handover
from model_backends.voxtral.hotwords import Hotwords
from model_backends.voxtral.reader import Reader
from model_backends.voxtral.schedule import LEFT_PAD_ROWS, ROW_MS
from model_backends.voxtral.speech_model import ROWS_KEPT, Decoded, DecodeWork, SpeechModel
from model_backends.voxtral.tekken import Tekken
from model_backends.voxtral.words import LONGEST_WORD_MS, TimedText

_CONTEXT_ROWS = 38  # 3 s that a new reader reads before the first word it may say
_REACH_BACK_ROWS = ROWS_KEPT - 256  # how far back a new reader can start: 61 s
_WORDS_REMEMBERED = 64

SpeechAt = Callable[[int], float]  # audio token -> voice detector's score

_MUTE = (
    Sentence("Voxtral heard speech and wrote nothing; it is listening again from before that."),
    Sentence(
        "If this keeps happening the sound may not be speech; try a longer delay or another engine."
    ),
)


class Track:
    """Words, tails and progress of one delay of one stream."""

    def __init__(
        self,
        index: int,
        options: StreamOptions,
        model: SpeechModel,
        tokens: Tekken,
        source: int,
        delay_tokens: int,
        hotwords: Hotwords | None = None,
    ) -> None:
        self._index = index
        self._hotwords = hotwords
        self._options = options
        self._model = model
        self._tokens = tokens
        self._source = source
        self._guard = MuteGuard()
        self._mute_row = 0  # where the guard began to count
        self._handover = Handover()
        self._said: deque[TimedText] = deque(maxlen=_WORDS_REMEMBERED)
        self._shown_tail = ""
        self._settled_ms = 0
        self._heard_ms = 0
        self._successor: Reader | None = None
        self._waiting: list[TimedText] = []  # what the successor said while catching up
        self.reader = self._open(delay_tokens, LEFT_PAD_ROWS)

    @property
    def readers(self) -> list[Reader]:
        return [self.reader] if self._successor is None else [self.reader, self._successor]

    @property
    def delay_tokens(self) -> int:
        return self.readers[-1].schedule.tokens

    def change_delay(self, delay_tokens: int) -> None:
        """Let a reader at another delay take over. Raises EngineError if memory is short."""
        if delay_tokens == self.delay_tokens:
            return
        first = self.reader.next_row - self.reader.schedule.tokens - _CONTEXT_ROWS
        self._succeed(delay_tokens, first)

    def take(
        self, reader: Reader, work: DecodeWork, answers: Sequence[Decoded], speech_at: SpeechAt
    ) -> list[Event]:
        """Digest a reader's answers."""
        steps, words = reader.take(work, answers)
        if reader is self._successor:
            self._waiting += words
            return self._switch() if reader.next_row >= self.reader.next_row else []
        if reader is not self.reader:
            return []  # replaced while its work was under way
        events = [*self._speak(words), *self._watch(steps, speech_at)]
        if self._successor is not None and self._successor.next_row >= reader.next_row:
            events += self._switch()
        return events

    def progress(self, audio_ms: int) -> list[Event]:
        """The tail, if it changed, and how far the track has come in `audio_ms` of audio."""
        events: list[Event] = []
        if self.reader.tail != self._shown_tail:
            self._shown_tail = self.reader.tail
            events.append(self._tail())
        heard = min((self.reader.next_row - LEFT_PAD_ROWS) * ROW_MS, audio_ms)
        if heard > self._heard_ms:
            self._heard_ms = heard
            self._settle()
            events.append(self._progress())
        return events

    def finish(self, audio_ms: int) -> list[Event]:
        """The last word; everything is settled."""
        events = self._switch() if self._successor is not None else []
        events += self._speak(self.reader.finish())
        if self._shown_tail:
            self._shown_tail = ""
            events.append(self._tail())
        self._heard_ms = self._settled_ms = audio_ms
        return [*events, self._progress()]

    def close(self) -> None:
        """Give the decoder slots back."""
        for reader in self.readers:
            self._model.close_decoder(reader.slot)
        self._successor = None

    def _speak(self, words: Sequence[TimedText]) -> list[Event]:
        events: list[Event] = []
        for word in self._handover.unsaid(words):
            last = self._said[-1].end_ms if self._said else 0
            start = max(word.start_ms, last)
            word = replace(word, start_ms=start, end_ms=max(word.end_ms, start + ROW_MS))
            self._said.append(word)
            events.append(self._word(word))
        return events

    def _watch(self, steps: Sequence[Decoded], speech_at: SpeechAt) -> list[Event]:
        """Feed the guard; start again from the kept rows when it says so."""
        events: list[Event] = []
        first = self.reader.next_row - len(steps)
        for row, step in enumerate(steps, first):
            if self._guard.mute_rows == 0:
                self._mute_row = row
            spoken = step.token == self._tokens.word or self._tokens.is_text(step.token)
            speech = speech_at(self.reader.schedule.end_token(row))
            if self._guard.observe(speech, step.gap, spoken) and self._successor is None:
                events.append(self._listen_again())
        self.reader.pad_bias = self._guard.pad_bias
        return events

    def _listen_again(self) -> Notice:
        delay = self.reader.schedule.tokens
        try:
            self._succeed(delay, self._mute_row - delay - _CONTEXT_ROWS)
        except EngineError as error:
            return Notice(self._options.lane, "mute", error.message, error.hint)
        return Notice(self._options.lane, "mute", *_MUTE)

    def _succeed(self, delay_tokens: int, first_row: int) -> None:
        successor = self._open(
            delay_tokens,
            max(first_row, self.reader.next_row - _REACH_BACK_ROWS, LEFT_PAD_ROWS),
        )
        if self._successor is not None:
            self._model.close_decoder(self._successor.slot)
        self._successor, self._waiting = successor, []

    def _switch(self) -> list[Event]:
        """The successor takes over; what it read and the other had not said is said now."""
        assert self._successor is not None
        self._model.close_decoder(self.reader.slot)
        self.reader, self._successor = self._successor, None
        self._handover = Handover(self._said)
        events = self._speak(self._waiting)
        if events:
            self._guard = MuteGuard()
        self._waiting = []
        return events

    def _open(self, delay_tokens: int, first_row: int) -> Reader:
        slot = self._model.open_decoder(delay_tokens)
        return Reader(
            self._tokens, slot, self._source, delay_tokens, first_row, hotwords=self._hotwords
        )

    def _settle(self) -> None:
        """Move the point before which nothing can follow: no word is longer than 1.2 s."""
        if self._guard.mute_rows:  # what was missed may still be recovered from the kept audio
            settled = self._heard_ms - _REACH_BACK_ROWS * ROW_MS
        elif self._successor is None and self.reader.between_words:
            announced = self._heard_ms - self.reader.schedule.tokens * ROW_MS
            settled = announced - LONGEST_WORD_MS
        else:
            return
        if self._said:
            settled = max(settled, min(self._said[-1].end_ms, self._heard_ms))
        self._settled_ms = max(self._settled_ms, settled)

    def _word(self, word: TimedText) -> Word:
        options, start = self._options, self._options.start_ms
        return Word(
            options.lane,
            self._index,
            options.utterance,
            word.text,
            start + word.start_ms,
            start + word.end_ms,
            confidence=word.confidence,
        )

    def _tail(self) -> Tail:
        options = self._options
        return Tail(options.lane, self._index, options.utterance, self._shown_tail)

    def _progress(self) -> Progress:
        start = self._options.start_ms
        heard, settled = start + self._heard_ms, start + self._settled_ms
        return Progress(self._options.lane, self._index, heard, settled)
