"""From a session's events to Qt signals: the one place where another thread meets the UI thread.

    bridge = SessionBridge(partial(Session, options))
    bridge.word.connect(view.add_word)
    bridge.start()

The session calls `wake` from its own threads; that is turned into one queued signal, however
often it is called, and the session is pumped in the thread this object lives in. Knows nothing
of what a word is for, or of any window.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.core.timeline import Gap
from app.session.session import LANE, Saved, Session, Stage, Status
from model_backends.base import Notice, Tail, UserError, Word

if TYPE_CHECKING:
    from app.session.session import SessionEvent

TICK_MS = 100  # a meter follows syllables without flicker; deadlines are met closely enough
ENDED = (Stage.STOPPED, Stage.FAILED)


class SessionBridge(QObject):
    """Owns one session. Every signal comes in the thread this object was made in.

    `make_session` is called once, with the function that the session is to call as `wake`.
    """

    word = Signal(object)  # Word, committed
    tail = Signal(object)  # Tail, replaces the one before it
    status = Signal(object)  # Status
    gap = Signal(object)  # Gap
    notice = Signal(object)  # Notice
    saved = Signal(object)  # Saved
    level = Signal(float)  # RMS amplitude of what is captured, 0..1
    choices_changed = Signal()  # the session's source or delay is another now

    _woken = Signal()

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
            Notice: self.notice,
            Saved: self.saved,
        }
        self._lock = Lock()
        self._pump_is_due = False
        self._last_level = 0.0
        self._woken.connect(self.pump, Qt.ConnectionType.QueuedConnection)
        self._clock = QTimer(self, interval=TICK_MS)
        self._clock.timeout.connect(self._tick)
        self.session = make_session(self.wake)

    def wake(self) -> None:
        """From any thread: there is something to pump."""
        with self._lock:
            if self._pump_is_due:
                return
            self._pump_is_due = True
        try:
            self._woken.emit()
        except RuntimeError:
            pass  # the window has been torn down while a thread was still reporting

    def pump(self) -> None:
        """Take what the session has and emit it, in order."""
        with self._lock:
            self._pump_is_due = False
        for event in self.session.pump():
            self._emit(event)

    def start(self) -> None:
        self._clock.start()
        self._do(self.session.start)

    def pause(self) -> None:
        self._do(self.session.pause)

    def resume(self) -> None:
        self._do(self.session.resume)

    def set_delay(self, ms: int) -> None:
        self._do(lambda: self.session.set_delay(ms))
        self.choices_changed.emit()

    def set_source(self, source: str | None) -> None:
        """By id or name; None or empty is the system's microphone."""
        self._do(lambda: self.session.set_source(source or None))
        self.choices_changed.emit()

    def stop(self) -> None:
        """Begin the flush; the end is a `status` of STOPPED or FAILED."""
        self._do(self.session.stop)

    def abort(self) -> None:
        self._do(self.session.abort)

    def _do(self, verb: Callable[[], None]) -> None:
        """Tell the session, then hear what came of it. What it refuses becomes a notice."""
        try:
            verb()
        except UserError as error:
            self.notice.emit(Notice(LANE, "refused", error.message, error.hint))
        self.wake()

    def _tick(self) -> None:
        """Some of what a session does happens only because time has passed."""
        self.pump()
        level = self.session.level
        if level != self._last_level:
            self._last_level = level
            self.level.emit(level)

    def _emit(self, event: SessionEvent) -> None:
        signal = self._signals.get(type(event))  # progress is nothing to show
        if signal is not None:
            signal.emit(event)
        if isinstance(event, Status) and event.stage in ENDED:
            self._clock.stop()
            self.level.emit(0.0)
