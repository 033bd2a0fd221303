"""The worker's sign of life: a thread that tells the app every two seconds how the work goes on.

It beats whatever the working thread does, so that the app can tell slow from stuck; see
`watchdog`. Knows nothing about engines or pipes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from app.worker.messages import Alive

BEAT_S = 2.0


class Heartbeat:
    """`step()` and `idle` are for the working thread alone."""

    def __init__(self, send: Callable[[Alive], None]) -> None:
        self._send = send
        self._steps = 0
        self.idle = False  # the working thread waits for something to do

    def start(self) -> None:
        threading.Thread(target=self._beat, daemon=True, name="heartbeat").start()

    def step(self) -> None:
        """A bounded piece of work has been done."""
        self._steps += 1

    def alive(self) -> Alive:
        """What is told now."""
        return Alive(self._steps, self.idle, round(time.process_time() * 1000))

    def _beat(self) -> None:
        while True:
            time.sleep(BEAT_S)
            self._send(self.alive())
