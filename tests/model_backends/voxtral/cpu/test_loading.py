"""What is said about the engine, when it is chosen, and how it settles on a plan for a computer."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

import psutil
import pytest

import model_backends
from model_backends.base import EngineError, LoadOptions, Notice
from model_backends.voxtral.cpu import bench, info, library, load, machines, this_machine
from model_backends.voxtral.cpu.runner import CpuSpeech
from model_backends.voxtral.spec import ModelSpec
from model_backends.voxtral.torch import info as torch_info
from tests.model_backends.voxtral.transcribing import TINY, clip, transcribe
from tests.support.likeness import assert_like


def quiet(fraction: float, what: str) -> None:
    pass


@pytest.fixture
def models_dir(packed: Path, tmp_path: Path) -> Path:
    shutil.copytree(packed, tmp_path / "tiny-packed")
    return tmp_path


def test_a_packed_model_is_there_to_be_chosen(
    models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (row,) = model_backends.availability("voxtral-cpu", models_dir)
    assert (row.model, row.available) == ("tiny-packed", True)
    json.dumps(row.details)
    gpu = torch_info.Device("cpu", "a processor", 8 * 10**9)
    monkeypatch.setattr(torch_info, "best_device", lambda: gpu)
    assert model_backends.resolve("voxtral", models_dir) == "voxtral-cpu"
    assert model_backends.resolve("voxtral", models_dir / "nowhere") != "voxtral-cpu"


def test_looking_loads_neither_library_nor_torch(models_dir: Path) -> None:
    code = (
        "import sys, pathlib, model_backends as m;"
        f"m.availability('voxtral-cpu', pathlib.Path({str(models_dir)!r}));"
        "from model_backends.voxtral.cpu import library;"
        "print('torch' in sys.modules, library.library.cache_info().currsize)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "0"]


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = model_backends.availability("voxtral-cpu", tmp_path)
    assert not row.available
    assert "convert --engine cpu" in row.hint
    monkeypatch.setattr(info, "find_library", lambda: None)
    (row,) = model_backends.availability("voxtral-cpu", tmp_path)
    assert "not been built" in row.reason
    assert "PyTorch" in row.hint


def test_a_damaged_file_is_a_row_and_no_crash(models_dir: Path) -> None:
    (models_dir / "tiny-packed" / "voxline-cpu.bin").write_bytes(b"VOXLCPU1" + bytes(20))
    (row,) = model_backends.availability("voxtral-cpu", models_dir)
    assert not row.available
    assert "damaged" in row.reason


def test_a_small_checkpoint_is_packed_while_it_loads() -> None:
    options = LoadOptions(str(TINY), None, TINY, realtime=False)
    engine = model_backends.load("voxtral-cpu", options, quiet)
    assert "int4" in engine.model
    assert engine.device.startswith("cpu (")
    engine.close()


@pytest.mark.parametrize(
    ("device", "extra"),
    [("cuda", {}), (None, {"precision": "bf16"}), (None, {"kv_bits": 4}), (None, {"threads": 0}),
     (None, {"kernels": "mmx"})],
)  # fmt: skip
def test_what_is_not_offered_is_refused(
    packed: Path, device: str | None, extra: dict[str, object]
) -> None:
    options = LoadOptions(str(packed), device, packed, realtime=False, extra=extra)
    with pytest.raises(EngineError):
        model_backends.load("voxtral-cpu", options, quiet)


def settle(
    packed: Path, monkeypatch: pytest.MonkeyPatch, cost: dict[tuple[int, int, int], float],
    **extra: int,
) -> load.CpuEngine:  # fmt: skip
    """Load where a step costs what `cost` says by (encoder rows, cache bits, window)."""

    def timed(model: CpuSpeech, rows: int, steps: int = 10) -> float:
        bits = 8 if "int8" in model.precision else 16
        return cost[rows, bits, model.spec.decoder.window]

    monkeypatch.setattr(load, "timed_ms", timed)
    monkeypatch.setattr(load, "_SHORT_WINDOW", 32)
    options = LoadOptions(str(packed), None, packed, extra=extra)
    return load.load(options, quiet)


COSTS = {(1, 16, 64): 100.0, (2, 16, 64): 90.0, (2, 8, 64): 85.0, (2, 8, 32): 81.0}


@pytest.mark.parametrize("enough", list(COSTS))
def test_a_slow_computer_gets_as_few_measures_as_it_takes(
    packed: Path, monkeypatch: pytest.MonkeyPatch, enough: tuple[int, int, int]
) -> None:
    engine = settle(packed, monkeypatch, COSTS | {enough: 60.0})
    plan = engine.plan
    assert (plan.rows_at_once, plan.kv_bits, plan.window or 64) == enough
    assert "0.75 of real time" in load.describe(engine)
    assert not [
        e for e in transcribe(engine, clip("aligned_end"), 6).events if isinstance(e, Notice)
    ]
    engine.close()


def test_a_computer_that_is_too_slow_is_told_so_once(
    packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = settle(packed, monkeypatch, COSTS)
    for expected in (["slow"], []):
        events = transcribe(engine, clip("aligned_end"), 6).events
        assert [e.code for e in events if isinstance(e, Notice)] == expected
    engine.close()


def test_what_the_caller_decides_is_not_changed(
    packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = {(1, 16, 64): 100.0, (1, 8, 64): 90.0, (1, 8, 32): 90.0}
    engine = settle(packed, monkeypatch, costs, rows_at_once=1)
    assert engine.plan.rows_at_once == 1
    engine.close()


@pytest.mark.parametrize(
    ("times", "cores", "expected"),
    [([100, 60, 57, 54], 8, 2), ([100, 95], 8, 1), ([60, 40], 2, 1), ([130, 75], 2, 2),
     ([130, 75, 60, 50, 40], 4, 3)],
)  # fmt: skip
def test_threads_are_as_many_as_help_and_leave_a_core(
    monkeypatch: pytest.MonkeyPatch, times: list[float], cores: int, expected: int
) -> None:
    class Model:
        threads = 1

    spec: ModelSpec = bench.SIZES["full"]
    monkeypatch.setattr(load, "timed_ms", lambda model, rows, steps: times[model.threads - 1])
    monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: cores)
    assert_like(Model, CpuSpeech)
    assert load.best_threads(Model(), spec) == expected  # type: ignore[arg-type] # like one


def test_on_a_processor_pytorch_takes_four_bits_for_the_full_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_info, "read_spec", lambda folder: bench.SIZES["full"])
    much = torch_info.Device("cpu", "a processor", 64 * 10**9)
    assert torch_info.fitting(much, tmp_path) == "int4"


def test_the_benchmark_needs_no_model(capsys: pytest.CaptureFixture[str]) -> None:
    line = ["--size", "tiny", "--steps", "4", "--threads", "1", "--context", "8", "--json"]
    assert bench.main(line) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["step_p50_ms"] > 0
    assert row["step_bytes"] == machines.weight_bytes(bench.SIZES["tiny"]) + machines.cache_bytes(
        bench.SIZES["tiny"], 8, 16
    )
    assert bench.main([*line[:-1], "--kernels", "mmx"]) == 1


def test_a_missing_library_is_told_before_memory_is_filled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def filled(spec: ModelSpec, seed: int = 0) -> NoReturn:
        raise AssertionError("weights were made")

    monkeypatch.setattr(bench, "random_tensors", filled)
    monkeypatch.setattr(library, "library_path", lambda: None)
    library.library.cache_clear()
    try:
        assert bench.main([]) == 1
    finally:
        library.library.cache_clear()
    assert "built" in capsys.readouterr().err


def test_a_row_takes_the_best_number_of_threads(capsys: pytest.CaptureFixture[str]) -> None:
    line = ["--size", "tiny", "--steps", "3", "--threads", "1,2", "--context", "8,16"]
    assert bench.main(line) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.count("|") == 6
    assert "8: " in last
    assert "16: " in last


@pytest.mark.parametrize(("given", "told"), [(0.5, True), (1.0, False)])
def test_a_row_of_a_busy_computer_is_not_for_the_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: float, told: bool
) -> None:
    monkeypatch.setattr(time, "process_time", lambda: given * time.perf_counter())
    assert bench.main(["--size", "tiny", "--steps", "3", "--threads", "1", "--context", "8"]) == 0
    assert ("Other programs took" in capsys.readouterr().err) == told


def test_the_row_names_the_processor_as_each_system_tells_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    asked: list[list[str]] = []

    def run(command: list[str], **how: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 0, "Apple M2 Pro\n", "")

    monkeypatch.setattr(subprocess, "run", run)
    assert this_machine.processor_name() == "Apple M2 Pro"
    assert asked[0][-1] == "machdep.cpu.brand_string"

    def fails(command: list[str], **how: object) -> NoReturn:
        raise FileNotFoundError(command[0])

    monkeypatch.setattr(subprocess, "run", fails)
    assert this_machine.processor_name()  # something, and no traceback


def test_as_many_threads_are_tried_as_the_computer_has() -> None:
    assert bench.counts(1) == [1]
    assert bench.counts(2) == [1, 2]
    assert bench.counts(6) == [1, 2, 4, 6]
    assert bench.counts(64) == [1, 2, 4, 6, 8]


def test_what_to_expect_where_grows_with_the_context_and_shrinks_with_the_measures() -> None:
    for line in machines.computed_table().splitlines()[2:]:
        short, long, full, cheap = (int(cell) for cell in line.split("|")[2:6])
        assert short <= long <= full
        assert cheap < long
