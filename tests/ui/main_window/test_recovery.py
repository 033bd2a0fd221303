"""What a killed session left is offered, saved or deleted, and never in the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.ui.main_window.recovery import Recovery
from app.ui.widgets.banner import Banner, BannerStack


class Desk:
    """A banner stack with a Recovery behind it, and what came of it."""

    def __init__(self, folder: Path, qtbot: QtBot) -> None:
        self.folder = folder
        self.qtbot = qtbot
        self.banners = BannerStack()
        qtbot.addWidget(self.banners)
        self.saved: list[Path] = []
        self.asked: list[bool] = []
        self.recovery = Recovery(
            folder, self.banners, self.saved.append, lambda: self.asked.append(True)
        )

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

    def look(self) -> None:
        self.recovery.look()

    def question(self) -> Banner:
        """The one that is asked now, once it is."""
        self.qtbot.waitUntil(lambda: any(banner.asks for banner in self.banners.banners))
        (asked,) = [banner for banner in self.banners.banners if banner.asks]
        return asked

    def answer(self, label: str) -> None:
        buttons = self.question().findChildren(QPushButton)
        (button,) = [b for b in buttons if b.text().replace("&", "") == label]
        button.click()

    @property
    def quiet(self) -> bool:
        return not self.banners.banners


@pytest.fixture
def desk(tmp_path: Path, qtbot: QtBot) -> Desk:
    return Desk(tmp_path, qtbot)


def test_saving_writes_the_subtitles_and_clears_the_journal(desk: Desk) -> None:
    journal = desk.leave_session(3)
    desk.look()
    assert "2 words" in desk.question().text
    assert "word0 word1" in desk.question().hint
    assert desk.asked == [True]
    desk.answer("Save the subtitle file")
    desk.qtbot.waitUntil(lambda: bool(desk.saved))
    assert "word0 word1" in desk.saved[0].read_text("utf-8")
    assert not journal.exists()


def test_deleting_asks_once_more(desk: Desk) -> None:
    journal = desk.leave_session(3)
    desk.look()
    desk.answer("Delete…")
    assert journal.exists()
    assert "for good" in desk.question().text
    desk.answer("Delete")
    desk.qtbot.waitUntil(lambda: not journal.exists())
    assert desk.quiet
    assert desk.saved == []


def test_who_keeps_it_after_all_is_asked_again(desk: Desk) -> None:
    journal = desk.leave_session(3)
    desk.look()
    desk.answer("Delete…")
    desk.answer("Keep")
    assert "not saved yet" in desk.question().text
    assert journal.exists()


def test_later_leaves_everything_for_the_next_start(desk: Desk) -> None:
    journal = desk.leave_session(3)
    desk.look()
    desk.answer("Later")
    assert desk.quiet
    assert journal.exists()


def test_several_are_asked_about_one_by_one_the_newest_first(desk: Desk) -> None:
    for day in (3, 7, 5):
        desk.leave_session(day)
    desk.look()
    days = []
    for _ in range(3):
        days.append(desk.question().text.split()[3])
        desk.answer("Later")
    assert days == ["7", "5", "3"]
    assert desk.quiet


def test_what_cannot_be_saved_is_kept_and_the_reason_told(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    monkeypatch.setenv("VOXLINE_TRANSCRIPTS", str(in_the_way / "inside"))
    journal = desk.leave_session(3)
    desk.look()
    desk.answer("Save the subtitle file")
    desk.qtbot.waitUntil(lambda: not desk.quiet and not desk.banners.banners[-1].asks)
    told = desk.banners.banners[-1]
    assert str(in_the_way) in told.text
    assert told.hint
    assert journal.exists()


def test_nothing_left_nothing_asked(desk: Desk) -> None:
    wordless = desk.leave_session(3, words=0)
    desk.look()
    desk.qtbot.waitUntil(lambda: not wordless.exists())  # pruned: the look is over
    assert desk.quiet
    assert desk.asked == []
