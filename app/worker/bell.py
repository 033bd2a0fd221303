"""Wakes the one thread that waits for something to do.

A condition wakes whoever waits while its lock is still held, so that each wake is two, and looks
for them in Python: with thirty blocks of sound a second that cost more than to send them. Knows
nothing of what there is to do.
"""

from __future__ import annotations

import queue


class Bell:
    """Rung often before it is heard, it is heard once or twice, and never not at all.

    Ring after what there is to do can be seen; when `wait()` returns, look for all of it.
    """

    def __init__(self) -> None:
        self._rings: queue.SimpleQueue[None] = queue.SimpleQueue()

    def ring(self) -> None:
        """From any thread; never blocks."""
        if self._rings.empty():
            self._rings.put(None)

    def wait(self) -> None:
        """Until it is rung, or has been rung since the last time."""
        self._rings.get()
