"""What is listened to, and in which language: what one changes from meeting to meeting.

Shows what it is given and says what was chosen; changes nothing itself. Offers only what the
engine takes: no language choice where the engine finds the language itself. Engine and delay are
in the preferences.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.audio.devices.base import SourceInfo
from app.settings import Settings
from app.ui.widgets import plain
from app.ui.widgets.language_box import LanguageBox
from app.ui.widgets.source_box import SourceBox
from model_backends.base import EngineInfo, Sentence


class ChoicesPanel(QWidget):
    """Source and language in a row."""

    source_chosen = Signal(str)
    language_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.source = SourceBox()
        self.language = LanguageBox()
        self.language_label = plain.label(Sentence("&Language"))
        self._arrange()
        self.source.source_chosen.connect(self.source_chosen)
        self.language.chosen.connect(self.language_chosen)

    def show_settings(self, settings: Settings, info: EngineInfo) -> None:
        """Show what is chosen, and the languages that the engine's model knows."""
        self.source.show_chosen(settings.source)
        self.language_label.setVisible(self.language.show_settings(settings, info))

    def show_sources(self, sources: list[SourceInfo]) -> None:
        """Offer these; the one chosen stays in the list even if it is not among them."""
        self.source.show_sources(sources)

    def _arrange(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        source = plain.label(Sentence("S&ource"))
        source.setBuddy(self.source)
        self.language_label.setBuddy(self.language)
        row.addWidget(source)
        row.addWidget(self.source, 3)
        row.addSpacing(8)
        row.addWidget(self.language_label)
        row.addWidget(self.language, 2)
