"""Every state of the window of past sessions: its library is a new one, in the scene's script."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from app.core.timeline import Gap
from app.core.voices import ME, THEM
from app.session.importing import HeardFile
from app.session.library import Library
from app.session.stored import FILE, RECOVERED, Said
from app.ui.sessions.imports import Imports, Job
from app.ui.sessions.window import SessionsWindow
from model_backends.base import EngineError, EngineOptions
from tests.ui.photographs.registry import moved, state
from tests.ui.photographs.scene import Scene
from tests.ui.photographs.texts import said

_AT_TWO = datetime.now().astimezone().replace(hour=14, minute=2, second=0, microsecond=0)
_TITLE = "Weekly planning of the whole team, with the architects"
_FILE = "Interview with the mayor about the new bridge, second part.mp3"


def _opened(scene: Scene, *kept: Said) -> SessionsWindow:
    """The window, with these in its library, the first of which is open."""
    folder = Path(tempfile.mkdtemp(dir=Path.home()))
    library = Library(folder / "sessions.db")
    ids = [library.keep(each) for each in kept]
    if len(ids) > 1:
        library.rename(ids[0], _TITLE)
    sessions = scene.parts.sessions
    sessions._library = library
    over = threading.Event()
    scene.at_close.append(over.set)
    sessions.imports = Imports(
        lambda: EngineOptions(engine="scripted"), library, hear_file=partial(_hear, over)
    )
    window = sessions.open()
    until = _is_open(window, ids[0]) if ids else lambda: bool(window.empty.text())
    scene.settle(until=until)
    return window


def _is_open(window: SessionsWindow, session: int) -> Callable[[], bool]:
    return lambda: window.stored is not None and window.stored.entry.id == session


def _hear(
    over: threading.Event,
    path: Path,
    options: EngineOptions,
    heard: Callable[[int, int | None], None],
) -> HeardFile:
    """One file cannot be heard, every other takes as long as the scene."""
    if path.suffix == ".pdf":
        raise EngineError(f"“{path.name}” is not audio or video.", "It may be damaged.")
    heard(72_000, 240_000)
    over.wait()
    raise EngineError("The scene is over.", "")


def _many(script: str) -> list[Said]:
    """A meeting of today, and what was said before."""
    mine = said(script, 2)
    theirs = [moved(word, 150_000) for word in said(script, lane=THEM)]
    day = timedelta(days=1)
    meeting = Said(
        "meeting", _AT_TWO, [*mine, *theirs], [Gap(ME, 40_000, 150_000, "paused")],
        duration_ms=49 * 60_000,
    )  # fmt: skip
    return [
        meeting,
        Said("call", _AT_TWO - day, said(script)[8:], duration_ms=300_000),
        Said("cut", _AT_TWO - day * 1.1, said(script)[3:9], duration_ms=9_000, origin=RECOVERED),
        _from_file(script, "/media/" + _FILE),
        *(
            Said(f"{n}", _AT_TWO - day * n, said(script)[n:], duration_ms=600_000)
            for n in range(3, 9)
        ),
    ]


def _from_file(script: str, file: str) -> Said:
    at = _AT_TWO - timedelta(days=2)
    return Said("file", at, said(script, 3), duration_ms=240_000, file=file, origin=FILE)


@state("sessions: nothing yet")
def _(scene: Scene) -> None:
    _opened(scene)


@state("sessions: nothing is kept")
def _(scene: Scene) -> None:
    scene.store.change(keep_transcripts=False)
    _opened(scene)


@state("sessions: list")
def _(scene: Scene) -> None:
    scene.speak()
    window = _opened(scene, *_many(scene.script))
    window.list.setFocus()
    scene.settle()


@state("sessions: text in use")
def _(scene: Scene) -> None:
    _opened(scene, *_many(scene.script)).text.setFocus()
    scene.settle()


def _searched(scene: Scene, text: str) -> SessionsWindow:
    window = _opened(scene, *_many(scene.script))
    window.search.setText(text)
    scene.settle(until=lambda: window._sought == text.lower())
    return window


@state("sessions: found")
def _(scene: Scene) -> None:
    word = said(scene.script)[5].text.strip(" ،,。.")
    window = _searched(scene, word)
    scene.settle(until=lambda: window.text.hit_count > 0)


@state("sessions: not found")
def _(scene: Scene) -> None:
    _searched(scene, "Xylophon")


@state("sessions: another name")
def _(scene: Scene) -> None:
    window = _opened(scene, *_many(scene.script))
    window.actions_row.name.click()
    scene.settle(
        until=lambda: any(each.isVisible() for each in window.list.findChildren(QLineEdit))
    )


@state("sessions: deleted, undo")
def _(scene: Scene) -> None:
    window = _opened(scene, *_many(scene.script))
    window.delete_session()
    scene.settle(until=lambda: bool(window.banners.banners))
    scene.settle(until=lambda: window.stored is not None)


@state("sessions: menu Correct")
def _(scene: Scene) -> None:
    window = _opened(scene, *_many(scene.script))
    menu = window.actions_row.menus[2]
    button = window.actions_row.correct
    menu.popup(button.mapToGlobal(button.rect().bottomLeft()))
    scene.settle(until=menu.isVisible)


@state("sessions: a paragraph is corrected")
def _(scene: Scene) -> None:
    scene.speak()
    window = _opened(scene, *_many(scene.script))
    dialog = window.correct_paragraph()
    assert dialog is not None
    scene.settle(until=dialog.isActiveWindow)


@state("sessions: files to import")
def _(scene: Scene) -> None:
    scene.speak()
    window = _opened(scene, *_many(scene.script))
    dialog = window.import_files([Path("/media") / name for name in (_FILE, "lecture 3.mkv")])
    scene.settle(until=dialog.isActiveWindow)


@state("sessions: files on their way")
def _(scene: Scene) -> None:
    window = _opened(scene, *_many(scene.script))
    names = ("minutes.pdf", _FILE, "lecture 3.mkv", "lecture 4.mkv")
    jobs = [Job(Path("/media") / name) for name in names]
    window.imports.add(jobs)
    scene.settle(until=lambda: jobs[0].over and jobs[1].heard_ms > 0)


class _Player:
    """Plays to nobody."""

    def __init__(self) -> None:
        self.playing = False

    def play(self, path: Path, at_ms: int) -> None:
        self.playing = True

    def stop(self) -> None:
        self.playing = False


@state("sessions: a word is heard again")
def _(scene: Scene) -> None:
    file = Path(tempfile.mkdtemp(dir=Path.home())) / _FILE
    file.touch()
    window = _opened(scene, _from_file(scene.script, str(file)))
    window.listening._player = _Player()  # type: ignore[assignment] # sound is the machine's edge
    window.text.word_chosen.emit(9_000)
    scene.settle(until=lambda: window.listening.playing)


@state("sessions: the file is gone")
def _(scene: Scene) -> None:
    window = _opened(scene, _from_file(scene.script, "/media/stick/" + _FILE))
    QTest.mouseClick(window.actions_row.play, Qt.MouseButton.LeftButton)
    scene.settle(until=lambda: bool(window.banners.banners))
