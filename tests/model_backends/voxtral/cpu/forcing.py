"""Teacher forcing: the logits the engine gives for ids it is told, in blocks of any size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model_backends.base import Pcm
from model_backends.voxtral.cpu.runner import CpuSpeech
from model_backends.voxtral.mel import MelStream
from model_backends.voxtral.schedule import ROW_SAMPLES, SILENT_ROWS, Schedule
from model_backends.voxtral.speech_model import DecodeWork, EncodeWork


def padded_mel(pcm: Pcm, delay: int) -> MelStream:
    """The mel of a clip with its flush, from row 31 on."""
    mel = MelStream()
    mel.push(pcm)
    mel.push(np.zeros(Schedule(delay).rows(len(pcm)) * ROW_SAMPLES, np.float32))
    return mel


def whole_mel(pcm: Pcm, delay: int) -> NDArray[np.float32]:
    """Rows 0 .. of the stream with the context before them: (3 + 8 rows, 128)."""
    before = MelStream(first_row=0).take(SILENT_ROWS)
    after = padded_mel(pcm, delay).take(Schedule(delay).rows(len(pcm)) - SILENT_ROWS)
    return np.concatenate([before, after[3:]])


def encode_all(
    speech: CpuSpeech, pcm: Pcm, delay: int, blocks: Sequence[int], first_row: int = 0
) -> tuple[int, int]:
    """Encode a padded clip in blocks of rows: (encoder slot, rows of the whole stream)."""
    rows, mel = Schedule(delay).rows(len(pcm)), padded_mel(pcm, delay)
    slot, row, turn = speech.open_encoder(first_row), SILENT_ROWS, 0
    while row < rows:
        count = min(blocks[turn % len(blocks)], rows - row)
        speech.encode([EncodeWork(slot, first_row + row, mel.take(count))])
        row, turn = row + count, turn + 1
    return slot, rows


def forced_logits(
    speech: CpuSpeech,
    pcm: Pcm,
    ids: Sequence[int],
    delay: int,
    blocks: Sequence[int] = (1,),
    first_row: int = 0,
) -> NDArray[np.float32]:
    """Logits (len(ids) - 31, vocab) of positions 31 .. of the stream whose inputs are `ids`."""
    source, _ = encode_all(speech, pcm, delay, blocks, first_row)
    slot = speech.open_decoder(delay, first_row)
    speech.keep_logits = True
    taken: list[NDArray[np.float32]] = []
    position, turn = SILENT_ROWS, 0
    while position < len(ids):
        count = min(blocks[turn % len(blocks)], len(ids) - position)
        inputs = tuple(ids[position : position + count])
        rows = tuple((source, first_row + position + i) for i in range(count))
        speech.decode([DecodeWork(slot, first_row + position, inputs, rows)])
        taken += speech.logits
        position, turn = position + count, turn + 1
    speech.keep_logits = False
    speech.close_decoder(slot)
    speech.close_encoder(source)
    return np.concatenate(taken)
