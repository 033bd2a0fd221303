"""The window of what was said before, as somebody uses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.core.timeline import Gap
from app.session.library import Library
from app.session.stored import RECOVERED
from app.ui.sessions import saving, shelf
from app.ui.sessions.window import SessionsWindow
from app.ui.widgets.banner import Banner
from tests.session.test_library import said, words


class Desk:
    """The window with three sessions of two days, and what a test does with it."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.library = Library()
        now = datetime.now().astimezone()
        self.today = now.replace(hour=14, minute=2, second=0, microsecond=0)
        talk = [*words("Good morning everyone", "them"), *words("The tower 😀 stands", "me", 9000)]
        self.talk = self.keep(said("x", "talk", self.today, words=talk, duration_ms=49 * 60_000))
        yesterday = self.today - timedelta(days=1)
        self.old = self.keep(said("A tower and a tower", "old", yesterday - timedelta(hours=1)))
        self.cut = self.keep(
            said("Cut off", "cut", yesterday - timedelta(hours=2), origin=RECOVERED)
        )
        self.window = SessionsWindow(self.library)
        qtbot.addWidget(self.window)

    def keep(self, session: object) -> int:
        return self.library.keep(session)  # type: ignore[arg-type]

    def until(self, true: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(true, timeout=20_000)

    def look(self) -> None:
        self.window.come_forward()
        self.opened(self.talk)

    def opened(self, session: int) -> None:
        """Wait until it is the one to be read."""
        self.until(
            lambda: self.window.stored is not None and self.window.stored.entry.id == session
        )

    def seek(self, text: str) -> None:
        self.window.search.setFocus()
        QTest.keyClicks(self.window.search, text)
        QTest.keyClick(self.window.search, Qt.Key.Key_Return)
        self.until(lambda: self.window._sought == text.lower())

    @property
    def listed(self) -> list[str]:
        model = self.window.list.rows
        return [str(model.index(at).data()) for at in range(model.rowCount())]

    @property
    def selected(self) -> str:
        return self.window.text.textCursor().selectedText()

    def banner(self, begins: str) -> Banner:
        def there() -> list[Banner]:
            banners = self.window.banners.banners
            return [banner for banner in banners if banner.text.startswith(begins)]

        self.until(lambda: bool(there()))
        return there()[0]

    def press(self, parent: QWidget, label: str) -> None:
        buttons = parent.findChildren(QPushButton)
        (button,) = [each for each in buttons if each.text().replace("&", "") == label]
        button.click()


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    return Desk(qtbot)


def test_sessions_are_listed_by_day_with_their_first_words(desk: Desk) -> None:
    desk.look()
    assert desk.listed == [
        "Today",
        "14:02–14:51 · 7 words · Good morning everyone The tower 😀 stands",
        "Yesterday",
        "13:02–13:02 · 5 words · A tower and a tower",
        "12:02–12:02 · 2 words · Recovered · Cut off",
    ]
    assert desk.window.text.toPlainText() == (
        "0:00:01\tOthers: Good morning everyone\n0:00:09\tYou: The tower 😀 stands"
    )
    assert not desk.window.hits.isVisible()


def test_what_is_typed_is_found_in_all_and_enter_walks_through_the_places(desk: Desk) -> None:
    desk.look()
    desk.seek("Tower")
    desk.until(lambda: len(desk.listed) == 4)
    assert "2 places · A tower and a tower" in desk.listed[3]
    desk.until(lambda: desk.selected == "tower")
    assert desk.window.hits.found.text() == "1 of 1"
    QTest.keyClick(desk.window.search, Qt.Key.Key_Return)  # into the next session
    desk.opened(desk.old)
    assert desk.window.hits.found.text() == "1 of 2"
    QTest.keyClick(desk.window.search, Qt.Key.Key_Return)
    assert desk.window.hits.found.text() == "2 of 2"
    assert desk.window.text.textCursor().selectionStart() > 20
    desk.press(desk.window, "Previous")
    assert desk.window.hits.found.text() == "1 of 2"


def test_a_place_after_an_emoji_is_where_it_is(desk: Desk) -> None:
    desk.look()
    desk.seek("stands")
    desk.until(lambda: desk.selected == "stands")


def test_what_nobody_said_is_told_and_all_is_there_again_without_it(desk: Desk) -> None:
    desk.look()
    desk.seek("zebra")
    desk.until(lambda: desk.listed == [])
    assert desk.window.empty.isVisible() and "Nobody has said that" in desk.window.empty.text()
    assert not desk.window.actions_row.isEnabled()
    desk.window.search.clear()
    desk.until(lambda: len(desk.listed) == 5)


@pytest.mark.parametrize(("keeps", "told"), [(True, "Nothing has been kept"), (False, "Privacy")])
def test_an_empty_library_says_why(qtbot: QtBot, keeps: bool, told: str) -> None:
    window = SessionsWindow(Library(), lambda: keeps)
    qtbot.addWidget(window)
    assert window.empty.text() == "", "it is not known yet"
    window.come_forward()
    qtbot.waitUntil(lambda: told in window.empty.text())


def test_a_session_is_named_in_the_list(desk: Desk) -> None:
    desk.look()
    desk.press(desk.window, "Rename")
    desk.until(lambda: bool(desk.window.list.findChildren(QLineEdit)))
    editor = desk.window.list.findChildren(QLineEdit)[0]
    QTest.keyClicks(editor, "Board & more")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    desk.until(lambda: desk.library.read(desk.talk).entry.title == "Board & more")
    desk.until(lambda: desk.window.headline.text() == "Board & more")
    assert "Board & more" in desk.listed[1]


def test_a_paragraph_is_corrected_and_can_be_had_back(desk: Desk) -> None:
    desk.look()
    before = desk.library.read(desk.talk)
    cursor = desk.window.text.document().find("tower")
    desk.window.text.setTextCursor(cursor)
    dialog = desk.window.correct_paragraph()
    assert dialog is not None and dialog.text.toPlainText() == "The tower 😀 stands"
    dialog.text.setPlainText("The power 😀\nstands")
    dialog.accept()
    desk.until(lambda: "The power 😀 stands" in desk.window.text.toPlainText())
    after = desk.library.read(desk.talk)
    changed = [new for old, new in zip(before.words, after.words, strict=True) if old != new]
    assert [(word.text, word.start_ms) for word in changed] == [(" power", 9400)]
    assert "Corrected" in desk.window.detail.text()
    desk.window.actions_row.restore.trigger()
    desk.until(lambda: "The tower" in desk.window.text.toPlainText())
    assert desk.library.read(desk.talk) == before


def test_a_correction_that_changes_nothing_is_none(desk: Desk) -> None:
    desk.look()
    dialog = desk.window.correct_paragraph()
    assert dialog is not None
    dialog.accept()
    assert not desk.library.read(desk.talk).entry.edited


def test_deleted_can_be_undone_and_is_gone_for_good_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "UNDO_MS", 3_600_000)
    desk.look()
    desk.window.list.setFocus()
    QTest.keyClick(desk.window.list, Qt.Key.Key_Delete)
    banner = desk.banner("Deleted: 14:02")
    desk.opened(desk.old)
    assert len(desk.library.sessions()) == 2
    desk.press(banner, "Undo")
    desk.opened(desk.talk)
    assert len(desk.library.sessions()) == 3
    monkeypatch.setattr(shelf, "UNDO_MS", 600)
    gone: list[int] = []
    desk.window.shelf.gone.connect(gone.append)
    desk.window.delete_session()
    desk.until(lambda: desk.talk in gone)
    assert not [each for each in desk.window.banners.banners if each.text.startswith("Deleted")]
    desk.library.restore(desk.talk)
    assert len(desk.library.sessions()) == 2


@pytest.fixture
def patient_mouse(qapp: QApplication) -> Iterator[None]:
    """Clicks are one double click however slow the machine is."""
    before = qapp.doubleClickInterval()
    qapp.setDoubleClickInterval(60_000)
    yield
    qapp.setDoubleClickInterval(before)


def test_a_double_click_deletes_one_session_and_each_can_be_had_back(
    desk: Desk, patient_mouse: None
) -> None:
    desk.look()
    delete = desk.window.actions_row.delete
    meant: list[str] = []
    delete.clicked.connect(lambda: meant.append("delete"))
    QTest.mouseClick(delete, Qt.MouseButton.LeftButton)
    first = desk.banner("Deleted: 14:02")
    desk.opened(desk.old)
    QTest.mouseClick(delete, Qt.MouseButton.LeftButton)
    QTest.mouseDClick(delete, Qt.MouseButton.LeftButton)
    assert len(meant) == 1
    assert len(desk.library.sessions()) == 2
    desk.window.delete_session()
    desk.opened(desk.cut)
    desk.window.delete_session()
    desk.until(lambda: not desk.library.sessions())
    desk.banner("Deleted: 12:02")
    desk.press(first, "Undo")
    desk.opened(desk.talk)


def test_a_title_without_an_end_widens_nothing(desk: Desk) -> None:
    desk.look()
    page = desk.window.splitter.widget(1)
    assert page is not None
    least = page.minimumSizeHint()
    long = "😀" + "W" * 200
    desk.window.shelf.rename(desk.talk, long)
    desk.until(lambda: "WWW" in desk.window.headline.text())
    assert page.minimumSizeHint().width() == least.width()
    assert long in desk.window.headline.toolTip()
    assert desk.window.headline.accessibleName() == long
    rows = desk.window.list.rows
    told = rows.index(rows.row_of(desk.talk)).data(Qt.ItemDataRole.ToolTipRole)
    assert [str(told).splitlines()[n] for n in (0, 1)] == [
        rows.rows[rows.row_of(desk.talk)].facts,
        long,
    ]
    desk.window.shelf.rename(desk.talk, "")
    desk.until(lambda: "WWW" not in desk.window.headline.text())
    assert not desk.window.headline.accessibleName(), "the day is read out, which is seen"


def test_all_or_what_is_selected_is_copied_with_or_without_times(desk: Desk) -> None:
    desk.look()
    row = desk.window.actions_row
    copied = QGuiApplication.clipboard()
    row.copy_wanted.emit(True)
    assert copied.text() == (
        "00:00:01  Others: Good morning everyone\n\n00:00:09  You: The tower 😀 stands"
    )
    desk.window.text.setTextCursor(desk.window.text.document().find("tower"))
    row.copy_wanted.emit(False)
    assert copied.text() == "tower"


@pytest.mark.parametrize(
    ("name", "selected", "holds"),
    [
        ("all.md", False, "**00:00:09 · You** The tower 😀 stands"),
        ("part.srt", True, "1\n00:00:09,400 --> 00:00:10,234\ntower\n"),
    ],
)
def test_all_or_what_is_selected_is_exported(
    desk: Desk,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    selected: bool,
    holds: str,
) -> None:
    asked: list[str] = []

    def ask(
        _parent: QWidget, _title: str, start: Path, then: Callable[[Path, str], None]
    ) -> None:  # at the edge: the desktop's own dialog
        asked.append(start.name)
        then(tmp_path / name, "")

    monkeypatch.setattr(saving, "file_dialog", ask)
    desk.look()
    desk.window.text.setTextCursor(desk.window.text.document().find("tower"))
    desk.window.actions_row.export_wanted.emit(selected)
    desk.banner("Saved: ")
    assert asked == [f"{desk.today:%Y-%m-%d %H.%M}.srt"]
    assert holds in (tmp_path / name).read_text("utf-8")


def test_gaps_stand_where_they_were(desk: Desk) -> None:
    gaps = [Gap("me", 3000, 8000, "paused"), Gap("me", 20_000, 21_000, "device")]
    whole = replace(said("Before"), words=[*words("Before"), *words("after", start_ms=9000)])
    number = desk.keep(
        replace(whole, uid="gaps", gaps=gaps, started=desk.today + timedelta(hours=1))
    )
    desk.window.come_forward()
    desk.opened(number)
    lines = desk.window.text.toPlainText().splitlines()
    assert [line.split("\t")[-1] for line in lines] == [
        "Before",
        "— Paused, 0:00:03 to 0:00:08 —",
        "after",
        "— No sound from the source, 0:00:20 to 0:00:21 —",
    ]


def test_a_library_that_cannot_be_used_is_told(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    path.write_bytes(b"nonsense" * 1000)
    window = SessionsWindow(Library(path))
    qtbot.addWidget(window)
    window.come_forward()
    qtbot.waitUntil(lambda: bool(window.banners.banners))
    assert "damaged" in window.banners.banners[0].text


@pytest.mark.usefixtures("screen_reader")
def test_a_screen_reader_finds_a_name_for_everything(desk: Desk) -> None:
    desk.look()
    reached = [
        widget
        for widget in desk.window.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible()
    ]
    names = {
        QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)
        for widget in reached
    }
    assert {"Search in all sessions", "Sessions", "What was said", "Copy", "Delete"} <= names
    assert "" not in names
    rows = QAccessible.queryAccessibleInterface(desk.window.list)
    first = rows.child(1).text(QAccessible.Text.Name)
    assert first.startswith("14:02–14:51 · 7 words")


def test_many_hits_are_listed_as_they_are_found_and_the_place_is_kept(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "_AT_ONCE", 1)
    for number in range(3):
        at = desk.today + timedelta(hours=1 + number)
        desk.keep(said("A tower, another tower", f"more {number}", at))
    listed: list[int] = []
    desk.window.shelf.listed.connect(lambda rows, _sought: listed.append(len(rows)))
    desk.window.come_forward()
    desk.until(lambda: desk.window.stored is not None)
    listed.clear()
    desk.seek("tower")
    desk.until(lambda: len(listed) == 2)
    assert listed == [2, 7]
    QTest.keyClick(desk.window.search, Qt.Key.Key_Return)
    assert desk.window.hits.found.text() == "2 of 2"
    desk.window.look()
    desk.until(lambda: len(listed) == 4)
    assert desk.window.hits.found.text() == "2 of 2"
