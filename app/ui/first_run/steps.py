"""The steps after the first: how captions look, how speech is heard, what is kept and which keys.

Made of what the preferences are made of, so that what is learnt here is found there. Every answer
holds at once.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFormLayout, QGridLayout, QVBoxLayout, QWidget

from app.settings import Settings
from app.ui.desktop.hotkeys import NO_KEYS, Hotkeys
from app.ui.preferences.hearing import Hearing
from app.ui.preferences.keeping import Keeping
from app.ui.preferences.looks import Looks
from app.ui.state.commands import CAPTIONS, HOLD, PAUSE, VERBS, Commands
from app.ui.state.engines import suited_info
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import plain
from app.ui.widgets.promises import NOTHING_LEAVES
from model_backends.base import EngineInfo, Sentence

_CHANGES_AT_ONCE = Sentence(
    "What you choose holds at once. The preferences have more of it, with a sample."
)
_MOVE = Sentence(
    "Move the captions by dragging them. × hides them; ⋯ beside them has everything else."
)
_TAUGHT = (CAPTIONS.name, HOLD.name, PAUSE.name)  # keys worth knowing on the first day


class LookStep(QWidget):
    """The captions themselves are the sample."""

    title = Sentence("How should captions look?")

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self.looks = Looks(store)
        form = QFormLayout()
        form.setLabelAlignment(Qt.AlignmentFlag.AlignVCenter)
        self.looks.add_size_to(form)
        column = _column(self)
        column.addWidget(self.looks.presets)
        column.addWidget(self.looks.contrast)
        column.addLayout(form)
        column.addWidget(plain.label(_CHANGES_AT_ONCE, "dim", wrap=True))
        column.addStretch(1)

    def show_settings(self, settings: Settings) -> None:
        """Let every control show what is set."""
        self.looks.show_settings(settings.overlay)


class HearingStep(QWidget):
    """Language and delay, where the engine leaves a choice."""

    title = Sentence("Which language, and how soon?")

    def __init__(self, store: SettingsStore, find_info: Callable[[str], EngineInfo | None]) -> None:
        super().__init__()
        self._find_info = find_info
        self.hearing = Hearing(store)
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(12)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self.hearing.add_to(form)
        column = _column(self)
        column.addLayout(form)
        column.addStretch(1)

    def show_settings(self, settings: Settings) -> None:
        """Let every control show what is set, and what the engine takes."""
        info = suited_info(self._find_info(settings.engine), settings)
        self.hearing.show_settings(settings, info)


class KeepingStep(QWidget):
    """What stays on this computer, what never leaves it, and how to get at the captions."""

    title = Sentence("Keep what is said?")

    def __init__(self, store: SettingsStore, commands: Commands, hotkeys: Hotkeys) -> None:
        super().__init__()
        self._commands, self._hotkeys = commands, hotkeys
        self.keeping = Keeping(store)
        self.keys = QGridLayout()
        self.keys.setHorizontalSpacing(16)
        self.keys.setVerticalSpacing(2)
        self.keys.setColumnStretch(1, 1)
        self.no_keys = plain.label(NO_KEYS, "dim", wrap=True)
        column = _column(self)
        column.addWidget(self.keeping)
        column.addWidget(plain.label(NOTHING_LEAVES, "dim", wrap=True))
        column.addWidget(plain.label(_MOVE, wrap=True))
        column.addLayout(self.keys)
        column.addWidget(self.no_keys)
        column.addStretch(1)
        hotkeys.changed.connect(self._show_keys)
        self._show_keys()

    def show_settings(self, settings: Settings) -> None:
        """Let every control show what is set."""
        self.keeping.show_settings(settings)

    def _show_keys(self) -> None:
        """Those that work in every program, now."""
        while (gone := self.keys.takeAt(0)) is not None:
            widget = gone.widget()
            if widget is not None:
                widget.deleteLater()
        works = [name for name in _TAUGHT if self._hotkeys.works_everywhere(name)]
        for row, name in enumerate(works):
            self.keys.addWidget(plain.label(self._hotkeys.shown(name), "state"), row, 0)
            self.keys.addWidget(plain.label(VERBS[name].label, wrap=True), row, 1)
        self.no_keys.setVisible(not works)


def _column(page: QWidget) -> QVBoxLayout:
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(8)
    return column
