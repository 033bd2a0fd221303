"""`voxline sessions`: everything the window does with what was said before, in a terminal."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from app.cli import main
from app.session.library import Library
from tests.session.test_library import NOON, said


@pytest.fixture
def numbers() -> list[int]:
    """Two sessions."""
    library = Library()
    return [
        library.keep(said("We met at the lighthouse", "one", NOON)),
        library.keep(said("Nobody was there \x1b[2J today", "two", NOON + timedelta(days=1))),
    ]


def voxline(*words: object) -> int:
    return main(["sessions", *map(str, words)])


def test_they_are_listed_the_newest_first(
    numbers: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert voxline("rename", numbers[0], "Board") == 0
    assert voxline("list") == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split()[:3] == [str(numbers[1]), "2026-11-23", "12:02–12:02"]
    assert shown[1].endswith("Board: We met at the lighthouse")
    assert voxline("list", "--json") == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert [(each["number"], each["words"]) for each in json.loads(out)] == [
        (numbers[1], 5),
        (numbers[0], 5),
    ]
    assert datetime.fromisoformat(json.loads(out)[1]["started"]) == NOON


def test_what_was_said_is_found(numbers: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    assert voxline("search", "LIGHT", "house") == 1
    assert voxline("search", "the", "LIGHT") == 0
    assert "We met at [the lighthouse]" in capsys.readouterr().out
    assert voxline("search", "today", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["number"], found["count"], found["hit"]) == (numbers[1], 1, "today")


def test_it_is_printed_and_gives_the_terminal_no_orders(
    numbers: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert voxline("show", numbers[0], "--times") == 0
    assert capsys.readouterr().out == "00:00:01  We met at the lighthouse\n"
    assert voxline("show", *numbers) == 0
    shown = capsys.readouterr().out
    assert "— 2026-11-22 12:02–12:02 · 5 words —" in shown and "\x1b" not in shown


def test_any_format_and_any_part_of_it_can_be_written(
    numbers: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Library().rename(numbers[0], "A/B: talk")
    target = tmp_path / "out" / "2026-11-22 12.02 A-B- talk.md"
    assert voxline("export", numbers[0], "--format", "md", "--output", target.parent) == 0
    assert target.read_text("utf-8") == "**00:00:01** We met at the lighthouse\n"
    assert voxline("export", numbers[0], "--format", "md", "--output", target.parent) == 1
    assert "already there" in capsys.readouterr().err
    part = ("--from", "0:02", "--until", "00:00:03")
    assert voxline("export", numbers[0], "--format", "txt", "--output", "-", *part) == 0
    assert capsys.readouterr().out == "the lighthouse\n"


def test_deleted_is_deleted(numbers: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    assert voxline("delete", numbers[0], 99) == 1
    assert "no session 99" in capsys.readouterr().err
    assert len(Library().sessions()) == 2
    assert voxline("delete", numbers[0]) == 0
    Library().restore(numbers[0])
    assert [entry.id for entry in Library().sessions()] == [numbers[1]]
