"""First step: what is to be read. The answer holds at once, and words of it appear in the page.

Beside each answer is how loud that sound is now, while it is listened to.
"""

from __future__ import annotations

import logging
from functools import partial

from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from app.audio.choice import Meeting, Microphone, SourceChoice, SystemSound, from_text, to_text
from app.audio.devices.base import SourceInfo
from app.audio.sources import list_sources
from app.core.voices import ME, THEM
from app.settings import Settings
from app.ui.first_run.heard import Heard
from app.ui.preferences.voices_group import OwnSpeech
from app.ui.state.background import in_background
from app.ui.state.captioning import Captioning
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import plain, worded
from app.ui.widgets.level_meter import LevelMeter
from app.ui.widgets.source_box import SourceBox
from model_backends.base import Sentence

log = logging.getLogger(__name__)

_ANSWERS: tuple[tuple[SourceChoice, str, str], ...] = (  # with the lane that has a meter there
    (SystemSound(), Sentence("A meeting or a &video on this computer"), THEM),
    (Microphone(), Sentence("&People in the room"), ME),
    (Meeting(), Sentence("B&oth"), ""),
)


class SourceStep(QWidget):
    """Its answers are those of every list of sources; the list itself is below them."""

    title = Sentence("What do you want to read?")

    def __init__(self, captioning: Captioning, store: SettingsStore) -> None:
        super().__init__()
        self._captioning, self._store = captioning, store
        self.answers: dict[str, QRadioButton] = {}
        self.meters: dict[str, LevelMeter] = {}  # by lane
        self._group = QButtonGroup(self)
        self.why_not = plain.label(name="dim", wrap=True)
        self.own_speech = OwnSpeech(store)
        self.source = SourceBox()
        self.heard = Heard(captioning, store)
        self._arrange()
        self.source.source_chosen.connect(lambda source: store.change(source=source))
        self.source.about_to_open.connect(self.look_for_sources)
        captioning.level.connect(self._show_levels)
        captioning.choices_changed.connect(self._show_levels)
        self.why_not.hide()

    def show_settings(self, settings: Settings) -> None:
        """Let every control show what is set."""
        chosen = to_text(from_text(settings.source))
        self._group.setExclusive(False)  # it may be none of them
        for source, button in self.answers.items():
            button.setChecked(source == chosen)
        self._group.setExclusive(True)
        self.own_speech.show_settings(settings)
        self.own_speech.setEnabled(chosen == to_text(Meeting()))
        self.source.show_chosen(settings.source)
        self._show_levels()

    def look_for_sources(self) -> None:
        """Find out, in the background, what there is."""
        in_background(list_sources, self.show_sources, _log_failure, owner=self)

    def show_sources(self, sources: list[SourceInfo]) -> None:
        """Offer these, and only what this computer can hear."""
        self.source.show_sources(sources)
        played = [source for source in sources if source.kind == "system"]
        usable = any(source.usable for source in played)
        for choice in (SystemSound(), Meeting()):
            self.answers[to_text(choice)].setEnabled(usable)
        why = "" if usable else next((source.why_not for source in played), "")
        worded.text(self.why_not, why)
        self.why_not.setVisible(bool(why))

    def _show_levels(self) -> None:
        levels = self._captioning.levels
        for lane, meter in self.meters.items():
            meter.setVisible(lane in levels)
            meter.set_level(levels.get(lane, 0.0))

    def _choose(self, source: str, _checked: bool = True) -> None:
        self._store.change(source=source)

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for choice, text, lane in _ANSWERS:
            button = self.answers[to_text(choice)] = worded.text(QRadioButton(), text)
            self._group.addButton(button)
            button.clicked.connect(partial(self._choose, to_text(choice)))
            row = QHBoxLayout()
            row.addWidget(button, 1)
            row.addWidget(self._meter(lane) if lane else self.own_speech)
            column.addLayout(row)
        exactly = QHBoxLayout()
        label = plain.label(Sentence("Or e&xactly"))
        label.setBuddy(self.source)
        exactly.addWidget(label)
        exactly.addWidget(self.source, 1)
        column.addWidget(self.why_not)
        column.addLayout(exactly)
        column.addSpacing(4)
        column.addWidget(self.heard)
        column.addStretch(1)

    def _meter(self, lane: str) -> LevelMeter:
        meter = self.meters[lane] = LevelMeter()
        kept = meter.sizePolicy()
        kept.setRetainSizeWhenHidden(True)
        meter.setSizePolicy(kept)
        return meter


def _log_failure(error: Exception) -> None:
    log.warning("what can be listened to could not be listed: %s", error)
