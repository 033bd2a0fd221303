"""The way from any thread into the one that owns the windows.

    session = Session(options, wake=Knock(bridge.pump))

A thread that holds a QObject, were it only by a bound method, may be the last to let go of it; and
Qt's objects may be deleted in their own thread alone ("Timers cannot be stopped from another
thread", then a segmentation fault). So threads are handed a Knock, which holds nothing of Qt.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakMethod

from PySide6.QtCore import QObject, Qt, Signal, Slot
from shiboken6 import isValid


class Knock:
    """Call it in any thread: `answer` is called with the same values in the UI thread, soon.

    Make it in the UI thread. `answer` is a method, whose object is held weakly: once that is gone,
    nobody answers.
    """

    __slots__ = ("_answer", "_post")

    def __init__(self, answer: Callable[..., None]) -> None:
        self._answer, self._post = WeakMethod(answer), _the_post()

    def __call__(self, *values: object) -> None:
        try:
            self._post.came.emit((self._answer, values))
        except RuntimeError:
            pass  # the app is gone; nobody is in


class _Post(QObject):
    """One for the process, and for ever: whoever emits need not fear that it goes meanwhile."""

    came = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.came.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @Slot(object)
    def _deliver(self, knock: tuple[WeakMethod[Any], tuple[object, ...]]) -> None:
        weak, values = knock
        answer = weak()
        if answer is None:
            return
        owner = answer.__self__
        if not isinstance(owner, QObject) or isValid(owner):
            answer(*values)


_posts: list[_Post] = []


def _the_post() -> _Post:
    if not _posts:
        _posts.append(_Post())
    return _posts[0]
