"""Another engine or model takes over at a pause once it is loaded, and not at all if it cannot be.

Whoever wanted it: the user, in the preferences or by another language; or a model that has come,
and that nobody has asked for in this moment. It is loaded beside the session that runs, which
listens meanwhile and keeps every word; another session, by the usual change of engines, then takes
the loaded worker. What is chosen here is the moment: captions are on, nobody has spoken for a
while. Where memory does not hold two models, that is the moment at which loading begins. One that
cannot be loaded leaves everything as it was, the choice itself too. Knows no widget and nothing of
downloads.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from PySide6.QtCore import QObject, QTimer, Signal

from app.session.preparing import NoRoomError
from app.session.status import Stage, Status
from app.settings import Settings
from app.ui.state.captioning import Captioning
from app.ui.state.models import ModelState
from app.ui.state.settings_store import SettingsStore
from app.ui.state.ui_thread import Knock
from model_backends.base import Sentence, UserError, joined

if TYPE_CHECKING:
    from app.session.preparing import Preparation
    from app.session.session import Session

log = logging.getLogger(__name__)

QUIET_S = 2.0  # without a word or a guess of one
PATIENCE_S = 10.0  # of who has just asked for it, for a pause
_LOOK_MS = 500
_CALM = (Stage.LISTENING, Stage.NO_SOUND)
_UNFORESEEN = Sentence("Something went wrong inside Voxline.")
_THE_LOG = Sentence("The log says why: Help, Open log folder.")
_CHOICES = ("engine", "model", "device", "precision", "language")  # of settings, taken back

# Loads the engine that settings ask for; called back, once, from any thread. None: the session
# that runs has what it needs.
Prepare: TypeAlias = Callable[
    [Settings, Callable[[UserError | None], None], "Session | None"], "Preparation | None"
]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to caption. `title`: of the model, for people. `waits`: for a pause, however long;
    a user who has just asked for it does not. `before`: what was chosen, where the settings say
    already what is wished for."""

    engine: str
    model: str
    title: str = ""
    waits: bool = True
    before: Settings | None = None


class ChangeOver(QObject):
    """`told` brings a sentence and a hint, for beside the captions."""

    told = Signal(object, object)

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
        self._ready_at: float | None = None  # since when it is loaded, or has no room to be
        self._has_room = True
        self._tries = 0
        self._begun: tuple[Wish, Settings] | None = None  # taking over, and what was before
        self._changing = False
        self._heard_at = now()
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self.look)
        captioning.word.connect(self._heard)
        captioning.tail.connect(self._heard)
        captioning.status.connect(self._take_status)
        captioning.changes = self

    @property
    def waiting(self) -> bool:
        return self._wish is not None

    @property
    def settings(self) -> Settings:
        """As they are, but for a choice that is still being loaded: what captions now."""
        now, wish = self._store.settings, self._wish
        return now if wish is None or wish.before is None else replace(now, **_choice(wish.before))

    def wish(self, wish: Wish) -> None:
        """Let this model caption: at once where nothing runs, else once it is loaded."""
        if self._is_set(wish):
            return
        self._drop()
        if self._off:
            self._set(engine=wish.engine, model=wish.model)
        else:
            self._load(wish)

    def wish_for(self, state: ModelState) -> None:
        """… this one of the models that windows show, which has come."""
        self.wish(Wish(state.engine, state.name_for_engine, state.model.title))

    def use(self, state: ModelState) -> None:
        """… this one, which the user has chosen."""
        self.wish(Wish(state.engine, state.name_for_engine, state.model.title, waits=False))

    def look(self) -> None:
        """Whether the moment has come."""
        wish, since = self._wish, self._ready_at
        if wish is None:
            self._timer.stop()
        elif self._off:
            self._come_too_late(wish)
        elif since is not None:
            stage, now = self._captioning.stage, self._now()
            calm = stage in _CALM and now - self._heard_at >= QUIET_S
            urgent = not wish.waits and stage is not Stage.PAUSED and now - since >= PATIENCE_S
            if calm or urgent:
                self._change(wish)

    @property
    def _off(self) -> bool:
        return self._captioning.stage.off and not self._captioning.running

    # --- loading ---------------------------------------------------------------------------

    def follow(self, now: Settings, before: Settings) -> bool:
        """The user has chosen what another session must begin for. Whether that is seen to here;
        else the session that runs has loaded what the next one needs."""
        if self._changing:
            return True
        begun, wish = self._begun, self._wish
        if wish is not None and wish.before is None and _model(now) == _model(before):
            return False  # a model that has come is still to take over
        self._begun = None
        self._drop()
        if begun is not None:
            before = begun[1]  # what is known to caption
        elif wish is not None and wish.before is not None:
            before = wish.before
            if _choice(now) == _choice(before):
                return True  # back to what has gone on captioning
        return self._load(Wish(now.engine, now.model, waits=False, before=before))

    def _load(self, wish: Wish) -> bool:
        """Whether it is loaded now, or cannot be; else there is no need to."""
        settings = replace(self._store.settings, engine=wish.engine, model=wish.model)
        self._tries += 1
        number, knock = self._tries, Knock(self._settled)
        self._wish = wish
        try:
            engine = self._prepare(
                settings, lambda problem: knock(number, problem), self._captioning.newest
            )
        except UserError as error:
            self._settled(number, error)
            return True
        except Exception:  # nobody foresaw it; captions go on all the same
            log.exception("an engine could not be prepared")
            self._settled(number, UserError(_UNFORESEEN, _THE_LOG))
            return True
        if engine is None and wish.before is not None:
            self._wish = None
            return False
        self._engine = engine
        self._wish = wish = replace(wish, title=wish.title or (engine.label if engine else ""))
        self._timer.start()
        if engine is None:
            self._ready_at = self._now()
            return True
        then = Sentence("Captions go on, and change over to it at a pause.")
        self.told.emit(Sentence("{title} is being loaded.", title=wish.title), then)
        return True

    def _settled(self, number: int, problem: UserError | None) -> None:
        """It is loaded, or cannot be; unless it was for a wish that is no more."""
        wish = self._wish
        if number != self._tries or wish is None:
            return
        if problem is None:
            self._ready_at = self._now()
            self.look()
        elif isinstance(problem, NoRoomError):
            self._let_go()
            self._ready_at, self._has_room = self._now(), False
            then = Sentence("It is loaded at the next pause; captions then wait until it is ready.")
            self.told.emit(problem.message, then)
            self.look()
        else:
            self._drop()
            if wish.before is not None:
                self._restore(wish.before)
            self._tell_failure(wish, joined(problem.message, problem.hint))

    def _drop(self) -> None:
        """The wish is no more, and what was loaded for it."""
        self._let_go()
        self._wish, self._ready_at, self._has_room = None, None, True

    def _let_go(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    # --- changing over ---------------------------------------------------------------------

    def _change(self, wish: Wish) -> None:
        before = wish.before or self._store.settings
        engine, self._engine = self._engine, None
        has_room = self._has_room
        self._drop()
        self._timer.stop()
        self._begun = (wish, before)
        self._set(engine=wish.engine, model=wish.model)
        if engine is not None:
            self._captioning.prepared(engine)
        self._captioning.start_another(makes_room=not has_room)
        if has_room:
            self.told.emit(Sentence("{title} takes over.", title=wish.title), "")
        else:
            then = Sentence("What is said meanwhile is captioned as soon as it is ready.")
            self.told.emit(Sentence("{title} is being loaded.", title=wish.title), then)

    def _come_too_late(self, wish: Wish) -> None:
        """Captions are off: the next ones are this engine's. Where they had failed, that is now."""
        failed = self._captioning.stage is Stage.FAILED and wish.before is not None
        engine = self._engine if self._ready_at is not None and failed else None
        if engine is not None:
            self._engine = None
            self._captioning.prepared(engine)
        self._drop()
        self._timer.stop()
        self._set(engine=wish.engine, model=wish.model)
        if failed:
            self._captioning.start()

    def _set(self, **choices: Any) -> None:
        """Change settings without beginning anything for it, unless captions have failed."""
        self._changing = True
        try:
            self._store.change(**choices)
        finally:
            self._changing = False

    def _restore(self, before: Settings) -> None:
        """What the user has written (names, servers) stays; what was chosen goes back."""
        self._set(**_choice(before))

    def _heard(self, _event: object) -> None:
        self._heard_at = self._now()

    def _take_status(self, status: Status) -> None:
        if self._begun is None:
            return
        wish, before = self._begun
        if self._captioning.newest is not self._captioning.session:
            return  # the one before is still saying its last words
        if status.stage in (*_CALM, Stage.SPEECH):
            self._begun = None
        elif status.stage is Stage.FAILED:
            self._begun = None
            # once everybody else has been told of the failure: what follows is another session
            QTimer.singleShot(0, self, lambda: self._give_way(wish, before, status.message))

    def _give_way(self, wish: Wish, before: Settings, why: str) -> None:
        self._restore(before)
        self._tell_failure(wish, why)

    def _tell_failure(self, wish: Wish, why: str) -> None:
        said: Sentence = Sentence("Captions go on as before: the other engine could not be loaded.")
        if wish.title:
            said = Sentence(
                "{title} could not be loaded: captions go on as before.", title=wish.title
            )
        self.told.emit(said, why)

    def _is_set(self, wish: Wish) -> bool:
        return _model(self._store.settings) == (wish.engine, wish.model)


def _choice(settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in _CHOICES}


def _model(settings: Settings) -> tuple[str, str]:
    return settings.engine, settings.model
