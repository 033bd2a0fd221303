"""Dictation, switched on and off: what is said is typed into the window that has the keyboard.

Off at every start, and never switched on by anything but the user. Typed is what the user says
where a microphone is heard, else what is heard at all; nothing while listening is paused. Knows no
widget and no desktop.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication

from app.core.voices import ME
from app.session.status import Stage, Status
from app.ui.state.captioning import Captioning
from model_backends.base import Sentence

if TYPE_CHECKING:
    from app.native.typist import Typist
    from app.share.dictation import Dictating, Doing
    from model_backends.base import Word

OpenTypist = Callable[[], "Typist"]
_LOOK_MS = 200
_LEAVE_S = 3.0
_OFF = Sentence("captions are off")
_PAUSED = Sentence("listening is paused")
_WAYS = {
    "ours": Sentence("this is Voxline’s own window"),
    "nowhere": Sentence("no window has the keyboard"),
    "secret": Sentence("a password is typed here"),
    "keys": Sentence("waiting for keys to be let go"),
    "caps lock": Sentence("waiting for Caps Lock to be off"),
}


class Dictation(QObject):
    """One for the whole run."""

    changed = Signal()  # switched, or doing otherwise
    begun = Signal()  # switched on
    problem = Signal(object, object)  # it cannot be, or has ended by itself: why, what to do

    def __init__(
        self,
        captioning: Captioning,
        open_typist: OpenTypist | None = None,
        parent: QObject | None = None,
    ) -> None:
        """`open_typist`: None for this desktop's own."""
        super().__init__(parent)
        self._captioning = captioning
        self._open = open_typist or _open_typist()
        self._dictating: Dictating | None = None
        self._before: Dictating | None = None
        self._told: Doing | None = None
        self._looking = QTimer(self, interval=_LOOK_MS)
        self._looking.timeout.connect(self._look)
        captioning.word.connect(self._take)
        captioning.status.connect(self._follow)
        captioning.session_changed.connect(lambda _: self._begin_session())

    @property
    def on(self) -> bool:
        return self._dictating is not None

    @property
    def doing(self) -> Doing | None:
        """None while it is off."""
        return self._dictating.doing if self._dictating else None

    @property
    def types(self) -> bool:
        """Whether a word that is said now is typed."""
        return self.on and not self._why_not()

    @property
    def line(self) -> str:
        """What it does, for whoever looks at the screen; "" while it is off."""
        doing = self.doing
        if doing is None:
            return ""
        why_not = self._why_not()
        if why_not:
            return Sentence("Typing is on: {why}", why=why_not)
        if doing.left_out:
            return Sentence(
                "Typing what is said: {count} characters had no key", count=doing.left_out
            )
        return Sentence("Typing what is said")

    def toggle(self) -> None:
        self.switch(not self.on)

    def switch(self, on: bool) -> None:
        """On, or off."""
        if on == self.on:
            return
        if on:
            self._begin()
        else:
            self._end()
        self.changed.emit()

    def _begin(self) -> None:
        from app.native.typist import NoTypingError
        from app.share.dictation import Dictating

        try:
            typist = self._open()
        except NoTypingError as error:
            self.problem.emit(error.message, error.hint)
            return
        self._dictating = Dictating(typist, self._before)
        self._dictating.start()
        self._looking.start()
        self.begun.emit()

    def close(self) -> None:
        """The app ends: the keyboard is put back as it was."""
        self._end()
        if self._before is not None:
            self._before.wait(_LEAVE_S)

    def _end(self) -> None:
        self._looking.stop()
        dictating, self._dictating, self._told = self._dictating, None, None
        if dictating is not None:
            dictating.end()
            self._before = dictating

    def _why_not(self) -> str:
        stage, doing = self._captioning.stage, self.doing
        if stage.off:
            return _OFF
        if stage is Stage.PAUSED:
            return _PAUSED
        return _WAYS.get(doing.way.value, "") if doing else ""

    # --- following -------------------------------------------------------------------------

    def _take(self, word: Word) -> None:
        session = self._captioning.session
        mine_alone = session is not None and ME in session.voices
        heard = word.lane == ME or not mine_alone
        if self._dictating is not None and heard and self._captioning.stage is not Stage.PAUSED:
            self._dictating.take(word)

    def _follow(self, status: Status) -> None:
        if self._dictating is None:
            return
        if status.stage is Stage.PAUSED:
            self._dictating.hush()
        self.changed.emit()

    def _begin_session(self) -> None:
        if self._dictating is not None:
            self._dictating.begin()

    def _look(self) -> None:
        doing = self.doing
        if doing is None or doing == self._told:
            return
        self._told = doing
        if doing.way.value == "over":
            self._end()
            if doing.problem:
                self.problem.emit(*doing.problem)
        self.changed.emit()


def _open_typist() -> OpenTypist:
    from app.native.typing import open_typist

    return partial(open_typist, QGuiApplication.platformName())
