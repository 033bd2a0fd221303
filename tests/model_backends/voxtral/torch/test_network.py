"""The PyTorch network against reference tensors, and every mistake that changes no id."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from safetensors import safe_open

pytest.importorskip("torch", reason="PyTorch is not installed")

import torch
import torch.nn.functional as F  # noqa: N812

from model_backends.voxtral.checkpoint import tensor_names
from model_backends.voxtral.schedule import SILENT_ROWS
from model_backends.voxtral.torch import ops as torch_ops
from model_backends.voxtral.torch import weights as torch_weights
from model_backends.voxtral.torch.kv_cache import KVCache
from model_backends.voxtral.torch.quant import Int8
from model_backends.voxtral.torch.runner import ModelRunner
from tests.model_backends.voxtral.forcing import (
    CPU,
    adapter_rows,
    encode_all,
    forced_logits,
    load_speech,
)
from tests.model_backends.voxtral.transcribing import TINY, clip

DELAY = 6


@pytest.fixture(scope="module")
def reference() -> dict[str, torch.Tensor]:
    with safe_open(TINY / "reference_tensors.safetensors", "pt") as tensors:
        return {name: tensors.get_tensor(name) for name in tensors.keys()}  # noqa: SIM118


@pytest.fixture(scope="module")
def speech() -> ModelRunner:
    return load_speech(TINY)


def logits_of(speech: ModelRunner, reference: dict[str, torch.Tensor], **how: object) -> float:
    """Largest difference to the reference's logits."""
    ids = reference["input_ids"].tolist()
    logits = forced_logits(speech, clip("join_00"), ids, DELAY, **how)  # type: ignore[arg-type]
    return float((logits - reference["logits"][SILENT_ROWS:]).abs().max())


@pytest.mark.parametrize("blocks", [(1,), (2, 5, 1, 8), (32,)])
def test_adapter_rows_equal_the_reference_in_any_blocks(
    speech: ModelRunner, reference: dict[str, torch.Tensor], blocks: tuple[int, ...]
) -> None:
    slot, rows = encode_all(speech, clip("join_00"), DELAY, blocks)
    difference = adapter_rows(speech, slot, rows) - reference["adapter"][SILENT_ROWS:]
    speech.close_encoder(slot)
    assert float(difference.abs().max()) < 2e-5


@pytest.mark.parametrize("blocks", [(1,), (2, 5, 1, 8), (32,)])
def test_logits_equal_the_reference_in_any_blocks(
    speech: ModelRunner, reference: dict[str, torch.Tensor], blocks: tuple[int, ...]
) -> None:
    assert logits_of(speech, reference, blocks=blocks) < 1e-4


def test_the_fused_attention_equals_the_two_products(
    speech: ModelRunner, reference: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which of the two runs depends on the processor and the type; both must be right."""
    for few in (16, 0):
        monkeypatch.setattr(torch_ops, "_FEW_QUERIES", few)
        assert logits_of(speech, reference) < 1e-4


def test_a_stream_at_its_24th_hour_is_as_good_as_at_its_first(
    speech: ModelRunner, reference: dict[str, torch.Tensor]
) -> None:
    assert logits_of(speech, reference, first_row=24 * 3600 * 25 // 2) < 1e-4


def mutated(
    reference: dict[str, torch.Tensor],
    change_spec: Callable[[object], object] = lambda spec: spec,
    change_tensor: Callable[[str, torch.Tensor], torch.Tensor] = lambda name, tensor: tensor,
    **how: object,
) -> float:
    sound = load_speech(TINY)
    spec = change_spec(sound.spec)
    files = tensor_names.file_names(sound.spec, "native")
    with safe_open(TINY / "consolidated.safetensors", "pt") as tensors:
        net = torch_weights.network_from(
            spec,  # type: ignore[arg-type]
            lambda name: change_tensor(name, tensors.get_tensor(files[name])),
            CPU,
            "fp32",
        )
    return logits_of(ModelRunner(net, sound._tokens, "fp32"), reference, **how)


@pytest.mark.parametrize("step", [-1, 1])
@pytest.mark.parametrize("tower", ["encoder", "decoder"])
def test_a_window_off_by_one_is_caught(
    reference: dict[str, torch.Tensor], tower: str, step: int
) -> None:
    def change(spec: object) -> object:
        sizes = getattr(spec, tower)
        return replace(spec, **{tower: replace(sizes, window=sizes.window + step)})  # type: ignore[type-var]

    assert mutated(reference, change) > 1e-3


def test_rows_in_the_wrong_order_are_caught(reference: dict[str, torch.Tensor]) -> None:
    spec = load_speech(TINY).spec

    def change(name: str, tensor: torch.Tensor) -> torch.Tensor:
        heads = tensor_names.rotary_heads(name, spec)
        return tensor if heads is None else tensor[tensor_names.halves_order(*heads)]

    assert mutated(reference, change_tensor=change) > 1.0


def test_attention_is_scaled_by_the_rotation() -> None:
    """Queries and keys both hold the fourth root of 1 / d, so scores need no rounding product."""
    tower = replace(load_speech(TINY).spec.decoder, head_dim=128)
    turn = KVCache(tower, 8, CPU, torch.float32).rope(np.array([0, 7]))
    assert turn[0, ::2] == pytest.approx(128**-0.25)
    assert (turn**2).reshape(2, 64, 2).sum(-1) == pytest.approx(128**-0.5)


@pytest.mark.parametrize(
    ("dtype", "q", "key", "apart"),
    [(torch.bfloat16, 1.0, 20.0, 0.0625), (torch.float16, 256.0, 300.0, 0.0)],
)
def test_scores_of_sixteen_bits_are_not_rounded(
    dtype: torch.dtype, q: float, key: float, apart: float
) -> None:
    """20 and 20.0625 are one number in bfloat16; 76,800 is infinite in float16."""
    queries, keys = torch.zeros(1, 1, 1, 64), torch.zeros(1, 1, 2, 64)
    queries[..., :2] = q
    keys[..., 0], keys[:, :, 1, 1] = key, apart
    values = torch.tensor([0.0, 1.0])[None, None, :, None].repeat(1, 1, 1, 64)
    mask = torch.zeros(1, 1, 1, 2, dtype=dtype)
    out = torch_ops.softmax_attention(queries.to(dtype), keys.to(dtype), values.to(dtype), mask)
    assert float(out[..., 0]) == pytest.approx(1 / (1 + np.exp(-q * apart)), abs=3e-3)


@pytest.mark.parametrize("delay", [5, 7, 480])
def test_a_wrong_delay_vector_is_caught(reference: dict[str, torch.Tensor], delay: int) -> None:
    assert mutated(reference, scale_for=delay) > 1.0


def test_the_tanh_approximation_of_gelu_is_caught(
    reference: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = F.gelu
    monkeypatch.setattr(F, "gelu", lambda x: exact(x, approximate="tanh"))
    assert mutated(reference) > 2e-4


@pytest.mark.parametrize("bias", ["wq.bias", "wv.bias"])
def test_a_dropped_bias_is_caught(reference: dict[str, torch.Tensor], bias: str) -> None:
    def change(name: str, tensor: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(tensor) if name.endswith(bias) else tensor

    assert mutated(reference, change_tensor=change) > 1e-3


def test_a_mel_grid_40_samples_early_is_caught(
    speech: ModelRunner, reference: dict[str, torch.Tensor]
) -> None:
    early = np.concatenate([clip("join_00")[40:], np.zeros(40, np.float32)])
    ids = reference["input_ids"].tolist()
    logits = forced_logits(speech, early, ids, DELAY)
    assert float((logits - reference["logits"][SILENT_ROWS:]).abs().max()) > 0.05


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    torch.set_num_threads(1)
    yield


def test_a_quantised_model_is_its_dequantised_twin_up_to_bf16(
    reference: dict[str, torch.Tensor],
) -> None:
    """The twin computes in float32 on the numbers that the 8 bits stand for."""
    eight, sixteen = load_speech(TINY, "int8"), load_speech(TINY, "bf16")
    files = tensor_names.file_names(eight.spec, "native")
    with safe_open(TINY / "consolidated.safetensors", "pt") as tensors:

        def dequantised(name: str) -> torch.Tensor:
            tensor = tensors.get_tensor(files[name])
            small = tensor.dim() != 2 or ".ada." in name
            return tensor if small else Int8(tensor).dequantised()

        net = torch_weights.network_from(eight.spec, dequantised, CPU, "fp32")
    twin = ModelRunner(net, eight._tokens, "fp32")
    ids = reference["input_ids"].tolist()
    logits = {
        name: forced_logits(speech, clip("join_00"), ids, DELAY)
        for name, speech in (("eight", eight), ("twin", twin), ("sixteen", sixteen))
    }
    rounding = (logits["sixteen"] - reference["logits"][SILENT_ROWS:]).square().mean().sqrt()
    apart = (logits["eight"].float() - logits["twin"]).square().mean().sqrt()
    from_exact = (
        (logits["eight"].float() - reference["logits"][SILENT_ROWS:]).square().mean().sqrt()
    )
    assert float(apart) < 1.5 * float(rounding)
    assert float(from_exact) > float(apart)
