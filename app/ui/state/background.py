"""Slow questions asked off the UI thread: what sources are there, which engines can run.

    in_background(list_sources, window.show_sources, log_failure, owner=window)

`done` and `failed` are called in the UI thread, unless their owner is gone by then. Knows nothing
of what is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal, Slot
from shiboken6 import isValid

_T = TypeVar("_T")


class _Answer(QObject):
    """Lives in the UI thread; the worker thread only emits its signals."""

    came = Signal(object)
    went_wrong = Signal(object)

    def __init__(
        self,
        done: Callable[[Any], None],
        failed: Callable[[Exception], None],
        owner: QObject | None,
    ) -> None:
        super().__init__()
        self._done, self._failed, self._owner = done, failed, owner
        self.came.connect(self._take, Qt.ConnectionType.QueuedConnection)
        self.went_wrong.connect(self._take_failure, Qt.ConnectionType.QueuedConnection)

    @Slot(object)
    def _take(self, answer: object) -> None:
        _waiting.discard(self)
        if self._wanted:
            self._done(answer)

    @Slot(object)
    def _take_failure(self, error: Exception) -> None:
        _waiting.discard(self)
        if self._wanted:
            self._failed(error)

    @property
    def _wanted(self) -> bool:
        return self._owner is None or isValid(self._owner)


_waiting: set[_Answer] = set()  # keeps each alive until it has been delivered


class _Question(QRunnable):
    def __init__(self, ask: Callable[[], object], answer: _Answer) -> None:
        super().__init__()
        self._ask, self._answer = ask, answer

    def run(self) -> None:
        try:
            answer = self._ask()
        except Exception as error:
            self._tell(self._answer.went_wrong, error)
        else:
            self._tell(self._answer.came, answer)

    def _tell(self, signal: Any, value: object) -> None:
        try:
            signal.emit(value)
        except RuntimeError:
            pass  # the app is gone; nobody waits for the answer


def in_background(
    ask: Callable[[], _T],
    done: Callable[[_T], None],
    failed: Callable[[Exception], None],
    owner: QObject | None = None,
) -> None:
    """Call `ask` in a thread of the pool, then `done(answer)` or `failed(error)` in this one.

    Neither is called once `owner` has been deleted.
    """
    answer = _Answer(done, failed, owner)
    _waiting.add(answer)
    QThreadPool.globalInstance().start(_Question(ask, answer))
