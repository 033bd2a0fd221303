"""The page of the preferences that says what is listened to and how: source, language, speed."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QFormLayout, QWidget

from app.audio.devices.base import SourceInfo
from app.settings import Settings
from app.ui.preferences.hearing import Hearing
from app.ui.preferences.voices_group import VoicesGroup
from app.ui.state.captioning import Captioning
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import plain, worded
from app.ui.widgets.source_box import SourceBox
from model_backends.base import EngineInfo, Sentence


class ListeningPage(QWidget):
    """Offers what the engine in use takes."""

    def __init__(self, store: SettingsStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._captioning: Captioning | None = None
        self.source = SourceBox()
        self.hearing = Hearing(store)
        self.start_on_launch = worded.text(
            QCheckBox(), Sentence("&Start captions when Voxline opens")
        )
        self.voices = VoicesGroup(store)
        self._arrange()
        self.source.source_chosen.connect(lambda source: store.change(source=source))
        self.start_on_launch.clicked.connect(lambda on: store.change(start_listening_on_launch=on))

    def show_settings(self, settings: Settings, info: EngineInfo | None) -> None:
        """`info`: the engine that is chosen; None while it is not known."""
        self.source.show_chosen(settings.source)
        self.start_on_launch.setChecked(settings.start_listening_on_launch)
        self.voices.show_settings(settings)
        self.hearing.show_settings(settings, info)

    def follow(self, captioning: Captioning) -> None:
        """Show how the session that runs is doing."""
        self._captioning = captioning
        captioning.choices_changed.connect(self._show_session)
        captioning.session_changed.connect(self._show_session)
        captioning.status.connect(self._show_session)
        self._show_session()

    def _show_session(self) -> None:
        captioning = self._captioning
        running = captioning is not None and captioning.running
        self.hearing.show_session(captioning.session if captioning and running else None)

    def show_sources(self, sources: list[SourceInfo]) -> None:
        """Offer these; the one chosen stays in the list even if it is not among them."""
        self.source.show_sources(sources)

    def _arrange(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(16, 16, 16, 16)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(12)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        plain.add_row(form, Sentence("S&ource"), self.source)
        self.hearing.add_to(form)
        form.addRow("", self.start_on_launch)
        form.addRow(self.voices)
