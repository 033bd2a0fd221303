"""`voxline models convert`, the converted model through the real app, and the benchmark."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mlx.core", reason="MLX is not installed")

from app.cli import main
from model_backends.voxtral.checkpoint.packed import open_checkpoint
from tests.model_backends.voxtral.transcribing import TINY, reference_text

CHECKOUT = Path(__file__).parents[4]
CLIP = TINY / "clips" / "join_00.flac"


def test_convert_and_then_hear(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Conversion here, recognition in the worker's own process."""
    folder = tmp_path / "eight"
    assert main(["models", "convert", "--bits", "8", str(TINY), str(folder)]) == 0
    assert "8 bits" in capsys.readouterr().err
    assert open_checkpoint(folder).bits == 8
    line = ["transcribe", "--engine", "voxtral-mlx", "--model", str(folder), "--output", "-"]
    assert main([*line, "--format", "txt", str(CLIP)]) == 0
    assert capsys.readouterr().out.split() == reference_text("join_00", 30).split()


@pytest.mark.parametrize("weights", [["--model", str(TINY)], ["--random", "--size", "reduced"]])
def test_the_benchmark_prints_a_row_that_fits_its_table(weights: list[str]) -> None:
    """That it runs and what it prints; never how fast."""
    module = "model_backends.voxtral.mlx.bench"
    command = [sys.executable, "-m", module, *weights, "--seconds", "1.2", "--flat-out"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    header, rule, row = done.stdout.splitlines()
    table = (CHECKOUT / "resources" / "benchmarks" / "mlx.md").read_text("utf-8").splitlines()
    assert header in table
    assert header.count("|") == rule.count("|") == row.count("|")
    assert "of 15 |" in row  # steps of 80 ms


def test_refusals_are_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "convert", str(tmp_path), str(tmp_path / "new")]) == 1
    assert "no model" in capsys.readouterr().err
    assert main(["models", "convert", str(TINY), str(tmp_path)]) == 1
    assert "exists already" in capsys.readouterr().err


def test_without_mlx_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "model_backends.voxtral.mlx.convert", raising=False)
    monkeypatch.setitem(sys.modules, "mlx.core", None)
    monkeypatch.setitem(sys.modules, "mlx", None)
    assert main(["models", "convert", str(TINY), str(tmp_path / "new")]) == 1
    assert "voxline[mlx]" in capsys.readouterr().err
