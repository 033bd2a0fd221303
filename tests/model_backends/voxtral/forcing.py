"""Teacher forcing: the logits a model gives for ids it is told, through the engine's own steps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from model_backends.base import Pcm
from model_backends.voxtral.checkpoint.folder import open_checkpoint
from model_backends.voxtral.mel import MelStream
from model_backends.voxtral.schedule import ROW_SAMPLES, SILENT_ROWS, Schedule
from model_backends.voxtral.speech_model import DecodeWork, EncodeWork
from model_backends.voxtral.tekken import Tekken
from model_backends.voxtral.torch import model as torch_model
from model_backends.voxtral.torch import runner as torch_runner
from model_backends.voxtral.torch.runner import ModelRunner
from model_backends.voxtral.torch.weights import load_network

CPU = torch.device("cpu")


def load_speech(folder: Path, precision: str = "fp32") -> ModelRunner:
    """A model without an engine around it."""
    torch.set_num_threads(1)
    checkpoint = open_checkpoint(folder)
    tokens = Tekken.load(checkpoint.tokenizer, checkpoint.spec.vocab)
    net = load_network(checkpoint, CPU, precision, lambda fraction, what: None)
    return ModelRunner(net, tokens, precision)


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


def adapter_rows(speech: ModelRunner, slot: int, rows: int) -> Tensor:
    """Rows 31 .. rows - 1 of a slot (fewer than are kept)."""
    return speech._block(slot)[SILENT_ROWS:rows].clone()


def forced_logits(
    speech: ModelRunner,
    pcm: Pcm,
    ids: Sequence[int],
    delay: int,
    blocks: Sequence[int] = (1,),
    first_row: int = 0,
    scale_for: int | None = None,
) -> Tensor:
    """Logits (len(ids) - 31, vocab) of positions 31 .. of the stream whose inputs are `ids`.

    `blocks`: how many rows and positions go at once. `scale_for`: another delay vector.
    """
    source, _ = encode_all(speech, pcm, delay, blocks, first_row)
    slot = speech.open_decoder(delay if scale_for is None else scale_for, first_row)
    taken: list[Tensor] = []
    speech._steps.clear()  # the steps in it have bound `choose`'s predecessor

    def choose(
        logits: Tensor, bias: Tensor, pad: int, eos: int, bonuses: torch_model.Bonuses | None = None
    ) -> Tensor:
        taken.append(logits[0].clone())
        return torch_model.choose(logits, bias, pad, eos, bonuses)

    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch_runner, "choose", choose)
            position, turn = SILENT_ROWS, 0
            while position < len(ids):
                count = min(blocks[turn % len(blocks)], len(ids) - position)
                inputs = tuple(ids[position : position + count])
                rows = tuple((source, first_row + position + i) for i in range(count))
                speech.decode([DecodeWork(slot, first_row + position, inputs, rows)])
                position, turn = position + count, turn + 1
    finally:
        speech._steps.clear()
        speech.close_decoder(slot)
        speech.close_encoder(source)
    return torch.cat(taken)
