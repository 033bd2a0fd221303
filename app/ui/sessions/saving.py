"""A kept session as a file or on the clipboard: all of it, or what is selected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from app import paths
from app.core.export import FORMATS, to_txt
from app.session.files import write_new
from app.session.stored import Entry, Stored
from app.ui.main_window.save_as import file_dialog, target_of
from model_backends.base import Sentence

Times = tuple[int, int] | None


def text(stored: Stored, chosen: Times, times: bool) -> str:
    """For the clipboard."""
    export = stored.export(*(chosen or (None, None)))
    return to_txt(export.words, export.gaps, export.names, times, export.say).strip()


def write(stored: Stored, chosen: Times, path: Path, chosen_filter: str) -> Path:
    """In the format of the name's ending, else of the dialog's. Raises FileProblem."""
    path, suffix = target_of(path, chosen_filter)
    export = stored.export(*(chosen or (None, None)))
    return write_new(path, FORMATS[suffix.removeprefix(".")].write(export), force=True)


def ask_where(parent: QWidget, entry: Entry, then: Callable[[Path, str], None]) -> QFileDialog:
    """Open the dialog without blocking; `then(path, filter)` once a name was chosen."""
    folder = paths.transcripts_dir()
    start = folder if folder.is_dir() else Path.home()
    return file_dialog(
        parent, Sentence("Export the session"), start / f"{entry.file_name}.srt", then
    )
