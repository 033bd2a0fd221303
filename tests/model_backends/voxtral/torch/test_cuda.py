"""What can be known of the CUDA path without a GPU.

The engine runs on PyTorch's device without numbers, which like a GPU is not the host. Every
operation of a step that would be captured is seen: all its tensors must be there, and none may
ask the host for a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from model_backends.base import EngineError  # noqa: E402
from model_backends.voxtral.checkpoint import tensor_names  # noqa: E402
from model_backends.voxtral.spec import ModelSpec, Tower  # noqa: E402
from model_backends.voxtral.speech_model import Decoded, DecodeWork, EncodeWork  # noqa: E402
from model_backends.voxtral.tekken import Tekken  # noqa: E402
from model_backends.voxtral.torch import graphs as torch_graphs  # noqa: E402
from model_backends.voxtral.torch import load as torch_load  # noqa: E402
from model_backends.voxtral.torch import runner as torch_runner  # noqa: E402
from model_backends.voxtral.torch.model import Network  # noqa: E402
from model_backends.voxtral.torch.runner import TorchSpeech  # noqa: E402
from model_backends.voxtral.torch.weights import assembled, compute_dtype  # noqa: E402

GPU = torch.device("meta")
SPEC = ModelSpec(
    encoder=Tower(2, 64, 2, 2, 32, 128, 50, 1e6, 1e-5, True),
    decoder=Tower(2, 64, 4, 2, 32, 128, 64, 1e6, 1e-5, False),
    vocab=1408,
)
SPECIAL = {"<s>": 1, "</s>": 2, "[STREAMING_PAD]": 32, "[STREAMING_WORD]": 33}
ASKS_THE_HOST = ("_local_scalar_dense", "nonzero", "unique", "masked_select", "is_nonzero")


class Watch(TorchDispatchMode):
    """Sees every operation of a step."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.wrong: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = str(func)
        if name.startswith("aten._weight_int4pack_mm"):  # PyTorch's shape rule knows no such device
            x, weight = args[:2]
            out = x.new_empty((len(x), 8 * weight.shape[0]))
        else:
            out = func(*args, **(kwargs or {}))
        self.seen.add(name)
        tensors = [t for t in torch.utils._pytree.tree_leaves((args, kwargs, out))
                   if isinstance(t, torch.Tensor)]  # fmt: skip
        if any(t.device != GPU for t in tensors) or any(word in name for word in ASKS_THE_HOST):
            self.wrong.append(name)
        return out


class Unrun:
    """A step whose inputs are on the GPU already; it is watched instead of captured."""

    def __init__(self, function: torch_graphs.Function, watch: Watch) -> None:
        self._function, self._watch = function, watch

    def run(self, ints: Any, floats: Any) -> Any:
        on_gpu = [torch.empty(a.shape, dtype=torch.from_numpy(a).dtype, device=GPU)
                  for a in (ints, floats)]  # fmt: skip
        with self._watch:
            return self._function(*on_gpu)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Steps are watched and not captured; no number ever comes back."""
    watch = Watch()

    class Watched:
        def __init__(self, device: object) -> None: ...

        def get(self, key: object, version: object, make: Any) -> Unrun:
            return Unrun(make()[0], watch)

    def no_numbers(answers: Any, count: int) -> list[Decoded]:
        assert answers.shape[0] >= count
        return [Decoded(32, 32, 9.0)] * count

    monkeypatch.setattr(torch_runner, "Steps", Watched)
    monkeypatch.setattr(torch_runner, "_decoded", no_numbers)
    monkeypatch.setattr(torch_runner, "_device_name", str)
    monkeypatch.setattr(torch.Tensor, "cpu", lambda tensor: tensor)
    return watch


def mel(rows: int) -> Any:
    return np.zeros((3 + 8 * rows, 128), np.float32)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16", "int8", "int4"])
def test_a_step_stays_on_the_gpu_and_never_asks_the_host(watch: Watch, precision: str) -> None:
    """Live steps, blocks, drafts and several streams; every result has the model's own type."""
    speech = TorchSpeech(network(precision), Tekken(SPECIAL, [b" a"] * 408, 1000), precision)
    encoders = [speech.open_encoder() for _ in range(3)]
    decoders = [speech.open_decoder(delay) for delay in (6, 1, 30)]
    speech.encode([EncodeWork(slot, 31, mel(1)) for slot in encoders])
    speech.encode([EncodeWork(encoders[0], 32, mel(8))])
    rows = tuple((encoders[0], row) for row in range(31, 47))
    speech.decode([DecodeWork(slot, 31, (32,), rows[:3]) for slot in decoders])
    speech.decode([DecodeWork(slot, 34, (32,) * 13, rows[3:]) for slot in decoders[:2]])
    assert len(watch.seen) > 20
    assert watch.wrong == []
    like = compute_dtype(precision)
    rings = (*speech.encoder_rings.keys, *speech.decoder_rings.values, speech._rows)
    assert {(t.device, t.dtype) for t in rings} == {(GPU, like)}


def network(precision: str) -> Network:
    dtype, known = compute_dtype(precision), tensor_names.shapes(SPEC)
    return assembled(
        SPEC, lambda name: torch.empty(known[name], dtype=dtype, device=GPU), precision, GPU
    )


class Captures:
    """Stands in for torch.cuda in `torch_graphs`: counts handles and streams."""

    def __init__(self) -> None:
        self.handles = 0
        self.streams = 0

    def graph_pool_handle(self) -> int:
        self.handles += 1
        return self.handles

    def Stream(self, device: object) -> str:  # noqa: N802
        self.streams += 1
        return f"stream {self.streams}"


def test_a_pool_is_not_used_again_after_its_last_graph_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PyTorch refuses the handle of a pool that has died: rings grow, graphs go, all are new."""
    cuda, made = Captures(), []
    monkeypatch.setattr(torch_graphs.torch, "cuda", cuda)
    monkeypatch.setattr(
        torch_graphs, "Step", lambda function, ints, floats, device, *rest: made.append(rest)
    )
    steps = torch_graphs.Steps(torch.device("cuda"))
    for version in (1, 1, 2):
        for key in ("encode", "decode"):
            steps.get(key, version, lambda: (lambda a, b: a, np.zeros(1), np.zeros(1)))
    pools: Sequence[int] = [pool for pool, _ in made]
    assert pools[0] == pools[1] != pools[2] == pools[3]
    assert {side for _, side in made} == {"stream 1"}


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[int] = []
    monkeypatch.setattr(torch_load.torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch_load.torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch_load.torch.cuda, "set_device", chosen.append)
    assert torch_load.choose_device("cuda:1") == torch.device("cuda:1")
    assert torch_load.choose_device("cuda") == torch.device("cuda")
    assert chosen == [1]
    for name in ("cuda:2", "cuda:-1", "cuda:x", "cuda:"):
        with pytest.raises(EngineError, match="GPU"):
            torch_load.choose_device(name)
