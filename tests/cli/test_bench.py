"""`voxline bench` in an installed app, which has no other Python to run a benchmark on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from app.cli import bench
from app.cli.arguments import build_parser
from app.cli.usage_error import UsageError
from app.worker import packs
from model_backends.voxtral.cpu import bench as processor_bench


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other program can be started with our modules."""

    def refuses(command: Sequence[str], **others: Any) -> None:
        raise AssertionError(f"voxline knows no {command[1:]}")

    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(subprocess, "run", refuses)


def run(*line: str) -> int:
    return bench.run(build_parser().parse_args(["bench", *line]))


def test_the_processor_engine_is_measured_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Sequence[str]] = []

    def main(options: Sequence[str]) -> int:
        asked.append(options)
        return 0

    monkeypatch.setattr(processor_bench, "main", main)
    assert run("--engine", "voxtral-cpu", "--threads", "1,2", "--context", "64", "--json") == 0
    assert asked == [["--threads", "1,2", "--context", "64", "--json"]]


def test_a_graphics_cards_measurement_wants_a_pack() -> None:
    with pytest.raises(UsageError, match="acceleration pack") as error:
        run("--against", "transformers")
    assert "voxline pack install" in error.value.hint


@pytest.mark.parametrize("other", [("--against", "transformers"), ("--engine", "embedded"), ()])
@pytest.mark.parametrize("option", [("--threads", "1"), ("--context", "64")])
def test_options_of_the_processor_engine_are_refused_elsewhere(
    option: tuple[str, ...], other: tuple[str, ...]
) -> None:
    with pytest.raises(UsageError, match="go with --engine voxtral-cpu"):
        run(*option, *other)


@pytest.mark.parametrize("json", [(), ("--json",)])
def test_the_comparison_s_table_or_json_is_this_command_s_output(
    json: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Sequence[str]] = []

    def runs(command: Sequence[str], **others: Any) -> subprocess.CompletedProcess[bytes]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 3, "1.44 × transformers\n".encode())

    monkeypatch.setattr(sys, "_MEIPASS", "/apps/Voxline", raising=False)
    monkeypatch.setattr(packs, "interpreter", lambda engine: "/pack/python")
    monkeypatch.setattr(subprocess, "run", runs)
    assert run("--against", "transformers", "--device", "cpu", *json) == 3
    module = ["-P", "-m", "model_backends.voxtral.torch.bench"]
    options = ["--against", "transformers", "--device", "cpu", *json]
    assert asked == [["/pack/python", *module, *options]]
    assert capsys.readouterr().out == "1.44 × transformers\n"
