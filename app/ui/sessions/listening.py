"""A word of a session that came from a file, heard again. Knows no widget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.session.stored import Stored
from app.ui.state.ui_thread import Knock
from model_backends.base import Sentence, UserError

if TYPE_CHECKING:
    from app.audio.player import FilePlayer


class Listening(QObject):
    """Plays, one thing at a time. All signals come in the UI thread."""

    changed = Signal(bool)  # whether something plays
    failed = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._player: FilePlayer | None = None

    @property
    def playing(self) -> bool:
        """Whether a file is to be heard now."""
        return self._player is not None and self._player.playing

    def play(self, stored: Stored, at_ms: int) -> None:
        """From this time of the session on; says so if the file is not there any more."""
        if stored.entry.file is None:
            return
        path = Path(stored.entry.file)
        if not path.is_file():
            self.failed.emit(
                Sentence("The file is not there any more: {path}", path=path),
                Sentence("Put it back to hear it; its text is kept all the same."),
            )
            return
        if self._player is None:
            from app.audio.player import FilePlayer  # with it come decoders

            self._player = FilePlayer(Knock(self._end))
        self._player.play(path, at_ms)
        self.changed.emit(True)

    def stop(self) -> None:
        if self._player is not None and self._player.playing:
            self._player.stop()
            self.changed.emit(False)

    def _end(self, problem: UserError | None) -> None:
        if problem is not None:
            self.failed.emit(problem.message, problem.hint)
        if not self.playing:  # else another word is heard by now
            self.changed.emit(False)
