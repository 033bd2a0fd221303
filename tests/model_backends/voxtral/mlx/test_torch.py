"""MLX and PyTorch on the same random weights, past both windows: the same logits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

mx = pytest.importorskip("mlx.core", reason="MLX is not installed")
pytest.importorskip("torch", reason="PyTorch is not installed")

from model_backends.voxtral.schedule import Schedule  # noqa: E402
from tests.model_backends.voxtral import forcing as torch_forcing  # noqa: E402
from tests.model_backends.voxtral.mlx import forcing, layouts  # noqa: E402
from tests.model_backends.voxtral.transcribing import clip  # noqa: E402

SPEC = replace(
    layouts.RANDOM_SPEC,
    encoder=replace(layouts.RANDOM_SPEC.encoder, window=24),
    decoder=replace(layouts.RANDOM_SPEC.decoder, window=40),
)


@pytest.mark.parametrize("delay", [1, 12])
@pytest.mark.parametrize("layout", ["native", "hf"])
def test_both_engines_give_the_same_logits(tmp_path: Path, layout: str, delay: int) -> None:
    folder = layouts.write(tmp_path / "m", layout, SPEC, layouts.random(SPEC))
    pcm = clip("join_03")
    rows = Schedule(delay).rows(len(pcm))
    assert rows > 3 * SPEC.decoder.window
    said = np.random.default_rng(0).integers(0, SPEC.vocab, rows - 33 - delay)
    ids = [1, *[32] * (32 + delay), *said.tolist()]
    ours = forcing.forced_logits(forcing.load_speech(folder), pcm, ids, delay, (1, 4))
    theirs = torch_forcing.forced_logits(torch_forcing.load_speech(folder), pcm, ids, delay, (1, 4))
    assert np.abs(ours - theirs.numpy()).max() < 1e-4 * float(theirs.std())
