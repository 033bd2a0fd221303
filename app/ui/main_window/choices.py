"""What is listened to and by what: source, engine, delay, language, each with the name it has.

Shows what it is given and says what was chosen; changes nothing itself. Offers only what the
engine takes: no language choice where the engine finds the language itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QSlider, QWidget

from app.audio.choice import from_text
from app.audio.devices.base import SourceInfo
from app.settings import Settings
from app.ui.state.engines import EngineChoice
from app.ui.widgets import engine_names, plain, source_names
from app.ui.widgets.choice_box import ChoiceBox
from app.ui.widgets.delay_slider import DelaySlider
from app.ui.widgets.languages import native_name
from app.ui.widgets.source_box import SourceBox
from model_backends.base import EngineInfo

_FIND_LANGUAGE = "Found automatically"


class _PlainDelaySlider(DelaySlider):
    """Painted by the style, since this one stands on a window and not on a caption."""

    def paintEvent(self, event: QPaintEvent) -> None:
        QSlider.paintEvent(self, event)


class ChoicesPanel(QWidget):
    """Source, engine, delay and language in two columns."""

    source_chosen = Signal(str)
    engine_chosen = Signal(str)
    delay_chosen = Signal(int)
    language_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.source = SourceBox()
        self.engine = ChoiceBox("Engine")
        self.language = ChoiceBox("Language")
        self.delay = _PlainDelaySlider()
        self.delay.setTickPosition(QSlider.TickPosition.TicksBelow)
        self.delay_text = plain.label(name="dim", wrap=True)
        self.language_label = plain.label("&Language")
        self._sources: list[SourceInfo] = []
        self._arrange()
        self.source.source_chosen.connect(self.source_chosen)
        self.engine.chosen.connect(self.engine_chosen)
        self.language.chosen.connect(self.language_chosen)
        self.delay.delay_chosen.connect(self.delay_chosen)
        self.delay.valueChanged.connect(self._describe_delay)
        self._chosen_source = ""

    def show_settings(self, settings: Settings, info: EngineInfo) -> None:
        """Show what is chosen, and the delays and languages this engine offers."""
        self._chosen_source = settings.source
        self._offer_known_sources()
        self._pick_engine(info)
        self.delay.offer(
            info.delays_ms,
            settings.delay_ms.get(settings.engine, info.default_delay_ms),
            info.word_error_rate,
        )
        self.delay.setEnabled(len(info.delays_ms) > 1)
        self._describe_delay()
        codes = [
            ("", _FIND_LANGUAGE),
            *sorted((code, native_name(code)) for code in info.languages),
        ]
        self.language.offer([(name, code) for code, name in codes], settings.language)
        self.language.setVisible(bool(info.languages))
        self.language_label.setVisible(bool(info.languages))

    def show_sources(self, sources: list[SourceInfo]) -> None:
        """Offer these; the one chosen stays in the list even if it is not among them."""
        self._sources = sources
        if not self.source.view().isVisible():  # nothing moves under an open list
            self._offer_known_sources()

    def show_engines(self, engines: Sequence[EngineChoice]) -> None:
        """Offer these; those that cannot be used here are shown, with the reason."""
        chosen = self.engine.currentData() or ""
        shown = engine_names.offered(engines, chosen)
        self.engine.offer([(engine_names.label(each), each.info.name) for each in shown], chosen)
        for choice in shown:
            if not choice.usable:
                self.engine.disable(choice.info.name, choice.why_not)

    def _pick_engine(self, info: EngineInfo) -> None:
        if self.engine.findData(info.name) < 0:
            self.engine.addItem(info.label, info.name)
        self.engine.setCurrentIndex(self.engine.findData(info.name))

    def _offer_known_sources(self) -> None:
        self.source.show_rows(source_names.rows(self._sources, from_text(self._chosen_source)))

    def _describe_delay(self) -> None:
        self.delay_text.setText(self.delay.in_words)

    def _arrange(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(8)
        for column in (1, 4):
            grid.setColumnStretch(column, 1)
        grid.setColumnMinimumWidth(2, 8)
        _add(grid, 0, 0, _labelled("S&ource", self.source), self.source)
        _add(grid, 0, 3, _labelled("En&gine", self.engine), self.engine)
        _add(grid, 1, 0, _labelled("&Delay", self.delay), self.delay)
        self.language_label.setBuddy(self.language)
        _add(grid, 1, 3, self.language_label, self.language)
        grid.addWidget(self.delay_text, 2, 1, 1, 4)


def _labelled(text: str, widget: QWidget) -> QLabel:
    label = plain.label(text)
    label.setBuddy(widget)
    return label


def _add(grid: QGridLayout, row: int, column: int, label: QLabel, widget: QWidget) -> None:
    grid.addWidget(label, row, column, Qt.AlignmentFlag.AlignRight)
    grid.addWidget(widget, row, column + 1)
