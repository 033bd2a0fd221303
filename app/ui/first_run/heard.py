"""What is heard now, in two small lines: the real words of every voice, or why there are none yet.

While nobody speaks it says so and waits; nothing is captioned that was not said. Knows
`Captioning` by its signals.
"""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QStackedLayout, QWidget

from app.core.voices import ME, THEM
from app.language import said_names
from app.session.status import Stage, Status
from app.settings import OverlaySettings
from app.ui.overlay.caption_view import CaptionView, line_height
from app.ui.state.captioning import Captioning
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import plain, stages, theme, worded
from app.ui.widgets.banner import announce
from app.ui.widgets.level import loudness
from model_backends.base import Sentence, Word, joined

SILENT_MS = 3_000  # without sound: then nothing is playing, and nobody speaks
_AUDIBLE = 0.05  # of a meter: a quiet room moves it, too
_LETTERS = OverlaySettings(font_size=13, lines=2, background_opacity=0.0)
_WAITING = {  # what is listened to, and whether there is sound now
    (THEM, False): Sentence(
        "Nothing is playing now. Play a video, or join the meeting: words appear here."
    ),
    (ME, False): Sentence("It is quiet now. Say something: words appear here."),
    (None, False): Sentence(
        "Nothing is playing, and nobody speaks. Say something, or play a video: words appear here."
    ),
    (THEM, True): Sentence("Sound arrives. Words appear here as soon as somebody speaks in it."),
    (ME, True): Sentence("Sound arrives. Words appear here as soon as somebody speaks."),
    (None, True): Sentence("Sound arrives. Words appear here as soon as somebody speaks."),
}


class Heard(QFrame):
    """Words in the colours of the window, whichever look the captions have."""

    def __init__(self, captioning: Captioning, store: SettingsStore) -> None:
        super().__init__()
        self._captioning, self._store = captioning, store
        self._told = ""
        self._any_words = False
        self._sounds = False
        self.setObjectName("banner")
        self.words = CaptionView(_LETTERS)
        self.told = plain.label(wrap=True)
        self.start = QPushButton()  # of captions that do not run
        self.start.setAutoDefault(False)
        self._silence = QTimer(self, singleShot=True, interval=SILENT_MS)
        self._silence.timeout.connect(self._be_silent)
        self._arrange()
        self.start.clicked.connect(captioning.toggle_pause)
        captioning.word.connect(self._take_word)
        # Methods, which go with the window: the first run ends, captioning goes on.
        captioning.status.connect(self._tell)
        captioning.session_changed.connect(self._begin_session)
        captioning.level.connect(self._take_level)
        self._tell()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Dressed here, too: the look of the windows may have changed meanwhile."""
        super().resizeEvent(event)
        self.words.apply(replace(_LETTERS, text_color=theme.colors().text))

    def _begin_session(self) -> None:
        self.words.begin_session()

    def _take_word(self, word: Word) -> None:
        both = {ME, THEM} <= set(self._captioning.levels)
        self.words.name_voices(said_names(self._store.settings.voice_names) if both else {})
        self.words.add_word(word)
        if not self._any_words:
            self._any_words = True
            self._tell()

    def _take_level(self, _loudest: float) -> None:
        if loudness(max(self._captioning.levels.values(), default=0.0)) < _AUDIBLE:
            return
        self._silence.start()
        if not self._sounds:
            self._sounds = True
            self._tell()

    def _be_silent(self) -> None:
        self._sounds = False
        self._tell()

    def _tell(self) -> None:
        """The words, unless something is wrong or there are none."""
        status = self._captioning.last_status
        before, text = self._told, self._text(status)
        self._told = text
        worded.text(self.told, text)
        listens = status.stage in stages.HEARING
        self._pages.setCurrentIndex(0 if self._any_words and listens else 1)
        worded.text(self.start, stages.does_next(status.stage))
        self.start.setVisible(status.stage in (*stages.OFF, Stage.PAUSED))
        if text != before and status.stage in stages.TROUBLE and self.isVisible():
            announce(self, text)

    def _text(self, status: Status) -> str:
        if status.stage not in stages.WELL:
            return stages.line(status) if status.stage is Stage.STARTING else stages.in_full(status)
        session = self._captioning.session
        voices = session.voices if session is not None else ()
        waiting = _WAITING[voices[0] if len(voices) == 1 else None, self._sounds]
        return joined(status.remark, waiting)

    def _arrange(self) -> None:
        pages = QWidget()
        self._pages = QStackedLayout(pages)
        self._pages.addWidget(self.words)
        self._pages.addWidget(self.told)
        pages.setMinimumHeight(_LETTERS.lines * line_height(_LETTERS))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 12, 6)
        row.addWidget(pages, 1)
        row.addWidget(self.start)
