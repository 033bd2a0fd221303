"""The made library is what it says it is, so that times measured on it mean something."""

from __future__ import annotations

from pathlib import Path

from app.measure.library import RARE, make, measure
from app.session.library import Library


def test_it_holds_what_it_says_and_every_question_is_answered(tmp_path: Path) -> None:
    library = Library(tmp_path / "sessions.db")
    make(library, 4, 60)
    entries = library.sessions()
    assert [entry.words for entry in entries] == [60] * 4
    (found,) = library.search(RARE)
    assert found.entry.id == entries[-1].id
    answers = [answer for _, _, answer in measure(library).values()]
    assert answers[:3] == ["4 sessions", "1 sessions", "0 sessions"]
    assert answers[-1] == "60 words"
