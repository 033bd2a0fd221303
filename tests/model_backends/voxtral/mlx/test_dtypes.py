"""The type of every value that a 16-bit model computes: nothing turns into float32 unseen.

A float32 value that meets a 16-bit one turns the result, and all that follows, into float32: no
error, half the speed, twice the memory. MLX itself lists what each step computes. Its fused
kernels, which a processor would run as a dozen float32 operations, are replaced by one operation
with the same rule for the result's type.
"""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("mlx.core", reason="MLX is not installed")

import mlx.core as mx

from model_backends.voxtral.mlx import model as mlx_model
from model_backends.voxtral.mlx import runner as mlx_runner
from model_backends.voxtral.mlx.runner import ModelRunner
from model_backends.voxtral.mlx.weights import DTYPES
from tests.model_backends.voxtral.mlx.forcing import load_speech
from tests.model_backends.voxtral.mlx.tracing import Listed, computed
from tests.model_backends.voxtral.transcribing import TINY
from tests.support.likeness import assert_like


@pytest.fixture(autouse=True)
def _fused(monkeypatch: pytest.MonkeyPatch) -> None:
    def rms_norm(x: Any, weight: Any, eps: float) -> Any:
        return x * 1.0 if weight is None else x * weight

    def attention(q: Any, k: Any, v: Any, *, scale: float, mask: Any) -> Any:
        assert mask.dtype == mx.bool_
        return q * k.max() * v.max()

    monkeypatch.setattr(mx.fast, "rms_norm", rms_norm)
    monkeypatch.setattr(mx.fast, "scaled_dot_product_attention", attention)


Made = tuple[str, tuple[int, ...], Any]  # primitive, shape, type


def made_by(listed: Listed) -> list[Made]:
    """Every value that a step makes."""
    primitives = [event for event in listed if event["type"] == "primitive"]
    return [(e["name"], shape, dtype) for e in primitives for _, shape, dtype in e["outputs"]]


def astray(speech: ModelRunner, voices: int = 1) -> list[Made]:
    """Values in float32 other than the rotation, done in pairs of channels, and the logits."""
    spec = speech.spec
    found = {name: made_by(listed) for name, listed in computed(speech, voices).items()}
    sizes = {tower.head_dim for tower in (spec.encoder, spec.decoder)}
    pairs = {shape for d in sizes for shape in ((d // 2, 2), (d // 2, 1), (d, 1))}
    wrong = []
    for name, made in found.items():
        assert len(made) > 5, "nothing was traced"
        for primitive, shape, dtype in made:
            rotation = name != "_answer_step" and shape[-2:] in pairs
            logits = name == "_answer_step" and primitive not in ("Matmul", "QuantizedMatmul")
            small = shape in {(), (2,), (voices, 1, 1)}  # constants; whether a stream begins
            if dtype == mx.float32 and not (rotation or logits or small):
                wrong.append((primitive, shape, dtype))
    return wrong


@pytest.mark.parametrize(
    ("dtype", "bits", "voices"), [("bf16", None, 1), ("bf16", 4, 2), ("fp16", None, 2)]
)
def test_nothing_turns_into_float32(dtype: str, bits: int | None, voices: int) -> None:
    speech = load_speech(TINY, DTYPES[dtype], bits)
    assert astray(speech, voices) == []
    speech.close()


def test_a_mel_that_is_not_cast_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mistake of others: the mel comes in float32 and takes the whole graph along."""
    encode = mlx_model.encode

    def uncast(net: Any, mel: Any, *rest: Any) -> Any:
        class Stubborn:
            def astype(self, dtype: Any) -> Any:
                return mel

        assert_like(Stubborn, mx.array)
        return encode(net, Stubborn(), *rest)  # type: ignore[arg-type] # like one, as far as asked

    monkeypatch.setattr(mlx_runner, "encode", uncast)
    wrong = astray(load_speech(TINY, mx.bfloat16))
    assert {"Matmul", "AddMM", "Sigmoid"} <= {made[0] for made in wrong}


def test_a_rotation_that_is_not_cast_back_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    rotate = mlx_model.rotate
    monkeypatch.setattr(mlx_model, "rotate", lambda x, turn: rotate(x, turn).astype(mx.float32))
    assert astray(load_speech(TINY, mx.bfloat16))
