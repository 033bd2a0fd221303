"""Windows as long as the published model's, on a small network: rings of many pieces that are used
again, held against the plain network, which has no rings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from model_backends.voxtral.cpu import bench
from model_backends.voxtral.cpu.convert import make_bytes
from model_backends.voxtral.cpu.packed_file import packed_tensors, place
from model_backends.voxtral.cpu.runner import CpuSpeech, Tensors
from model_backends.voxtral.mel import MelStream
from model_backends.voxtral.schedule import SILENT_ROWS
from model_backends.voxtral.spec import MEL_BINS, MEL_PER_ROW
from model_backends.voxtral.speech_model import ROWS_KEPT, DecodeWork, EncodeWork
from tests.model_backends.voxtral.cpu.reference import Reference
from tests.model_backends.voxtral.cpu.test_parity import Made, relative

_FULL, _TINY = bench.SIZES["full"], bench.SIZES["tiny"]
SPEC = replace(
    _TINY,
    encoder=replace(_TINY.encoder, window=_FULL.encoder.window),
    decoder=replace(_TINY.decoder, layers=1, heads=2, kv_heads=1, window=_FULL.decoder.window),
)
BLOCK, DELAY = 32, 6


class Pointed(Made):
    """Queries and keys so large that a query looks at few of its keys, near and far."""

    def rows(self, name: str, chosen: NDArray[np.int64]) -> NDArray[np.float32]:
        larger = 1.6 if name.endswith(("wq.weight", "wk.weight")) else 1.0
        return np.float32(larger) * super().rows(name, chosen)


@pytest.fixture(scope="module")
def tensors() -> Tensors:
    made = Pointed(SPEC)
    return {p.name: place(p, make_bytes(p, made)) for p in packed_tensors(SPEC)}


def test_eight_hundred_rows_past_the_encoders_window(tensors: Tensors) -> None:
    """3200 frames: the ring of 7 pieces goes round four times."""
    speech = CpuSpeech(SPEC, tensors, bench.made_up_tekken(SPEC.vocab), kernels="exact")
    mel = sound(800)
    rows = np.concatenate([made for _, made in encoded(speech, mel)])
    speech.close()
    assert relative(rows, Reference(SPEC, tensors, exact=True).encode(mel)) < 1e-3


def test_eight_thousand_steps_past_the_decoders_window(tensors: Tensors) -> None:
    """8500: the ring has 65 pieces of 128. Codes of activations jump, hence the limit."""
    ids = [1, *(32,) * (SILENT_ROWS - 1)]
    ids += np.random.default_rng(4).integers(40, 2000, 8500 - SILENT_ROWS).tolist()
    speech = CpuSpeech(SPEC, tensors, bench.made_up_tekken(SPEC.vocab))
    slot, rows, logits, held = speech.open_decoder(DELAY), [], [], []
    for source, made in encoded(speech, sound(len(ids))):
        rows.append(made)
        if source is None:
            continue
        at, end = sum(map(len, rows)) - len(made), sum(map(len, rows))
        speech.keep_logits = at > 8100
        places = tuple((source, row) for row in range(at, end))
        speech.decode([DecodeWork(slot, at, tuple(ids[at:end]), places)])
        logits += speech.logits
        held.append(speech.cache_bytes)
    speech.close()
    given, plain = np.concatenate(logits), Reference(SPEC, tensors)
    late = slice(-len(given), None)
    expected = plain.decode(ids, np.concatenate(rows).astype(np.float64), DELAY, late)
    for part in (slice(0, 100), slice(100, None)):
        assert relative(given[part], expected[part]) < 1e-2
    assert held[-1] == held[-8] > held[10]  # both rings are full, and nothing else grows


def sound(rows: int) -> NDArray[np.float32]:
    """Mel of the silence that every stream begins with, then of noise: (3 + 8 rows, 128)."""
    before = MelStream(first_row=0).take(SILENT_ROWS)
    shape = (MEL_PER_ROW * (rows - SILENT_ROWS), MEL_BINS)
    return np.concatenate([before, np.random.default_rng(3).standard_normal(shape, np.float32)])


def encoded(
    speech: CpuSpeech, mel: NDArray[np.float32]
) -> Iterator[tuple[int | None, NDArray[np.float32]]]:
    """Adapter rows in blocks, the silent ones first, and the slot that holds them just now."""
    source = speech.open_encoder()
    yield None, speech._rows[source][:SILENT_ROWS].copy()
    rows = (len(mel) - 3) // MEL_PER_ROW
    for at in range(SILENT_ROWS, rows, BLOCK):
        end = min(at + BLOCK, rows)
        speech.encode([EncodeWork(source, at, mel[MEL_PER_ROW * at : MEL_PER_ROW * end + 3])])
        yield source, speech._rows[source][np.arange(at, end) % ROWS_KEPT]
