"""What is fed when: prompt, padding, delay, and the clock of the 80 ms grid.

Words used throughout this package:

    row        80 ms of the padded stream as the adapter gives it to the decoder; row r covers
               samples 1280 r .. 1280 r + 1279. Rows 0..31 are the left padding, so audio token a
               is row 32 + a.
    position   a decoder step. In a fresh decoder position p reads row p.
    delay      n tokens of 80 ms: a word that ends in audio token a is announced at row 32 + a + n.

Numbers from the published tekken.json and from Mistral's streaming code; the word offset is
measured (see END_BIAS_MS). Knows nothing about tensors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_backends.base import EngineError, Sentence
from model_backends.voxtral.spec import DELAY_THETA

ROW_SAMPLES = 1280
ROW_MS = 80
LOOK_AHEAD_SAMPLES = 40  # the last mel frame of a row is centred 40 samples before its end + 80
LEFT_PAD_ROWS = 32
SILENT_ROWS = LEFT_PAD_ROWS - 1  # row 31 already holds 40 samples of real audio
LONG_WORD_ROWS = 10  # right padding that lets a long word's sub-tokens come out

DELAYS_MS = (*range(80, 1201, 80), 2400)
DEFAULT_DELAY_MS = 480

# End of a word before the end of the 80 ms token that its [W] points at. Measured over 200 words
# of the tiny model with the reference implementation: 54 ms +- 56 ms (5-95 %: 10 to 110 ms), the
# same at every delay. A German file through the real model gave 80 ms +- 100 ms.
END_BIAS_MS = 54


def delay_tokens(delay_ms: int) -> int:
    """The delay in tokens. Raises EngineError for one the model was not trained for."""
    if delay_ms not in DELAYS_MS:
        raise EngineError(
            Sentence("Voxtral Realtime has no delay of {delay_ms} ms.", delay_ms=delay_ms),
            Sentence("It offers 80 to 1200 ms in steps of 80, and 2400 ms."),
        )
    return delay_ms // ROW_MS


@dataclass(frozen=True, slots=True)
class Schedule:
    """The lengths that follow from a delay of `tokens`."""

    tokens: int

    @property
    def prompt_positions(self) -> int:
        """Prompt `[<s>] + [P] * (32 + n)`: the logits of its last position give the first id."""
        return 1 + LEFT_PAD_ROWS + self.tokens

    @property
    def flush_rows(self) -> int:
        """Silence after the audio: the delay, one for `<s>`, and room for a long last word."""
        return self.tokens + 1 + LONG_WORD_ROWS

    def rows(self, audio_samples: int) -> int:
        """Rows of the whole padded stream that holds `audio_samples` of real audio."""
        return LEFT_PAD_ROWS + -(-audio_samples // ROW_SAMPLES) + self.flush_rows

    def end_token(self, row: int) -> int:
        """Audio token in which a word announced at `row` ended (may be negative: padding)."""
        return row - LEFT_PAD_ROWS - self.tokens


def hangover_ms(delay_ms: int) -> int:
    """Silence to feed before an utterance is closed, so that its last word is out."""
    return (delay_ms // ROW_MS + 1 + LONG_WORD_ROWS) * ROW_MS


def end_ms(audio_token: int) -> int:
    """Best estimate of the end of a word that ends in `audio_token`, from the stream's start."""
    return (audio_token + 1) * ROW_MS - END_BIAS_MS


def delay_embedding(tokens: float, width: int) -> NDArray[np.float32]:
    """The decoder's delay vector, shape (width,), float32: all cosines, then all sines.

    `tokens` counts 80 ms tokens, not milliseconds. w_i = 10000 ** (-i / (width / 2)).
    """
    half = width // 2
    angles = tokens * np.exp(-np.log(DELAY_THETA) * np.arange(half) / half)
    return np.concatenate([np.cos(angles), np.sin(angles)]).astype(np.float32)


def rope(positions: NDArray[np.int64], head_dim: int, theta: float) -> NDArray[np.float32]:
    """Cosines and sines of the rotary angles, shape (*positions.shape, head_dim), float32.

    First half cosines, second half sines, one per pair of channels. The angles are made in
    float64 on the host: in float32 the angle at position 5e5 (2.9 h) is already 0.06 rad off,
    in float64 a stream may run for years.
    """
    rates = theta ** (-np.arange(0, head_dim, 2, dtype=np.float64) / head_dim)
    angles = np.asarray(positions, np.float64)[..., None] * rates
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=-1).astype(np.float32)
