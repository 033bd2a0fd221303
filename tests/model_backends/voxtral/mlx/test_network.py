"""The MLX network against reference tensors, and every mistake that changes no id."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors import safe_open

pytest.importorskip("mlx.core", reason="MLX is not installed")

import mlx.core as mx

from model_backends.voxtral import schedule
from model_backends.voxtral.checkpoint.packed import open_checkpoint
from model_backends.voxtral.checkpoint.tensor_names import halves_order, rotary_heads
from model_backends.voxtral.mel import MelStream
from model_backends.voxtral.mlx import model as mlx_model
from model_backends.voxtral.mlx import runner as mlx_runner
from model_backends.voxtral.mlx import weights as mlx_weights
from model_backends.voxtral.mlx.runner import ModelRunner
from model_backends.voxtral.schedule import SILENT_ROWS
from model_backends.voxtral.spec import ModelSpec
from model_backends.voxtral.speech_model import Decoded, DecodeWork, EncodeWork
from model_backends.voxtral.tekken import Tekken
from tests.model_backends.voxtral.mlx import layouts
from tests.model_backends.voxtral.mlx.forcing import (
    adapter_rows,
    encode_all,
    forced_logits,
    load_speech,
    speech_of,
)
from tests.model_backends.voxtral.mlx.tracing import Listed, computed
from tests.model_backends.voxtral.transcribing import TINY, clip

DELAY = 6
SHORT_CACHES = layouts.RANDOM_SPEC  # at first; windows as long as the published model's
DAY_ROWS = 24 * 3600 * 25 // 2

Reference = dict[str, NDArray[np.float32]]


@pytest.fixture(scope="module")
def reference() -> Reference:
    with safe_open(TINY / "reference_tensors.safetensors", "np") as tensors:
        return {name: tensors.get_tensor(name) for name in tensors.keys()}  # noqa: SIM118


@pytest.fixture(scope="module")
def speech() -> Iterator[ModelRunner]:
    speech = load_speech(TINY)
    yield speech
    speech.close()


def logits_of(speech: ModelRunner, reference: Reference, **how: object) -> float:
    """Largest difference to the reference's logits."""
    ids = reference["input_ids"].astype(int).tolist()
    logits = forced_logits(speech, clip("join_00"), ids, DELAY, **how)  # type: ignore[arg-type]
    return float(np.abs(logits - reference["logits"][SILENT_ROWS:]).max())


@pytest.mark.parametrize("blocks", [(1,), (2, 5, 1, 8), (32,)])
def test_adapter_rows_equal_the_reference_in_any_blocks(
    speech: ModelRunner, reference: Reference, blocks: tuple[int, ...]
) -> None:
    slot, rows = encode_all(speech, clip("join_00"), DELAY, blocks)
    difference = adapter_rows(speech, slot, rows) - reference["adapter"][SILENT_ROWS:]
    speech.close_encoder(slot)
    assert np.abs(difference).max() < 2e-5


@pytest.mark.parametrize("blocks", [(1,), (2, 5, 1, 8), (32,)])
def test_logits_equal_the_reference_in_any_blocks(
    speech: ModelRunner, reference: Reference, blocks: tuple[int, ...]
) -> None:
    assert logits_of(speech, reference, blocks=blocks) < 1e-4


def test_compiled_steps_say_the_same(speech: ModelRunner) -> None:
    """Two lanes, so that batches are traced too."""
    if not mx.metal.is_available() and shutil.which("g++") is None:
        pytest.skip("without a GPU, mx.compile calls g++, which is not here")
    compiled = load_speech(TINY, compiled=True)
    plain_said, compiled_said = two_lanes(speech), two_lanes(compiled)
    compiled.close()
    assert [d.token for d in compiled_said] == [d.token for d in plain_said]
    scores = np.array([[d[1:] for d in said] for said in (plain_said, compiled_said)])
    assert np.abs(scores[0] - scores[1]).max() < 1e-4


def test_a_longer_cache_needs_no_new_kernels() -> None:
    """A number in a traced step becomes part of the fused kernel's source. One that changed as
    caches grow would have the GPU's compiler called in the middle of a session."""
    speech = speech_of(mlx_weights.random_network(SHORT_CACHES, mx.float32))
    short, long = (numbers(computed(speech, 1, slots)) for slots in (0, 10_000))
    assert short == long
    speech.close()


def test_on_a_gpu_all_steps_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[object] = []

    def compile(step: object) -> object:
        compiled.append(step)
        return step

    monkeypatch.setattr(mx.metal, "is_available", lambda: True)
    monkeypatch.setattr(mx, "compile", compile)
    net = mlx_weights.random_network(SHORT_CACHES, mx.float32)
    ModelRunner(net, Tekken.load(TINY / "tekken.json", net.spec.vocab), "test").close()
    assert len(compiled) == 4


def test_work_is_started_as_soon_as_described_and_waited_for_once(
    speech: ModelRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row and three chained steps: the device is busy all along, the host waits at the end."""
    source, reader = speech.open_encoder(), speech.open_decoder(1)
    done: list[str] = []
    start, decoded = mlx_runner._start, mlx_runner._decoded

    def started(*arrays: object) -> None:
        done.append("start")
        start(*arrays)

    def waited(answers: Sequence[mx.array]) -> list[Decoded]:
        done.append("wait")
        return decoded(answers)

    monkeypatch.setattr(mlx_runner, "_start", started)
    monkeypatch.setattr(mlx_runner, "_decoded", waited)
    mel = np.zeros((3 + 8 * 3, 128), np.float32)
    speech.encode([EncodeWork(source, SILENT_ROWS, mel)])
    rows = tuple((source, SILENT_ROWS + i) for i in range(3))
    (answers,) = speech.decode([DecodeWork(reader, SILENT_ROWS, (32,), rows)])
    speech.close_decoder(reader)
    speech.close_encoder(source)
    assert len(answers) == 3
    assert done == ["start"] * 4 + ["wait"]


def numbers(steps: dict[str, Listed]) -> list[list[float]]:
    """The constants in each step's trace, in order."""
    found = []
    for listed in steps.values():
        (constants,) = (e["constants"] for e in listed if e["type"] == "constants")
        found.append([np.array(array.astype(mx.float32)).tolist() for _, array in constants])
    return found


def two_lanes(speech: ModelRunner) -> list[Decoded]:
    """Twelve steps of two streams at two delays in one batch, each fed its own ids."""
    mels = []
    for name in ("join_00", "join_01"):
        mels.append(MelStream())
        mels[-1].push(clip(name)[:32_000])
    sources = [speech.open_encoder(), speech.open_encoder()]
    slots = [speech.open_decoder(1), speech.open_decoder(6)]
    said: list[Decoded] = []
    for row in range(SILENT_ROWS, SILENT_ROWS + 12):
        pairs = list(zip(sources, mels, strict=True))
        speech.encode([EncodeWork(source, row, mel.take(1)) for source, mel in pairs])
        lanes = zip(slots, sources, strict=True)
        work = [DecodeWork(slot, row, (32,), ((source, row),)) for slot, source in lanes]
        said += [answer for answers in speech.decode(work) for answer in answers]
    for source, slot in zip(sources, slots, strict=True):
        speech.close_decoder(slot)
        speech.close_encoder(source)
    return said


def test_a_stream_at_its_24th_hour_is_as_good_as_at_its_first(
    speech: ModelRunner, reference: Reference
) -> None:
    assert logits_of(speech, reference, first_row=DAY_ROWS) < 1e-4


def test_rotation_is_that_of_mlx_where_float32_angles_are_good_enough() -> None:
    """And not where they are not: at the encoder's position of the third hour."""
    x = mx.random.normal((1, 1, 3, 64), key=mx.random.key(1))
    for position, low, high in ((0, 0, 1e-7), (700, 0, 1e-3), (540_000, 1e-3, 1)):
        angles = schedule.rope(np.array([position]), 64, 1e6)
        turn = mlx_model.places_of(mx.zeros((1, 1, 3), mx.int32), mx.array(angles[None]), [1]).turn
        ours = mlx_model.rotate(x, turn)
        theirs = mx.fast.rope(
            x.transpose(0, 2, 1, 3), 64, traditional=True, base=1e6, scale=1.0, offset=position
        ).transpose(0, 2, 1, 3)
        assert low <= float(mx.abs(ours - theirs).max()) <= high, position


def test_half_precision_stays_half_precision(reference: Reference) -> None:
    """Rows, caches and gains in the weights' type, though mel and angles arrive in float32."""
    speech = load_speech(TINY, mx.bfloat16)
    slot, _ = encode_all(speech, clip("aligned_end"), DELAY)
    decoder = speech.open_decoder(DELAY)
    held = [speech._encoders[slot].rows, speech._decoders[decoder].gains]
    for held_cache in (speech._encoders[slot].cache, speech._decoders[decoder].cache):
        held += [array for cache in held_cache.layers for array in cache]
    assert {array.dtype for array in held} == {mx.bfloat16}


@pytest.mark.parametrize("dtype", ["bf16", "fp16"])
def test_half_precision_agrees_on_ids(reference: Reference, dtype: str) -> None:
    """join_00 has no id that hangs by a thread: the best stays the best."""
    ids = reference["input_ids"].astype(int).tolist()
    speech = load_speech(TINY, mlx_weights.DTYPES[dtype])
    logits = forced_logits(speech, clip("join_00"), ids, DELAY)
    expected = reference["logits"][SILENT_ROWS:]
    spoken = slice(DELAY + 1, None)  # positions before the first answer say nothing
    agreeing = (logits.argmax(-1) == expected.argmax(-1))[spoken]
    assert agreeing.mean() >= 0.99


def mutated(
    reference: Reference,
    change_spec: Callable[[ModelSpec], ModelSpec] = lambda spec: spec,
    change_tensor: Callable[[str, mx.array], mx.array] = lambda name, tensor: tensor,
    **how: object,
) -> float:
    checkpoint = open_checkpoint(TINY)
    tensors = layouts.tensors_in(TINY / "consolidated.safetensors")

    def source(name: str) -> mx.array:
        return change_tensor(name, tensors[checkpoint.plain[name].name])

    net = mlx_weights.network_from(change_spec(checkpoint.spec), source, mx.float32)
    return logits_of(speech_of(net), reference, **how)


def test_nothing_mutated_differs_in_nothing(reference: Reference) -> None:
    assert mutated(reference) < 1e-4


@pytest.mark.parametrize("step", [-1, 1])
@pytest.mark.parametrize("tower", ["encoder", "decoder"])
def test_a_window_off_by_one_is_caught(reference: Reference, tower: str, step: int) -> None:
    def change(spec: ModelSpec) -> ModelSpec:
        sizes = getattr(spec, tower)
        return replace(spec, **{tower: replace(sizes, window=sizes.window + step)})

    assert mutated(reference, change) > 1e-3


def test_rows_in_the_wrong_order_are_caught(reference: Reference) -> None:
    spec = open_checkpoint(TINY).spec

    def change(name: str, tensor: mx.array) -> mx.array:
        heads = rotary_heads(name, spec)
        return tensor if heads is None else tensor[mx.array(halves_order(*heads))]

    assert mutated(reference, change_tensor=change) > 1.0


@pytest.mark.parametrize("delay", [5, 7, 480])
def test_a_wrong_delay_vector_is_caught(
    speech: ModelRunner, reference: Reference, delay: int
) -> None:
    assert logits_of(speech, reference, scale_for=delay) > 1.0


def test_the_tanh_approximation_of_gelu_is_caught(
    speech: ModelRunner, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tanh_gelu(x: mx.array) -> mx.array:
        inner = 0.7978845608 * (x + 0.044715 * x * x * x)
        return 0.5 * x * (1 + mx.tanh(inner))

    monkeypatch.setattr(mlx_model, "gelu", tanh_gelu)
    assert logits_of(speech, reference) > 2e-4


@pytest.mark.parametrize("bias", ["wq.bias", "wv.bias"])
def test_a_dropped_bias_is_caught(reference: Reference, bias: str) -> None:
    def change(name: str, tensor: mx.array) -> mx.array:
        return mx.zeros_like(tensor) if name.endswith(bias) else tensor

    assert mutated(reference, change_tensor=change) > 1e-3


def test_a_mel_grid_40_samples_early_is_caught(speech: ModelRunner, reference: Reference) -> None:
    early = np.concatenate([clip("join_00")[40:], np.zeros(40, np.float32)])
    ids = reference["input_ids"].astype(int).tolist()
    logits = forced_logits(speech, early, ids, DELAY)
    assert np.abs(logits - reference["logits"][SILENT_ROWS:]).max() > 0.05
