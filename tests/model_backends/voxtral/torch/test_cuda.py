"""What can be known of the CUDA path without a GPU.

The engine runs on PyTorch's device without numbers, which like a GPU is not the host. Every
operation of a step that would be captured is seen: all its tensors must be there, and none may
ask the host for a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from model_backends.base import EngineError, StreamOptions
from model_backends.voxtral import memory
from model_backends.voxtral.checkpoint import tensor_names
from model_backends.voxtral.engine import VoxtralEngine, warm_up
from model_backends.voxtral.spec import PUBLISHED, ModelSpec, Tower
from model_backends.voxtral.speech_model import (
    DECODE_ROWS,
    ENCODE_ROWS,
    MOST_BONUSES,
    Decoded,
    DecodeWork,
    EncodeWork,
)
from model_backends.voxtral.tekken import Tekken
from model_backends.voxtral.torch import graphs as torch_graphs
from model_backends.voxtral.torch import info as torch_info
from model_backends.voxtral.torch import kv_cache as torch_kv_cache
from model_backends.voxtral.torch import load as torch_load
from model_backends.voxtral.torch import runner as torch_runner
from model_backends.voxtral.torch.model import Network
from model_backends.voxtral.torch.runner import ModelRunner
from model_backends.voxtral.torch.weights import assembled, compute_dtype
from tests.support.likeness import assert_like

GPU = torch.device("meta")
SPEC = ModelSpec(
    encoder=Tower(2, 64, 2, 2, 32, 128, 50, 1e6, 1e-5, True),
    decoder=Tower(2, 64, 4, 2, 32, 128, 64, 1e6, 1e-5, False),
    vocab=1408,
)
SPECIAL = {"<s>": 1, "</s>": 2, "[STREAMING_PAD]": 32, "[STREAMING_WORD]": 33}
VIEWS = (  # no work of their own
    "view", "slice", "select", "permute", "transpose", "numpy_T", "expand", "unbind", "split",
    "chunk", "flatten", "reshape", "squeeze", "detach", "alias", "as_strided",
)  # fmt: skip
ASKS_THE_HOST = ("_local_scalar_dense", "nonzero", "unique", "masked_select", "is_nonzero")


class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call] # PyTorch has no types for it
    """Sees every operation of a step."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # nor here
        self.seen: set[str] = set()
        self.wrong: list[str] = []
        self.count = 0
        self.asked: list[object] = []  # shapes of steps, in order
        self.captured: set[object] = set()
        self.versions: set[object] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = str(func)
        if name.startswith("aten._weight_int4pack_mm"):  # PyTorch's shape rule knows no such device
            x, weight = args[:2]
            out = x.new_empty((len(x), 8 * weight.shape[0]))
        else:
            out = func(*args, **(kwargs or {}))
        self.seen.add(name)
        self.count += not any(view in name for view in VIEWS)
        tensors = [t for t in torch.utils._pytree.tree_leaves((args, kwargs, out))
                   if isinstance(t, torch.Tensor)]  # fmt: skip
        if any(t.device != GPU for t in tensors) or any(word in name for word in ASKS_THE_HOST):
            self.wrong.append(name)
        return out


class Unrun:
    """A step whose inputs are on the GPU already; it is watched, and its capture noted."""

    def __init__(self, function: torch_graphs.Function, watch: Watch, key: object) -> None:
        self._function, self._watch, self._key = function, watch, key

    def capture(self) -> None:
        self._watch.captured.add(self._key)

    def run(self, ints: Any, floats: Any) -> Any:
        on_gpu = [torch.empty(a.shape, dtype=torch.from_numpy(a).dtype, device=GPU)
                  for a in (ints, floats)]  # fmt: skip
        with self._watch:
            return self._function(*on_gpu)


def test_the_step_that_does_not_run_has_no_verb_that_a_step_lacks() -> None:
    assert_like(Unrun, torch_graphs.Step)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Steps are watched and not captured; no number ever comes back."""
    watch = Watch()

    class Watched:
        def __init__(self, device: object) -> None: ...

        def get(self, key: object, version: object, make: Any) -> Unrun:
            watch.asked.append(key)
            watch.versions.add(version)
            return Unrun(make()[0], watch, key)

        def clear(self) -> None: ...

    def no_numbers(answers: Any, count: int) -> list[Decoded]:
        assert answers.shape[0] >= count
        return [Decoded(32, 9.0, -0.1)] * count

    assert_like(Watched, torch_graphs.Steps)
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
    speech = ModelRunner(network(precision), Tekken(SPECIAL, [b" a"] * 408, 1000), precision)
    encoders = [speech.open_encoder() for _ in range(3)]
    decoders = [speech.open_decoder(delay) for delay in (6, 1, 30)]
    speech.encode([EncodeWork(slot, 31, mel(1)) for slot in encoders])
    speech.encode([EncodeWork(encoders[0], 32, mel(8))])
    rows = tuple((encoders[0], row) for row in range(31, 47))
    speech.decode([DecodeWork(slot, 31, (32,), rows[:3]) for slot in decoders])
    speech.decode([DecodeWork(slot, 34, (32,) * 13, rows[3:]) for slot in decoders[:2]])
    wished = ((1001, 2.0), (1002, 2.0))
    speech.decode([DecodeWork(decoders[2], 34, (33,), rows[3:4], bonuses=wished)])
    assert len(watch.seen) > 20
    assert watch.wrong == []
    like = compute_dtype(precision)
    caches = (*speech.encoder_cache.keys, *speech.decoder_cache.values, speech._rows)
    assert {(t.device, t.dtype) for t in caches} == {(GPU, like)}


def gpu_speech(precision: str, slots: tuple[int, int]) -> ModelRunner:
    speech = ModelRunner(network(precision), Tekken(SPECIAL, [b" a"] * 408, 1000), precision, slots)
    speech._captures = True
    return speech


def test_live_captions_meet_no_shape_that_was_not_captured_and_nothing_moves(watch: Watch) -> None:
    """Two voices, a second delay, a change of delay and a reader that takes over: fewer slots
    than are held from the beginning. Prompts and what a new reader catches up with run plain."""
    speech = gpu_speech("bf16", (2, 4))
    engine = VoxtralEngine(torch_info.INFO, "on meta", speech, speech._tokens)
    warm_up(engine)
    speech.capture(blocks=False)
    moved = speech._version
    watch.asked.clear()
    watch.versions.clear()
    streams = [engine.open(StreamOptions(voice, 0, (480,), 0)) for voice in ("me", "them")]
    for row in range(60):
        if row == 30:
            streams[0].set_delay(0, 960)
        if row == 40:
            streams[1].set_delay(0, 80)
        for stream in streams:
            stream.push(np.zeros(1280, np.float32), 1.0)
        while not engine.idle:
            engine.advance()
    live = [key for key in watch.asked if key[0] == "encode" or key[3] == 1]  # type: ignore[index]
    assert len(live) > 100
    assert set(live) <= watch.captured
    assert {speech._version, *watch.versions} == {moved}
    full = speech.decoder_cache.length
    assert full == memory.cache_cells(SPEC.decoder, DECODE_ROWS, scratch=1)
    assert (speech.encoder_cache.slots, speech.decoder_cache.slots) == (2, 4)
    engine.close()


def test_a_step_that_expects_words_is_captured_where_words_are_expected(watch: Watch) -> None:
    speech = gpu_speech("bf16", (2, 4))
    for wished in (False, True):
        watch.captured.clear()
        speech.capture(blocks=False, bonuses=wished)
        rooms = {key[4] for key in watch.captured if key[0] == "decode"}  # type: ignore[index]
        assert rooms == ({0, MOST_BONUSES} if wished else {0})


def test_a_file_is_encoded_in_blocks_that_are_captured(watch: Watch) -> None:
    """However few rows the decoder takes at once: only the file's end is smaller."""
    speech = gpu_speech("bf16", (1, 1))
    engine = VoxtralEngine(torch_info.INFO, "on meta", speech, speech._tokens)
    stream = engine.open(StreamOptions("file", 0, (480,), 0, realtime=False))
    stream.push(np.zeros(1280 * 600, np.float32), 1.0)
    stream.finish()
    watch.asked.clear()
    while not stream.done:
        engine.advance()
    rows = [key[3] for key in watch.asked if key[0] == "encode"]  # type: ignore[index]
    assert len(rows) > 15
    assert set(rows[:-1]) == {ENCODE_ROWS}
    engine.close()


def test_the_shapes_of_a_file_are_captured_too(watch: Watch) -> None:
    speech = gpu_speech("bf16", (2, 4))
    speech.capture(blocks=True)
    drafts = {key[3] for key in watch.captured if key[0] == "decode"}  # type: ignore[index]
    assert drafts == {1, 4, 8, 16, 32}
    assert ("encode", 0, 1, ENCODE_ROWS) in watch.captured


def test_a_batch_takes_the_fewest_slots_in_a_fixed_list_of_runs() -> None:
    assert torch_kv_cache.spans(4) == [(0, 1), (1, 1), (2, 1), (3, 1), (0, 2), (2, 2), (0, 4)]
    assert torch_kv_cache.span([1], 4) == (1, 1)
    assert torch_kv_cache.span([3, 2], 4) == (2, 2)
    assert torch_kv_cache.span([1, 2], 4) == (0, 4)


@pytest.mark.parametrize(("free", "slots"), [(80e9, (2, 4)), (2.6e9, (1, 2)), (1.8e9, (1, 1))])
def test_how_many_slots_a_gpu_holds_from_the_beginning(free: float, slots: object) -> None:
    assert torch_load.slots_for(PUBLISHED, int(free), 2) == slots
    assert torch_load.slots_for(PUBLISHED, int(0.5e9), 2) == (0, 0)


def test_a_live_step_takes_few_operations(watch: Watch) -> None:
    """Counted on a decoder of 2 layers and one of 3: what a layer costs. It was 29 before
    rotation became one product, the norm took its gain, and the product its sum."""
    counts = []
    for layers in (2, 3):
        spec = replace(SPEC, decoder=replace(SPEC.decoder, layers=layers))
        speech = ModelRunner(network("bf16", spec), Tekken(SPECIAL, [b" a"] * 408, 1000), "bf16")
        encoder, decoder = speech.open_encoder(), speech.open_decoder(6)
        before = watch.count
        speech.decode([DecodeWork(decoder, 31, (32,), ((encoder, 31),))])
        counts.append(watch.count - before)
    assert counts[1] - counts[0] <= 18


def network(precision: str, spec: ModelSpec = SPEC) -> Network:
    dtype, known = compute_dtype(precision), tensor_names.shapes(spec)
    return assembled(
        spec, lambda name: torch.empty(known[name], dtype=dtype, device=GPU), precision, GPU
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


def test_the_captures_have_no_verb_that_cuda_lacks() -> None:
    assert_like(Captures, torch.cuda, own={"handles", "streams"})


def test_a_pool_is_not_used_again_after_its_last_graph_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PyTorch refuses the handle of a pool that has died: caches grow, graphs go, all are new."""
    cuda, made = Captures(), []
    monkeypatch.setattr(torch, "cuda", cuda)
    monkeypatch.setattr(
        torch_graphs, "Step", lambda function, ints, floats, device, *rest: made.append(rest)
    )
    steps = torch_graphs.Steps(torch.device("cuda"))
    for version in (1, 1, 2):
        for key in ("encode", "decode"):
            steps.get(
                key,
                version,
                lambda: (lambda a, b: a, np.zeros(1, np.int64), np.zeros(1, np.float32)),
            )
    pools: Sequence[int] = [pool for pool, _ in made]
    assert pools[0] == pools[1] != pools[2] == pools[3]
    assert {side for _, side in made} == {"stream 1"}


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[int] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    assert torch_load.choose_device("cuda:1") == torch.device("cuda:1")
    assert torch_load.choose_device("cuda") == torch.device("cuda")
    assert chosen == [1]
    for name in ("cuda:2", "cuda:-1", "cuda:x", "cuda:"):
        with pytest.raises(EngineError, match="GPU"):
            torch_load.choose_device(name)
