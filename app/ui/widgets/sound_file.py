"""Asking for a file to listen to. Knows nothing of what is done with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from app.audio.choice import MediaFile, to_text
from app.language import say
from app.ui.widgets import beside_captions
from app.ui.widgets.file_dialogs import in_our_words
from model_backends.base import Sentence

_SUFFIXES = "aac aiff avi flac m4a m4v mka mkv mov mp3 mp4 mpeg ogg opus ts wav webm wma wmv"
FILTERS = (
    Sentence(
        "Audio and video ({suffixes})",
        suffixes=" ".join(f"*.{suffix}" for suffix in _SUFFIXES.split()),
    ),
    Sentence("All files (*)"),
)


def ask_for_sound_file(parent: QWidget, chosen: Callable[[str], None]) -> QFileDialog:
    """Show a dialog over `parent`'s window; `chosen` gets the file as settings keep a source.

    Returns at once. Nothing is called if the user takes none.
    """
    dialog = in_our_words(QFileDialog(parent.window(), say(Sentence("Listen to a file"))))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters([say(each) for each in FILTERS])
    dialog.fileSelected.connect(lambda path: chosen(to_text(MediaFile(Path(path)))))
    beside_captions.put(dialog, dialog.sizeHint())
    dialog.open()
    return dialog
