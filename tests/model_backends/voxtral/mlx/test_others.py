"""Against mlx-audio and voxmlx on the same weights, where they are right.

mlx-audio respects the encoder's window, so the trained tiny model (windows of 100 frames and 64
tokens, passed several times) is compared. voxmlx ignores the encoder's window in files, so random
weights whose windows are longer than the audio are. Both read files that we wrote.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("mlx.core", reason="MLX is not installed")

import mlx.core as mx
from mlx.nn.layers.base import Module

from model_backends.base import Pcm
from model_backends.voxtral.mel import MelStream
from model_backends.voxtral.mlx.convert import convert
from model_backends.voxtral.schedule import ROW_SAMPLES, SILENT_ROWS, Schedule
from tests.model_backends.voxtral.mlx import layouts
from tests.model_backends.voxtral.mlx.forcing import (
    adapter_rows,
    encode_all,
    forced_logits,
    load_speech,
)
from tests.model_backends.voxtral.transcribing import TINY, clip, reference_ids

DELAY = 6

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def other(module: str) -> ModuleType:
    """The other program; what it needs besides, and lacks here, is a reason to skip too."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        pytest.skip(f"nothing to compare with: {error}")


def voxmlx_weights() -> ModuleType:
    """voxmlx's loader, without its package's front door: that wants a tokenizer library."""
    if "voxmlx" not in sys.modules:
        found = importlib.util.find_spec("voxmlx")
        if found is None or found.submodule_search_locations is None:
            pytest.skip("nothing to compare with: voxmlx is not installed")
        package = ModuleType("voxmlx")
        package.__path__ = list(found.submodule_search_locations)
        sys.modules["voxmlx"] = package
    return other("voxmlx.weights")


def padded_mel(pcm: Pcm) -> NDArray[np.float32]:
    """The whole padded stream's mel, (frames, 128), by the frontend under test elsewhere."""
    rows = Schedule(DELAY).rows(len(pcm))
    mel = MelStream(first_row=0)
    mel.push(pcm)
    mel.push(np.zeros(rows * ROW_SAMPLES, np.float32))
    return mel.take(rows)[3:]


def ids_for(pcm: Pcm, vocab: int = 1400) -> list[int]:
    """As many ids as the stream has positions: the prompt, then anything."""
    rows = Schedule(DELAY).rows(len(pcm))
    said = np.random.default_rng(0).integers(32, vocab, rows - 39).tolist()
    return [1, *[32] * 38, *said]


def mlx_audio_model(folder: Path) -> Any:
    """Its class with our file in it, loaded as its own loader does. That has the published width
    of the adapter built in, which its strict check would hold against a small model."""
    program = other("mlx_audio.stt.models.voxtral_realtime.voxtral_realtime")
    utils = other("mlx_audio.utils")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    model = program.Model(program.ModelConfig.from_dict(config))
    weights: dict[str, mx.array] = {}
    for file in folder.glob("*.safetensors"):
        weights |= layouts.tensors_in(file)
    utils.apply_quantization(model, config, weights, model.model_quant_predicate)
    model.load_weights(list(weights.items()), strict=False)
    model._ensure_ada_scales(80 * DELAY)
    return model


def mlx_audio_logits(folder: Path, pcm: Pcm, ids: list[int]) -> NDArray[np.float32]:
    """Logits (positions, vocab), step by step over its caches: several positions at once need a
    window of twice their number there."""
    model = mlx_audio_model(folder)
    audio = model.encoder(mx.array(padded_mel(pcm).T))
    heard = audio[: len(ids)] + model.decoder.embed_tokens(mx.array(ids))
    made, cache = [], model.decoder.make_cache()
    for position in range(len(ids)):
        step = heard[position : position + 1]
        hidden, cache = model.decoder.forward(step, start_pos=position, cache=cache)
        made.append(model.decoder.logits(hidden))
        mx.eval(made[-1])
    return np.array(mx.concatenate(made).astype(mx.float32))


@pytest.mark.parametrize("bits", [16, 8, 4])
def test_mlx_audio_gives_the_same_logits_past_both_windows(tmp_path: Path, bits: int) -> None:
    pcm = clip("join_00")
    ids = [1, *[32] * 38, *reference_ids("join_00", DELAY)][: Schedule(DELAY).rows(len(pcm))]
    spec, tensors = layouts.tiny()
    wide = {name: tensor.astype(mx.float32) for name, tensor in tensors.items()}
    folder = layouts.write(tmp_path / "m", "mlx-audio", spec, wide, bits, 32)
    theirs = mlx_audio_logits(folder, pcm, ids)[SILENT_ROWS:]
    ours = forced_logits(load_speech(folder), pcm, ids, DELAY)
    assert len(ids) > 2 * spec.decoder.window
    assert np.abs(ours - theirs).max() < 2e-4


def test_mlx_audio_reads_what_we_convert(tmp_path: Path) -> None:
    """And both give the same ids with it."""
    folder = tmp_path / "four"
    convert(TINY, folder, 4, lambda fraction, what: None, group_size=32)
    pcm = clip("join_00")[:32_000]
    ids = [1, *[32] * 38, *reference_ids("join_00", DELAY)][: Schedule(DELAY).rows(len(pcm))]
    theirs = mlx_audio_logits(folder, pcm, ids)[SILENT_ROWS:]
    ours = forced_logits(load_speech(folder, mx.bfloat16), pcm, ids, DELAY)
    assert (ours.argmax(-1) == theirs.argmax(-1))[DELAY + 2 :].mean() > 0.97


@pytest.mark.parametrize("bits", [16, 6])
def test_voxmlx_gives_the_same_logits_within_the_windows(tmp_path: Path, bits: int) -> None:
    """Both packed by voxmlx's own rule: every layer whose inputs 64 divides, the delay MLP too."""
    program = voxmlx_weights()
    spec, tensors = layouts.RANDOM_SPEC, layouts.random()
    packs = lambda name, tensor: tensor.ndim == 2  # noqa: E731
    folder = layouts.write(tmp_path / "m", "voxmlx", spec, tensors, bits, 64, packs)
    model, _ = program.load_model(folder)
    pcm = clip("join_00")[:64_000]
    ids = ids_for(pcm)
    audio = model.encode(mx.array(padded_mel(pcm).T))
    heard = audio + model.language_model.embed(mx.array(ids))
    delay = model.time_embedding(mx.array([float(DELAY)]))
    theirs = np.array(model.decode(heard[None], delay, "causal")[0])[SILENT_ROWS:]
    ours = forced_logits(load_speech(folder), pcm, ids, DELAY, blocks=(1, 7, 16))
    assert np.abs(ours - theirs).max() < 1e-3 * theirs.std()


def test_the_comparison_with_voxmlx_is_not_blind(tmp_path: Path) -> None:
    """Its missing window shows as soon as the audio is longer: that is why it ends there."""
    program = voxmlx_weights()
    spec, tensors = layouts.tiny()
    folder = layouts.write(tmp_path / "m", "voxmlx", spec, tensors)
    model, _ = program.load_model(folder)
    assert isinstance(model, Module)
    pcm = clip("join_00")
    audio = np.array(model.encode(mx.array(padded_mel(pcm).T)).astype(mx.float32))
    speech = load_speech(folder)
    slot, rows = encode_all(speech, pcm, DELAY)
    difference = np.abs(adapter_rows(speech, slot, rows) - audio[SILENT_ROWS:])
    assert difference.max() > 1.0
