"""How speech is heard, as rows of a form: in which language, and how patiently.

Offers what the engine in use takes, and says where there is nothing to choose. The same rows
stand in the preferences and in the first run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QVBoxLayout

from app.settings import Settings
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import plain, worded
from app.ui.widgets.delay_slider import PlainDelaySlider
from app.ui.widgets.language_box import LanguageBox
from model_backends.base import EngineInfo, Sentence, joined

if TYPE_CHECKING:
    from app.session.session import Session

_FINDS_ITSELF = Sentence("This speech model finds the language by itself.")
_ONE_DELAY = Sentence("This speech model has one speed.")
_TOO_SHORT = "The {seconds:g} seconds that you chose are too short for this computer now."


class Hearing:
    """Two choices and what is said of them; `add_to` puts them into a form."""

    def __init__(self, store: SettingsStore) -> None:
        self._one_delay: str = _ONE_DELAY
        self._session: Session | None = None
        self._info: EngineInfo | None = None
        self._chosen_ms = 0
        self.language = LanguageBox()
        self.language_note = plain.label(_FINDS_ITSELF, name="dim", wrap=True)
        self.delay = PlainDelaySlider()
        self.delay_text = plain.label(name="dim", wrap=True)
        worded.follow(self.delay, self._describe)
        self.language.chosen.connect(lambda code: store.change(language=code))
        self.delay.delay_chosen.connect(store.change_delay)
        self.delay.valueChanged.connect(lambda _: self._describe())

    def show_settings(self, settings: Settings, info: EngineInfo | None) -> None:
        """`info`: the engine that is chosen; None while it is not known."""
        self.language_note.setVisible(not self.language.show_settings(settings, info))
        elsewhere = info.decided_elsewhere if info else {}
        worded.text(self.language_note, elsewhere.get("language", _FINDS_ITSELF))
        self._one_delay = elsewhere.get("delay", _ONE_DELAY)
        if info:
            self._info = info
            self._chosen_ms = settings.delay_ms.get(info.name, info.default_delay_ms)
        self._show_delay()

    def show_session(self, session: Session | None) -> None:
        """Show the delay that acts, where its engine takes another than was chosen."""
        self._session = session
        self._show_delay()

    def add_to(self, form: QFormLayout) -> None:
        """Two rows with their labels."""
        language = QVBoxLayout()
        language.addWidget(self.language)
        language.addWidget(self.language_note)
        label = plain.label(Sentence("L&anguage"))
        label.setBuddy(self.language)
        form.addRow(label, language)
        ends = QHBoxLayout()
        ends.addWidget(plain.label(Sentence("Sooner"), "dim"))
        ends.addStretch(1)
        ends.addWidget(plain.label(Sentence("More accurate"), "dim"))
        delay = QVBoxLayout()
        delay.setSpacing(4)
        delay.addWidget(self.delay)
        delay.addLayout(ends)
        delay.addWidget(self.delay_text)
        label = plain.label(Sentence("S&peed against accuracy"))
        label.setBuddy(self.delay)
        form.addRow(label, delay)

    @property
    def _acting_ms(self) -> int | None:
        """The delay that acts, if it is another than the one that is chosen here."""
        session, info = self._session, self._info
        if session is None or info is None or session.info.name != info.name:
            return None
        taken = session.chosen_delay_ms == self._chosen_ms != session.delay_ms
        return session.delay_ms if taken else None

    def _show_delay(self) -> None:
        info = self._info
        if info:
            shown_ms = self._acting_ms or self._chosen_ms
            self.delay.offer(info.delays_ms, shown_ms, info.word_error_rate)
        self.delay.setVisible(len(self.delay.delays_ms) > 1)
        self._describe()

    def _describe(self) -> None:
        told = self.delay.in_words
        if self.delay.delay_ms == self._acting_ms:
            seconds = round(self._chosen_ms / 1000, 2)
            told = joined(told, Sentence(_TOO_SHORT, seconds=seconds))
        if len(self.delay.delays_ms) == 1:
            told = joined(self._one_delay, told)
        worded.text(self.delay_text, told)
