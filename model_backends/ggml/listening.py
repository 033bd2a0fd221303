"""One loaded model hearing one stretch of sound: samples in, words for good out, whatever kind of
model it is. Times are milliseconds from the stretch's first sample.

    TokenListening   the model gives tokens with times, and takes none back
    TextListening    it gives text row by row, and takes none back: the row is the time
    DraftListening   it guesses its open line again and again: `agreement` decides
    BlockListening   it hears whole blocks: files

Knows the library's session and stream; nothing of lanes, delays' names or the session's clock.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from model_backends.agreement import Agreement
from model_backends.base import SAMPLE_RATE, EngineError, Pcm, Sentence
from model_backends.ggml.families import Family, Kind, code_of
from model_backends.ggml.library import library
from model_backends.ggml.pieces import Pieces
from model_backends.ggml.words import WordBuilder, retimed, spread, words_of
from model_backends.guess import Guess
from model_backends.voxtral.schedule import ROW_MS, ROW_SAMPLES, Schedule
from model_backends.voxtral.words import LONGEST_WORD_MS, spoken_ms

log = logging.getLogger(__name__)

_MS = SAMPLE_RATE // 1000
_TAG = re.compile(r"<([a-z]{2,3}-[A-Za-z]{2,4})>")
_MORE_MS = 400  # a token's word may grow until so much has been heard behind it
# A word's text comes two rows and a little after the row in which it ended, the delay left aside:
# this is where Voxtral's own engine puts the same words (the tiny model, every delay, exactly).
_TEXT_LAG_MS = 214
_BLOCK = 28 * SAMPLE_RATE  # the longest that Canary is given
_EARLIEST_CUT = 15 * SAMPLE_RATE
_PAUSE = 320 * _MS  # as good a place to cut as any
_SPEECH = 0.5
_LEAST = SAMPLE_RATE // 10  # the library refuses a hundredth of a second


class Listening(Protocol):
    """`heard_ms`: sound that has been looked at. `sure_ms`: every word that ends before this is
    out. `tail`: what may follow. `language`: ISO 639-1, if the model has said."""

    heard_ms: int
    sure_ms: int
    language: str | None

    @property
    def tail(self) -> str: ...

    def feed(self, pcm: Pcm, speech: float) -> list[Guess]:
        """Hear more; the words that are certain now."""

    def finish(self) -> list[Guess]:
        """The sound ends here: the words that are left."""

    def close(self) -> None:
        """Give the model back."""


def listen(
    model: Any, family: Family, delay_ms: int, language: str | None, threads: int
) -> Listening:
    """Begin a stretch. `language`: ISO 639-1, None: the model finds out, if it can.

    Raises EngineError.
    """
    choice = family.choices[delay_ms]
    code = family.languages[language] if language else None
    with _sentences():
        session = model.session(n_threads=threads)
        if family.kind is Kind.TOKENS:
            return TokenListening(session, choice, code)
        if family.kind is Kind.TEXT:
            return TextListening(session, choice)
        if family.kind is Kind.DRAFTS:
            return DraftListening(session, choice)
        return BlockListening(session, code)


class _Sentences:
    """What the library raises, in our words."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None and isinstance(error, library().TranscribeError):
            raise EngineError(
                Sentence("The ggml engine stopped ({why}).", why=error),
                Sentence("Start again; if that does not help, choose another model."),
            ) from error


def _sentences() -> _Sentences:
    return _Sentences()


class TokenListening:
    """Nemotron: a chunk at a time, tokens with times and probabilities."""

    def __init__(self, session: Any, look_ahead: int, language: str | None) -> None:
        options = library().ParakeetStreamOptions(att_context_right=look_ahead)
        self._session = session
        # tags tell the language; they are taken out here
        self._stream = session.stream(language=language, family=options, keep_special_tags=True)
        self._pieces = Pieces()
        self._builder = WordBuilder()
        self._fed = 0  # samples
        self.heard_ms = self.sure_ms = 0
        self.language: str | None = None

    @property
    def tail(self) -> str:
        return self._builder.pending.text if self._builder.pending else ""

    def feed(self, pcm: Pcm, speech: float) -> list[Guess]:
        self._fed += len(pcm)
        with _sentences():
            update = self._stream.feed(pcm)
            words = self._new_words() if update.result_changed else []
        self.heard_ms = max(self.heard_ms, min(update.audio_committed_ms, self._fed // _MS))
        pending = self._builder.pending
        if pending is not None and self.heard_ms - pending.end_ms >= _MORE_MS:
            words += self._builder.take()
        pending = self._builder.pending
        self.sure_ms = max(self.sure_ms, pending.start_ms if pending else self.heard_ms - _MORE_MS)
        return words

    def finish(self) -> list[Guess]:
        if self._fed:
            with _sentences():
                self._stream.finalize()
                words = self._new_words(final=True)
        else:
            words = []
        self.heard_ms = self.sure_ms = self._fed // _MS
        return words + self._builder.take()

    def close(self) -> None:
        self._session.close()

    def _new_words(self, final: bool = False) -> list[Guess]:
        said = self._stream.snapshot()
        words: list[Guess] = []
        for piece in self._pieces.new(said.tokens, said.text, final):
            tag = _TAG.fullmatch(piece.text.strip())
            if tag:
                self.language = code_of(tag[1])
            elif piece.text.strip():
                words += self._builder.push(
                    piece.text, piece.start_ms, piece.end_ms, piece.probability
                )
        return words


class TextListening:
    """Voxtral Realtime: 80 ms at a time. It is flushed with silence, as its own engines do, so
    that the last words have times, too."""

    def __init__(self, session: Any, delay_tokens: int) -> None:
        options = library().VoxtralRealtimeStreamOptions(
            num_delay_tokens=delay_tokens, min_decode_interval_ms=0
        )
        self._session = session
        self._stream = session.stream(family=options)
        self._schedule = Schedule(delay_tokens)
        self._text = ""
        self._builder = WordBuilder()
        self._fed = 0
        self._rest: Pcm = np.zeros(0, np.float32)  # less than a row
        self.heard_ms = self.sure_ms = 0
        self.language: str | None = None

    @property
    def tail(self) -> str:
        return self._builder.pending.text if self._builder.pending else ""

    def feed(self, pcm: Pcm, speech: float) -> list[Guess]:
        sound = np.concatenate([self._rest, pcm])
        whole = len(sound) // ROW_SAMPLES * ROW_SAMPLES
        self._rest = sound[whole:]
        words = [
            word
            for at in range(0, whole, ROW_SAMPLES)
            for word in self._row(sound[at : at + ROW_SAMPLES])
        ]
        self.heard_ms = self._fed // _MS
        pending = self._builder.pending
        announced = self.heard_ms - self._schedule.tokens * ROW_MS - _TEXT_LAG_MS
        if pending is None:
            self.sure_ms = max(self.sure_ms, announced - LONGEST_WORD_MS)
        return words

    def finish(self) -> list[Guess]:
        end_ms = (self._fed + len(self._rest)) // _MS
        padding = np.zeros(-len(self._rest) % ROW_SAMPLES, np.float32)
        words = self.feed(padding, 0.0)
        for _ in range(self._schedule.flush_rows + 1):
            words += self._row(np.zeros(ROW_SAMPLES, np.float32))
        self.heard_ms = self.sure_ms = end_ms
        return words + self._builder.take()

    def close(self) -> None:
        self._session.close()

    def _row(self, row: Pcm) -> list[Guess]:
        with _sentences():
            changed = self._stream.feed(row).result_changed
            text = self._stream.text().full if changed else self._text
        self._fed += ROW_SAMPLES
        text = text.rstrip("\N{REPLACEMENT CHARACTER}")  # of a character that is not whole yet
        new, self._text = text[len(self._text) :], text
        if not new.strip():
            return self._builder.take()
        delay_ms = self._schedule.tokens * ROW_MS
        end_ms = max(self._fed // _MS - delay_ms - _TEXT_LAG_MS, self._builder.last_end_ms)
        grows = self._builder.pending is not None and not new[0].isspace()
        start_ms = end_ms if grows else max(0, end_ms - spoken_ms(new))
        # what belongs to a word comes row by row, and its first row tells where it ended
        return self._builder.push(new, start_ms, end_ms) if not grows else self._grow(new)

    def _grow(self, new: str) -> list[Guess]:
        assert self._builder.pending is not None
        end_ms = self._builder.pending.end_ms
        start_ms = max(0, end_ms - spoken_ms(self._builder.pending.text + new))
        done = self._builder.push(new, end_ms, end_ms)
        if not done and self._builder.pending is not None:
            grown = self._builder.pending
            self._builder.pending = Guess(grown.text, start_ms, grown.end_ms)
        return done


class DraftListening:
    """Moonshine: the open line is guessed anew every so many milliseconds."""

    def __init__(self, session: Any, interval_ms: int) -> None:
        options = library().MoonshineStreamingOptions(min_decode_interval_ms=interval_ms)
        self._session = session
        self._stream = session.stream(family=options)
        self._agreement = Agreement()
        self._draft: Sequence[Guess] = ()
        self._fed = 0
        self.heard_ms = self.sure_ms = 0
        self.language: str | None = None

    @property
    def tail(self) -> str:
        return self._agreement.tail

    def feed(self, pcm: Pcm, speech: float) -> list[Guess]:
        self._fed += len(pcm)
        with _sentences():
            update = self._stream.feed(pcm)
            text = self._stream.text().full if update.result_changed else None
        self.heard_ms = self._fed // _MS
        if text is None:
            return []
        self._draft = retimed(words_of(" " + text.strip()), self._draft, self.heard_ms)
        words = self._agreement.agree(self._draft, self.heard_ms)
        self.sure_ms = max(self.sure_ms, self._agreement.committed_ms or 0)
        return words

    def finish(self) -> list[Guess]:
        self.heard_ms = self.sure_ms = self._fed // _MS
        if not self._fed:
            return []
        with _sentences():
            self._stream.finalize()
            text = self._stream.text().full
        self._draft = retimed(words_of(" " + text.strip()), self._draft, self.heard_ms)
        return self._agreement.flush(self._draft) + self._agreement.finish()

    def close(self) -> None:
        self._session.close()


class BlockListening:
    """Canary, Parakeet: blocks of up to 28 s, cut at pauses."""

    tail = ""  # nobody waits

    def __init__(self, session: Any, language: str | None) -> None:
        self._session = session
        self._code = language
        self._parts: list[Pcm] = []
        self._samples = 0  # in `_parts`
        self._begin = 0  # samples before them
        self._silent = 0
        self.heard_ms = self.sure_ms = 0
        self.language: str | None = None

    def feed(self, pcm: Pcm, speech: float) -> list[Guess]:
        self._parts.append(pcm)
        self._samples += len(pcm)
        self._silent = self._silent + len(pcm) if speech < _SPEECH else 0
        pause = self._silent >= _PAUSE and self._samples >= _EARLIEST_CUT
        return self._hear() if pause or self._samples >= _BLOCK else []

    def finish(self) -> list[Guess]:
        return self._hear() if self._samples else []

    def close(self) -> None:
        self._session.close()

    def _hear(self) -> list[Guess]:
        sound, begin_ms = np.concatenate(self._parts), self._begin // _MS
        self._begin += len(sound)
        self._parts, self._samples, self._silent = [], 0, 0
        result = self._run(np.pad(sound, (0, max(0, _LEAST - len(sound)))))
        self.heard_ms = self.sure_ms = self._begin // _MS
        if result is None:
            return []
        self.language = code_of(result.language) or None
        if result.words:
            return [
                Guess(" " + w.text.strip(), begin_ms + w.t0_ms, begin_ms + w.t1_ms)
                for w in result.words
                if w.text.strip()
            ]
        return spread(" " + result.text.strip(), begin_ms, self.heard_ms)

    def _run(self, sound: Pcm) -> Any:
        """The library's result; None if there is none. Where a model repeats itself without end,
        over music for one, what it said before that counts: the file goes on behind it."""
        with _sentences():
            try:
                return self._session.run(sound, language=self._code)
            except library().OutputTruncated as error:
                log.warning("a block of %d s: %s", len(sound) // SAMPLE_RATE, error)
                return error.partial_result
