"""What is listened to and by what: source, engine, delay, language, each with the name it has.

Shows what it is given and says what was chosen; changes nothing itself. Offers only what the
engine takes: no language choice where the engine finds the language itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPaintEvent, QStandardItemModel, QWheelEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QSizePolicy, QSlider, QWidget

from app.audio.devices.base import SourceInfo
from app.settings import Settings
from app.ui.state.engines import EngineChoice
from app.ui.widgets.delay_slider import DelaySlider, delay_description
from app.ui.widgets.languages import native_name
from model_backends.base import EngineInfo

_DEFAULT_SOURCE = "Default microphone"
_FIND_LANGUAGE = "Found automatically"


class ChoiceBox(QComboBox):
    """A combo box that the wheel cannot change by accident, and that asks for news when opened."""

    chosen = Signal(str)  # the data of the item the user took
    about_to_open = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(14)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.activated.connect(lambda index: self.chosen.emit(self.itemData(index)))

    def offer(self, items: Sequence[tuple[str, str]], chosen: str) -> None:
        """Show exactly these (label, data), with `chosen` picked; tells nobody."""
        self.clear()
        for label, data in items:
            self.addItem(label, data)
            self.setItemData(self.count() - 1, label, Qt.ItemDataRole.ToolTipRole)
        self.setCurrentIndex(max(0, self.findData(chosen)))

    def disable(self, data: str, why: str) -> None:
        """Show an item that cannot be taken, with the reason."""
        model = self.model()
        index = self.findData(data)
        if isinstance(model, QStandardItemModel) and index >= 0:
            model.item(index).setEnabled(False)
            self.setItemData(index, why, Qt.ItemDataRole.ToolTipRole)

    def showPopup(self) -> None:
        self.about_to_open.emit()
        super().showPopup()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


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
        self.source = ChoiceBox("Sound source")
        self.engine = ChoiceBox("Engine")
        self.language = ChoiceBox("Language")
        self.delay = _PlainDelaySlider()
        self.delay.setTickPosition(QSlider.TickPosition.TicksBelow)
        self.delay_text = QLabel()
        self.delay_text.setObjectName("dim")
        self.language_label = QLabel("&Language")
        self._info: EngineInfo | None = None
        self._sources: list[SourceInfo] = []
        self._arrange()
        self.source.chosen.connect(self.source_chosen)
        self.engine.chosen.connect(self.engine_chosen)
        self.language.chosen.connect(self.language_chosen)
        self.delay.delay_chosen.connect(self.delay_chosen)
        self.delay.valueChanged.connect(self._describe_delay)
        self.source.about_to_open.connect(self._offer_known_sources)
        self._chosen_source = ""

    def show_settings(self, settings: Settings, info: EngineInfo) -> None:
        """Show what is chosen, and the delays and languages this engine offers."""
        self._info = info
        self._chosen_source = settings.source
        self._offer_known_sources()
        self._pick_engine(info)
        self.delay.offer(
            info.delays_ms, settings.delay_ms.get(settings.engine, info.default_delay_ms)
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
        labels = [(_engine_label(choice), choice.info.name) for choice in engines]
        self.engine.offer(labels, chosen)
        for choice in engines:
            if not choice.usable:
                self.engine.disable(choice.info.name, choice.why_not)

    def _pick_engine(self, info: EngineInfo) -> None:
        if self.engine.findData(info.name) < 0:
            self.engine.addItem(info.label, info.name)
        self.engine.setCurrentIndex(self.engine.findData(info.name))

    def _offer_known_sources(self) -> None:
        items = [(_DEFAULT_SOURCE, "")]
        items += [(_source_label(source), source.id) for source in self._sources]
        if self._chosen_source not in [data for _, data in items]:
            items.append((_absent_label(self._chosen_source), self._chosen_source))
        self.source.offer(items, self._chosen_source)

    def _describe_delay(self) -> None:
        ms = self.delay.delay_ms
        if self._info and ms is not None:
            self.delay_text.setText(delay_description(ms, self._info.word_error_rate))

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
        grid.addWidget(self.delay_text, 2, 1)


def _labelled(text: str, widget: QWidget) -> QLabel:
    label = QLabel(text)
    label.setBuddy(widget)
    return label


def _add(grid: QGridLayout, row: int, column: int, label: QLabel, widget: QWidget) -> None:
    grid.addWidget(label, row, column, Qt.AlignmentFlag.AlignRight)
    grid.addWidget(widget, row, column + 1)


def _engine_label(choice: EngineChoice) -> str:
    return choice.info.label if choice.usable else f"{choice.info.label} (not available here)"


def _source_label(source: SourceInfo) -> str:
    return f"This computer’s sound: {source.name}" if source.kind == "system" else source.name


def _absent_label(source: str) -> str:
    """A source that is chosen and not listed: a file, or a device that is not plugged in."""
    path = Path(source)
    return f"File: {path.name}" if path.is_file() else f"{source} (not connected)"
