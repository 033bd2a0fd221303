"""What an earlier session left unsaved: made safe without a question, never in the way."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest

from app import paths
from app.cli.listen import _recover
from app.cli.terminal import PlainScreen
from app.session import journal
from app.session.library import Library

OLD = Path(__file__).parents[1] / "data" / "old" / "journal-0.1.0.jsonl"


@pytest.fixture(autouse=True)
def cut_off() -> None:
    """A session was cut off."""
    paths.journal_dir().mkdir(parents=True)
    shutil.copy(OLD, paths.journal_dir())


def recovered() -> str:
    """What the terminal shows meanwhile."""
    shown = io.StringIO()
    _recover(PlainScreen(io.StringIO(), shown))
    return shown.getvalue()


def test_it_is_saved_and_in_the_library() -> None:
    told = recovered()
    (saved,) = paths.transcripts_dir().iterdir()
    assert str(saved) in told
    assert not journal.unfinished(paths.journal_dir())
    (entry,) = Library().sessions()
    assert entry.origin == "recovered"
    assert recovered() == ""
    Library().delete(entry.id)
    Library().purge()
    assert not saved.exists()


def test_a_place_that_cannot_be_written_is_told_and_the_words_are_in_the_library(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("VOXLINE_TRANSCRIPTS", str(tmp_path / "file" / "below"))
    for _ in range(2):  # the second time it is in the library already
        assert "start it with VOXLINE_TRANSCRIPTS set to a folder" in recovered()
        assert len(journal.unfinished(paths.journal_dir())) == 1
        assert len(Library().sessions()) == 1


def test_a_library_that_cannot_be_written_is_told_and_the_subtitles_are_saved() -> None:
    paths.library_dir().touch()
    told = recovered()
    (saved,) = paths.transcripts_dir().iterdir()
    assert str(saved) in told
    assert "is not in the library" in told and "VOXLINE_DATA" in told


def test_what_was_said_gives_the_terminal_no_orders() -> None:
    (lost,) = paths.journal_dir().iterdir()
    lost.rename(lost.with_name("a\x1b[2Jb.jsonl"))
    paths.library_dir().touch()
    assert "\x1b" not in recovered()
