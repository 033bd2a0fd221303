"""A window of another program that one types into: what stands in it is in a file at once.

    with Editor(screen, tmp_path / "typed.txt") as editor:
        editor.text

A process of its own, so that to the app under test it is foreign.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from tests.support.screen import Screen

TITLE = "Somebody else’s text"
PATIENCE_S = 120.0


class Editor:
    """Has the keyboard once it is there."""

    def __init__(self, screen: Screen, path: Path) -> None:
        self._screen, self._path = screen, path
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__)), str(path)], env=screen.env
        )

    def __enter__(self) -> Editor:
        self.until(self._path.exists)
        self.take_keyboard()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()

    def take_keyboard(self) -> None:
        """Its window is the active one from now on, and it knows: keys go to its text."""
        self._screen.xdotool("search", "--sync", "--name", TITLE, "windowactivate", "--sync")
        self.until(self._path.with_suffix(".active").exists)

    def stop(self) -> None:
        """It reads nothing until it goes on."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    @property
    def text(self) -> str:
        return self._path.read_text("utf-8")

    def wait_for(self, text: str) -> None:
        """Until exactly this stands in it."""
        try:
            self.until(lambda: self.text == text)
        except AssertionError:
            raise AssertionError(f"it says {self.text!r}, not {text!r}") from None

    def until(self, condition: Callable[[], bool]) -> None:
        ends = time.monotonic() + PATIENCE_S
        while not condition():
            assert self._process.poll() is None, "the editor has ended"
            assert time.monotonic() < ends
            time.sleep(0.05)


def main(path: Path) -> None:
    from PySide6.QtWidgets import QApplication, QPlainTextEdit

    app = QApplication([])
    edit = QPlainTextEdit()

    def tell_active() -> None:
        active = path.with_suffix(".active")
        if edit.isActiveWindow():
            active.touch()
        else:
            active.unlink(missing_ok=True)

    def write() -> None:
        part = path.with_suffix(".part")
        part.write_text(edit.toPlainText(), "utf-8")
        part.replace(path)

    edit.setWindowTitle(TITLE)
    edit.resize(600, 300)
    edit.textChanged.connect(write)
    app.focusChanged.connect(lambda before, now: tell_active())
    edit.show()
    edit.setFocus()
    write()
    app.exec()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
