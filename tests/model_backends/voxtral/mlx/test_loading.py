"""Loading through the registry, as the worker does: choices, refusals, progress."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mlx.core", reason="MLX is not installed")


import model_backends
from model_backends.base import EngineError, LoadOptions, StreamOptions
from model_backends.voxtral.checkpoint.packed import open_checkpoint
from model_backends.voxtral.mlx import load as mlx_load
from model_backends.voxtral.mlx.chip import Chip
from model_backends.voxtral.mlx.runner import ModelRunner
from tests.model_backends.voxtral.mlx.conftest import load
from tests.model_backends.voxtral.transcribing import TINY, clip, reference_text, transcribe

M1, M4 = Chip("Apple M1", 16 * 2**30, True), Chip("Apple M4", 16 * 2**30, True)
PC = Chip("Some CPU", 16 * 2**30, False)


def test_progress_rises_to_one_and_the_model_is_named() -> None:
    seen: list[float] = []
    options = LoadOptions("tiny-voxtral", None, TINY.parent, extra={"precision": "fp32"})
    engine = model_backends.load("voxtral-mlx", options, lambda done, what: seen.append(done))
    assert seen[0] == 0.0
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert engine.model == "tiny-voxtral (fp32)"
    assert engine.info.name == "voxtral-mlx"
    engine.close()


@pytest.mark.parametrize(
    ("chip", "extra", "bits", "dtype"),
    [
        (M1, {}, 16, "fp16"),  # the tiny model is small enough for anything
        (M4, {}, 16, "bf16"),
        (PC, {}, 16, "fp32"),
        (M1, {"bits": 4}, 4, "fp16"),
        (M4, {"precision": "int8"}, 8, "bf16"),
        (M4, {"precision": "fp32"}, 32, "fp32"),
        (PC, {"precision": "bf16", "bits": 6}, 6, "bf16"),
    ],
)
def test_bits_and_number_type(chip: Chip, extra: dict[str, Any], bits: int, dtype: str) -> None:
    checkpoint = open_checkpoint(TINY)
    assert mlx_load.choose_bits(extra, checkpoint, chip) == bits
    assert mlx_load.choose_dtype(extra, checkpoint, chip) == dtype


def test_loading_warms_up_what_live_captions_need(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shapes of the decoder's steps: the prompt, one lane and two. Nothing new comes live."""
    met: set[tuple[int, ...]] = set()

    class Watched(ModelRunner):
        def _hidden(self, work: Any, skip: int, steps: int) -> Any:
            met.add((len(work), steps))
            return super()._hidden(work, skip, steps)

    monkeypatch.setattr(mlx_load, "ModelRunner", Watched)
    engine = load(TINY)
    warmed = set(met)
    streams = [engine.open(StreamOptions(lane, 0, (480,), 0)) for lane in ("me", "them")]
    pcm = clip("join_00")[:32_000]
    for at in range(0, len(pcm), 1280):
        for stream in streams:
            stream.push(pcm[at : at + 1280], 0.0)
        engine.advance()
    assert met == warmed
    assert {(1, 1), (2, 1)} < warmed
    engine.close()


def test_the_tiny_model_hears_in_every_number_type() -> None:
    for extra in ({"precision": "bf16"}, {"precision": "fp16"}, {"bits": 8}, {"bits": 6}):
        engine = load(TINY, **{"precision": None, **extra})
        heard = transcribe(engine, clip("join_00"), 6, pieces=10**9, realtime=False)
        assert heard.text() == reference_text("join_00", 6), extra
        engine.close()


def test_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(message: str, model: str | None, device: str | None = None, **extra: Any) -> None:
        options = LoadOptions(model, device, tmp_path, extra=extra)
        with pytest.raises(EngineError, match=message) as caught:
            model_backends.load("voxtral-mlx", options, lambda done, what: None)
        assert caught.value.hint

    refused("not on this computer", None)
    refused("no Voxtral model called", "nothing-like-it")
    refused("no device “cuda”", str(TINY), "cuda")
    refused("does not run in 5 bits", str(TINY), bits=5)
    refused("no precision “int3”", str(TINY), precision="int3")
    monkeypatch.setattr(mlx_load, "chip", lambda: Chip("Apple M1", 10**8, True))
    refused("this computer has 0.1 GB", str(TINY))


def test_a_lack_of_memory_becomes_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: object) -> None:
        raise RuntimeError("[metal::malloc] Attempting to allocate 99 bytes: too many.")

    monkeypatch.setattr("model_backends.voxtral.mlx.weights.build", no_memory)
    with pytest.raises(EngineError, match="does not fit into this computer's memory"):
        load(TINY)


def test_a_stream_that_finds_no_memory_is_refused_and_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = load(TINY)
    speech: Any = engine._speech_model

    def no_memory(*_: object) -> None:
        raise RuntimeError("[metal::malloc] Attempting to allocate 99 bytes: too many.")

    for step in ("_decode_step", "_encode_step"):
        with monkeypatch.context() as patch, pytest.raises(EngineError, match="for this stream"):
            patch.setattr(speech, step, no_memory)
            patch.setattr(speech, "_silent_frames", [])  # so that opening has something to do
            engine.open(StreamOptions("me", 0, (80,), 0))
        assert (speech._encoders, speech._decoders) == ({}, {})
    assert transcribe(engine, clip("aligned_end"), 1).text() == reference_text("aligned_end", 1)
    engine.close()


def test_after_closing_nothing_can_be_asked() -> None:
    engine = load(TINY)
    engine.close()
    with pytest.raises(EngineError, match="unloaded"):
        engine.open(StreamOptions("me", 0, (480,), 0))
