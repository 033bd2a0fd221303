"""A model that has come takes over at a pause once it is loaded, and not at all if it cannot be.

It is loaded beside the session that runs, which listens meanwhile and keeps every word; another
session, by the usual change of engines, then takes the loaded worker. What is chosen here is the
moment: captions are on, nobody has spoken for a while. If another engine is chosen meanwhile, that
was the user, and this one is left. Knows no widget and nothing of downloads.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from PySide6.QtCore import QObject, QTimer, Signal

from app.session.status import Stage, Status
from app.settings import Settings
from app.ui.state.captioning import Captioning
from app.ui.state.models import ModelState
from app.ui.state.settings_store import SettingsStore
from app.ui.state.ui_thread import Knock
from model_backends.base import Sentence, UserError

if TYPE_CHECKING:
    from app.session.preparing import Preparation

QUIET_S = 2.0  # without a word or a guess of one
_LOOK_MS = 500
_CALM = (Stage.LISTENING, Stage.NO_SOUND)

# loads the engine that settings ask for; called back, once, from any thread
Prepare: TypeAlias = Callable[[Settings, Callable[[UserError | None], None]], "Preparation"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to caption. `title`: of the model, for people. `waits`: for a pause; a user who has
    just asked for it does not."""

    engine: str
    model: str
    title: str
    waits: bool = True


class ChangeOver(QObject):
    """`told` brings a sentence and a hint, for beside the captions."""

    told = Signal(str, str)

    def __init__(
        self,
        captioning: Captioning,
        store: SettingsStore,
        prepare: Prepare,
        now: Callable[[], float] = time.monotonic,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._captioning, self._store, self._now = captioning, store, now
        self._prepare = prepare
        self._wish: Wish | None = None  # is being loaded, or waits for a pause
        self._engine: Preparation | None = None
        self._ready = False  # it is loaded
        self._tries = 0
        self._begun: tuple[Wish, Settings] | None = None  # taking over, and what was before
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
        """Let this model caption: at once where nothing runs, else once it is loaded."""
        if self._is_set(wish):
            return
        self._drop()
        self._wish = wish
        if not self._off:
            self._load(wish)
        self._timer.start()
        self.look()

    def wish_for(self, state: ModelState) -> None:
        """… this one of the models that windows show, which has come."""
        self.wish(Wish(state.engine, state.name_for_engine, state.model.title))

    def use(self, state: ModelState) -> None:
        """… this one, which the user has chosen."""
        self.wish(Wish(state.engine, state.name_for_engine, state.model.title, waits=False))

    def look(self) -> None:
        """Whether the moment has come."""
        if self._wish is None:
            self._timer.stop()
            return
        calm = self._captioning.stage in _CALM and self._now() - self._heard_at >= QUIET_S
        if self._off or (self._ready and (calm or not self._wish.waits)):
            self._change(self._wish, loads=not self._off)

    @property
    def _off(self) -> bool:
        return self._captioning.stage.off and not self._captioning.running

    def _load(self, wish: Wish) -> None:
        settings = replace(self._store.settings, engine=wish.engine, model=wish.model)
        self._tries += 1
        number, knock = self._tries, Knock(self._settled)
        try:
            self._engine = self._prepare(settings, lambda problem: knock(number, problem))
        except UserError as error:
            self._settled(number, error)
            return
        then = Sentence("Captions go on, and change over to it at a pause.")
        if not wish.waits:
            then = Sentence("Captions go on, and change over to it when it is.")
        self.told.emit(Sentence("{title} is being loaded.", title=wish.title), then)

    def _settled(self, number: int, problem: UserError | None) -> None:
        """It is loaded, or cannot be; unless it was for a wish that is no more."""
        if number != self._tries or self._wish is None:
            return
        if problem is None:
            self._ready = True
            self.look()
            return
        title = self._wish.title
        self._drop()
        self._tell_failure(title, f"{problem.message} {problem.hint}".strip())

    def _drop(self) -> None:
        """The wish is no more, and what was loaded for it."""
        engine, self._engine, self._wish, self._ready = self._engine, None, None, False
        if engine is not None:
            engine.close()

    def _change(self, wish: Wish, loads: bool) -> None:
        before = self._store.settings
        engine, self._engine = self._engine, None
        self._drop()
        self._timer.stop()
        self._begun = (wish, before) if loads else None
        if engine is not None and loads:
            self._captioning.prepared(engine)
        elif engine is not None:
            engine.close()
        self._set(wish.engine, wish.model)
        if loads:
            self.told.emit(Sentence("{title} takes over.", title=wish.title), "")

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
            self._begun = None
            self._drop()

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
        self._tell_failure(wish.title, why)

    def _tell_failure(self, title: str, why: str) -> None:
        said = Sentence("{title} could not be loaded: captions go on as before.", title=title)
        self.told.emit(said, why)

    def _is_set(self, wish: Wish) -> bool:
        now = self._store.settings
        return (now.engine, now.model) == (wish.engine, wish.model)
