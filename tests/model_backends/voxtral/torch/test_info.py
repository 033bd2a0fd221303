"""What is said about the engine without loading PyTorch, and which folder a name means."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import model_backends
from model_backends.base import EngineError
from model_backends.voxtral import info
from model_backends.voxtral.spec import PUBLISHED
from model_backends.voxtral.torch import info as torch_info
from model_backends.voxtral.torch.info import Device
from tests.model_backends.voxtral.transcribing import TINY

GPU = Device("cuda", "Test GPU", 24 * 10**9)


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    """A models folder with the tiny model, a Whisper, and something unfinished."""
    tiny = tmp_path / "tiny-voxtral"
    tiny.mkdir()
    for name in ("params.json", "tekken.json", "consolidated.safetensors"):
        shutil.copy(TINY / name, tiny)
    for name, config in {"whisper": {"model_type": "whisper"}, "broken": "{"}.items():
        (tmp_path / name).mkdir()
        text = config if isinstance(config, str) else json.dumps(config)
        (tmp_path / name / "config.json").write_text(text)
        (tmp_path / name / "model.safetensors").write_bytes(b"")
    return tmp_path


@pytest.fixture
def with_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch counts as installed, wherever the test runs."""
    there = importlib.util.find_spec("json")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: there)


def on(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_info, "best_device", lambda: device)


def test_looking_does_not_import_a_tensor_library(models_dir: Path) -> None:
    code = (
        "import sys, pathlib, model_backends as m; m.describe('voxtral-torch');"
        f"m.availability('voxtral-torch', pathlib.Path({str(models_dir)!r}));"
        "print([x for x in ('torch', 'mlx', 'transformers') if x in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_the_engine_offers() -> None:
    offered = model_backends.describe("voxtral-torch")
    assert offered.delays_ms == (*range(80, 1201, 80), 2400)
    assert offered.default_delay_ms == 480
    assert offered.hangover_ms[480] == 17 * 80
    assert set(offered.word_error_rate) <= set(offered.delays_ms)
    assert offered.languages == ()


def test_one_row_for_every_checkpoint_that_is_ours(
    models_dir: Path, with_torch: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(GPU, monkeypatch)
    (row,) = model_backends.availability("voxtral-torch", models_dir)
    assert (row.model, row.available) == ("tiny-voxtral", True)
    assert row.details["preferred"] is True
    assert row.details["precision"] == "bf16"
    assert "Test GPU" in row.reason
    json.dumps(row.details)


def test_on_a_processor_it_works_and_is_not_preferred(
    models_dir: Path, with_torch: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(Device("cpu", "a processor", 8 * 10**9), monkeypatch)
    (row,) = model_backends.availability("voxtral-torch", models_dir)
    assert row.available
    assert row.details["precision"] == "fp32"
    assert not row.details["preferred"]


@pytest.mark.parametrize(("gigabytes", "precision"), [(5, "int4"), (11, "int4"), (64, "int4")])
def test_on_a_processor_the_full_model_never_gets_sixteen_bits(
    monkeypatch: pytest.MonkeyPatch, gigabytes: int, precision: str
) -> None:
    """The slowest of all there: 436 ms of products a step against 155."""
    monkeypatch.setattr(torch_info, "read_spec", lambda folder: PUBLISHED)
    processor = Device("cpu", "a processor", int(gigabytes * 1.05e9))
    assert torch_info.fitting(processor, Path("published")) == precision
    assert torch_info.fitting(Device("cuda", "GPU", 24 * 10**9), Path("published")) == "bf16"


def test_too_little_memory_is_said_before_loading(
    models_dir: Path, with_torch: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(Device("cuda", "Small GPU", 10**8), monkeypatch)
    (row,) = model_backends.availability("voxtral-torch", models_dir)
    assert not row.available
    assert "Small GPU" in row.reason
    assert row.hint


def test_without_weights_it_says_what_to_download(
    tmp_path: Path, with_torch: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(GPU, monkeypatch)
    (row,) = model_backends.availability("voxtral-torch", tmp_path)
    assert not row.available
    assert "voxline models download voxtral (8.9 GB)" in row.hint


def test_without_pytorch_it_says_how_to_install_it(
    models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (row,) = model_backends.availability("voxtral-torch", models_dir)
    assert not row.available
    assert "pip install" in row.hint


def test_nvidia_memory_is_read_from_its_own_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_info, "_run", lambda *arguments: "NVIDIA H200, 143000\n")
    assert torch_info._nvidia() == Device("cuda", "NVIDIA H200", 143_000 * 2**20)
    monkeypatch.setattr(torch_info, "_run", lambda *arguments: "")
    assert torch_info._nvidia() is None
    assert torch_info._amd() is None


def test_which_folder_a_name_means(models_dir: Path) -> None:
    tiny = models_dir / "tiny-voxtral"
    assert info.find_model(None, models_dir) == tiny
    assert info.find_model("tiny-voxtral", models_dir) == tiny
    assert info.find_model(str(tiny), Path("nowhere")) == tiny
    for model in ("absent", str(models_dir / "absent")):
        with pytest.raises(EngineError, match="absent"):
            info.find_model(model, models_dir)
    with pytest.raises(EngineError, match="not on this computer"):
        info.find_model(None, models_dir / "whisper")
