"""Slow questions asked off the UI thread: what sources are there, which engines can run.

    in_background(list_sources, window.show_sources, log_failure, owner=window)

`done` and `failed` are called in the UI thread, unless their owner is gone by then; and what they
and the question hold is let go of there. Knows nothing of what is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QRunnable, QThreadPool
from shiboken6 import isValid

from app.ui.state.ui_thread import Knock

_T = TypeVar("_T")


class _Question:
    """No QObject: its thread may be the last to hold it, when all that it holds is gone."""

    def __init__(
        self,
        ask: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[Exception], None],
        owner: QObject | None,
    ) -> None:
        self._ask: Callable[[], Any] | None = ask
        self._done: Callable[[Any], None] | None = done
        self._failed: Callable[[Exception], None] | None = failed
        self._owner = owner
        self._answer: Any = None
        self._error: Exception | None = None
        self._knock = Knock(self._settle)

    def find_out(self) -> None:
        """In a thread of the pool."""
        assert self._ask is not None
        try:
            self._answer = self._ask()
        except Exception as error:
            self._error = error
        self._knock()

    def _settle(self) -> None:
        """In the UI thread."""
        _waiting.discard(self)
        done, failed, owner = self._done, self._failed, self._owner
        answer, error = self._answer, self._error
        self._ask = self._done = self._failed = self._owner = self._answer = self._error = None
        if done is None or failed is None or (owner is not None and not isValid(owner)):
            return
        if error is not None:
            failed(error)
        else:
            done(answer)


_waiting: set[_Question] = set()  # keeps each alive until it has been delivered


class _Run(QRunnable):
    def __init__(self, question: _Question) -> None:
        super().__init__()
        self._question = question

    def run(self) -> None:
        self._question.find_out()


def in_background(
    ask: Callable[[], _T],
    done: Callable[[_T], None],
    failed: Callable[[Exception], None],
    owner: QObject | None = None,
) -> None:
    """Call `ask` in a thread of the pool, then `done(answer)` or `failed(error)` in this one.

    Neither is called once `owner` has been deleted.
    """
    question = _Question(ask, done, failed, owner)
    _waiting.add(question)
    QThreadPool.globalInstance().start(_Run(question))
