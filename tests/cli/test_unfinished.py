"""What an earlier session left unsaved: offered in the terminal, and no obstacle to the next."""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

import pytest

from app import paths
from app.cli.listen import _offer_unfinished
from app.cli.terminal import PlainScreen
from app.session import journal

OLD = Path(__file__).parents[1] / "data" / "old" / "journal-0.1.0.jsonl"


class Keyboard(io.StringIO):
    """Somebody at a terminal who types this."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def cut_off() -> None:
    """A session was cut off."""
    paths.journal_dir().mkdir(parents=True)
    shutil.copy(OLD, paths.journal_dir())


def offer(monkeypatch: pytest.MonkeyPatch, answer: str) -> str:
    """What the terminal shows when it is offered, and this is typed."""
    shown = Keyboard()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr(sys, "stdin", Keyboard(answer))
    _offer_unfinished(PlainScreen(io.StringIO(), shown))
    return shown.getvalue()


def test_yes_saves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    told = offer(monkeypatch, "y\n")
    (saved,) = paths.transcripts_dir().iterdir()
    assert f"Saved: {saved}" in told
    assert not journal.unfinished(paths.journal_dir())


def test_a_place_that_cannot_be_written_is_told_and_listening_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("VOXLINE_TRANSCRIPTS", str(tmp_path / "file" / "below"))
    told = offer(monkeypatch, "y\n")
    assert "Set VOXLINE_TRANSCRIPTS to a folder" in told
    assert len(journal.unfinished(paths.journal_dir())) == 1


def test_what_was_said_gives_the_terminal_no_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    (lost,) = paths.journal_dir().iterdir()
    lost.write_text(lost.read_text("utf-8").replace(" And", " \\u001b[2JAnd"), "utf-8")
    told = offer(monkeypatch, "n\n")
    assert "\x1b" not in told
    assert "␛[2JAnd so" in told


def test_delete_deletes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "d\n")
    assert not list(paths.journal_dir().iterdir())
    assert not paths.transcripts_dir().exists()
