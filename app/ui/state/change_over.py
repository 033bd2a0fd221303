"""A model that has come takes over at the next pause, and gives way again if it cannot be loaded.

The session's own change of engine keeps every word; what is chosen here is the moment: captions
are on, nobody has spoken for a while. If another engine is chosen meanwhile, that was the user, and
this one is left. Knows no widget and nothing of downloads.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

from app.session.status import Stage, Status
from app.settings import Settings
from app.ui.state.captioning import Captioning
from app.ui.state.models import ModelState
from app.ui.state.settings_store import SettingsStore
from model_backends.base import Sentence

QUIET_S = 2.0  # without a word or a guess of one
_LOOK_MS = 500
_CALM = (Stage.LISTENING, Stage.NO_SOUND)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to caption. `title`: of the model, for people."""

    engine: str
    model: str
    title: str


class ChangeOver(QObject):
    """`told` brings a sentence and a hint, for beside the captions."""

    told = Signal(object, object)

    def __init__(
        self,
        captioning: Captioning,
        store: SettingsStore,
        now: Callable[[], float] = time.monotonic,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._captioning, self._store, self._now = captioning, store, now
        self._wish: Wish | None = None  # waits for a pause
        self._begun: tuple[Wish, Settings] | None = None  # being loaded, and what was before
        self._changing = False
        self._heard_at = now()
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self.look)
        captioning.word.connect(self._heard)
        captioning.tail.connect(self._heard)
        captioning.status.connect(self._take_status)
        store.changed.connect(self._settings_changed)

    @property
    def waiting(self) -> bool:
        return self._wish is not None

    def wish(self, wish: Wish) -> None:
        """Let this model caption: at once where nothing runs, else at the next pause."""
        if self._is_set(wish):
            return
        self._wish = wish
        self._timer.start()
        self.look()
        if self.waiting:
            self.told.emit(
                Sentence("{title} is here.", title=wish.title),
                Sentence("Captions change over to it at the next pause."),
            )

    def wish_for(self, state: ModelState) -> None:
        """… this one of the models that windows show."""
        self.wish(Wish(state.engine, state.name_for_engine, state.model.title))

    def look(self) -> None:
        """Whether the moment has come."""
        if self._wish is None:
            self._timer.stop()
            return
        off = self._captioning.stage.off and not self._captioning.running
        calm = self._captioning.stage in _CALM and self._now() - self._heard_at >= QUIET_S
        if off or calm:
            self._change(self._wish, loads=not off)

    def _change(self, wish: Wish, loads: bool) -> None:
        before, self._wish = self._store.settings, None
        self._timer.stop()
        self._begun = (wish, before) if loads else None
        self._set(wish.engine, wish.model)
        if loads:
            self.told.emit(
                Sentence("{title} takes over.", title=wish.title),
                Sentence("It is being loaded; what is said meanwhile is captioned afterwards."),
            )

    def _set(self, engine: str, model: str) -> None:
        self._changing = True
        try:
            self._store.change(engine=engine, model=model)
        finally:
            self._changing = False

    def _heard(self, _event: object) -> None:
        self._heard_at = self._now()

    def _settings_changed(self, now: Settings, before: Settings) -> None:
        """Another engine or model, and not by us: the user has chosen."""
        if not self._changing and (now.engine, now.model) != (before.engine, before.model):
            self._wish = self._begun = None

    def _take_status(self, status: Status) -> None:
        if self._begun is None:
            return
        wish, before = self._begun
        info = self._captioning.info
        if info is None or info.name != wish.engine:
            return  # the one before is still saying its last words
        if status.stage in (*_CALM, Stage.SPEECH):
            self._begun = None
        elif status.stage is Stage.FAILED:
            self._begun = None
            # once everybody else has been told of the failure: what follows is another session
            QTimer.singleShot(0, self, lambda: self._give_way(wish, before, status.message))

    def _give_way(self, wish: Wish, before: Settings, why: str) -> None:
        self._set(before.engine, before.model)
        said = Sentence("{title} could not be loaded: captions go on as before.", title=wish.title)
        self.told.emit(said, why)

    def _is_set(self, wish: Wish) -> bool:
        now = self._store.settings
        return (now.engine, now.model) == (wish.engine, wish.model)
