"""Fewer bits: what each storage stands for, how far its words stray, and memory that stays flat."""

from __future__ import annotations

import gc
import resource
import weakref
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")

import torch

from model_backends.base import EngineError, LoadOptions, StreamOptions
from model_backends.voxtral.engine import VoxtralEngine
from model_backends.voxtral.spec import PUBLISHED
from model_backends.voxtral.torch import cpu as torch_cpu
from model_backends.voxtral.torch import info as torch_info
from model_backends.voxtral.torch import load as torch_load
from model_backends.voxtral.torch import quant as torch_quant
from model_backends.voxtral.torch.ops import Linear
from model_backends.voxtral.torch.runner import ModelRunner
from model_backends.voxtral.torch.weights import random_network
from tests.model_backends.voxtral.conftest import load
from tests.model_backends.voxtral.forcing import CPU, load_speech
from tests.model_backends.voxtral.transcribing import (
    TINY,
    Job,
    clip,
    reference_ids,
    reference_text,
    transcribe,
    transcribe_together,
)
from tests.support.matrix import cases


@pytest.mark.parametrize("rows", [1, 3, 40])
@pytest.mark.parametrize("bits", [8, 4])
def test_a_quantised_product_equals_that_of_the_weights_it_stands_for(bits: int, rows: int) -> None:
    """Measured through the layer itself: its product with the identity is what it stands for."""
    torch.manual_seed(bits)
    weight = torch.randn(64, 96).bfloat16()
    layer = (torch_quant.Int8 if bits == 8 else torch_quant.Int4)(weight)
    x = torch.randn(rows, 96).bfloat16()
    stands_for = layer(torch.eye(96).bfloat16()).float().T
    largest = float(weight.abs().amax())
    half_step, rounding = largest / (254 if bits == 8 else 15), largest / 256
    assert float((stands_for - weight.float()).abs().max()) < 1.1 * half_step + rounding
    expected = x.float() @ stands_for.T
    assert (layer(x).float() - expected).abs().max() < 0.02 * expected.abs().max()


def test_embedding_rows_are_those_of_the_8_bit_weight() -> None:
    weight = torch.randn(32, 64).bfloat16()
    layer = torch_quant.Int8(weight)
    ids = torch.tensor([[3, 31], [0, 3]])
    assert torch.allclose(layer.rows(ids).float(), layer.dequantised()[ids], atol=0.03)


@pytest.mark.parametrize("rows", [1, 4, 50])
def test_packed_weights_on_a_processor_are_exact(rows: int) -> None:
    """Whatever storage is chosen, float32 products are right to float32's rounding."""
    torch.manual_seed(rows)
    x, bias = torch.randn(1, rows, 96), torch.randn(48)
    for weight in (
        torch.randn(48, 96).bfloat16().float(),
        torch.randn(48, 96),
        torch.zeros(48, 96),
    ):
        layer = torch_cpu.pack_embedding(weight, bias)
        exact = x.double() @ weight.double().T + bias
        assert layer(x).shape == (1, rows, 48)
        assert float((layer(x) - exact).abs().max()) < 2e-5
        assert torch.equal(layer.rows(torch.tensor([[5, 47]])), weight[[5, 47]][None])


def byte_weights(outputs: int, inputs: int) -> tuple[torch_quant.Int8, Linear]:
    """The same 8 bit weights in plain storage and in the processor's."""
    plain = torch_quant.Int8(torch.randn(outputs, inputs))
    packed = torch_cpu.pack_bytes(plain.weight, plain.scale, torch.ones(outputs))
    if packed is None:
        pytest.skip("this processor has no product of bytes")
    return plain, packed


def test_a_product_of_bytes_is_closer_to_its_weights_than_bfloat16_can_write() -> None:
    """One channel forty times louder than the others must not cost them their bits."""
    torch.manual_seed(3)
    plain, packed = byte_weights(64, 512)
    x = torch.randn(2, 3, 512)
    x[..., 7] *= 40.0
    exact = x.double() @ plain.dequantised().double().T + 1.0
    wrong = (packed(x) - exact).square().mean().sqrt() / exact.square().mean().sqrt()
    assert packed(x).shape == exact.shape
    assert float(wrong) < 2.0**-9
    assert packed(x.bfloat16()).dtype == torch.bfloat16


def test_the_largest_bytes_do_not_saturate() -> None:
    plain, packed = byte_weights(16, 256)
    plain.weight.fill_(127)
    plain.scale.fill_(1.0)
    packed = torch_cpu.Bytes(plain.weight, plain.scale, None)
    for sign in (1.0, -1.0):
        assert torch.allclose(packed(torch.full((1, 256), sign)), torch.tensor(sign * 127 * 256))


def test_a_row_of_bytes_does_not_depend_on_its_company() -> None:
    _, packed = byte_weights(48, 96)
    x = torch.randn(5, 96)
    x[3] *= 1000.0
    x[4] = 0.0
    alone = torch.cat([packed(row[None]) for row in x])
    assert torch.equal(packed(x), alone)
    assert torch.equal(alone[4], torch.ones(48))


def test_sixteen_bits_have_a_fast_product_where_onednn_refuses_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(weight: object, bias: object) -> None:
        raise RuntimeError("bf16 path needs the cpu support avx512bw")

    monkeypatch.setattr(torch_cpu, "Packed", refuse)
    weight, bias = torch.randn(48, 96).bfloat16(), torch.randn(48).bfloat16()
    layer, x = torch_cpu.pack(weight, bias), torch.randn(4, 96).bfloat16()
    if "fbgemm" in torch.backends.quantized.supported_engines:
        assert isinstance(layer, torch_cpu.HalfStored)
    exact = x.double() @ weight.double().T + bias
    assert layer(x).dtype == torch.bfloat16
    assert float((layer(x) - exact).abs().max()) < 2.0**-8 * float(exact.abs().max())


def test_only_weights_that_16_bits_hold_are_kept_in_16_bits() -> None:
    """The tiniest bfloat16 weight survives beside the largest; a float32 weight does not pass."""
    weight = torch.tensor([[3.0, 2.0**-13], [2.0**-20, -0.0078125]])
    assert torch_cpu._half_exponent(weight) is not None
    layer = torch_cpu.pack(weight, None)
    assert torch.equal(layer(torch.eye(2)).T, weight)
    assert torch_cpu._half_exponent(weight + torch.tensor(1e-4)) is None


@pytest.mark.parametrize(("precision", "most"), [("bf16", 0.004), ("int8", 0.006), ("int4", 0.015)])
def test_fewer_bits_stray_little_from_the_reference(precision: str, most: float) -> None:
    """Share of ids that differ, and no word may."""
    engine = load(TINY, precision=precision)
    different = total = 0
    names = ("join_00", "join_03", "fast_mixed", "white_noise", "quiet")
    asked = [(name, delay) for name in names for delay in (2, 6)]
    jobs = [Job(clip(name), delay) for name, delay in asked]
    results = transcribe_together(engine, jobs, pieces=10**9, realtime=False)
    for (name, delay), heard in zip(asked, results, strict=True):
        expected = reference_ids(name, delay)
        different += sum(a != b for a, b in zip(heard.ids[0], expected, strict=True))
        total += len(expected)
        assert heard.text() == reference_text(name, delay)
    assert different / total <= most
    assert precision in engine.model
    engine.close()


def test_bits_are_another_word_for_precision() -> None:
    device = CPU
    assert torch_load.choose_precision({"bits": 8}, device, TINY) == "int8"
    assert torch_load.choose_precision({"precision": "fp16"}, device, TINY) == "fp16"
    assert torch_load.choose_precision({}, device, TINY) == "fp32"
    for extra in ({"bits": 5}, {"precision": "int2"}):
        with pytest.raises(EngineError):
            torch_load.choose_precision(extra, device, TINY)


def test_a_device_that_is_not_there_is_refused() -> None:
    absent = "mps" if not torch.backends.mps.is_available() else "cuda"
    with pytest.raises(EngineError, match=absent):
        torch_load.load(LoadOptions(str(TINY), absent, TINY), lambda fraction, what: None)


def test_loading_reports_its_progress() -> None:
    seen: list[float] = []
    options = LoadOptions(str(TINY), "cpu", TINY)
    torch_load.load(options, lambda fraction, what: seen.append(fraction)).close()
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0.0, 1.0)
    assert len(seen) > 50


def two_layers() -> VoxtralEngine:
    """The tiny model's sizes with two layers each and weights from a seed."""
    speech = load_speech(TINY)
    spec = speech.spec
    small = replace(
        spec, encoder=replace(spec.encoder, layers=2), decoder=replace(spec.decoder, layers=2)
    )
    model = ModelRunner(random_network(small, CPU, "fp32"), speech._tokens, "fp32")
    return VoxtralEngine(torch_info.INFO, "two layers", model, speech._tokens)


@pytest.mark.parametrize("minutes", cases([6, 20], always=[6]))
def test_many_minutes_take_no_more_memory_than_two(minutes: int) -> None:
    """Positions far past both windows; tensors and the process's memory are counted."""
    engine = two_layers()
    stream = engine.open(StreamOptions("me", 0, (480,), 0, realtime=False))
    rng = np.random.default_rng(1)
    counts, peaks = [], []
    for minute in range(minutes):
        stream.push((0.1 * rng.standard_normal(60 * 16_000)).astype(np.float32), 0.0)
        while not engine.idle:
            engine.advance()
        if minute in (1, minutes - 1):
            gc.collect()
            counts.append(sum(type(thing) is torch.Tensor for thing in gc.get_objects()))
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    assert stream.rows_ready > 700 * minutes
    assert counts[0] == counts[1]
    assert peaks[1] - peaks[0] < 1_000 * minutes  # KiB
    engine.close()


def test_closing_frees_the_model() -> None:
    engine = two_layers()
    transcribe(engine, clip("aligned_end"), 6)
    weight = weakref.ref(engine._speech_model._net.decoder_norm)  # type: ignore[attr-defined]
    engine.close()
    gc.collect()
    assert weight() is None


def test_slots_are_given_back() -> None:
    engine = two_layers()
    model = engine._speech_model
    assert isinstance(model, ModelRunner)
    for _ in range(3):
        transcribe(engine, clip("aligned_end"), 6, 12)
    assert (model.encoder_cache.slots, model.decoder_cache.slots) == (1, 2)
    engine.close()


def test_the_memory_of_the_published_model() -> None:
    """The figures of the documentation: 8.86 GB of weights, 1.07 GB of caches in 16 bits."""
    needed = {p: torch_info.memory_needed(PUBLISHED, p) for p in ("bf16", "int8", "int4")}
    assert 10.4e9 < needed["bf16"] < 10.8e9
    assert 6.4e9 < needed["int8"] < 7.0e9
    assert 4.6e9 < needed["int4"] < 5.2e9
