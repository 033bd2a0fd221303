"""A slow question with a limit: what a sound server that hangs must not do to who asks.

Knows nothing of what is asked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")


class Question(Generic[T]):
    """Asks in a thread of its own, and never twice at once.

    Whoever asks while an earlier asking still hangs waits for that one's answer: a server that
    is stuck for an hour costs one thread.
    """

    def __init__(self, ask: Callable[[], T], name: str) -> None:
        self._ask = ask
        self._name = name
        self._lock = threading.Lock()
        self._asked: Future[T] | None = None

    def answer(self, within_s: float) -> T:
        """The answer, or what `ask` raised. From any thread.

        Raises TimeoutError when `within_s` seconds have passed without one.
        """
        from concurrent.futures import Future  # not needed before the captions are shown

        with self._lock:
            if self._asked is None or self._asked.done():
                self._asked = Future()
                work = threading.Thread(
                    target=self._work, args=(self._asked,), daemon=True, name=self._name
                )
                work.start()
            asked = self._asked
        return asked.result(within_s)

    def _work(self, asked: Future[T]) -> None:
        try:
            asked.set_result(self._ask())
        except BaseException as error:  # whoever waits must hear of it, whatever it is
            asked.set_exception(error)
