"""A day in one session, here a minute of it: every word goes through all of the app."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from app import paths
from app.measure import day
from app.session.library import Library


def test_every_word_of_the_day_is_shown_counted_and_kept(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day, "ROW_HOURS", 1 / 120)
    played = day.Day()
    rows = list(played.play(1 / 60))
    assert "stopped and saved" in played.end()
    assert len(rows) == 2
    cells = [cell.strip() for cell in rows[-1].split("|")[1:-1]]
    assert len(cells) == day.HEAD.splitlines()[0].count("|") - 1
    assert int(cells[5]) == played.words > 100
    assert int(cells[7]) > 1, "paragraphs end, as they do in speech"
    (session,) = Library().sessions()
    assert session.words == played.words
    assert len(list(paths.transcripts_dir().glob("*.srt"))) == 1
