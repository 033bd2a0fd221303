"""The table that compares the frozen app with the checkout's says what was measured."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import beside
import pytest


def one(name: str, **values: float) -> beside.One:
    made = beside.One(name, [name])
    for number in range(3):
        made.note({row: value + number for row, value in values.items()})
    return made


def test_medians_ranges_and_how_many_times_as_much() -> None:
    row = "first caption after, s"
    lines = list(beside.table(one("frozen", **{row: 2.0}), one("checkout", **{row: 5.0})))
    assert lines[-1] == f"| {row} | 3.0 (2.0–4.0) | 6.0 (5.0–7.0) | 0.50 |"
    assert len(lines) == 3  # what was not measured has no row


def test_an_app_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert beside.main(["/nowhere/voxline"]) == 1
    assert "is not there. Make it: ./test --packaging" in capsys.readouterr().err


def test_weights_are_verified_in_the_first_round_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their folder outlives a round, and each of the two has its own."""
    folders: list[str] = []

    def window(
        command: Sequence[str], folder: Path, variables: Mapping[str, str]
    ) -> dict[str, float]:
        folders.append(variables["VOXLINE_MODELS"])
        return {}

    monkeypatch.setattr(beside, "_window", window)
    monkeypatch.setattr(beside, "_command", lambda command: {})
    for number in range(2):
        for each in ("frozen", "checkout"):
            beside.one_round(one(each), tmp_path / f"{each}{number}", {})
    assert folders[:2] == folders[2:]
    assert len(set(folders)) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="the app of this test is a shell script")
def test_processor_time_is_that_of_the_app(tmp_path: Path) -> None:
    busy = tmp_path / "voxline"
    busy.write_text("#!/bin/sh\ni=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done\n")
    busy.chmod(0o755)
    took = beside._command([str(busy)])
    idle = beside._command(["true"])
    assert took["command: processor, s"] > idle["command: processor, s"]
