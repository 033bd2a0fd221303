"""What a killed session left is made safe, told once, and never in the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app import paths
from app.session.library import Library
from app.ui.main_window.recovery import Recovery
from app.ui.widgets.banner import Banner, BannerStack


class Desk:
    """A banner stack with a Recovery behind it, and what came of it."""

    def __init__(self, folder: Path, qtbot: QtBot) -> None:
        self.folder = folder
        self.qtbot = qtbot
        self.banners = BannerStack()
        qtbot.addWidget(self.banners)
        self.shown: list[bool] = []
        self.recovery = Recovery(folder, self.banners, lambda: self.shown.append(True))

    def leave_session(self, day: int, words: int = 2) -> Path:
        """A journal as a process that is no more left it."""
        path = self.folder / f"202611{day:02}T120000Z-0.jsonl"
        header = {"type": "header", "started": f"2026-11-{day:02}T12:00:00+00:00", "pid": 2**22}
        spoken = [
            {"type": "word", "lane": "me", "track": 0, "utterance": 0, "text": f" word{n}",
             "start_ms": n * 300, "end_ms": n * 300 + 200, "language": "en"}
            for n in range(words)
        ]  # fmt: skip
        path.write_text("".join(json.dumps(record) + "\n" for record in [header, *spoken]))
        return path

    def told(self) -> Banner:
        """What is told now, once it is."""
        self.qtbot.waitUntil(lambda: bool(self.banners.banners))
        return self.banners.banners[-1]


@pytest.fixture
def desk(tmp_path: Path, qtbot: QtBot) -> Desk:
    return Desk(tmp_path, qtbot)


def test_it_is_saved_without_a_question_and_one_click_away(desk: Desk) -> None:
    journal = desk.leave_session(3)
    desk.recovery.look()
    told = desk.told()
    assert "of 3 November" in told.text and "2 words" in told.text
    assert not told.asks
    assert not journal.exists()
    (entry,) = Library().sessions()
    assert (entry.preview, entry.origin) == ("word0 word1", "recovered")
    (saved,) = paths.transcripts_dir().iterdir()
    assert "word0 word1" in saved.read_text("utf-8")
    (show,) = [b for b in told.findChildren(QPushButton) if b.text() == "Show"]
    show.click()
    assert desk.shown == [True]


def test_several_are_told_in_one_sentence(desk: Desk) -> None:
    for day in (3, 7, 5):
        desk.leave_session(day)
    desk.recovery.look()
    assert desk.told().text == "3 sessions were cut off. They are recovered: 6 words."
    assert len(Library().sessions()) == 3


def test_what_cannot_be_saved_is_kept_and_the_reason_told(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    monkeypatch.setenv("VOXLINE_TRANSCRIPTS", str(in_the_way / "inside"))
    journal = desk.leave_session(3)
    desk.recovery.look()
    told = desk.told()
    assert str(in_the_way) in told.text
    assert told.hint
    assert journal.exists()


def test_nothing_left_nothing_told(desk: Desk) -> None:
    wordless = desk.leave_session(3, words=0)
    desk.recovery.look()
    desk.qtbot.waitUntil(lambda: not wordless.exists())  # pruned: the look is over
    assert not desk.banners.banners
