"""The transcript: only ever grows, follows only while its end is in sight, can be searched."""

from __future__ import annotations

import random

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.timeline import Gap
from app.ui.main_window import transcript as module
from app.ui.main_window.find_bar import FindBar
from app.ui.main_window.transcript import Transcript, clock
from model_backends.base import Word


def word(text: str, start_ms: int, lane: str = "me", utterance: int = 0, lang: str = "en") -> Word:
    return Word(lane, 0, utterance, text, start_ms, start_ms + 200, lang)


@pytest.fixture
def transcript(qtbot: QtBot) -> Transcript:
    view = Transcript()
    qtbot.addWidget(view)
    view.resize(400, 160)
    with qtbot.waitExposed(view):
        view.show()
    return view


def lines(view: Transcript) -> list[str]:
    return view.toPlainText().split("\n")


def fill(view: Transcript, paragraphs: int = 40) -> None:
    for number in range(paragraphs):
        view.add_word(word(f" Paragraph{number}", number * 10_000, utterance=number))


def test_words_stand_behind_the_time_they_were_said(transcript: Transcript) -> None:
    transcript.add_word(word(" Hello", 3_725_000))
    transcript.add_word(word(" there", 3_725_250))
    assert lines(transcript) == ["1:02:05\tHello there"]


@pytest.mark.parametrize("language", ["ar", "en"])
def test_there_is_nothing_to_scroll_to_at_the_side(transcript: Transcript, language: str) -> None:
    """Of Arabic Qt counts the column of times twice."""
    for number in range(60):
        transcript.add_word(word(" العظام ولكن", number * 300, lang=language))
    QApplication.processEvents()
    bar = transcript.horizontalScrollBar()
    assert not bar.isVisible()
    bar.setValue(bar.maximum())
    assert bar.value() == 0


def test_a_pause_begins_a_paragraph_and_a_breath_does_not(transcript: Transcript) -> None:
    transcript.add_word(word(" One", 0))
    transcript.add_word(word(" two", 2000, utterance=1))
    transcript.add_word(word(" three", 60_000, utterance=2))
    assert lines(transcript) == ["0:00:00\tOne two", "0:01:00\tthree"]


def test_a_long_speech_breaks_after_a_sentence(transcript: Transcript) -> None:
    for number in range(120):
        transcript.add_word(word(f" W{number}" + "." * (number % 10 == 9), number * 500))
    paragraphs = lines(transcript)
    assert len(paragraphs) > 1
    assert all(paragraph.endswith(".") for paragraph in paragraphs)


def test_lanes_keep_their_own_paragraphs_and_are_named(transcript: Transcript) -> None:
    transcript.add_word(word(" I", 0))
    transcript.add_word(word(" You", 100, "them"))
    transcript.add_word(word(" say", 300))
    transcript.add_word(word(" hear", 400, "them"))
    assert lines(transcript) == ["0:00:00\tYou: I say", "0:00:00\tOthers: You hear"]


def test_whose_the_first_words_were_is_told_once_there_is_somebody_else(
    transcript: Transcript,
) -> None:
    transcript.names = {"me": "Ada", "them": "Team"}
    transcript.begin_session("14:03")
    transcript.add_word(word(" Earlier", 0, "them"))
    transcript.begin_session("14:20")
    transcript.add_word(word(" Hello", 0, "them"))
    transcript.add_gap(Gap("them", 1000, 9000, "paused"))
    transcript.add_word(word(" again", 9000, "them", 1))
    alone = lines(transcript)
    assert not any("Team" in line for line in alone), "one voice needs no name"
    transcript.selectAll()
    transcript.add_word(word(" Hi", 12_000, "me", 2))
    transcript.add_word(word(" there", 9300, "them", 1))
    assert lines(transcript) == [
        "0:00:00\tEarlier",
        "— 14:20 —",
        "0:00:00\tTeam: Hello",
        "— Paused, 0:00:01 to 0:00:09 —",
        "0:00:09\tTeam: again there",
        "0:00:12\tAda: Hi",
    ]


def test_what_is_shown_is_only_ever_added_to(transcript: Transcript) -> None:
    chance = random.Random(7)
    now = 0
    for lane in ("me", "them"):  # from here on both are named
        transcript.add_word(word(" W", now, lane))
    shown = lines(transcript)
    for number in range(200):
        lane = chance.choice(["me", "them"])
        now += chance.choice([200, 200, 200, 4000])
        if chance.random() < 0.05:
            transcript.add_gap(Gap(lane, now, now + 1000, "paused"))
        transcript.add_word(word(f" w{number}", now, lane, number // 9))
        after = lines(transcript)
        assert all(new.startswith(old) for old, new in zip(shown, after, strict=False))
        assert len(after) >= len(shown)
        shown = after
    assert sum(line.count("w") for line in shown) == 200


def test_a_gap_says_why(transcript: Transcript) -> None:
    transcript.add_word(word(" Before", 0))
    transcript.add_gap(Gap("me", 1000, 9000, "paused"))
    transcript.add_word(word(" after", 9000))
    assert lines(transcript) == [
        "0:00:00\tBefore",
        "— Paused, 0:00:01 to 0:00:09 —",
        "0:00:09\tafter",
    ]


def test_a_second_session_stands_below_the_first(transcript: Transcript) -> None:
    transcript.begin_session("14:03")
    transcript.add_word(word(" First", 0))
    transcript.begin_session("14:20")
    transcript.add_word(word(" second", 0))
    assert lines(transcript) == ["0:00:00\tFirst", "— 14:20 —", "0:00:00\tsecond"]


def test_direction_follows_the_language_not_the_first_letter(transcript: Transcript) -> None:
    transcript.add_word(word(" مرحبا", 0, lang="en"))
    transcript.add_word(word(" hello", 9000, lang="ar"))
    blocks = [transcript.document().findBlockByNumber(n) for n in (0, 1)]
    assert [block.blockFormat().layoutDirection() for block in blocks] == [
        Qt.LayoutDirection.LeftToRight,
        Qt.LayoutDirection.RightToLeft,
    ]


def test_a_paragraph_turns_when_its_language_becomes_known(transcript: Transcript) -> None:
    transcript.add_word(word(" Voxline", 0, lang=None))  # type: ignore[arg-type]
    transcript.add_word(word(" مرحبا", 300, lang="ar"))
    transcript.add_word(word(" hello", 600, lang="en"))  # the first that was known stays
    shape = transcript.document().findBlockByNumber(0).blockFormat()
    assert shape.layoutDirection() == Qt.LayoutDirection.RightToLeft
    assert shape.rightMargin() > 0 == shape.leftMargin()


def test_until_its_language_is_known_the_first_letter_decides(transcript: Transcript) -> None:
    transcript.add_word(word(" مرحبا", 0, lang=None))  # type: ignore[arg-type]
    shape = transcript.document().findBlockByNumber(0).blockFormat()
    assert shape.layoutDirection() == Qt.LayoutDirection.RightToLeft


def test_a_word_of_spaces_begins_no_paragraph(transcript: Transcript) -> None:
    transcript.add_word(word("  ", 0))
    transcript.add_word(word(" Hello", 300))
    assert lines(transcript) == ["0:00:00\tHello"]


def test_it_follows_the_newest_words(transcript: Transcript) -> None:
    fill(transcript)
    bar = transcript.verticalScrollBar()
    assert bar.maximum() > 0
    assert bar.value() == bar.maximum()


def test_a_reader_who_scrolled_back_is_left_in_peace(transcript: Transcript) -> None:
    told: list[bool] = []
    transcript.follow_changed.connect(told.append)
    fill(transcript)
    transcript.verticalScrollBar().setValue(30)
    fill(transcript)
    assert transcript.verticalScrollBar().value() == 30
    transcript.show_end()
    fill(transcript, 3)
    assert transcript.verticalScrollBar().value() == transcript.verticalScrollBar().maximum()
    assert told == [False, True]


def test_a_smaller_window_keeps_the_newest_words_in_sight(transcript: Transcript) -> None:
    fill(transcript)
    transcript.resize(250, 100)
    assert transcript.verticalScrollBar().value() == transcript.verticalScrollBar().maximum()


def test_nobody_can_type_into_it(transcript: Transcript, qtbot: QtBot) -> None:
    transcript.add_word(word(" Kept", 0))
    QTest.keyClicks(transcript, "typed")
    QTest.keyClick(transcript, Qt.Key.Key_Backspace)
    assert lines(transcript) == ["0:00:00\tKept"]


def test_copying_takes_the_selection_or_all(transcript: Transcript) -> None:
    transcript.add_word(word(" Hello", 0))
    transcript.copy_selection_or_all()
    assert QGuiApplication.clipboard().text() == "0:00:00\tHello"
    assert not transcript.textCursor().hasSelection()
    cursor = transcript.textCursor()
    cursor.movePosition(QTextCursor.MoveOperation.End)
    cursor.movePosition(QTextCursor.MoveOperation.StartOfWord, QTextCursor.MoveMode.KeepAnchor)
    transcript.setTextCursor(cursor)
    transcript.copy_selection_or_all()
    assert QGuiApplication.clipboard().text() == "Hello"


def test_search_finds_whatever_the_case_and_goes_round(
    transcript: Transcript, qtbot: QtBot
) -> None:
    for number, text in enumerate(["Apple pie", "no fruit", "apple tart"]):
        for part in text.split():
            transcript.add_word(word(f" {part}", number * 10_000))
    bar = FindBar(transcript)
    qtbot.addWidget(bar)
    bar.open()
    QTest.keyClicks(bar.entry, "APPL")  # each letter stays where the ones before were found
    found = [transcript.textCursor().blockNumber()]
    for key, modifier in (
        (Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier),
    ):
        QTest.keyClick(bar.entry, key, modifier)
        found.append(transcript.textCursor().blockNumber())
    assert bar.count.text() == "2 of 2"
    assert found == [0, 2, 0, 2]
    assert len(transcript.extraSelections()) == 2


def test_search_counts_words_that_come_later_and_leaves_no_marks(
    transcript: Transcript, qtbot: QtBot
) -> None:
    bar = FindBar(transcript)
    qtbot.addWidget(bar)
    bar.open()
    QTest.keyClicks(bar.entry, "pear")
    assert bar.count.text() == "Not found"
    transcript.add_word(word(" Pear", 0))
    qtbot.waitUntil(lambda: bar.count.text() == "1 match")
    QTest.keyClick(bar.entry, Qt.Key.Key_Escape)
    assert bar.isHidden()
    assert transcript.extraSelections() == []


@pytest.mark.parametrize(
    ("ms", "text"), [(0, "0:00:00"), (59_999, "0:00:59"), (36_061_000, "10:01:01")]
)
def test_clock(ms: int, text: str) -> None:
    assert clock(ms) == text


def test_what_is_long_gone_is_not_held_for_ever(
    transcript: Transcript, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT_CHARACTERS", 100)
    for number in range(4):
        transcript.begin_session(f"session {number}")
        transcript.add_word(word(f" {'long ' * 12}of {number}.", 0))
    text = transcript.toPlainText()
    assert "of 0" not in text and "of 1" not in text
    assert text.startswith("— session 2 —") and "of 2" in text, "the one before is there, whole"
    transcript.add_word(word(" And more", 100))
    assert transcript.toPlainText().endswith("of 3. And more")

    chosen = transcript.textCursor()
    chosen.select(QTextCursor.SelectionType.Document)
    transcript.setTextCursor(chosen)
    transcript.begin_session("session 4")
    assert "of 2" in transcript.toPlainText(), "nothing goes that somebody is about to copy"
