"""The end of what was kept: all of ours goes, nothing of the user's own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest

from app import paths, settings
from app.session import journal
from app.session.erasing import PARTS, erase
from app.session.library import Library
from app.settings import settings_file
from model_backends.remote.keys import KeyStore
from tests.model_backends.remote.test_keys import Ring
from tests.session.test_library import said

OLD = Path(__file__).parents[1] / "data" / "old" / "journal-0.1.0.jsonl"


@pytest.fixture(autouse=True)
def ring() -> Iterator[Ring]:
    """The keyring of a user who has one, with a key that a settings file alone knows of."""
    before, ring = keyring.get_keyring(), Ring()
    ring.kept["Voxline", "old.example.org"] = "secret"
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


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
    pack = paths.data_dir() / "packs" / "torch-cuda-1a2b" / "pack.json"
    for path in (model, measured, pack):
        path.parent.mkdir(parents=True)
    left = paths.journal_dir() / "left.jsonl"
    for path in (ours, second, *named, log, model, measured, pack):
        path.write_text("secret")
    shutil.copy(OLD, left)
    assert (
        settings.save(settings.Settings(own_name="Maria", agreed_servers={"old.example.org": True}))
        is None
    )
    KeyStore(paths.key_file()).store("captions.example.org", "sk-secret")  # into the keyring
    paths.key_file().write_text('{"an older one": "sk-secret"}')
    made = paths.config_dir() / "page.key"
    made.write_text("secret")
    broken = settings_file().with_name("settings.broken-1.toml")
    broken.write_text("x")
    return {
        "said": [ours, second, left, Library().path],
        "settings": [settings_file(), broken],
        "logs": [],
        "keys": [paths.key_file(), paths.key_file().with_suffix(".names"), made],
        "models": [model, measured, pack],
        "own": named,
    }


@pytest.mark.parametrize("part", PARTS)
def test_each_part_goes_and_nothing_else(
    kept: dict[str, list[Path]], part: str, ring: Ring
) -> None:
    assert erase([part]) == []
    gone = {path for paths_ in kept.values() for path in paths_ if not path.exists()}
    assert gone == set(kept[part])
    log = (paths.log_dir() / "voxline.log").read_text()
    assert (log == "") == (part == "logs")
    assert (ring.kept == {}) == (part == "keys")


def test_all_of_it_at_once_leaves_nothing_in_the_keyring(
    kept: dict[str, list[Path]], ring: Ring
) -> None:
    assert erase(PARTS) == []
    assert ring.kept == {}


def test_a_locked_keyring_is_told_and_the_rest_goes(
    kept: dict[str, list[Path]], ring: Ring
) -> None:
    ring.locked = True
    problems = erase(["keys", "settings"])
    assert {problem.message for problem in problems} == {
        f"The key of {host} could not be deleted from the keyring."
        for host in ("an older one", "captions.example.org", "old.example.org")
    }
    assert not settings_file().exists()


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
