"""Old words must look old: notices that nothing has been said for a while, and since when.

After half a minute the words that are there are told to be old; after five minutes it is said
since when it has been quiet. Knows no widget; time comes from Qt's timers.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QDateTime, QLocale, QObject, QTimer, Signal

OLD_AFTER_MS = 30_000
SAID_AFTER_MS = 5 * 60_000


class Quiet(QObject):
    """`word_came()` is to be called for every word."""

    old = Signal()  # what is shown was said half a minute ago, or before
    since_changed = Signal(str)  # a time as the desktop writes it; empty when words come again

    def __init__(
        self, parent: QObject, now: Callable[[], QDateTime] = QDateTime.currentDateTime
    ) -> None:
        super().__init__(parent)
        self._now = now
        self._last = now()
        self._told = False
        self._old_timer = self._timer(OLD_AFTER_MS, self.old.emit)
        self._told_timer = self._timer(SAID_AFTER_MS, self._tell)

    def word_came(self) -> None:
        """It is not quiet."""
        self._last = self._now()
        self._old_timer.start()
        self._told_timer.start()
        if self._told:
            self._told = False
            self.since_changed.emit("")

    def _tell(self) -> None:
        self._told = True
        time = QLocale().toString(self._last.time(), QLocale.FormatType.ShortFormat)
        self.since_changed.emit(time)

    def _timer(self, ms: int, act: Callable[[], object]) -> QTimer:
        timer = QTimer(self, singleShot=True, interval=ms)
        timer.timeout.connect(act)
        return timer
