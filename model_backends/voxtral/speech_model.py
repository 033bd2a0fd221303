"""What a Voxtral model can do, in the few verbs that the stream logic drives.

A model owns tensors: weights, the key/value rings of its encoder and decoder *slots*, and per
encoder slot a ring of the latest adapter rows. It owns no schedule: whoever calls says which
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
ENCODE_ROWS = 32  # largest block an encoder takes at once; its ring keeps that much more
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
    """

    slot: int
    position: int
    tokens: tuple[int, ...]
    rows: tuple[tuple[int, int], ...]
    pad_bias: float = 0.0


class Decoded(NamedTuple):
    """What one position said."""

    token: int  # best id with </s> barred and the bias applied: the next position's input
    natural: int  # best id before that
    margin: float  # logit of [P] minus the best logit of any other id, before that


class SpeechModel(Protocol):
    """A loaded model. Used from one thread."""

    spec: ModelSpec
    device: str
    precision: str
    least_rows: int  # rows worth waiting for while live: larger blocks, fewer reads of the weights

    def open_encoder(self, first_row: int = 0) -> int:
        """A free encoder slot that has heard the 31 silent rows from `first_row` on.

        `first_row` other than 0 is for streams that have run long before: same result, later
        positions. Raises EngineError when memory does not allow another.
        """

    def close_encoder(self, slot: int) -> None: ...

    def encode(self, work: Sequence[EncodeWork]) -> None:
        """Extend the row rings. Work of one row each, for different slots, makes one batch."""

    def open_decoder(self, delay_tokens: int, first_position: int = 0) -> int:
        """A free decoder slot set to a delay, with positions 0..30 (silence) behind it."""

    def close_decoder(self, slot: int) -> None: ...

    def decode(self, work: Sequence[DecodeWork]) -> list[list[Decoded]]:
        """Per work, one Decoded per position. Work for different slots makes one batch."""

    def close(self) -> None:
        """Free everything."""
