"""From a session's events to Qt signals: the one place where another thread meets the UI thread.

    bridge = SessionBridge(partial(Session, options))
    bridge.word.connect(view.add_word)
    bridge.start()

The session calls its `wake` from its own thread; that is turned into one knock, however often it
is called, and the session is pumped in the thread this object lives in. Knows nothing of what a
word is for, or of any window.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.reheard import Reheard
from app.core.timeline import Gap
from app.session.session import Choices, HeardOut, Saved, Session, Status
from app.ui.state.ui_thread import Knock
from model_backends.base import Notice, Tail, UserError, Word

if TYPE_CHECKING:
    from app.session.session import SessionEvent
    from app.session.sources import SourceChoice

TICK_MS = 240  # a meter follows syllables without flicker; the session tells it no more often


class _Wake:
    """What a session calls, from any thread: there is something to pump."""

    def __init__(self, pump: Callable[[], None]) -> None:
        self._lock = Lock()
        self._is_due = False
        self._knock = Knock(pump)

    def __call__(self) -> None:
        with self._lock:
            if self._is_due:
                return
            self._is_due = True
        self._knock()

    def answered(self) -> None:
        """From now on there may be more."""
        with self._lock:
            self._is_due = False


class SessionBridge(QObject):
    """Owns one session. Every signal comes in the thread this object was made in.

    `make_session` is called once, with the function that the session is to call as `wake`.
    """

    word = Signal(object)  # Word, committed
    tail = Signal(object)  # Tail, replaces the one before it
    status = Signal(object)  # Status
    gap = Signal(object)  # Gap
    reheard = Signal(object)  # Reheard
    notice = Signal(object)  # Notice
    saved = Signal(object)  # Saved
    level = Signal(float)  # RMS amplitude of what is captured, 0..1
    choices_changed = Signal()  # the session's source or delay is another now
    heard_out = Signal()  # every word has come; what remains is to save them

    def __init__(
        self,
        make_session: Callable[[Callable[[], None]], Session],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._signals = {
            Word: self.word,
            Tail: self.tail,
            Status: self.status,
            Gap: self.gap,
            Reheard: self.reheard,
            Notice: self.notice,
            Saved: self.saved,
        }
        self._held = False
        self._last_level = 0.0
        self._clock = QTimer(self, interval=TICK_MS)
        self._clock.timeout.connect(self._tick)
        self._wake = _Wake(self.pump)
        self.session = make_session(self._wake)

    def pump(self) -> None:
        """Take what the session has and emit it, in order."""
        self._wake.answered()
        if self._held:
            return
        for event in self.session.pump():
            self._emit(event)

    def hold(self) -> None:
        """Emit nothing until `release()`; the session goes its way, and nothing is lost."""
        self._held = True

    def release(self) -> None:
        """Emit what has been held, and everything from now on."""
        self._held = False
        self.pump()

    def start(self) -> None:
        self._clock.start()
        self._do(self.session.start)

    def pause(self) -> None:
        self._do(self.session.pause)

    def resume(self) -> None:
        self._do(self.session.resume)

    def set_delay(self, ms: int) -> None:
        self._do(lambda: self.session.set_delay(ms))

    def set_source(self, source: SourceChoice) -> None:
        """None is the system's microphone."""
        self._do(lambda: self.session.set_source(source))

    def stop(self) -> None:
        """Begin the flush; the end is a `status` of STOPPED or FAILED."""
        self._do(self.session.stop)

    def abort(self) -> None:
        self._do(self.session.abort)

    def _do(self, verb: Callable[[], None]) -> None:
        """Tell the session. What it refuses becomes a notice."""
        try:
            verb()
        except UserError as error:
            self.notice.emit(Notice("", "refused", error.message, error.hint))

    def _tick(self) -> None:
        level = 0.0 if self._held else self.session.level
        if level != self._last_level:
            self._last_level = level
            self.level.emit(level)

    def _emit(self, event: SessionEvent) -> None:
        signal = self._signals.get(type(event))  # progress is nothing to show
        if signal is not None:
            signal.emit(event)
        elif isinstance(event, Choices):
            self.choices_changed.emit()
        elif isinstance(event, HeardOut):
            self.heard_out.emit()
        if isinstance(event, Status) and event.stage.over:
            self._clock.stop()
            self.level.emit(0.0)
