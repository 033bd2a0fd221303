"""One connection to a server as a voice sees it: what it is for, and how far the server is with it.

A server whose dialect is stepped answers once for each block, after its delay; of any other it is
known only what it was sent. Pure: no socket, no clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from model_backends.remote.dialects.base import Dialect, Wishes
from model_backends.remote.kept import BLOCK_MS
from model_backends.remote.segment import Segment
from model_backends.remote.servers import Server

_SHORT_OF = 2  # answers that may be missing at the end


@dataclass(slots=True)
class Link:
    """From `Connect` until it is lost or let go."""

    number: int
    server: Server
    dialect: Dialect
    wishes: Wishes
    since: float  # it was asked for, then opened
    ready: bool = False
    owed_since: float | None = None  # the server has not answered what it was sent

    @property
    def lead(self) -> int:
        """Blocks that are sent before the first answer: the delay, and one."""
        return self.server.delay_ms // BLOCK_MS + 1

    def owes(self, segment: Segment, ahead: int = 0) -> int:
        """How many answers the server surely owes to what it was sent; with `ahead`, may owe."""
        if not self.dialect.stepped:
            return 0
        return segment.sent - self.lead + ahead - segment.steps

    def heard_ms(self, segment: Segment) -> int:
        """How much of the utterance the server has heard, as far as can be known."""
        if not self.dialect.stepped:
            return segment.next * BLOCK_MS
        heard = min(segment.steps + self.lead, segment.sent)
        return (segment.first + heard) * BLOCK_MS

    def fell_short(self, segment: Segment) -> bool:
        """Whether fewer answers came than the sound must have: a stray end lies in the queue."""
        return segment.steps < segment.sent - self.lead - _SHORT_OF
