"""The page of the preferences that says what is kept of what was said, and where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app import paths
from app.settings import Settings
from app.ui.preferences.keeping import Keeping
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import plain, worded
from app.ui.widgets.choice_box import ChoiceBox
from app.ui.widgets.promises import NOTHING_LEAVES
from model_backends.base import Counted, Sentence

_IN_TIME = Sentence(
    "Looked for at each start, and four times a day. Their subtitle files go with them."
)
_MONTH = 30  # days
_NO_FOLDER = "No transcript has been saved yet. They will be in {folder}."


def open_in_file_manager(folder: Path) -> bool:
    """False if the desktop has no file manager."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


class PrivacyPage(QWidget):
    """Whether transcripts are kept, for how long, the way to them, and the end of them all."""

    erase_wanted = Signal()

    def __init__(
        self,
        store: SettingsStore,
        open_folder: Callable[[Path], bool] = open_in_file_manager,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._open_folder = open_folder
        self.keeping = Keeping(store)
        self.keep, self.where = self.keeping.keep, self.keeping.where
        self.folder = worded.text(QPushButton(), Sentence("&Open the folder"))
        self.folder.setAutoDefault(False)
        self.days = ChoiceBox(Sentence("Delete sessions"))
        self.when = plain.label(_IN_TIME, "dim", wrap=True)
        self.erase = worded.text(QPushButton(), Sentence("&Delete everything…"))
        self.erase.setAutoDefault(False)
        self._arrange()
        self.folder.clicked.connect(self._open)
        self.days.chosen.connect(lambda days: store.change(keep_days=int(days)))
        self.erase.clicked.connect(self.erase_wanted)

    def show_settings(self, settings: Settings) -> None:
        self.keeping.show_settings(settings)
        offered = sorted({_MONTH, settings.keep_days} - {0})
        items = [(_after(days), str(days)) for days in offered]
        self.days.offer([(Sentence("Never"), "0"), *items], str(settings.keep_days))
        self.when.setVisible(settings.keep_days > 0)

    def _open(self) -> None:
        folder = paths.transcripts_dir()
        if not folder.is_dir():
            worded.text(self.where, Sentence(_NO_FOLDER, folder=folder))
        elif not self._open_folder(folder):
            worded.text(
                self.where,
                Sentence("No file manager could be opened. The folder: {folder}", folder=folder),
            )

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addWidget(self.keeping)
        row = QHBoxLayout()
        row.addWidget(self.folder)
        row.addStretch(1)
        column.addLayout(row)
        row = QHBoxLayout()
        label = plain.label(Sentence("Delete &sessions"))
        label.setBuddy(self.days)
        row.addWidget(label)
        row.addWidget(self.days)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(self.when)
        column.addWidget(plain.label(NOTHING_LEAVES, wrap=True))
        row = QHBoxLayout()
        row.addWidget(self.erase)
        row.addStretch(1)
        column.addLayout(row)
        column.addStretch(1)


def _after(days: int) -> str:
    return Counted("After a day", "After {count} days", count=days)
