"""The benchmark, at its smallest size: every row comes out, and means what it says."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")

import torch

from model_backends.voxtral.cpu import bench_others
from model_backends.voxtral.torch import bench
from model_backends.voxtral.torch.ops import PLAIN, Ops
from tests.model_backends.voxtral.cpu.conftest import need_library

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")

SMALL = "--size tiny --device cpu --context 64 --blocks 1 --steps 3 --file-seconds 10"


def test_the_one_command_fills_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("transformers", reason="transformers, the reference, is not installed")
    out = tmp_path / "table.md"
    options = [*SMALL.split(), "--against", "transformers", "--precisions", "fp32,int8"]
    assert bench.main([*options, "--out", str(out)]) == 0
    text = out.read_text("utf-8")
    assert text == capsys.readouterr().out
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    found = {row[0].removeprefix("| "): row[1:] for row in rows}
    assert found["ids equal to transformers', fp32, 63 steps"][0] == "63 of 63"
    assert "× transformers" in found["step, ours int8"][1]
    shares = [row[1] for what, row in found.items() if "biased to 70 %" in what]
    assert len(shares) == 2, "one after the other, and with drafts"
    assert shares[0] == shares[1], "drafts are exact"
    assert 65 <= int(shares[0].split()[0]) <= 75
    assert found["memory grown over 3 h of audio"][0] == "not run"
    assert found["step, each fused kernel on and off"][0] == "not run"


def test_programs_read_the_same_rows_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main([*SMALL.split(), "--only", "stages", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["size"], said["threads"]) == ("tiny", 1)
    assert said["machine"].endswith("(cpu)")
    assert [row["what"] for row in said["rows"]] == [
        "step, each fused kernel on and off",
        "full size on a CUDA GPU",
    ]
    assert said["rows"][0]["figure"] == "not run" and said["rows"][0]["note"]


def test_each_stage_is_a_row() -> None:
    """As on a GPU, with the plain operations in place of the fused."""
    table = bench.Bench("tiny", torch.device("cpu"), "fp32")
    table.stages("fp32", 64, 3, [("plain, not captured", PLAIN, False), ("+ norm", Ops(), True)])
    assert [row.what for row in table.rows] == [
        "step, ours fp32, plain, not captured",
        "step, ours fp32, + norm",
    ]
    assert all("p50" in row.figure for row in table.rows)
    labels = [label for label, _, _ in bench.gpu_stages()]
    assert labels[:2] == ["plain, not captured", "plain"]


def test_the_processor_engine_beside_others(capsys: pytest.CaptureFixture[str]) -> None:
    """Each engine that is here has a row for each context, all from one run."""
    pytest.importorskip("transformers", reason="transformers is not installed")
    need_library()
    line = "--size tiny --rounds 2 --threads 1 --context 48,64"
    assert bench_others.main(line.split()) == 0
    said = capsys.readouterr()
    cells = [row.split(" | ") for row in said.out.splitlines() if row.startswith("| ")][2:]
    peers = [f"| transcribe-cpp Q4, ring of {ring}" for ring in ("its own length", "512")]
    installed = _has("transcribe_cpp") and _has("gguf")
    engines = ["| voxtral-cpu", *(peers if installed else []), "| voxtral-torch int4",
               "| transformers fp32"]  # fmt: skip
    assert [(row[0], row[2]) for row in cells] == [(e, c) for c in ("48", "64") for e in engines]
    assert cells[0][6] == "1.00 / 1.00 / 1.00"
    assert all(float(row[3].removesuffix(" ms")) > 0 for row in cells)
    assert ("transcribe_cpp is left out" in said.err) == (not _has("transcribe_cpp"))


def _has(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
