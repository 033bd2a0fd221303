"""The part of the preferences about who speaks: the user's own words, and the voices' names."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QFormLayout, QGroupBox, QLineEdit, QWidget

from app.core.voices import ME, NAMES, THEM
from app.settings import Settings
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import plain, worded
from model_backends.base import Sentence

_OWN_TIP = Sentence(
    "They are in the transcript in any case. Alone with a microphone, you always see them."
)
_LONGEST = 40  # characters that can be typed


class OwnSpeech(QCheckBox):
    """Whether the captions show the user's own words beside the others'."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        worded.text(self, Sentence("Show what I say &myself in the captions, too"))
        plain.set_tip(self, _OWN_TIP)
        self.clicked.connect(lambda on: store.change(show_own_speech=on))

    def show_settings(self, settings: Settings) -> None:
        """Let the tick show what is set."""
        self.setChecked(settings.show_own_speech)


class VoicesGroup(QGroupBox):
    """What matters once both the microphone and this computer's sound are heard."""

    def __init__(self, store: SettingsStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        worded.text(self, Sentence("In a meeting"))
        self.own_speech = OwnSpeech(store)
        self.own_name = _name_field(NAMES[ME])
        self.others_name = _name_field(NAMES[THEM])
        self.in_subtitles = worded.text(QCheckBox(), Sentence("Say &who speaks in subtitle files"))
        form = QFormLayout(self)
        form.setVerticalSpacing(8)
        form.addRow(self.own_speech)
        for text, field in (
            (Sentence("M&y name"), self.own_name),
            (Sentence("Name of the o&thers"), self.others_name),
        ):
            label = plain.label(text)
            label.setBuddy(field)
            form.addRow(label, field)
        form.addRow(self.in_subtitles)
        self.in_subtitles.clicked.connect(lambda on: store.change(names_in_subtitles=on))
        self.own_name.editingFinished.connect(lambda: store.change(own_name=_typed(self.own_name)))
        self.others_name.editingFinished.connect(
            lambda: store.change(others_name=_typed(self.others_name))
        )

    def show_settings(self, settings: Settings) -> None:
        """Let every control show what is set."""
        self.own_speech.show_settings(settings)
        self.in_subtitles.setChecked(settings.names_in_subtitles)
        for field, name in (
            (self.own_name, settings.own_name),
            (self.others_name, settings.others_name),
        ):
            if not field.isModified() and field.text() != name:  # nobody is typing in it
                field.setText(name)


def _name_field(usual: str) -> QLineEdit:
    field = QLineEdit()
    worded.placeholder(field, usual)
    field.setMaxLength(_LONGEST)
    return field


def _typed(field: QLineEdit) -> str:
    """The name, now that it is typed."""
    field.setModified(False)
    return field.text().strip()
