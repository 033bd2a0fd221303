"""The page of the preferences that says what is kept of what was said, and where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app import paths
from app.settings import Settings
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import plain
from model_backends.base import Sentence

_NOTHING_LEAVES = "Nothing leaves this computer: Voxline never sends sound or text anywhere."
_FROM_THE_NEXT = "Turned off: from the next session on nothing of what is said is written down."
_NO_FOLDER = "No transcript has been saved yet. They will be in {folder}."


def open_in_file_manager(folder: Path) -> bool:
    """False if the desktop has no file manager."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


class PrivacyPage(QWidget):
    """Whether transcripts are kept, and the way to them."""

    def __init__(
        self,
        store: SettingsStore,
        open_folder: Callable[[Path], bool] = open_in_file_manager,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._open_folder = open_folder
        self.keep = QCheckBox("&Keep a transcript of each session")
        plain.set_tip(self.keep, "Off: nothing of what is said is written to the disk.")
        self.where = plain.label(name="dim", wrap=True)
        self.folder = QPushButton("&Open the folder")
        self.folder.setAutoDefault(False)
        self._arrange()
        self.keep.clicked.connect(lambda on: store.change(keep_transcripts=on))
        self.folder.clicked.connect(self._open)

    def show_settings(self, settings: Settings) -> None:
        self.keep.setChecked(settings.keep_transcripts)
        folder = paths.transcripts_dir()
        kept = Sentence("Transcripts are in {folder}.", folder=folder)
        self.where.setText(kept if settings.keep_transcripts else _FROM_THE_NEXT)

    def _open(self) -> None:
        folder = paths.transcripts_dir()
        if not folder.is_dir():
            self.where.setText(Sentence(_NO_FOLDER, folder=folder))
        elif not self._open_folder(folder):
            self.where.setText(
                Sentence("No file manager could be opened. The folder: {folder}", folder=folder)
            )

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addWidget(self.keep)
        column.addWidget(self.where)
        row = QHBoxLayout()
        row.addWidget(self.folder)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(plain.label(_NOTHING_LEAVES, wrap=True))
        column.addStretch(1)
