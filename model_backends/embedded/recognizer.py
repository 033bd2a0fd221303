"""Whisper on CTranslate2: a window of audio in, timed words out. Keeps nothing between calls.

Only the parts of faster-whisper below its `transcribe()` are used (mel filters, tokenizer), since
live captions need short windows decoded often: `encode` takes any length, and 10 s cost a fifth
of Whisper's usual 30 s. Knows nothing about streams, agreement or the session's clock: all times
here are milliseconds from the start of the window.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import ctranslate2
import numpy as np
import tokenizers
from faster_whisper.feature_extractor import FeatureExtractor
from faster_whisper.tokenizer import Tokenizer

from model_backends.base import SAMPLE_RATE, EngineError, Pcm, Sentence
from model_backends.guess import Guess

_SHORTEST_WINDOW_S = 10  # zero-padded to this: shorter windows make Whisper loop ...
_SILENCE_AFTER_S = 3  # ... and so does speech that is cut off with less than this behind it
_WHOLE_WINDOW_S = 30  # what Whisper was trained on; its encoder takes five times as long
_TOKENS_PER_S = 6  # people speak at most so many; more is a loop
_TOKENS_SPARE = 10
_LONGEST_TEXT = 220  # tokens; the decoder's context is 448, half of it for text
_LOOP_COMPRESSION = 2.2  # zlib ratio of a text above which it repeats itself
_SQUEEZED_RUN = 3  # words in a row said in no time at all
_NOBODY = 0.6  # Whisper's own pair of limits for "nobody speaks": probability of silence ...
_UNSURE_LOG = -1.0  # ... and mean log probability of the text
_FRAMES_PER_S = 100  # of the mel spectrogram
_MS_PER_STEP = 20  # of the cross-attention


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What was heard in one window."""

    words: list[Guess]  # milliseconds from the window's start
    language: str


class Recognizer:
    """One set of weights, loaded. Used from one thread."""

    def __init__(self, folder: Path, threads: int) -> None:
        """Load from `folder`. Raises EngineError when CTranslate2 cannot read it."""
        try:
            self._model = ctranslate2.models.Whisper(
                str(folder), compute_type="int8", intra_threads=threads
            )
            self._vocabulary = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # tokenizers raises bare Exception
            raise EngineError(
                Sentence(
                    "The speech model in {folder} cannot be loaded ({error}).",
                    folder=folder,
                    error=error,
                ),
                Sentence("Run: voxline models verify"),
            ) from error
        self._features = FeatureExtractor()
        self.multilingual: bool = self._model.is_multilingual

    def encode(self, pcm: Pcm, whole: bool = False) -> Encoded:
        """Run the encoder over `pcm`, zero-padded: a short window, or Whisper's whole 30 s."""
        least = _WHOLE_WINDOW_S * SAMPLE_RATE if whole else _short_window(len(pcm))
        padded = np.zeros(max(len(pcm), least), np.float32)
        padded[: len(pcm)] = pcm
        mel = self._features(padded, padding=0).astype(np.float32)[None]
        states = self._model.encode(ctranslate2.StorageView.from_array(np.ascontiguousarray(mel)))
        return Encoded(states, len(pcm))

    def languages(self, heard: Encoded) -> dict[str, float]:
        """Probability of each language; English for certain with an English-only model."""
        if not self.multilingual:
            return {"en": 1.0}
        found = self._model.detect_language(heard.states)[0]
        return {token.strip("<|>"): probability for token, probability in found}

    def transcribe(self, heard: Encoded, language: str, beam: int = 1) -> Hypothesis:
        """Decode an encoded window, keeping `beam` candidates."""
        tokenizer = self._tokenizer(language)
        tokens, no_speech = self._decode(heard, tokenizer, beam)
        words = before_squeeze(self._timed_words(heard, tokenizer, tokens))
        if no_speech > _NOBODY and _mean_log(words) < _UNSURE_LOG:
            words = []
        return Hypothesis(words, language)

    def align_text(self, pcm: Pcm, text: str, language: str) -> list[Guess]:
        """Where the words of a known text are said in `pcm` (30 s at most); for measuring."""
        tokenizer = self._tokenizer(language)
        tokens = tokenizer.encode(" " + text.strip())
        return self._timed_words(self.encode(pcm, whole=True), tokenizer, tokens)

    def _decode(self, heard: Encoded, tokenizer: Tokenizer, beam: int) -> tuple[list[int], float]:
        """The text tokens of a window without a loop at their end; the chance nobody speaks."""
        cap = min(int(heard.seconds * _TOKENS_PER_S) + _TOKENS_SPARE, _LONGEST_TEXT)
        result = self._model.generate(
            heard.states,
            [[*tokenizer.sot_sequence, tokenizer.no_timestamps]],
            beam_size=beam,
            max_length=2 * cap,  # CTranslate2 halves it: the other half is for a prompt
            return_no_speech_prob=True,
        )[0]
        tokens = [t for t in result.sequences_ids[0] if t < tokenizer.eot]
        if len(tokens) >= cap or compression(tokenizer.decode(tokens)) > _LOOP_COMPRESSION:
            tokens = before_loop(tokens)
        return tokens, result.no_speech_prob

    def _timed_words(self, heard: Encoded, tokenizer: Tokenizer, tokens: list[int]) -> list[Guess]:
        """Words with times from the cross-attention, as dynamic time warping finds them."""
        if not tokens:
            return []
        frames = max(2, heard.samples * _FRAMES_PER_S // SAMPLE_RATE)
        aligned = self._model.align(heard.states, tokenizer.sot_sequence, [tokens], frames)[0]
        starts = _first_steps(aligned.alignments, len(tokens))
        words: list[Guess] = []
        at = 0
        for text, word_tokens in _words(tokenizer, tokens):
            after = at + len(word_tokens)
            probability = min(aligned.text_token_probs[at:after], default=0.0)
            start, end = starts[at] * _MS_PER_STEP, starts[after] * _MS_PER_STEP
            words.append(Guess(text, start, end, probability))
            at = after
        return words

    @lru_cache(maxsize=8)  # noqa: B019  a recognizer lives as long as its process
    def _tokenizer(self, language: str) -> Tokenizer:
        return Tokenizer(self._vocabulary, self.multilingual, task="transcribe", language=language)


@dataclass(frozen=True, slots=True)
class Encoded:
    """The encoder's view of a window: `states` (1, frames / 2, width), of `samples` of audio."""

    states: ctranslate2.StorageView
    samples: int

    @property
    def seconds(self) -> float:
        return self.samples / SAMPLE_RATE


def _short_window(samples: int) -> int:
    return max(_SHORTEST_WINDOW_S * SAMPLE_RATE, samples + _SILENCE_AFTER_S * SAMPLE_RATE)


def compression(text: str) -> float:
    """How well a text packs: speech stays below 2, a loop goes far above."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 0.0


def before_loop(tokens: list[int]) -> list[int]:
    """The tokens up to where the same run of them comes a third time on end, said once."""
    for start in range(len(tokens)):
        for length in range(1, (len(tokens) - start) // 3 + 1):
            run = tokens[start : start + length]
            if run * 3 == tokens[start : start + 3 * length]:
                return tokens[: start + length]
    return tokens


def before_squeeze(words: list[Guess]) -> list[Guess]:
    """The words up to a run of three or more that have no time of their own.

    A sentence that Whisper repeats, or adds at the end, finds no sound left to align with.
    """
    run = 0
    for index, word in enumerate(words):
        run = run + 1 if word.end_ms - word.start_ms < _MS_PER_STEP else 0
        if run == _SQUEEZED_RUN:
            return words[: index + 1 - run]
    return words


def _mean_log(words: Sequence[Guess]) -> float:
    return sum(math.log(max(w.probability, 1e-6)) for w in words) / max(len(words), 1)


def _first_steps(alignment: Sequence[tuple[int, int]], tokens: int) -> list[int]:
    """The step at which each token begins; one more, for the end of the last.

    `alignment` is a path of (token, step) pairs that grows in both.
    """
    first: dict[int, int] = {}
    for token, step in alignment:
        first.setdefault(token, step)
    end = alignment[-1][1] if alignment else 0
    return [first.get(token, end) for token in range(tokens + 1)]


def _words(tokenizer: Tokenizer, tokens: list[int]) -> list[tuple[str, list[int]]]:
    """Split tokens into words; marks that stand alone join the word before them."""
    texts, groups = tokenizer.split_to_word_tokens(tokens)
    words: list[tuple[str, list[int]]] = []
    for text, group in zip(texts, groups, strict=True):
        if words and not any(c.isalnum() for c in text):
            before, its = words[-1]
            words[-1] = (before + text, [*its, *group])
        else:
            words.append((text, list(group)))
    return words
