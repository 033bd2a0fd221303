"""Holding and scrolling the captions, catching up, copying; what is old looks old."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QGuiApplication, QImage, QWheelEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.session.session import Stage, Status
from app.settings import OverlaySettings
from app.ui.overlay.caption_view import line_height
from app.ui.overlay.reading import text_of
from app.ui.overlay.window import CaptionOverlay
from model_backends.base import Word
from tests.ui.overlay.windows import SCREEN, entry, listening, message_of, painted
from tests.ui.overlay_fakes import FakeSession, words

TALK = " ".join(f"word{n}" for n in range(400))


@pytest.fixture
def session(qtbot: QtBot, window: CaptionOverlay) -> FakeSession:
    """Four hundred words have been said."""
    session = listening(window)
    session.say(Status(Stage.SPEECH), *words(TALK))
    qtbot.waitUntil(lambda: shown(window)[-1:] == ["word399"])
    return session


def shown(window: CaptionOverlay) -> list[str]:
    """The words on the screen."""
    return " ".join(window.captions.painted_text).split()


def holds(window: CaptionOverlay) -> bool:
    return window.reading.held


def turn(window: CaptionOverlay, notches: float) -> None:
    """The wheel, up if more than 0."""
    middle = QPointF(window.rect().center())
    none, keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    phase, by = Qt.ScrollPhase.NoScrollPhase, QPoint(0, round(120 * notches))
    window.wheelEvent(QWheelEvent(middle, middle, QPoint(), by, none, keys, phase, False))


def more(qtbot: QtBot, window: CaptionOverlay, session: FakeSession, count: int) -> None:
    """So many words more, and the window has had them."""
    before = window.captions._lines.added
    said = " ".join(f"new{n}" for n in range(count))
    session.say(*words(said, start_ms=before * 250))
    qtbot.waitUntil(lambda: window.captions._lines.added == before + count)


def rows(window: CaptionOverlay) -> QImage:
    """What is painted of the two lowest lines, at their place on the screen."""
    image = painted(window.captions)
    height = 2 * line_height(OverlaySettings())
    return image.copy(QRect(0, image.height() - height, image.width(), height))


def test_held_text_stands_still_while_words_come(
    qtbot: QtBot, window: CaptionOverlay, session: FakeSession
) -> None:
    before = window.captions.mapToGlobal(window.captions.rect().bottomLeft())
    picture = rows(window)
    with qtbot.waitSignal(window.held_changed):
        window.controls.hold.click()
    assert window.captions.line_count == 8
    assert window.captions.mapToGlobal(window.captions.rect().bottomLeft()) == before
    assert rows(window) == picture  # neither the words nor their place
    held = window.captions.committed_text
    more(qtbot, window, session, 23)
    window.captions.repaint()
    assert window.captions.painted_text == held
    assert window._box.live.live.text() == "Live ▾  23 words"
    assert window._box.live.isVisible()
    assert SCREEN.contains(window.box_on_screen)


@pytest.mark.parametrize("way", ["button", "click", "escape", "end"])
def test_the_newest_words_come_back_only_when_asked_for(
    qtbot: QtBot, window: CaptionOverlay, session: FakeSession, way: str
) -> None:
    box = window.box_on_screen
    window.focus_controls()
    window.toggle_hold()
    more(qtbot, window, session, 30)
    turn(window, -50)  # to the end, by hand
    assert holds(window)
    if way == "button":
        window.controls.hold.click()
    elif way == "click":
        QTest.mouseClick(window._box.live.live, Qt.MouseButton.LeftButton)
    else:
        key = Qt.Key.Key_Escape if way == "escape" else Qt.Key.Key_End
        QTest.keyClick(window.controls.hold, key)
    assert not holds(window)
    assert window.box_on_screen == box
    assert window._box.live.isHidden()
    qtbot.waitUntil(lambda: shown(window)[-1] == "new29")


def test_the_wheel_scrolls_back_by_whole_lines(
    qtbot: QtBot, window: CaptionOverlay, session: FakeSession
) -> None:
    turn(window, -1)
    assert not holds(window)  # there is nothing below
    turn(window, 1)
    assert holds(window)
    window.captions.repaint()
    first = window.captions.painted_text
    turn(window, 1)
    window.captions.repaint()
    assert window.captions.painted_text[2:] == first[:-2]
    turn(window, 1000)
    window.captions.repaint()
    assert shown(window)[0] == "word0"
    assert window.captions.line_count == len(window.captions.painted_text) == 8


def test_a_touchpad_scrolls_a_line_when_it_has_moved_that_far(
    window: CaptionOverlay, session: FakeSession
) -> None:
    for _ in range(3):
        turn(window, 20 / 120)
    assert window.captions.scrollback.held is not None
    assert window.captions.scrollback.held.end == window.captions._lines.newest - 1


def test_pages_by_keys(window: CaptionOverlay, session: FakeSession) -> None:
    window.focus_controls()
    hold = window.controls.hold
    QTest.keyClick(hold, Qt.Key.Key_PageUp)
    QTest.keyClick(hold, Qt.Key.Key_PageUp)
    window.captions.repaint()
    first = window.captions.painted_text
    QTest.keyClick(hold, Qt.Key.Key_PageUp)
    window.captions.repaint()
    assert window.captions.painted_text[-1] == first[0]  # to find one's place by
    QTest.keyClick(hold, Qt.Key.Key_PageDown)
    window.captions.repaint()
    assert window.captions.painted_text == first


def test_catching_up_begins_below_the_mark(
    qtbot: QtBot, window: CaptionOverlay, session: FakeSession
) -> None:
    window.menu.aboutToShow.emit()
    window.toggle_hold()
    window.go_live()
    more(qtbot, window, session, 200)
    window._show_menu_state()
    assert entry(window, "Catch me up").isEnabled()
    entry(window, "Catch me up").trigger()
    window.captions.repaint()
    assert "word399" in window.captions.painted_text[0].split()
    assert shown(window)[-1].startswith("new")
    image = painted(window.captions)
    below_first = line_height(OverlaySettings()) - 1
    middle = image.width() // 2
    assert image.pixelColor(middle, below_first).alpha() > 150  # the mark, over the whole width
    assert image.pixelColor(image.width() - 20, below_first).alpha() > 150


def test_what_was_marked_can_be_gone_back_to(
    qtbot: QtBot, window: CaptionOverlay, session: FakeSession
) -> None:
    window.mark()
    assert not window.reading.can_catch_up  # nothing has come since
    more(qtbot, window, session, 200)
    window.focus_controls()
    QTest.keyClick(window.controls.hold, Qt.Key.Key_Home)
    window.captions.repaint()
    assert "word399" in window.captions.painted_text[0].split()


def test_the_last_minute_is_copied(window: CaptionOverlay, session: FakeSession) -> None:
    window._show_menu_state()
    entry(window, "Copy the last minute").trigger()
    copied = QGuiApplication.clipboard().text().split()
    assert copied[-1] == "word399"
    assert 235 <= len(copied) <= 241  # four a second
    assert str(len(copied)) in message_of(window).text


def test_turns_are_copied_as_lines() -> None:
    said = [
        Word("me", 0, 0, " Good", 0, 1), Word("me", 0, 0, " morning.", 1, 2),
        Word("me", 0, 1, "All", 3, 4), Word("them", 0, 2, " Hello.", 5, 6),
        Word("them", 0, 3, "日本", 7, 8), Word("them", 0, 4, "語", 9, 10),
    ]  # fmt: skip
    assert text_of(said) == "Good morning. All\nHello.日本語"


def test_a_new_size_keeps_what_is_looked_at(window: CaptionOverlay, session: FakeSession) -> None:
    turn(window, 10)
    window.captions.repaint()
    last = shown(window)[-1]
    window.resize_text(True)
    window.captions.repaint()
    assert holds(window)
    assert last in window.captions.painted_text[-1].split()
    assert window.captions.line_count == 8


def test_what_is_chosen_elsewhere_moves_nothing_that_is_held(
    window: CaptionOverlay, session: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.toggle_hold()
    moved: list[QRect] = []
    monkeypatch.setattr(window, "setGeometry", lambda *place: moved.append(QRect(*place)))
    window.apply(window._settings)  # as after a change of the delay
    assert moved == []


def test_growing_for_held_text_is_nobodys_choice(
    qtbot: QtBot, window: CaptionOverlay, session: FakeSession, saved: list[OverlaySettings]
) -> None:
    window._settle()
    before = saved[-1] if saved else None
    window.toggle_hold()
    window._settle()
    assert (saved[-1] if saved else None) == before
    window.go_live()
    assert window.captions.line_count == 2


def test_at_the_top_of_the_screen_it_grows_down(
    window: CaptionOverlay, session: FakeSession
) -> None:
    window._put_box(QRect(300, 0, 900, window.box_on_screen.height()))
    window._settle()
    window.toggle_hold()
    assert window.box_on_screen.top() == 0
    assert SCREEN.contains(window.box_on_screen)
    assert window.captions.line_count == 8


# --- old words ------------------------------------------------------------------------------------


def brightest(window: CaptionOverlay, row: int) -> int:
    """Alpha of the brightest pixel of a line."""
    image = painted(window.captions)
    height = line_height(OverlaySettings())
    lines = range(row * height + 4, (row + 1) * height - 4)
    return max(image.pixelColor(x, y).alpha() for x in range(20, 300) for y in lines)


def test_old_words_look_old_and_stay_so_beside_new_ones(
    qtbot: QtBot, window: CaptionOverlay
) -> None:
    session = listening(window)
    session.say(Status(Stage.SPEECH), *words("Said before the silence."))
    qtbot.waitUntil(lambda: bool(window.captions.committed_text))
    assert brightest(window, 0) == 255
    window._quiet._old_timer.timeout.emit()
    assert 170 <= brightest(window, 0) <= 185  # seven tenths
    [late] = words("Again.", start_ms=60_000)
    session.say(Word("me", 0, 1, late.text, late.start_ms, late.end_ms, "en"))
    qtbot.waitUntil(lambda: len(window.captions.committed_text) == 2)
    assert 170 <= brightest(window, 0) <= 185
    assert brightest(window, 1) == 255


def test_after_minutes_it_is_said_since_when_it_is_quiet(
    qtbot: QtBot, window: CaptionOverlay
) -> None:
    session = listening(window)
    session.say(Status(Stage.LISTENING), *words("Hello."))
    qtbot.waitUntil(lambda: bool(window.captions.committed_text))
    assert window.status_row.shown == ""
    window._quiet._told_timer.timeout.emit()
    assert window.status_row.shown.startswith("— quiet since ")
    session.say(*words("Hello again.", start_ms=400_000))
    qtbot.waitUntil(lambda: window.status_row.shown == "")
