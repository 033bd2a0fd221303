"""Saving the transcript where the user says, as subtitles or text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from app import paths
from app.core.export import FORMATS, export_of
from app.core.timeline import Timeline
from app.language import said_names, say
from app.session.files import write_new
from app.settings import Settings
from app.ui.widgets import beside_captions
from app.ui.widgets.file_dialogs import in_our_words
from model_backends.base import Sentence


def _filters() -> dict[str, str]:
    """By suffix, in the language of now."""
    return {each.suffix: f"{say(each.label)} (*{each.suffix})" for each in FORMATS.values()}


def render(
    timeline: Timeline, suffix: str, settings: Settings | None = None, as_shown: bool = False
) -> str:
    """The transcript, or the captions as they were shown, in the format of this suffix."""
    settings = settings or Settings()
    names = said_names(settings.voice_names)
    export = export_of(timeline, names, settings.names_in_subtitles, say)
    return FORMATS[suffix.removeprefix(".")].write(export.as_shown if as_shown else export)


def write(
    timeline: Timeline,
    path: Path,
    chosen_filter: str = "",
    settings: Settings | None = None,
    as_shown: bool = False,
) -> Path:
    """Write the transcript; the suffix of the name decides the format, else the dialog's filter.

    Raises FileProblem. An existing file is replaced: the dialog has asked about it.
    """
    path, suffix = target_of(path, chosen_filter)
    return write_new(path, render(timeline, suffix, settings, as_shown), force=True)


def target_of(path: Path, chosen_filter: str) -> tuple[Path, str]:
    """The file that is meant, and the suffix of its format: the name's, else the filter's."""
    suffix = path.suffix.lower()
    if suffix in _filters():
        return path, suffix
    by_filter = {filter_: suffix for suffix, filter_ in _filters().items()}
    suffix = by_filter.get(chosen_filter, FORMATS["srt"].suffix)
    return path.with_name(path.name + suffix), suffix


def ask_where(parent: QWidget, then: Callable[[Path, str], None]) -> QFileDialog:
    """Open the dialog without blocking; `then(path, filter)` once a name was chosen."""
    folder = paths.transcripts_dir()
    start = folder if folder.is_dir() else Path.home()
    name = f"{datetime.now():%Y-%m-%d %H.%M}.srt"
    return file_dialog(parent, Sentence("Save the transcript"), start / name, then)


def file_dialog(
    parent: QWidget, title: str, start: Path, then: Callable[[Path, str], None]
) -> QFileDialog:
    """Ask for the name of a transcript, with this one to begin with."""
    dialog = in_our_words(QFileDialog(parent, say(title)))
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilters(list(_filters().values()))
    dialog.setDirectory(str(start.parent))
    dialog.selectFile(start.name)
    dialog.filterSelected.connect(lambda chosen: _follow_filter(dialog, chosen))
    dialog.fileSelected.connect(lambda name: then(Path(name), dialog.selectedNameFilter()))
    dialog.finished.connect(dialog.deleteLater)
    beside_captions.put(dialog, dialog.sizeHint())
    dialog.open()
    return dialog


def open_folder(folder: Path) -> bool:
    """Show a folder in the desktop's file manager; False if the desktop has none."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def _follow_filter(dialog: QFileDialog, chosen: str) -> None:
    """Another format gives the name another ending."""
    suffix = next(suffix for suffix, filter_ in _filters().items() if filter_ == chosen)
    selected = dialog.selectedFiles()
    if selected and Path(selected[0]).suffix in _filters():
        dialog.selectFile(Path(selected[0]).with_suffix(suffix).name)
