"""A model that is too slow for this computer gives way to the built-in one, once, and says so.

Where captions come later and later although the engine has taken all the time it can
(`app/session/lagging`), the built-in model is loaded beside it and takes over, as if the user had
chosen it: the settings say so, so that the next start does not load the slow one only to give it
up again. Whoever chooses it once more has it, and is left alone until the app is started anew.
Knows no widget.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from app.audio.choice import MediaFile, from_text
from app.session.lagging import Lagging, may_give_way
from app.session.start import BASE
from app.session.status import Stage, Status
from app.ui.state.captioning import Captioning
from app.ui.state.change_over import ChangeOver, Wish
from app.ui.state.models import Models
from model_backends.base import Sentence

_LOOK_MS = 1_000
_BUILT_IN = Sentence("The built-in model")


class GivingWay(QObject):
    """`told` brings a sentence and a hint, once for each model in the life of an app."""

    told = Signal(object, object)

    def __init__(
        self,
        captioning: Captioning,
        change: ChangeOver,
        models: Models,
        now: Callable[[], float] = time.monotonic,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._captioning, self._change, self._models, self._now = captioning, change, models, now
        self._lagging = Lagging()
        self._gave_way: set[tuple[str, str]] = set()  # engine and model
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self.look)
        captioning.status.connect(self._take_status)

    def look(self) -> None:
        """Give way if the time has come."""
        session = self._captioning.session
        if session is None or not self._counts:
            self._lagging.forget()
        elif self._lagging.look(self._now(), self._captioning.last_status, session.delay_ms):
            self._lagging.forget()
            self._give_way()

    @property
    def _counts(self) -> bool:
        """Somebody waits for these words, and nobody has chosen anything about it: what is loaded
        already takes over anyway."""
        captioning, info = self._captioning, self._captioning.info
        may = info is not None and may_give_way(info) and self._model not in self._gave_way
        changes = self._change.waiting or captioning.newest is not captioning.session
        return may and not changes and not isinstance(from_text(captioning.source), MediaFile)

    @property
    def _model(self) -> tuple[str, str]:
        """The one that captions; the engine's usual one by its name, too."""
        settings, info = self._change.settings, self._captioning.info
        usual = info.default_model if info is not None else ""
        return settings.engine, settings.model or usual

    def _give_way(self) -> None:
        self._gave_way.add(self._model)
        said = Sentence(
            "{title} cannot keep up on this computer: the built-in model takes over.",
            title=self._title,
        )
        hint = Sentence("To go back, choose it again in Preferences, Speech model.")
        self.told.emit(said, hint)
        self._change.wish(Wish(BASE, "", _BUILT_IN, waits=False, is_told=True))

    @property
    def _title(self) -> str:
        settings, info = self._change.settings, self._captioning.info
        chosen = [each.model.title for each in self._models.states if each.is_chosen(settings)]
        return next(iter(chosen), info.label if info is not None else "")

    def _take_status(self, status: Status) -> None:
        self.look()
        if status.stage is not Stage.CATCHING_UP:
            self._timer.stop()
        elif not self._timer.isActive():
            self._timer.start()
