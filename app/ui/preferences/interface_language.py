"""In which language the windows speak: one choice, told by each language's own name.

It stands below the pages, and so on every page: whoever is in the wrong language finds it without
reading. Knows the settings; who makes the windows speak is `app.ui.widgets.worded`.
"""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from app import language
from app.settings import Settings
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import plain, worded
from app.ui.widgets.choice_box import ChoiceBox
from model_backends.base import Sentence

_TITLE = Sentence("Voxline’s language")
_TIP = Sentence(
    "The language of these windows. Which language is captioned is chosen under Listening."
)


_LETTERS = 17  # of the widest item


class InterfaceLanguage(QWidget):
    """A box with its label, which may be hidden where there is no room for it."""

    def __init__(self, store: SettingsStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.box = ChoiceBox(_TITLE)
        self.box.setMinimumContentsLength(_LETTERS)
        self.box.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        plain.set_tip(self.box, _TIP)
        self.label = plain.label(_TITLE, "dim")
        self.label.setBuddy(self.box)
        self.label.setMinimumWidth(1)  # no window is wider for it
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.label)
        row.addWidget(self.box)
        self.box.chosen.connect(lambda code: store.change(interface_language=code))

    def show_settings(self, settings: Settings) -> None:
        """Let the box show what is set."""
        systems = language.NAMES[worded.systems()]
        follows = Sentence("{language} (system)", language=systems)
        items = [(follows, ""), *((name, code) for code, name in language.NAMES.items())]
        self.box.offer(items, settings.interface_language)
