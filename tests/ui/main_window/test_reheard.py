"""A stretch that was heard a second time takes its place; what is read or selected stays put."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QTextCursor
from pytestqt.qtbot import QtBot

from app.core.reheard import Reheard
from app.ui.main_window.find_bar import FindBar
from app.ui.main_window.transcript import Transcript
from model_backends.base import Word


def word(text: str, start_ms: int, lane: str = "me", utterance: int = 0) -> Word:
    return Word(lane, 0, utterance, text, start_ms, start_ms + 200, "en")


def said(text: str, start_ms: int, lane: str = "me", utterance: int = 0) -> list[Word]:
    """A word every 300 ms."""
    return [word(f" {w}", start_ms + n * 300, lane, utterance) for n, w in enumerate(text.split())]


def stretch(text: str, start_ms: int, end_ms: int, lane: str = "me") -> Reheard:
    return Reheard(lane, start_ms, end_ms, tuple(said(text, start_ms + 100, lane, 7)))


@pytest.fixture
def view(qtbot: QtBot) -> Transcript:
    view = Transcript()
    qtbot.addWidget(view)
    view.resize(400, 160)
    with qtbot.waitExposed(view):
        view.show()
    return view


def fill(view: Transcript, text: str, paragraphs: int = 30, lane: str = "me") -> None:
    for number in range(paragraphs):
        for each in said(text, number * 10_000, lane, number):
            view.add_word(each)


def lines(view: Transcript) -> list[str]:
    return view.toPlainText().split("\n")


def top_line(view: Transcript) -> tuple[str, int]:
    """The paragraph at the top of what is in sight, and how far up it begins."""
    cursor = view.cursorForPosition(QPoint(0, 0))
    start = QTextCursor(cursor.block())
    return cursor.block().text(), view.cursorRect(start).top()


def select(view: Transcript, text: str, number: int = 0) -> None:
    at = -1
    for _ in range(number + 1):
        at = view.toPlainText().index(text, at + 1)
    cursor = view.textCursor()
    cursor.setPosition(at)
    cursor.setPosition(at + len(text), QTextCursor.MoveMode.KeepAnchor)
    view.setTextCursor(cursor)


def test_words_change_where_they_stand_and_only_those_of_the_stretch(view: Transcript) -> None:
    fill(view, "asked not what", paragraphs=3)
    view.replace(stretch("ask not what", 10_000, 12_000))
    assert lines(view) == [
        "0:00:00\tasked not what",
        "0:00:10\task not what",
        "0:00:20\tasked not what",
    ]


def test_one_stretch_over_two_paragraphs_keeps_both(view: Transcript) -> None:
    fill(view, "won to", paragraphs=2)
    words = (*said("one two", 0, utterance=7), *said("three four five", 10_000, utterance=7))
    view.replace(Reheard("me", 0, 12_000, words))
    assert lines(view) == ["0:00:00\tone two", "0:00:10\tthree four five"]


def test_another_voice_is_left_alone_and_new_words_go_on(view: Transcript) -> None:
    for each in said("eye sea", 0, "me"):
        view.add_word(each)
    for each in said("yes", 100, "them"):
        view.add_word(each)
    view.replace(stretch("I see", 0, 1000, "me"))
    view.add_word(word(" you", 700))
    assert lines(view) == ["0:00:00\tYou: I see you", "0:00:00\tOthers: yes"]


def test_words_that_captions_missed_stand_behind_those_before_them(view: Transcript) -> None:
    fill(view, "one two", paragraphs=2)
    view.replace(stretch("and three", 3_000, 5_000))
    assert lines(view)[0] == "0:00:00\tone two and three"


def test_a_paragraph_of_which_nothing_is_left_is_not_seen(view: Transcript) -> None:
    fill(view, "you", paragraphs=2)
    view.replace(Reheard("me", 0, 12_000, tuple(said("thank you very much", 0))))
    assert view.toPlainText().strip() == "0:00:00\tthank you very much"
    view.add_word(word(" Goodbye", 11_000, utterance=9))
    assert lines(view)[-1] == "0:00:11\tGoodbye"


@pytest.mark.parametrize("number", [2, 28])
def test_what_is_read_stays_where_it_is(view: Transcript, number: int) -> None:
    fill(view, "a line")
    bar = view.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    before = top_line(view)
    longer = "many more words than the captions had so that the line is broken again and again"
    view.replace(stretch(longer, number * 10_000, number * 10_000 + 9_000))
    assert longer in view.toPlainText()
    assert top_line(view) == before


def test_who_follows_the_newest_words_still_does(view: Transcript) -> None:
    fill(view, "a line")
    view.replace(stretch("much " * 40, 290_000, 299_000))
    assert view.follows
    assert view.verticalScrollBar().value() == view.verticalScrollBar().maximum()


@pytest.mark.parametrize(
    ("number", "selected"),
    [(0, "is it"), (1, "is it"), (2, "is it")],
    ids=["before", "in", "after"],
)
def test_what_is_selected_stays_selected(view: Transcript, number: int, selected: str) -> None:
    fill(view, "this is it now", paragraphs=3)
    select(view, selected, number)
    view.replace(stretch("and that is it know how", 10_000, 12_000))
    assert view.textCursor().selectedText() == selected
    assert view.textCursor().block().blockNumber() == number


def test_a_selection_does_not_grow_by_what_is_put_beside_it(view: Transcript) -> None:
    fill(view, "one two", paragraphs=1)
    select(view, "two")
    view.replace(stretch("one and two three", 0, 2_000))
    assert view.textCursor().selectedText() == "two"


def test_the_match_one_has_come_to_stays_the_one(qtbot: QtBot, view: Transcript) -> None:
    bar = FindBar(view)
    qtbot.addWidget(bar)
    fill(view, "find me", paragraphs=5)
    bar.open()
    bar.entry.setText("find")
    bar.find_next()
    assert view.place_among_marks() == (2, 5)
    view.replace(stretch("found find me", 0, 2_000))
    qtbot.waitUntil(lambda: view.place_among_marks() == (2, 5))
    assert view.textCursor().block().blockNumber() == 1
