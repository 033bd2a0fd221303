"""Whether what is said is kept, and where: one tick and a sentence.

The same in the preferences and in the first run.
"""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from app import paths
from app.settings import Settings
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import plain, worded
from model_backends.base import Sentence

_FROM_THE_NEXT = Sentence(
    "Turned off: from the next session on nothing of what is said is written down."
)


class Keeping(QWidget):
    """`where` may be given another sentence; the next change of settings puts ours back."""

    def __init__(self, store: SettingsStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.keep = worded.text(QCheckBox(), Sentence("&Keep a transcript of each session"))
        plain.set_tip(self.keep, Sentence("Off: nothing of what is said is written to the disk."))
        self.where = plain.label(name="dim", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.keep)
        column.addWidget(self.where)
        self.keep.clicked.connect(lambda on: store.change(keep_transcripts=on))

    def show_settings(self, settings: Settings) -> None:
        """Let the tick show what is set."""
        self.keep.setChecked(settings.keep_transcripts)
        kept = Sentence("Transcripts are in {folder}.", folder=paths.transcripts_dir())
        worded.text(self.where, kept if settings.keep_transcripts else _FROM_THE_NEXT)
