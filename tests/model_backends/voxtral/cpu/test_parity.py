"""The C code against the plain NumPy network on the same packed numbers, and against itself: blocks
of any size, threads, kernels and batches change nothing that they should not."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from model_backends.voxtral.checkpoint.tensor_names import shapes
from model_backends.voxtral.cpu import bench
from model_backends.voxtral.cpu.convert import make_bytes
from model_backends.voxtral.cpu.library import kernels_here
from model_backends.voxtral.cpu.packed_file import (
    PackedModel,
    open_packed,
    packed_tensors,
    place,
)
from model_backends.voxtral.cpu.runner import CpuSpeech
from model_backends.voxtral.spec import ModelSpec
from model_backends.voxtral.speech_model import BONUS_REACH, DecodeWork
from model_backends.voxtral.tekken import Tekken
from tests.model_backends.voxtral.cpu.forcing import encode_all, forced_logits, whole_mel
from tests.model_backends.voxtral.cpu.reference import Reference
from tests.model_backends.voxtral.cpu.reference_in_floats import InFloats
from tests.model_backends.voxtral.transcribing import DELAYS, LONG, clip, reference_ids

PROMPT = 39  # positions at 480 ms before the first id


@pytest.fixture(scope="module")
def model(packed: Path) -> PackedModel:
    return open_packed(packed)


def speech_of(model: PackedModel, **options: object) -> CpuSpeech:
    tokens = Tekken.load(model.tokenizer, model.spec.vocab)
    return CpuSpeech(model.spec, model.tensors, tokens, **options)  # type: ignore[arg-type]


def inputs(name: str, delay: int) -> list[int]:
    """What the decoder is fed in the reference: <s>, [P] through the prompt, then its own ids."""
    return [1, *(32,) * (32 + delay), *reference_ids(name, delay)[:-1]]


# Rounding an activation to one of 255 codes is a jump: sums that differ in their last bits now and
# then give another code, which every later layer passes on and multiplies. So the network in double
# precision is held to 1e-3 with activations as they are ("exact" kernels, the same C code around
# them). With codes, `InFloats` adds in the order of the kernels and gets the same ones: there, too,
# 1e-3 is asked for, and what comes is every bit alike. Two orders differ by the jumps.
_LIMIT, _LIMIT_WITH_JUMPS = 1e-3, 4e-3


@pytest.mark.parametrize("delay", [1, 6, 30])
def test_logits_are_those_of_the_plain_network(model: PackedModel, delay: int) -> None:
    """Past both windows: 96 positions of a window of 64, 384 frames of one of 100."""
    rows, logits, expected = both(model, "join_00", delay, "exact")
    assert relative(*rows) < _LIMIT
    assert relative(logits, expected) < _LIMIT
    assert np.array_equal(logits.argmax(1), expected.argmax(1))


@pytest.mark.parametrize(
    ("kernels", "delay"), [("plain", 6), *(("avx2", delay) for delay in DELAYS)]
)
def test_logits_and_ids_are_those_of_the_network_with_8_bit_activations(
    model: PackedModel, kernels: str, delay: int
) -> None:
    if kernels not in kernels_here():
        pytest.skip(f"this processor has no {kernels}")
    rows, logits, expected = both(model, "join_00", delay, kernels)
    assert relative(*rows) < _LIMIT
    assert relative(logits, expected) < _LIMIT
    assert np.array_equal(logits.argmax(1), expected.argmax(1))


def both(
    model: PackedModel, name: str, delay: int, kernels: str
) -> tuple[tuple[NDArray[np.floating], ...], NDArray[np.float32], NDArray[np.float64]]:
    """Adapter rows and logits, the library's and the plain network's."""
    speech, pcm = speech_of(model, kernels=kernels, threads=2), clip(name)[: 16_000 * 5]
    plain = Reference(model.spec, model.tensors, exact=True)
    if kernels != "exact":
        plain = InFloats(model.spec, model.tensors, speech._ffn_gain(delay), kernels)
    rows = plain.encode(whole_mel(pcm, delay))
    source, count = encode_all(speech, pcm, delay, (1, 4))
    made = speech._rows[source][31:count].copy()
    speech.close_encoder(source)
    ids = inputs(name, delay)[:96]
    logits = forced_logits(speech, pcm, ids, delay)
    speech.close()
    expected = plain.decode(ids, rows[: len(ids)], delay)[31:]
    return (made, rows[31:count]), logits, expected


class Made:
    """Weights from a seed, large enough to show a mistake."""

    def __init__(self, spec: ModelSpec) -> None:
        self._shapes = shapes(spec)

    def count(self, name: str) -> int:
        return self._shapes[name][0]

    def rows(self, name: str, chosen: NDArray[np.int64]) -> NDArray[np.float32]:
        shape = self._shapes[name]
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        tensor = rng.standard_normal(shape, np.float32).reshape(shape[0], -1)
        if "norm" in name:
            return 1 + 0.3 * tensor[chosen]
        spread = 0.2 if len(shape) == 1 else (2.0 / tensor.shape[1]) ** 0.5
        return (np.float32(spread) * tensor)[chosen]


def test_logits_at_half_the_published_width() -> None:
    """A layer each, 640 and 1536 wide, head sizes and groups as published."""
    half = bench.SIZES["half"]
    spec = replace(
        half, encoder=replace(half.encoder, layers=1, window=40),
        decoder=replace(half.decoder, layers=1, window=20), vocab=2048,
    )  # fmt: skip
    logits, expected = both_made(spec, exact=True)
    assert relative(logits, expected) < _LIMIT
    assert np.array_equal(logits.argmax(1), expected.argmax(1))


def test_logits_where_the_last_group_is_not_full() -> None:
    """Inner widths of 2 and a quarter groups: what another product left behind them in memory
    must not count when the last group's scale is chosen. And an eps large enough to be seen."""
    tiny = bench.SIZES["tiny"]
    encoder, decoder = (replace(t, ffn=72, norm_eps=0.1) for t in (tiny.encoder, tiny.decoder))
    spec = replace(tiny, encoder=encoder, decoder=decoder)
    logits, expected = both_made(spec, exact=False)
    assert relative(logits, expected) < _LIMIT_WITH_JUMPS


def both_made(spec: ModelSpec, exact: bool) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Logits of made weights, the library's and the plain network's."""
    tensors = {
        packed.name: place(packed, make_bytes(packed, Made(spec)))
        for packed in packed_tensors(spec)
    }
    tokens = bench.made_up_tekken(spec.vocab)
    speech = CpuSpeech(spec, tensors, tokens, threads=2, kernels="exact" if exact else "")
    pcm = clip("join_00")[:16_000]
    ids = [1, *(32,) * 30, *np.random.default_rng(0).integers(40, 2000, 19).tolist()]
    plain = Reference(spec, tensors, exact)
    rows = plain.encode(whole_mel(pcm, 6))
    logits = forced_logits(speech, pcm, ids, 6, (3, 1))
    speech.close()
    return logits, plain.decode(ids, rows[: len(ids)], 6)[31:]


def relative(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.square(a - b).mean() / np.square(b).mean()))


@pytest.mark.parametrize("options", [{}, {"threads": 3}, {"kv_bits": 8}], ids=str)
def test_blocks_of_any_size_give_the_same_bits(model: PackedModel, options: dict[str, int]) -> None:
    """Live (one row a step) and as a file: not nearly, exactly."""
    speech, pcm = speech_of(model, **options), clip(LONG)[: 16_000 * 12]
    ids = inputs(LONG, 6)[:170]
    one = forced_logits(speech, pcm, ids, 6)
    for blocks in ((7, 1, 32, 2, 5), (32,)):
        assert np.array_equal(forced_logits(speech, pcm, ids, 6, blocks), one)
    speech.close()


def test_threads_change_nothing(model: PackedModel) -> None:
    speech, pcm, ids = speech_of(model), clip("join_03"), inputs("join_03", 6)
    one = forced_logits(speech, pcm, ids, 6, (3,))
    speech.threads = 4
    assert np.array_equal(forced_logits(speech, pcm, ids, 6, (3,)), one)
    speech.close()


def test_every_kernel_here_agrees_with_plain_c(model: PackedModel) -> None:
    pcm, ids = clip("join_00"), inputs("join_00", 6)
    logits = {}
    for kernels in kernels_here():
        speech = speech_of(model, kernels=kernels)
        logits[kernels] = forced_logits(speech, pcm, ids, 6, (4, 1))
        speech.close()
    for kernels, found in logits.items():
        assert relative(found, logits["plain"]) < _LIMIT_WITH_JUMPS, kernels
        assert np.array_equal(found.argmax(1), logits["plain"].argmax(1)), kernels


def test_a_stream_that_has_run_for_a_year_says_the_same(model: PackedModel) -> None:
    speech, pcm, ids = speech_of(model), clip("join_00"), inputs("join_00", 6)
    early = forced_logits(speech, pcm, ids, 6)
    late = forced_logits(speech, pcm, ids, 6, first_row=400_000_000)
    assert relative(late, early) < 2e-2  # rotations differ in their last bits, so codes do
    assert np.mean(late.argmax(1) == early.argmax(1)) > 0.99
    speech.close()


def test_gap_and_probability_are_of_the_logits_as_they_are(model: PackedModel) -> None:
    """Computed while the head is multiplied, by several threads; here from all logits."""
    speech, pcm = speech_of(model, threads=2), clip("join_00")
    source, _ = encode_all(speech, pcm, 6, (8,))
    slot = speech.open_decoder(6)
    speech.keep_logits = True
    for bias in (0.0, -8.0):
        ids = inputs("join_00", 6)[31:60]
        rows = tuple((source, 31 + i) for i in range(len(ids)))
        (answers,) = speech.decode([DecodeWork(slot, 31, tuple(ids), rows, bias)])
        (logits,) = speech.logits
        for answer, row in zip(answers, logits.astype(np.float64), strict=True):
            adjusted = row.copy()
            adjusted[32] += bias
            adjusted[2] = -np.inf
            assert answer.token == adjusted.argmax()
            others = np.delete(row, answer.token)
            assert abs(answer.gap - (row[answer.token] - others.max())) < 1e-4
            together = row.max() + np.log(np.exp(row - row.max()).sum())
            assert abs(answer.logprob - (row[answer.token] - together)) < 1e-4
    speech.close()


def test_a_bonus_lifts_what_is_within_reach(model: PackedModel) -> None:
    speech, pcm = speech_of(model), clip("join_00")
    source, _ = encode_all(speech, pcm, 6, (8,))
    slot = speech.open_decoder(6)
    speech.keep_logits = True
    work = DecodeWork(slot, 31, (32,), ((source, 31),))
    speech.decode([work])
    ranked = np.argsort(-speech.logits[0][0])
    near, far = int(ranked[1]), int(ranked[-1])
    near = next(int(i) for i in ranked[1:] if i != 2)
    reach = float(speech.logits[0][0][ranked[0]] - speech.logits[0][0][near])
    (found,) = speech.decode([replace(work, bonuses=((near, 100.0), (far, 1000.0)))])[0]
    assert found.token == (near if reach <= BONUS_REACH else int(ranked[0]))
    (plain,) = speech.decode([replace(work, bonuses=((far, 1000.0),))])[0]
    assert plain.token == int(ranked[0])
    speech.close()
