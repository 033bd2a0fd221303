"""Dialogs for files where the desktop has none of its own: Qt’s, whose translations have gaps."""

from __future__ import annotations

from PySide6.QtWidgets import QFileDialog

from app.language import say
from model_backends.base import Sentence

_LABELS = {
    QFileDialog.DialogLabel.LookIn: Sentence("Look in:"),
    QFileDialog.DialogLabel.FileType: Sentence("Files of type:"),
}


def in_our_words(dialog: QFileDialog) -> QFileDialog:
    """The same dialog, with what Qt does not say in each of our languages."""
    for label, sentence in _LABELS.items():
        dialog.setLabelText(label, say(sentence))
    return dialog
