"""A file is written whole or not at all, and nothing is overwritten by accident."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from app.session import files
from app.session.files import (
    FileProblem,
    check_apart,
    check_writable,
    named_after,
    same_file,
    write_new,
    write_unique,
)

Check = Callable[[Path], object]
BOTH = pytest.mark.parametrize(
    "attempt", [check_writable, lambda path: write_new(path, "x")], ids=["check", "write"]
)


def no_leftovers(folder: Path) -> bool:
    return not list(folder.glob(".voxline-*"))


def test_text_is_written_as_utf8_with_the_line_ends_it_has(tmp_path: Path) -> None:
    path = write_new(tmp_path / "a.srt", "één\nzwei 🙂\n")
    assert path.read_bytes() == "één\nzwei 🙂\n".encode()
    assert no_leftovers(tmp_path)


def test_permissions_follow_the_users_mask(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    path = write_new(tmp_path / "a.srt", "x")
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


@BOTH
def test_an_existing_file_is_refused(tmp_path: Path, attempt: Check) -> None:
    path = tmp_path / "a.srt"
    path.write_text("mine")
    with pytest.raises(FileProblem, match="already there") as problem:
        attempt(path)
    assert "--force" in problem.value.hint
    assert path.read_text() == "mine"


def test_force_replaces_a_file_and_follows_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.srt", tmp_path / "link.srt"
    real.write_text("old")
    link.symlink_to(real)
    check_writable(link, force=True)
    assert real.read_text() == "old"
    write_new(link, "new", force=True)
    assert link.is_symlink()
    assert real.read_text() == "new"


@BOTH
def test_a_link_to_nowhere_is_not_written_through(tmp_path: Path, attempt: Check) -> None:
    link = tmp_path / "link.srt"
    link.symlink_to(tmp_path / "elsewhere.srt")
    with pytest.raises(FileProblem, match="already there"):
        attempt(link)
    assert not (tmp_path / "elsewhere.srt").exists()


@BOTH
@pytest.mark.parametrize("name", ["missing/a.srt", "file/a.srt"])
def test_a_missing_folder_is_told(tmp_path: Path, attempt: Check, name: str) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(FileProblem, match="no such folder"):
        attempt(tmp_path / name)


@BOTH
def test_a_folder_is_no_file(tmp_path: Path, attempt: Check) -> None:
    with pytest.raises(FileProblem, match="is a folder"):
        attempt(tmp_path)


@BOTH
def test_a_name_too_long_is_told(tmp_path: Path, attempt: Check) -> None:
    with pytest.raises(FileProblem):
        attempt(tmp_path / ("x" * 300))


def test_checking_leaves_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "a.srt")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only"), (errno.EACCES, "may not write")],
)
def test_a_failing_disk_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    def fail(handle: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    (tmp_path / "b.srt").write_text("old")
    with pytest.raises(FileProblem, match=words):
        write_new(tmp_path / "a.srt", "text")
    with pytest.raises(FileProblem, match=words):
        write_new(tmp_path / "b.srt", "text", force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["b.srt"]
    assert (tmp_path / "b.srt").read_text() == "old"


def test_a_really_full_disk(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    with pytest.raises(FileProblem, match="disk is full"):
        write_new(Path("/dev/full"), "text")


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_meanwhile_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    """Also where the file system has no hard links."""
    path = tmp_path / "a.srt"
    link = os.link

    def race(source: Path, target: Path) -> None:
        target.write_text("theirs")
        if not links:
            raise OSError(errno.EPERM, "no hard links here")
        link(source, target)

    monkeypatch.setattr(os, "link", race)
    with pytest.raises(FileProblem, match="already there"):
        write_new(path, "ours")
    assert path.read_text() == "theirs"
    assert no_leftovers(tmp_path)


def test_without_hard_links_it_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(source: Path, target: Path) -> None:
        raise OSError(errno.ENOTSUP, "no hard links here")

    monkeypatch.setattr(os, "link", no_links)
    assert write_new(tmp_path / "a.srt", "text").read_text() == "text"
    assert [path.name for path in tmp_path.iterdir()] == ["a.srt"]


def test_unique_names_count_up_and_the_folder_is_made(tmp_path: Path) -> None:
    path = tmp_path / "Voxline" / "Voxline 2026.srt"
    names = [write_unique(path, str(number)).name for number in range(3)]
    assert names == ["Voxline 2026.srt", "Voxline 2026 (2).srt", "Voxline 2026 (3).srt"]
    assert path.read_text() == "0"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileProblem):
        write_unique(tmp_path / "file" / "deeper" / "a.srt", "text")


def test_half_a_character_pair_does_not_stop_the_rest(tmp_path: Path) -> None:
    assert write_new(tmp_path / "a.srt", "a\ud800b").read_text("utf-8") == "a?b"


posix = pytest.mark.skipif(os.name != "posix", reason="modes are a POSIX idea")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@posix
def test_a_file_that_nobody_named_is_for_its_owners_eyes(tmp_path: Path) -> None:
    saved = write_unique(tmp_path / "Documents" / "Voxline" / "a.srt", "text")
    assert (mode(saved), mode(saved.parent), mode(saved.parent.parent)) == (0o600, 0o700, 0o700)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs").chmod(0o755)
    assert mode(write_unique(tmp_path / "theirs" / "a.srt", "text")) == 0o600
    assert mode(tmp_path / "theirs") == 0o755


@posix
def test_replacing_a_file_keeps_who_may_read_it(tmp_path: Path) -> None:
    path = write_new(tmp_path / "a.srt", "old")
    path.chmod(0o600)
    write_new(path, "new", force=True)
    assert mode(path) == 0o600


@pytest.mark.parametrize(
    ("variable", "where"),
    [
        ("VOXLINE_DATA", "journal/x.jsonl"), ("VOXLINE_TRANSCRIPTS", "x.srt"),
        ("VOXLINE_CONFIG", "settings.toml"), ("VOXLINE_MODELS", "whisper-base"),
    ],
)  # fmt: skip
def test_a_folder_of_ours_that_cannot_be_written_names_what_moves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, where: str
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "ours"))
    for code, words in ((errno.EROFS, "you may write to"), (errno.ENOSPC, "Free some space")):
        problem = files.file_problem(tmp_path / "ours" / where, OSError(code, ""))
        assert f"{variable} set to a folder" in problem.hint
        assert words in problem.hint
    elsewhere = files.file_problem(tmp_path / "x.srt", OSError(errno.EROFS, ""))
    assert elsewhere.hint == "Choose another place."


def test_a_link_to_itself_is_told(tmp_path: Path) -> None:
    loop = tmp_path / "loop.srt"
    loop.symlink_to(loop)
    with pytest.raises(FileProblem):
        check_writable(loop, force=True)
    assert not same_file(loop, tmp_path / "a.srt")
    assert same_file(loop, loop)


def test_one_file_by_many_names(tmp_path: Path) -> None:
    talk, other = tmp_path / "talk.flac", tmp_path / "other.flac"
    talk.write_text("sound")
    other.write_text("sound")
    (tmp_path / "soft.flac").symlink_to(talk)
    os.link(talk, tmp_path / "hard.flac")
    (tmp_path / "folder").symlink_to(tmp_path)
    for name in ("talk.flac", "soft.flac", "hard.flac", "folder/talk.flac"):
        assert same_file(tmp_path / name, talk)
        with pytest.raises(FileProblem, match="would be overwritten"):
            check_apart(tmp_path / name, talk)
    assert not same_file(other, talk)
    check_apart(tmp_path / "talk.srt", talk)
    assert same_file(tmp_path / "new.srt", tmp_path / "folder" / "new.srt")


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("talk.mp3", "talk.srt"), ("talk", "talk.srt"),
        ("My.Show.H.264-GRP", "My.Show.H.264-GRP.srt"),
        ("a.b.m4a", "a.b.srt"), ("x.3gp", "x.srt"), ("x.264", "x.264.srt"),
        ("2026.11.22", "2026.11.22.srt"),
        (".hidden", ".hidden.srt"), ("talk.WEBM", "talk.srt"), ("end.", "end..srt"),
        ("Show.S01E02-x", "Show.S01E02-x.srt"), ("J.", "J..srt"),
    ],
)  # fmt: skip
def test_a_result_is_named_after_its_source(source: str, result: str) -> None:
    assert named_after(Path("/somewhere") / source, ".srt") == result
