"""The page of the preferences that says what is listened to and how: source, language, speed."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QFormLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.audio.choice import from_text
from app.audio.devices.base import SourceInfo
from app.settings import Settings
from app.ui.preferences.voices_group import VoicesGroup
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import plain, source_names
from app.ui.widgets.choice_box import ChoiceBox
from app.ui.widgets.delay_slider import PlainDelaySlider
from app.ui.widgets.languages import native_name
from app.ui.widgets.source_box import SourceBox
from model_backends.base import EngineInfo

_FIND_LANGUAGE = "Automatic"
_FINDS_ITSELF = "This speech model finds the language by itself."
_ONE_DELAY = "This speech model has one speed."


class ListeningPage(QWidget):
    """Offers what the engine in use takes."""

    def __init__(self, store: SettingsStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.source = SourceBox()
        self._sources: list[SourceInfo] | None = None
        self._chosen_source = ""
        self._one_delay = _ONE_DELAY
        self.language = ChoiceBox("Language")
        self.language_note = plain.label(_FINDS_ITSELF, name="dim", wrap=True)
        self.delay = PlainDelaySlider()
        self.delay_text = plain.label(name="dim", wrap=True)
        self.start_on_launch = QCheckBox("&Start captions when Voxline opens")
        self.voices = VoicesGroup(store)
        self._arrange()
        self.source.source_chosen.connect(lambda source: store.change(source=source))
        self.language.chosen.connect(lambda code: store.change(language=code))
        self.delay.delay_chosen.connect(store.change_delay)
        self.delay.valueChanged.connect(lambda _: self._describe())
        self.start_on_launch.clicked.connect(lambda on: store.change(start_listening_on_launch=on))

    def show_settings(self, settings: Settings, info: EngineInfo | None) -> None:
        """`info`: the engine that is chosen; None while it is not known."""
        self._chosen_source = settings.source
        self._offer_sources()
        self.start_on_launch.setChecked(settings.start_listening_on_launch)
        self.voices.show_settings(settings)
        codes = sorted((code, native_name(code)) for code in (info.languages if info else ()))
        offered = [(_FIND_LANGUAGE, ""), *((name, code) for code, name in codes)]
        self.language.offer(offered, settings.language)
        self.language.setVisible(bool(codes))
        self.language_note.setVisible(not codes)
        elsewhere = info.decided_elsewhere if info else {}
        self.language_note.setText(elsewhere.get("language", _FINDS_ITSELF))
        self._one_delay = elsewhere.get("delay", _ONE_DELAY)
        if info:
            chosen = settings.delay_ms.get(info.name, info.default_delay_ms)
            self.delay.offer(info.delays_ms, chosen, info.word_error_rate)
        self.delay.setVisible(len(self.delay.delays_ms) > 1)
        self._describe()

    def show_sources(self, sources: list[SourceInfo]) -> None:
        """Offer these; the one chosen stays in the list even if it is not among them."""
        self._sources = sources
        if self.source.takes_rows:
            self._offer_sources()

    def _offer_sources(self) -> None:
        self.source.show_rows(source_names.rows(self._sources, from_text(self._chosen_source)))

    def _describe(self) -> None:
        told = self.delay.in_words
        if len(self.delay.delays_ms) == 1:
            told = f"{self._one_delay} {told}"
        self.delay_text.setText(told)

    def _arrange(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(16, 16, 16, 16)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(12)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        plain.add_row(form, "S&ource", self.source)
        language = QVBoxLayout()
        language.addWidget(self.language)
        language.addWidget(self.language_note)
        label = plain.label("L&anguage")
        label.setBuddy(self.language)
        form.addRow(label, language)
        ends = QHBoxLayout()
        ends.addWidget(plain.label("Sooner", "dim"))
        ends.addStretch(1)
        ends.addWidget(plain.label("More accurate", "dim"))
        delay = QVBoxLayout()
        delay.setSpacing(4)
        delay.addWidget(self.delay)
        delay.addLayout(ends)
        delay.addWidget(self.delay_text)
        label = plain.label("S&peed against accuracy")
        label.setBuddy(self.delay)
        form.addRow(label, delay)
        form.addRow("", self.start_on_launch)
        form.addRow(self.voices)
