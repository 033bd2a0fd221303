"""The real thing: the small trained model on a CUDA GPU, fused kernels and captures included."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")

import torch

from model_backends.base import LoadOptions
from model_backends.voxtral.engine import VoxtralEngine
from model_backends.voxtral.torch import load as torch_load
from model_backends.voxtral.torch.kernels import STAGES, fused
from model_backends.voxtral.torch.kernels.check import agrees
from model_backends.voxtral.torch.runner import ModelRunner
from tests.model_backends.voxtral.transcribing import (
    DELAYS,
    ITEMS,
    LONG,
    TINY,
    Job,
    clip,
    reference_ids,
    reference_text,
    transcribe,
    transcribe_together,
)

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")

GPU = torch.device("cuda")


def on_gpu(precision: str, realtime: bool = True) -> VoxtralEngine:
    options = LoadOptions(
        str(TINY), "cuda", TINY.parent, realtime=realtime, extra={"precision": precision}
    )
    return torch_load.load(options, lambda fraction, what: None)


@pytest.fixture(scope="module")
def engine() -> Iterator[VoxtralEngine]:
    loaded = on_gpu("fp32")
    yield loaded
    loaded.close()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32], ids=str)
@pytest.mark.parametrize("stage", STAGES)
def test_every_fused_kernel_runs_and_agrees(stage: str, dtype: torch.dtype) -> None:
    assert agrees(fused([stage]), GPU, dtype)


def test_the_engine_uses_them(engine: VoxtralEngine) -> None:
    runner = engine._speech_model
    assert isinstance(runner, ModelRunner)
    assert runner._network.ops == fused()


@pytest.mark.parametrize("delay", DELAYS)
def test_ids_are_those_of_the_reference(engine: VoxtralEngine, delay: int) -> None:
    names = [name for name in ITEMS if name != LONG][:8]
    heard = transcribe_together(engine, [Job(clip(name), delay) for name in names])
    for name, one in zip(names, heard, strict=True):
        assert one.ids[0] == reference_ids(name, delay), name


def test_past_both_windows_without_taking_more_memory(engine: VoxtralEngine) -> None:
    runner = engine._speech_model
    assert isinstance(runner, ModelRunner)
    transcribe(engine, clip(LONG)[:64_000], 6)
    gc.collect()
    before = torch.cuda.memory_allocated(), runner.cache_bytes
    heard = transcribe(engine, clip(LONG), 6)
    assert heard.ids[0] == reference_ids(LONG, 6)
    gc.collect()
    assert (torch.cuda.memory_allocated(), runner.cache_bytes) == before


def test_captions_and_record_of_one_sound(engine: VoxtralEngine) -> None:
    heard = transcribe(engine, clip("join_03"), 6, 30)
    assert heard.ids[0] == reference_ids("join_03", 6)
    assert heard.ids[1] == reference_ids("join_03", 30)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8", "int4"])
def test_a_file_says_the_same_with_drafts(precision: str) -> None:
    loaded = on_gpu(precision, realtime=False)
    try:
        heard = transcribe(loaded, clip("join_03"), 6, pieces=160_000, realtime=False)
        assert heard.text() == reference_text("join_03", 6)
    finally:
        loaded.close()
