"""What this Voxline's own pins hold, and which of them suits which computer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from app import paths
from app.models.machine import Machine
from app.packs import python, trial
from app.packs.pins import KINDS, PinsError, pins, read
from app.packs.suits import suit
from app.packs.trial import Outcome
from app.worker import packs
from model_backends.downloads.fetch import Stop, StoppedError
from tests.models.test_places import GAMER, LAPTOP, MAC_8

MAC = Machine(apple=True, memory_bytes=16 * 2**30)
RADEON = Machine(apple=False, memory_bytes=16 * 2**30, gpu="AMD GPU", gpu_bytes=16 * 10**9)


def test_every_build_has_what_its_engines_need() -> None:
    for build in pins().builds:
        projects = {wheel.project for wheel in build.wheels}
        for engine in build.kind.engines:
            assert set(packs.NEEDS[engine]) <= projects
        assert {"numpy", "onnxruntime", "py3langid", "soxr", "tomlkit", "psutil"} <= projects
        assert all(wheel.bytes and wheel.unpacked for wheel in build.wheels)


def test_cuda_is_pinned_for_linux_and_windows_mlx_for_macs() -> None:
    systems = {(build.pack, build.system) for build in pins().builds}
    assert systems == {
        ("cpu", "linux-x86_64"), ("cpu", "windows-x86_64"), ("cuda", "linux-x86_64"),
        ("cuda", "windows-x86_64"), ("mlx", "macos-arm64"),
    }  # fmt: skip
    cuda = pins().of("cuda", "linux-x86_64")[0]
    assert {"triton", "nvidia-cudnn-cu13", "nvidia-cublas"} <= {w.project for w in cuda.wheels}
    cpu = pins().of("cpu", "linux-x86_64")[0]
    assert not [w.name for w in cpu.wheels if w.name.startswith(("nvidia", "triton", "cuda"))]
    windows = pins().build("cuda", "windows-x86_64", "3.12")
    assert windows is not None
    assert [w.build for w in windows.wheels if w.project == "torch"] == ["cu130"]


def test_each_system_can_bring_a_python_that_has_a_build() -> None:
    for build in pins().builds:
        brought = pins().python(build.system)
        assert brought is not None
        assert pins().build(build.pack, build.system, brought.minor) is not None


def test_the_pins_name_no_place_to_fetch_from() -> None:
    assert "://" not in paths.resource("packs.toml").read_text("utf-8")


GOOD = (
    'python = []\n[[build]]\npack = "cpu"\nsystem = "x"\npython = "3.12"\n'
    'wheels = [{file = "a-1-py3-none-any.whl", bytes = 1, unpacked = 1, sha256 = "'
    + "0" * 64
    + '"}]'
)


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        ("cpu", "gpu"), ("a-1", "../a-1"), ('"' + "0" * 64, '"' + "0" * 63), ("3.12", "three"),
        ("bytes = 1", "bytes = -1"), ("unpacked", "packed"), ("a-1-py3-none-any.whl", "a.exe"),
        ("[{", "[{}, {"),
    ],
)  # fmt: skip
def test_pins_that_are_not_sound_are_refused(there: str, instead: str) -> None:
    assert read(GOOD).builds[0].pin
    with pytest.raises(PinsError):
        read(GOOD.replace(there, instead, 1))


@pytest.mark.parametrize(
    ("machine", "kind", "words"),
    [
        (GAMER, "cuda", "Lets Voxtral caption on NVIDIA GeForce RTX 4070."),
        (MAC, "mlx", "Mac’s graphics processor"),
        (MAC_8, "mlx", "Mac’s graphics processor"),
        (RADEON, "", "no pack for AMD’s cards yet"),
        (LAPTOP, "", "no suitable graphics card was found. Captions here need no pack."),
    ],
)
def test_what_it_would_be_good_for_here(machine: Machine, kind: str, words: str) -> None:
    found = suit(machine)
    assert found.kind == kind
    assert words in found.words


def test_this_system_is_called_as_the_pins_call_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, machine, libc, said in (
        ("linux", "x86_64", "glibc", "linux-x86_64"),
        ("linux", "x86_64", "", "linux-x86_64-musl"),
        ("win32", "AMD64", "", "windows-x86_64"),
        ("darwin", "arm64", "", "macos-arm64"),
        ("linux", "aarch64", "glibc", "linux-arm64"),
    ):
        monkeypatch.setattr(sys, "platform", name)
        monkeypatch.setattr("platform.machine", lambda machine=machine: machine)
        monkeypatch.setattr("platform.libc_ver", lambda libc=libc: (libc, "2.36"))
        assert python.this_system() == said


def test_a_trial_runs_a_tiny_model_in_another_process() -> None:
    """MLX loads in a second on Linux, too."""
    pytest.importorskip("mlx.core", reason="MLX is not installed; `./test` installs it")
    assert trial.run(Path(sys.executable), "voxtral-mlx", "cpu", Stop()) == Outcome(device="cpu")
    nothing = trial.run(Path(sys.executable), "voxtral-mlx", "gpu", Stop())
    assert nothing == Outcome("MLX finds no gpu", no_card=True)


def test_torch_is_tried_by_the_same_verbs() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed; `./test` installs it")
    from model_backends.voxtral.torch import trial as torch_trial

    assert torch_trial.has("cpu")
    assert torch_trial.take_steps("cpu") == "cpu"
    assert torch_trial.has("cuda") == torch.cuda.is_available()


def test_a_trial_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    python_ = tmp_path / "python"
    assert "No such file" in trial.run(python_, "voxtral-torch", "cpu", Stop()).why
    python_.write_text("#!/bin/sh\necho 'Illegal instruction' >&2; exit 132\n", "utf-8")
    python_.chmod(0o755)
    assert trial.run(python_, "voxtral-torch", "cpu", Stop()).why == "Illegal instruction"


def test_a_trial_ends_when_it_is_not_wanted_any_more(tmp_path: Path) -> None:
    python_ = tmp_path / "python"
    python_.write_text("#!/bin/sh\nexec sleep 600\n", "utf-8")
    python_.chmod(0o755)
    stop = Stop()
    stop.ask()
    with pytest.raises(StoppedError):
        trial.run(python_, "voxtral-torch", "cpu", stop)


def test_every_kind_is_told_with_its_licence() -> None:
    assert "NVIDIA’s own licence" in KINDS["cuda"].licence
    assert all(kind.licence.endswith(".") for kind in KINDS.values())
