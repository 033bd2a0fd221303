"""The page of the preferences that says what recognises speech, and what is kept of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QWidget,
)

from app.settings import Settings
from app.ui.main_window.choices import ChoiceBox
from app.ui.state.engines import EngineChoice
from app.ui.state.settings_store import SettingsStore
from model_backends.base import Availability

_NEW_SESSION = "Another engine or model begins a new session; the one so far is saved."
_DEFAULT_MODEL = "The engine’s own choice"


class RecognitionPage(QWidget):
    """Engine and model, and when captions start; shows nothing to choose where there is none."""

    def __init__(self, store: SettingsStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._engines: Sequence[EngineChoice] = ()
        self.engine = ChoiceBox("Engine")
        self.model = ChoiceBox("Model")
        self.folder = QPushButton("&Folder…")
        self.folder.setToolTip("Use a model from a folder of yours")
        self.folder.setAutoDefault(False)
        self.note = QLabel()
        self.note.setObjectName("dim")
        self.note.setWordWrap(True)
        self.start_on_launch = QCheckBox("&Start captions when Voxline opens")
        self.keep = QCheckBox("&Keep a transcript of each session")
        self.keep.setToolTip("Off: nothing of what is said is written to the disk.")
        self._arrange()
        self.engine.chosen.connect(lambda name: store.change(engine=name, model=""))
        self.model.chosen.connect(lambda name: store.change(model=name))
        self.folder.clicked.connect(self._ask_folder)
        self.start_on_launch.clicked.connect(lambda on: store.change(start_listening_on_launch=on))
        self.keep.clicked.connect(lambda on: store.change(keep_transcripts=on))

    def show_engines(self, engines: Sequence[EngineChoice]) -> None:
        """Offer these engines; what cannot be used here is shown with the reason."""
        self._engines = engines
        self.show_settings(self._store.settings)

    def show_settings(self, settings: Settings) -> None:
        self.start_on_launch.setChecked(settings.start_listening_on_launch)
        self.keep.setChecked(settings.keep_transcripts)
        known = [(choice.info.label, choice.info.name) for choice in self._engines]
        if settings.engine not in [name for _, name in known]:
            known.append((settings.engine, settings.engine))
        self.engine.offer(known, settings.engine)
        for choice in self._engines:
            # One whose model lies in a folder that only the user knows must be choosable first.
            if not choice.usable and not choice.info.takes_folder:
                self.engine.disable(choice.info.name, choice.why_not)
        self._show_models(settings)

    def _show_models(self, settings: Settings) -> None:
        choice = next((c for c in self._engines if c.info.name == settings.engine), None)
        models = choice.models if choice else ()
        items = [(_DEFAULT_MODEL, ""), *((row.model, row.model) for row in models)]
        if settings.model not in [data for _, data in items]:
            items.append((Path(settings.model).name, settings.model))
        self.model.offer(items, settings.model)
        for row in models:
            if not row.available:
                self.model.disable(row.model, _why(row))
        self.folder.setVisible(choice is not None and choice.info.takes_folder)
        unusable = [f"{c.info.label}: {c.why_not}" for c in self._engines if c.why_not]
        self.note.setText("\n\n".join([_NEW_SESSION, *unusable]))

    def _ask_folder(self) -> None:
        dialog = QFileDialog(self, "The folder of the model")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(lambda folder: self._store.change(model=folder))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _arrange(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(16, 16, 16, 16)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(10)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        form.addRow("&Engine", self.engine)
        model = QHBoxLayout()
        model.addWidget(self.model, 1)
        model.addWidget(self.folder)
        label = QLabel("&Model")
        label.setBuddy(self.model)
        form.addRow(label, model)
        form.addRow("", self.note)
        form.addRow("", self.start_on_launch)
        form.addRow("", self.keep)


def _why(row: Availability) -> str:
    return " ".join(part for part in (row.reason, row.hint) if part)
