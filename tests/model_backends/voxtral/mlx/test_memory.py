"""What the model takes, computed and then weighed on a scaled one; and that it is given back."""

from __future__ import annotations

import gc
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mlx.core", reason="MLX is not installed")

import mlx.core as mx

from model_backends.base import StreamOptions
from model_backends.voxtral import memory
from model_backends.voxtral.checkpoint.packed import open_checkpoint
from model_backends.voxtral.mel import MelStream
from model_backends.voxtral.mlx import chip as mlx_chip
from model_backends.voxtral.mlx import load as mlx_load
from model_backends.voxtral.mlx.chip import Chip
from model_backends.voxtral.mlx.kv_cache import KVCache
from model_backends.voxtral.mlx.load import Limits, MlxEngine
from model_backends.voxtral.mlx.runner import ModelRunner
from model_backends.voxtral.mlx.weights import load_network, random_network
from model_backends.voxtral.schedule import ROW_SAMPLES, SILENT_ROWS
from model_backends.voxtral.spec import PUBLISHED, ModelSpec, Tower
from model_backends.voxtral.speech_model import (
    DECODE_ROWS,
    DecodeWork,
    EncodeWork,
)
from tests.model_backends.voxtral.mlx.conftest import load
from tests.model_backends.voxtral.mlx.forcing import speech_of, tokens_of
from tests.model_backends.voxtral.transcribing import TINY, clip, transcribe

# The published model with fewer, narrower layers: the same windows, so that caches weigh in.
SCALED = ModelSpec(
    Tower(1, 256, 4, 4, 64, 512, 750, 1e6, 1e-5, True),
    Tower(2, 256, 4, 2, 64, 1024, 8192, 1e6, 1e-5, False),
    4096,
)


@pytest.mark.parametrize("bits", [16, 8, 6, 4])
def test_weights_weigh_what_was_computed(bits: int) -> None:
    net = random_network(SCALED, mx.float16, None if bits == 16 else bits)
    weighed = sum(array.nbytes for array in net.arrays)
    assert weighed == pytest.approx(memory.weight_bytes(SCALED, mlx_chip.storage(bits)), rel=2e-3)


@pytest.mark.parametrize("group_size", [32, 64])
def test_a_packed_file_says_what_it_takes(tmp_path: Path, group_size: int) -> None:
    """An older one, its embedding in 16 bits, or one in smaller groups."""
    from tests.model_backends.voxtral.mlx import layouts

    tensors = {name: t.astype(mx.bfloat16) for name, t in layouts.random(SCALED).items()}
    packs = layouts.not_the_embedding if group_size == 64 else layouts.everything
    folder = layouts.write(tmp_path / "m", "mlx-audio", SCALED, tensors, 4, group_size, packs)
    checkpoint = open_checkpoint(folder)
    held = load_network(checkpoint, mx.bfloat16, None, lambda fraction, what: None).arrays
    besides = mlx_chip.memory_needed(SCALED, 4) - memory.weight_bytes(SCALED, mlx_chip.storage(4))
    weighed = sum(array.nbytes for array in held)
    assert mlx_load.needed_by(checkpoint, 4) == pytest.approx(weighed + besides, rel=1e-4)
    assert weighed > 1.05 * memory.weight_bytes(SCALED, mlx_chip.storage(4))


def test_a_stream_at_full_length_weighs_what_was_computed() -> None:
    """Everything MLX holds, from nothing to a stream whose windows are full."""
    gc.collect()
    mx.clear_cache()
    before = mx.get_active_memory()
    net = random_network(SCALED, mx.bfloat16, 4)
    speech = speech_of(net)
    encoder, decoder = speech.open_encoder(), speech.open_decoder(6)
    speech._encoders[encoder].cache.reserve(10_000)
    speech._decoders[decoder].cache.reserve(100_000)
    mx.eval([speech._encoders[encoder].cache.layers, speech._decoders[decoder].cache.layers])
    weighed = mx.get_active_memory() - before
    computed = memory.weight_bytes(SCALED, mlx_chip.storage(4)) + memory.cache_bytes(SCALED)
    assert weighed == pytest.approx(computed, rel=0.02)
    speech.close()


def test_memory_is_flat_once_the_windows_are_full() -> None:
    """Three minutes through both windows dozens of times."""
    spec = replace(
        SCALED,
        encoder=replace(SCALED.encoder, layers=1, width=64, ffn=64, window=24),
        decoder=replace(SCALED.decoder, layers=1, width=64, ffn=64, window=40),
        vocab=1400,
    )
    speech = speech_of(random_network(spec, mx.float32))
    engine = MlxEngine("flat", speech, speech._tokens, Limits())
    stream = engine.open(StreamOptions("me", 0, (480,), 0, realtime=False))
    noise = 0.1 * np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    held = []
    for _ in range(180):
        stream.push(noise, 0.0)
        while not engine.idle:
            engine.advance()
        held.append(mx.get_active_memory())
    engine.close()
    assert max(held[60:]) - min(held[60:]) < 100_000


def test_unloading_returns_memory_and_limits() -> None:
    gc.collect()
    mx.clear_cache()
    limit = mx.set_cache_limit(123_456_789)
    before = mx.get_active_memory()
    engine = load(TINY)
    transcribe(engine, clip("aligned_end"), 1, 30)
    assert mx.get_active_memory() - before > 10_000_000
    stream = engine.open(StreamOptions("me", 0, (480,), 0))
    engine.close()
    engine.close()  # harmless
    assert stream.done
    del engine, stream
    gc.collect()
    assert mx.get_active_memory() - before < 100_000
    assert mx.get_cache_memory() < 10_000
    assert mx.set_cache_limit(limit) == 123_456_789


def test_a_load_that_fails_restores_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = mx.set_cache_limit(123_456_789)
    monkeypatch.setattr(mlx_load, "load_network", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        load(TINY)
    assert mx.set_cache_limit(limit) == 123_456_789


def test_compiled_steps_let_go_of_the_weights() -> None:
    """What was traced holds the weights; closing must drop it."""
    if not mx.metal.is_available() and shutil.which("g++") is None:
        pytest.skip("without a GPU, mx.compile calls g++, which is not here")
    gc.collect()
    mx.clear_cache()
    before = mx.get_active_memory()
    speech = speech_of(random_network(SCALED, mx.float32), compiled=True)
    speech.open_decoder(6)
    assert mx.get_active_memory() - before > 10_000_000
    speech.close()
    gc.collect()
    assert mx.get_active_memory() - before < 100_000


def test_spare_buffers_are_limited_while_loaded() -> None:
    engine = load(TINY)
    assert mx.set_cache_limit(mlx_chip.BUFFER_CACHE_BYTES) == mlx_chip.BUFFER_CACHE_BYTES
    engine.close()


def test_packing_while_loading_needs_little_more_than_the_result(tmp_path: Path) -> None:
    """Each layer is packed as soon as it is read; the 16-bit weights are never all there."""
    from tests.model_backends.voxtral.mlx import layouts
    from tests.model_backends.voxtral.mlx.test_checkpoints import network

    spec = replace(SCALED, decoder=replace(SCALED.decoder, layers=12))
    tensors = {k: v.astype(mx.bfloat16) for k, v in layouts.random(spec).items()}
    folder = layouts.write(tmp_path / "m", "native", spec, tensors)
    whole = sum(tensor.nbytes for tensor in tensors.values())
    del tensors
    mx.clear_cache()
    before = mx.get_active_memory()
    mx.reset_peak_memory()
    net = network(folder, bits=4)
    peak = mx.get_peak_memory() - before
    held = sum(array.nbytes for array in net.arrays)
    assert held < 0.45 * whole
    assert peak < held + 0.35 * whole


@pytest.mark.parametrize("compiled", [False, True])
def test_full_caches_are_extended_in_place(compiled: bool) -> None:
    """A step's peak is far below one layer's cache: nothing is copied."""
    if compiled and not mx.metal.is_available() and shutil.which("g++") is None:
        pytest.skip("without a GPU, mx.compile calls g++, which is not here")
    speech = speech_of(random_network(SCALED, mx.float32), compiled)
    encoder, decoder = speech.open_encoder(), speech.open_decoder(6)
    speech._decoders[decoder].cache.reserve(100_000)
    one_layer = speech._decoders[decoder].cache.size_bytes // SCALED.decoder.layers
    mel = MelStream()
    mel.push(np.zeros(8 * ROW_SAMPLES, np.float32))
    peaks = []
    for row in range(SILENT_ROWS, SILENT_ROWS + 6):
        mx.reset_peak_memory()
        before = mx.get_active_memory()
        speech.encode([EncodeWork(encoder, row, mel.take(1))])
        speech.decode([DecodeWork(decoder, row, (32,), ((encoder, row),))])
        peaks.append(mx.get_peak_memory() - before)
    speech.close()
    assert one_layer > 8_000_000
    assert max(peaks[2:]) < 0.3 * one_layer


def test_caches_of_full_length_never_grow() -> None:
    """So no step is traced again as they fill; what a growing one holds is in them too."""
    full = KVCache(SCALED.decoder, DECODE_ROWS, mx.float32, full_length=True)
    growing = KVCache(SCALED.decoder, DECODE_ROWS, mx.float32)
    length = full.length
    assert length == memory.cache_cells(SCALED.decoder, DECODE_ROWS) > growing.length
    for end in (31, 600, 8192, 100_000):
        full.reserve(end)
        assert full.length == length


def test_full_length_caches_say_the_same_as_growing_ones() -> None:
    net = random_network(SCALED, mx.float32)
    said = []
    for full in (False, True):
        speech = ModelRunner(net, tokens_of(net), "test", False, full)
        encoder, decoder = speech.open_encoder(), speech.open_decoder(6)
        mel = MelStream()
        mel.push(np.zeros(2 * ROW_SAMPLES, np.float32))
        speech.encode([EncodeWork(encoder, SILENT_ROWS, mel.take(1))])
        work = DecodeWork(decoder, SILENT_ROWS, (32,), ((encoder, SILENT_ROWS),))
        said.append(speech.decode([work])[0][0])
    assert said[0].token == said[1].token
    assert said[0][1:] == pytest.approx(said[1][1:], abs=1e-4)


@pytest.mark.parametrize(
    ("gigabytes", "bits", "whole"), [(16, 4, True), (8, 4, False), (16, 8, True), (8, 8, False)]
)
def test_where_whole_caches_fit(gigabytes: int, bits: int, whole: bool) -> None:
    checkpoint = replace(open_checkpoint(TINY), spec=PUBLISHED)
    mac = Chip("Apple M2", gigabytes * 2**30, True)
    assert mlx_load.whole_caches_fit(checkpoint, bits, mac) is whole
    assert not mlx_load.whole_caches_fit(checkpoint, bits, replace(mac, apple=False))
