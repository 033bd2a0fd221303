"""Each Triton kernel against the plain operation, computed on the host by Triton's interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")
os.environ.setdefault("TRITON_INTERPRET", "1")  # read when a kernel is defined
pytest.importorskip("triton", reason="Triton is not installed: pip install triton (Linux)")

import torch

from model_backends.voxtral.mel import MelStream
from model_backends.voxtral.schedule import SILENT_ROWS
from model_backends.voxtral.speech_model import DecodeWork, EncodeWork
from model_backends.voxtral.torch import kernels
from model_backends.voxtral.torch.kernels import STAGES, fused, trusted
from model_backends.voxtral.torch.kernels.check import agrees
from model_backends.voxtral.torch.ops import PLAIN, Dense, Ops
from model_backends.voxtral.torch.quant import Int8
from tests.model_backends.voxtral.forcing import CPU, load_speech
from tests.model_backends.voxtral.transcribing import TINY, clip
from tests.support.matrix import cases

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning")


@pytest.fixture(autouse=True)
def few_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Larger shares of the work: the interpreter takes milliseconds for each program."""
    from model_backends.voxtral.torch.kernels import attention, gemv

    monkeypatch.setattr(attention, "_SPLITS", 4)
    monkeypatch.setattr(gemv, "_TILES", dict.fromkeys((1, 4, 8), (64, 256, 4)))


@pytest.mark.parametrize("stage", STAGES)
def test_a_kernel_says_what_the_plain_operation_says(stage: str) -> None:
    """One slot and several, of one delay and of several, filling, full and past the window."""
    assert agrees(fused([stage]), CPU, torch.float32)


@pytest.mark.parametrize("stage", STAGES)
def test_a_kernel_says_so_in_16_bits(stage: str) -> None:
    assert agrees(fused([stage]), CPU, torch.bfloat16)


@pytest.mark.parametrize("kind", [Dense, Int8])
@pytest.mark.parametrize("rows", [1, 2, 4, 7, 8, 9])
def test_products_of_few_rows(rows: int, kind: type[Dense] | type[Int8]) -> None:
    """Sizes that no tile divides, a bias, a sum; nine rows take the plain way."""
    torch.manual_seed(rows)
    layer = kind(torch.randn(38, 301), torch.randn(38))
    x, add = torch.randn(1, rows, 301), torch.randn(1, rows, 38)
    for given in (None, add):
        plain, ours = (ops.linear(layer, x, given) for ops in (PLAIN, fused(["gemv"])))
        assert float((plain - ours).abs().max()) < 1e-4


@pytest.mark.parametrize("kind", [Dense, Int8])
def test_a_norm_before_and_a_gate_behind(kind: type[Dense] | type[Int8]) -> None:
    """Rows of two slots with gains of their own; the kernel is really asked for."""
    torch.manual_seed(5)
    layer, ours = kind(torch.randn(38, 301)), fused(["gemv"])
    x, gain = torch.randn(2 if kind is Int8 else 1, 1, 301), torch.randn(2, 1, 301)
    gain = gain[: len(x)]
    for name in ("normed", "gated"):
        made = getattr(ours, f"fused_{name}")(layer, x, gain, 1e-5)
        plain = getattr(PLAIN, name)(layer, x, gain, 1e-5)
        assert made.shape == plain.shape
        assert float((plain - made).abs().max()) < 1e-4 * float(plain.abs().max())


def test_the_whole_network_says_the_same_with_all_of_them() -> None:
    """A live row and a live step of the tiny model. (The interpreter takes a second a layer.)"""
    speech = load_speech(TINY)
    mel = MelStream()
    mel.push(clip("join_03")[:2_000])
    frames, said = mel.take(1), []
    assert speech._net is not None
    for ops in (PLAIN, fused()):
        speech._net.ops = PLAIN
        source, slot = speech.open_encoder(), speech.open_decoder(6)
        speech._net.ops = ops
        speech.encode([EncodeWork(source, SILENT_ROWS, frames)])
        (answer,) = speech.decode([DecodeWork(slot, SILENT_ROWS, (32,), ((source, SILENT_ROWS),))])
        said.append([*answer[0], *speech._block(source)[SILENT_ROWS].tolist()])
        speech.close_decoder(slot)
        speech.close_encoder(source)
    assert said[1] == pytest.approx(said[0], abs=1e-4)
    assert len(said[0]) > 100


@pytest.mark.parametrize("stage", ["norm", "store", "attend", "swiglu", "linear"])
def test_a_kernel_that_is_a_little_wrong_is_not_trusted(stage: str) -> None:
    right = getattr(PLAIN, stage)
    wrong = replace(PLAIN, **{stage: lambda *args: 1.02 * right(*args)})
    assert agrees(Ops(), CPU, torch.float32)
    assert not agrees(wrong, CPU, torch.float32)


def test_what_fails_or_differs_stays_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU whose compiler refuses one kernel and gets another wrong."""

    def judged(ops: Ops, device: object, dtype: object) -> bool:
        if ops.attend is not PLAIN.attend:
            raise RuntimeError("PassManager::run failed")
        return ops.norm is PLAIN.norm

    monkeypatch.setattr(kernels, "agrees", judged)
    ops = trusted(torch.device("cuda"), torch.bfloat16)
    assert (ops.attend, ops.norm) == (PLAIN.attend, PLAIN.norm)
    assert ops.linear is not PLAIN.linear
    assert ops.swiglu is not PLAIN.swiglu
    assert trusted(CPU, torch.float32) is PLAIN


@pytest.mark.parametrize("capability", cases([80, 90], always=[90]))
def test_every_kernel_compiles_for_a_gpu(capability: int) -> None:
    """Triton needs none for that; its interpreter takes Python that its compiler refuses."""
    environment = {key: value for key, value in os.environ.items() if key != "TRITON_INTERPRET"}
    script = Path(__file__).parent / "compiled.py"
    command = [sys.executable, "-W", "ignore", str(script), str(capability)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    made = set(run.stdout.split())
    assert made == {"_gemv", "_joined", "_norm", "_parts", "_store", "_swiglu"}
