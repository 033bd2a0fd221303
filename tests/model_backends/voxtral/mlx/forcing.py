"""Teacher forcing: the logits a model gives for ids it is told, through the engine's own steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
from numpy.typing import NDArray

from model_backends.base import Pcm
from model_backends.voxtral.checkpoint.packed import open_checkpoint
from model_backends.voxtral.mel import MelStream
from model_backends.voxtral.mlx import model as mlx_model
from model_backends.voxtral.mlx import runner as mlx_runner
from model_backends.voxtral.mlx.model import Network
from model_backends.voxtral.mlx.runner import ModelRunner
from model_backends.voxtral.mlx.weights import load_network
from model_backends.voxtral.schedule import ROW_SAMPLES, SILENT_ROWS, Schedule
from model_backends.voxtral.speech_model import DecodeWork, EncodeWork
from model_backends.voxtral.tekken import Tekken
from tests.model_backends.voxtral.transcribing import TINY


def load_speech(
    folder: Path, dtype: mx.Dtype = mx.float32, bits: int | None = None, compiled: bool = False
) -> ModelRunner:
    """A model without an engine around it."""
    checkpoint = open_checkpoint(folder)
    net = load_network(checkpoint, dtype, bits, lambda fraction, what: None)
    return speech_of(net, compiled)


def speech_of(net: Network, compiled: bool = False) -> ModelRunner:
    return ModelRunner(net, tokens_of(net), "test", compiled)


def tokens_of(net: Network) -> Tekken:
    return Tekken.load(TINY / "tekken.json", net.spec.vocab)


def encode_all(
    speech: ModelRunner, pcm: Pcm, delay: int, blocks: Sequence[int] = (1,), first_row: int = 0
) -> tuple[int, int]:
    """Encode a padded clip in blocks of rows; (encoder slot, rows of the whole stream)."""
    rows = Schedule(delay).rows(len(pcm))
    mel = MelStream()
    mel.push(pcm)
    mel.push(np.zeros(rows * ROW_SAMPLES, np.float32))
    slot, row, turn = speech.open_encoder(first_row), SILENT_ROWS, 0
    while row < rows:
        count = min(blocks[turn % len(blocks)], rows - row)
        speech.encode([EncodeWork(slot, first_row + row, mel.take(count))])
        row, turn = row + count, turn + 1
    return slot, rows


def adapter_rows(speech: ModelRunner, slot: int, rows: int) -> NDArray[np.float32]:
    """Rows 31 .. rows - 1 of a slot (fewer than are kept)."""
    return np.array(speech._encoders[slot].rows[SILENT_ROWS:rows].astype(mx.float32))


def forced_logits(
    speech: ModelRunner,
    pcm: Pcm,
    ids: Sequence[int],
    delay: int,
    blocks: Sequence[int] = (1,),
    first_row: int = 0,
    scale_for: int | None = None,
) -> NDArray[np.float32]:
    """Logits (len(ids) - 31, vocab) of positions 31 .. of the stream whose inputs are `ids`.

    `blocks`: how many rows and positions go at once. `scale_for`: another delay vector.
    """
    source, _ = encode_all(speech, pcm, delay, blocks, first_row)
    slot = speech.open_decoder(delay if scale_for is None else scale_for, first_row)
    taken: list[mx.array] = []

    def decode_all() -> None:
        position, turn = SILENT_ROWS, 0
        while position < len(ids):
            count = min(blocks[turn % len(blocks)], len(ids) - position)
            inputs = tuple(ids[position : position + count])
            rows = tuple((source, first_row + position + i) for i in range(count))
            speech.decode([DecodeWork(slot, first_row + position, inputs, rows)])
            position, turn = position + count, turn + 1

    _watching(taken, decode_all)
    speech.close_decoder(slot)
    speech.close_encoder(source)
    return np.array(mx.concatenate(taken))


def _watching(taken: list[mx.array], run: Callable[[], None]) -> None:
    """Note every logits array while `run` runs."""

    def predict(net: Network, x: mx.array) -> mx.array:
        logits = mlx_model.predict(net, x)
        taken.append(logits[0])
        return logits

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mlx_runner, "predict", predict)
        run()
