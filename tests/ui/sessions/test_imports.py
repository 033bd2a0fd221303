"""Files into the library: several at once, one after another, each told, stopped, kept."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from app.session.importing import HeardFile
from app.session.library import Library
from app.session.transcription import Transcript
from app.ui.sessions.import_dialog import ImportDialog
from app.ui.sessions.imports import Imports, Job, State
from app.ui.sessions.imports_panel import JobRow
from app.ui.sessions.window import SessionsWindow
from model_backends.base import EngineError, EngineOptions, UserError
from tests.session.test_library import said, words


class Desk:
    """A window whose files are heard word by word, as the test lets them."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.begun: list[tuple[str, str | None]] = []
        self.go_on = threading.Semaphore(0)
        self.error: Exception | None = None
        self.notes: tuple[str, ...] = ()
        self.library = Library()
        self.imports = Imports(lambda: EngineOptions(engine="scripted"), hear_file=self._hear)
        self.window = SessionsWindow(self.library, imports=self.imports)
        qtbot.addWidget(self.window)
        self.window.come_forward()

    def _hear(
        self, path: Path, options: EngineOptions, heard: Callable[[int, int | None], None]
    ) -> HeardFile:
        self.begun.append((path.name, options.language))
        for at_ms in (60_000, 192_000):
            self.go_on.acquire()
            heard(at_ms, 240_000)
        if self.error:
            raise self.error
        said = words(f"This was said in {path.stem}", "file1")
        transcript = Transcript(path, said, [], 240_000, [], 1.0, 1.0)
        return HeardFile(transcript, self.notes, {"engine": "scripted"})

    def add(self, *names: str) -> list[Job]:
        jobs = [Job(Path("/media") / name) for name in names]
        self.imports.add(jobs)
        return jobs

    def until(self, true: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(true, timeout=20_000)

    def row(self, job: Job) -> JobRow:
        (row,) = [row for row in self.window.importing.rows if row.job is job]
        return row


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    return Desk(qtbot)


def test_one_after_another_with_progress_and_into_the_library(desk: Desk) -> None:
    assert desk.window.importing.isHidden()
    first, second = desk.add("talk.mp3", "film.mkv")
    assert desk.row(second).told.text() == "Waiting"
    assert "Loading" in desk.row(first).told.text()
    desk.go_on.release()
    desk.until(lambda: desk.row(first).told.text() == "0:01:00 of 0:04:00")
    assert desk.row(first).name.accessibleName() == "talk.mp3"
    assert (desk.row(first).bar.value(), desk.row(first).bar.maximum()) == (60, 240)
    desk.go_on.release()
    desk.until(lambda: [name for name, _ in desk.begun] == ["talk.mp3", "film.mkv"])
    desk.until(lambda: len(desk.window.importing.rows) == 1)  # it is in the list now
    desk.until(lambda: desk.window.list.rows.rowCount() == 2)
    (entry,) = desk.library.sessions()
    assert (entry.file, entry.preview) == ("/media/talk.mp3", "This was said in talk")
    assert str(desk.window.list.rows.index(1).data()).startswith("talk.mp3 · 0:04:00 · 5 words")
    desk.go_on.release(2)
    desk.until(lambda: desk.window.importing.isHidden())
    assert len(desk.library.sessions()) == 2


def test_each_can_be_stopped_whether_it_waits_or_is_heard(desk: Desk) -> None:
    first, second, third = desk.add("a.mp3", "b.mp3", "c.mp3")
    desk.row(second).button.click()
    assert desk.row(second).told.text() == "Stopped: nothing was kept."
    desk.row(first).button.click()
    desk.go_on.release()
    desk.until(lambda: first.state is State.STOPPED and third.state is State.WORKING)
    desk.row(second).button.click()
    assert [row.job for row in desk.window.importing.rows] == [first, third]
    desk.go_on.release(2)
    desk.until(lambda: not desk.imports.busy)
    assert [entry.file for entry in desk.library.sessions()] == ["/media/c.mp3"]


def test_a_file_that_cannot_be_heard_is_told_and_the_next_is_taken(desk: Desk) -> None:
    desk.error = EngineError("“a.pdf” is not audio or video.", "It may be damaged.")
    first, second = desk.add("a.pdf", "b.mp3")
    desk.go_on.release(2)
    desk.until(lambda: second.state is State.WORKING)
    assert desk.row(first).told.text() == "“a.pdf” is not audio or video. It may be damaged."
    desk.error = None
    desk.notes = ("It is cut short.",)
    desk.go_on.release(2)
    desk.until(lambda: second.state is State.DONE)
    assert desk.row(second).told.text() == "It is cut short."


def _copied(data: QMimeData) -> tuple[Any, ...]:
    return (
        Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )  # fmt: skip


def test_a_folder_is_not_taken(desk: Desk, tmp_path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path)), QUrl("https://example.org/a.mp3")])
    enters = QDragEnterEvent(QPoint(5, 5), *_copied(data))
    QApplication.sendEvent(desk.window, enters)
    assert not enters.isAccepted()


def test_files_that_are_dropped_are_asked_about_each_with_its_language(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.ui.sessions import window

    monkeypatch.setattr(window, "languages", lambda options: ("de", "fr"))
    files = [tmp_path / "a.mp3", tmp_path / "b.mp3"]
    for path in files:
        path.touch()
    dropped = QMimeData()
    dropped.setUrls([QUrl.fromLocalFile(str(path)) for path in [*files, tmp_path]])
    enters = QDragEnterEvent(QPoint(5, 5), *_copied(dropped))
    QApplication.sendEvent(desk.window, enters)
    assert enters.isAccepted()
    QApplication.sendEvent(desk.window, QDropEvent(QPointF(5, 5), *_copied(dropped)))
    (dialog,) = desk.window.findChildren(ImportDialog)
    assert [box.count() for box in dialog.languages] == [3, 3]
    assert f"“{tmp_path.name}”" in dialog.left_out.text() and not dialog.left_out.isHidden()
    dialog.languages[1].setCurrentIndex(dialog.languages[1].findData("de"))
    dialog.accept()
    desk.go_on.release(4)
    desk.until(lambda: not desk.imports.busy)
    assert desk.begun == [("a.mp3", None), ("b.mp3", "de")]


def test_what_is_no_file_is_left_out_and_named(qtbot: QtBot, tmp_path: Path) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    folders = [tmp_path / f"folder {number}" for number in range(4)]
    for folder in folders:
        folder.mkdir()
    (tmp_path / "a.mp3").touch()
    taken: list[Job] = []
    dialog = ImportDialog(parent, [*folders, tmp_path / "a.mp3"], (), taken.extend)
    assert "“folder 0”, “folder 1”, “folder 2”, …. Of a folder" in dialog.left_out.text()
    assert dialog.left_out.toolTip().splitlines() == [str(folder) for folder in folders]
    dialog.accept()
    assert [job.path.name for job in taken] == ["a.mp3"]
    assert ImportDialog(parent, [tmp_path / "a.mp3"], (), taken.extend).left_out.isHidden()


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such files")
def test_a_pipe_that_is_dropped_with_files_is_left_out_and_named(
    qtbot: QtBot, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = ImportDialog(parent, [tmp_path / "pipe", Path("a.mp3")], (), lambda jobs: None)
    assert "“pipe”" in dialog.left_out.text()


def test_where_many_files_scroll_no_choice_is_cut(qtbot: QtBot) -> None:
    files = [Path(f"{'W' * 60} {number}.flac") for number in range(30)]
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = ImportDialog(parent, files, ("de", "fr"), lambda jobs: None)
    dialog.resize(dialog.sizeHint())
    dialog.show()
    qtbot.waitUntil(lambda: dialog.languages[0].isVisible())
    (area,) = dialog.findChildren(QScrollArea)
    assert area.verticalScrollBar().maximum() > 0
    assert area.horizontalScrollBar().maximum() == 0
    labels = [each for each in area.findChildren(QLabel) if "…" in each.text()]
    assert [each.accessibleName() for each in labels] == [path.name for path in files]
    assert [each.toolTip() for each in labels] == [str(path) for path in files]


def test_a_real_file_is_heard_by_a_worker_of_its_own(
    qtbot: QtBot, sample: Path, tmp_path: Path
) -> None:
    sound = tmp_path / "a recording.flac"
    sound.write_bytes(sample.read_bytes())
    imports = Imports(lambda: EngineOptions(engine="scripted"))
    imports.add([Job(sound)])
    qtbot.waitUntil(lambda: not imports.busy, timeout=60_000)
    (job,) = imports.jobs
    assert job.state is State.DONE and job.session is not None
    stored = Library().read(job.session)
    assert stored.words and stored.facts["engine"] == "scripted"
    assert stored.entry.file == str(sound)


class EdgeOfTheMachine:
    """In the place of the player: what it was told to play."""

    def __init__(self, ended: Callable[[UserError | None], None]) -> None:
        self.ended = ended
        self.played: list[tuple[str, int]] = []
        self.playing = False

    def play(self, path: Path, at_ms: int) -> None:
        self.played.append((path.name, at_ms))
        self.playing = True

    def stop(self) -> None:
        self.playing = False


def test_a_click_on_a_word_plays_the_file_from_there(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[EdgeOfTheMachine] = []

    def player(ended: Callable[[UserError | None], None]) -> EdgeOfTheMachine:
        made.append(EdgeOfTheMachine(ended))
        return made[0]

    monkeypatch.setattr("app.audio.player.FilePlayer", player)
    path = tmp_path / "talk.mp3"
    path.touch()
    desk.library.keep(said("We met at the tower", origin="file", file=str(path)))
    desk.window.look()
    desk.until(lambda: desk.window.stored is not None)
    text, button = desk.window.text, desk.window.actions_row.play
    place = text.cursorRect(text.document().find("tower")).center()
    QTest.mouseClick(text.viewport(), Qt.MouseButton.LeftButton, pos=place - QPoint(3, 0))
    assert made[0].played == [("talk.mp3", 2600)]
    assert button.text() == "S&top"
    button.click()
    assert not made[0].playing and button.text() == "&Listen"
    button.click()
    assert made[0].played[1:] == [("talk.mp3", 2600)]
    made[0].playing = False
    made[0].ended(None)
    desk.until(lambda: button.text() == "&Listen")
    path.unlink()
    button.click()
    told = desk.window.banners.banners[-1]
    assert "not there any more" in told.text and len(made[0].played) == 2


def test_a_session_that_was_heard_live_has_nothing_to_listen_to(desk: Desk) -> None:
    desk.library.keep(said("We met at the tower"))
    desk.window.look()
    desk.until(lambda: desk.window.stored is not None)
    assert not desk.window.actions_row.play.isVisible()
