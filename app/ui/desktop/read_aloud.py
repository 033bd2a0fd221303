"""Finished sentences for a screen reader, if the user wants them: read out, or shown in braille.

One sentence at a time, when the next one has begun or nothing has come for a moment, so that
nothing half is read. Knows nothing of windows: `say` is whoever can announce.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from app.core.sentences import ends_sentence
from app.ui.state.captioning import Captioning
from app.ui.state.settings_store import SettingsStore
from model_backends.base import Word

QUIET_MS = 2500  # then what has come is read, finished or not
LONGEST = 240  # characters: who speaks without full stops is read all the same


class ReadAloud(QObject):
    """Listens for the whole run; says nothing while the setting is off."""

    def __init__(
        self,
        captioning: Captioning,
        store: SettingsStore,
        say: Callable[[str], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._store, self._say = store, say
        self._said: dict[str, list[Word]] = {}  # by lane: of the sentence that is being spoken
        self._quiet = QTimer(self, singleShot=True, interval=QUIET_MS)
        self._quiet.timeout.connect(self.read_rest)
        captioning.word.connect(self._take)
        captioning.session_changed.connect(lambda _: self.read_rest())

    def read_rest(self) -> None:
        """Read what is left of every voice."""
        for lane in list(self._said):
            self._read(lane)

    def _take(self, word: Word) -> None:
        if word.track != 0 or not self._store.settings.read_finished_lines:
            return
        words = self._said.setdefault(word.lane, [])
        if words and self._is_finished(words, word):
            self._read(word.lane)
        self._said.setdefault(word.lane, []).append(word)
        self._quiet.start()

    def _is_finished(self, words: list[Word], following: Word) -> bool:
        last = words[-1]
        long = sum(len(word.text) for word in words) >= LONGEST
        return ends_sentence(last.text, following.text, last.language) or (
            long and following.text[:1].isspace()
        )

    def _read(self, lane: str) -> None:
        text = "".join(word.text for word in self._said.pop(lane, [])).strip()
        if text:
            self._say(text)
