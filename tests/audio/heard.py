"""What a feed delivers, for tests that wait for it."""

from __future__ import annotations

import queue
from collections.abc import Callable

from app.audio.listening import Block, Delivered

PATIENCE_S = 60.0  # then what is waited for is not going to come


class Heard:
    """What a feed delivers."""

    def __init__(self) -> None:
        self.blocks: queue.Queue[Delivered] = queue.Queue()

    def until(self, enough: Callable[[Block], bool]) -> Block:
        while True:
            block = self.blocks.get(timeout=PATIENCE_S)
            assert isinstance(block, Block), "it has ended"
            if enough(block):
                return block

    def end(self) -> None:
        while self.blocks.get(timeout=PATIENCE_S) is not None:
            pass
