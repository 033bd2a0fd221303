"""What a Voxtral model can do, in the few verbs that the stream logic drives.

A model owns tensors: weights, the KV caches of its encoder and decoder *slots* (entries of a
batch), and per encoder slot the latest adapter rows. It owns no schedule: whoever calls says which
position reads which row, so the same position may be decoded twice (that is how a wrong draft
is taken back) and several decoders may read the rows of one encoder.

Torch, MLX and the processor engine each implement `SpeechModel`; nothing here imports either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from model_backends.voxtral.spec import ModelSpec

SILENCE = -1  # as an encoder slot: rows of a stream that is silent from its beginning
ROWS_KEPT = 1024  # adapter rows an encoder slot remembers: 82 s
ENCODE_ROWS = 32  # largest block an encoder takes at once; its KV cache keeps that much more
BONUS_REACH = 4.5  # logits below the best from which a bonus may still lift an id
MOST_BONUSES = 64  # of one DecodeWork
DECODE_ROWS = 64  # most positions of one DecodeWork; longer prompts do not exist (n = 30 needs 32)


@dataclass(frozen=True, slots=True)
class EncodeWork:
    """Make adapter rows `row`, `row + 1`, ... of an encoder slot.

    `mel` has shape (3 + 8 * rows, 128), float32: three frames of context, then the rows' own.
    """

    slot: int
    row: int
    mel: NDArray[np.float32]

    @property
    def rows(self) -> int:
        return len(self.mel) // 8


@dataclass(frozen=True, slots=True)
class DecodeWork:
    """Decode `len(rows)` consecutive positions of one decoder slot.

    Position `position + i` reads row `rows[i]` = (encoder slot or SILENCE, row). Its text input is
    `tokens[i]`; where `tokens` is shorter, the id that the model gave for the position before,
    without coming back to the host in between. `pad_bias` is added to the logit of [P].

    `bonuses`: up to MOST_BONUSES pairs (text id, what to add to its logit), for words that were
    asked for. Only ids whose logit is at most BONUS_REACH below the best one's (after the bias,
    </s> barred) get theirs. Work with bonuses has one position.
    """

    slot: int
    position: int
    tokens: tuple[int, ...]
    rows: tuple[tuple[int, int], ...]
    pad_bias: float = 0.0
    bonuses: tuple[tuple[int, float], ...] = ()


class Decoded(NamedTuple):
    """What one position said. `gap` and `logprob` are of the logits as the model gave them:
    nothing barred, no bias, no bonus."""

    token: int  # best id with </s> barred, the bias and bonuses applied: the next one's input
    gap: float  # its logit minus the best of any other id; below 0 if bar, bias or bonus decided
    logprob: float  # log of its probability: its logit minus the log-sum-exp of all


class SpeechModel(Protocol):
    """A loaded model. Used from one thread."""

    spec: ModelSpec
    device: str
    precision: str

    def open_encoder(self, first_row: int = 0) -> int:
        """A free encoder slot that has encoded the 31 silent rows from `first_row` on.

        `first_row` other than 0 is for streams that have run long before: same result, later
        positions. Raises EngineError when memory does not allow another.
        """

    def close_encoder(self, slot: int) -> None: ...

    def encode(self, work: Sequence[EncodeWork]) -> None:
        """Extend the kept rows. Work of one row each, for different slots, makes one batch."""

    def open_decoder(self, delay_tokens: int, first_position: int = 0) -> int:
        """A free decoder slot set to a delay, with positions 0..30 (silence) behind it."""

    def close_decoder(self, slot: int) -> None: ...

    def decode(self, work: Sequence[DecodeWork]) -> list[list[Decoded]]:
        """Per work, one Decoded per position. Work for different slots makes one batch."""

    def close(self) -> None:
        """Free everything."""
