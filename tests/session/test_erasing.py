"""The end of what was kept: all of ours goes, nothing of the user's own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from app import paths, settings
from app.session import journal
from app.session.erasing import PARTS, erase
from app.session.library import Library
from app.settings import settings_file
from tests.session.test_library import said

OLD = Path(__file__).parents[1] / "data" / "old" / "journal-0.1.0.jsonl"


@pytest.fixture
def kept() -> dict[str, list[Path]]:
    """Files of every kind, by the part they belong to; "own": the user's."""
    for folder in (paths.transcripts_dir(), paths.journal_dir(), paths.log_dir()):
        folder.mkdir(parents=True)
    Library().keep(said("secret"))
    ours = paths.transcripts_dir() / "Voxline 2026-11-22 14.30.05.srt"
    second = ours.with_stem(f"{ours.stem} (2)")
    named = [ours.with_name("Voxline 2026.srt"), ours.with_name("Board.srt")]
    log = paths.private_file(paths.log_dir() / "voxline.log")
    model = paths.data_dir() / "models" / "small" / "weights.bin"
    measured = paths.cache_dir() / "voxtral-cpu" / "plan.kept"
    for path in (model, measured):
        path.parent.mkdir(parents=True)
    left = paths.journal_dir() / "left.jsonl"
    for path in (ours, second, *named, log, model, measured):
        path.write_text("secret")
    shutil.copy(OLD, left)
    assert settings.save(settings.Settings(own_name="Maria")) is None
    broken = settings_file().with_name("settings.broken-1.toml")
    broken.write_text("x")
    return {
        "said": [ours, second, left, Library().path],
        "settings": [settings_file(), broken],
        "logs": [],
        "models": [model, measured],
        "own": named,
    }


@pytest.mark.parametrize("part", PARTS)
def test_each_part_goes_and_nothing_else(kept: dict[str, list[Path]], part: str) -> None:
    assert erase([part]) == []
    gone = {path for paths_ in kept.values() for path in paths_ if not path.exists()}
    assert gone == set(kept[part])
    log = (paths.log_dir() / "voxline.log").read_text()
    assert (log == "") == (part == "logs")


def test_a_session_that_is_running_stays(kept: dict[str, list[Path]]) -> None:
    running = journal.Journal(journal.new_path(), {"engine": "scripted"}, print)
    assert erase(["said"]) == []
    assert [each.path for each in journal.running(paths.journal_dir())] == [running.path]
    running.close(ended=True)


def test_models_that_were_put_elsewhere_are_not_ours_to_delete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weights.bin").touch()
    monkeypatch.setenv("VOXLINE_MODELS", str(tmp_path))
    assert erase(["models"]) == []
    assert (tmp_path / "weights.bin").exists()


@pytest.mark.skipif(os.name != "posix" or os.getuid() == 0, reason="nothing is forbidden to root")
def test_what_cannot_be_deleted_is_told_and_the_rest_goes(kept: dict[str, list[Path]]) -> None:
    paths.journal_dir().chmod(0o500)
    (problem,) = erase(["said"])
    paths.journal_dir().chmod(0o700)
    assert "Cannot delete" in problem.message
    assert not kept["said"][0].exists()


def test_a_library_that_is_not_ours_is_told_and_the_rest_goes(kept: dict[str, list[Path]]) -> None:
    Library().path.write_bytes(b"another's" * 1000)
    (problem,) = erase(["said"])
    assert "damaged" in problem.message
    assert not kept["said"][0].exists() and Library().path.exists()
