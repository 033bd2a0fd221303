"""Which server is next: the least busy one that may be tried. Pure: times are handed in.

A server that fails is left alone for a while, longer each time, with chance in it so that many
clients do not come back at once; one that is full says, or we guess, when it is worth another try;
one that will never do what is asked (a wrong key) is not tried again.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from model_backends.remote.addresses import Address

_FIRST_S, _MOST_S = 0.25, 10.0  # of waiting after failures in a row
_FULL_S, _FULL_MOST_S = 2.0, 30.0
_STRANGERS = ("distrusted", "nowhere")
_LASTED_S = 10.0  # a connection that lasted so long was a good one: try again at once


@dataclass(frozen=True, slots=True)
class Lost:
    """Why a connection is none, or none any more.

    `kind`: "refused": the key is wrong; "fatal": what is asked is not to be had there; "absent":
    nobody answers; "distrusted": its certificate; "nowhere": something else answers; "full";
    "closed": it was lost; "slow": it does not answer. `message`: in the words of who found out.
    """

    kind: str
    message: str = ""
    retry_after_s: float | None = None


@dataclass(slots=True)
class Server:
    """What is known of one."""

    address: Address
    model: str | None = None  # the name of what it serves, if it was asked
    capacity_steps: int | None = None  # 80 ms steps that one of its sessions may have
    delay_ms: int = 480  # of its model: the published one, until it tells
    busy: int = 0  # sessions that it said it has, when asked last
    streams: int = 0  # of ours
    failures: int = 0  # in a row
    next_s: float = 0.0  # not to be tried before
    lost: Lost | None = None  # the last failure, until it has been of use again
    opened_s: float | None = None
    proven: bool = False  # it has been of use: what is in its place now may be a hotel's page

    @property
    def hopeless(self) -> bool:
        """It will not do, however often it is tried."""
        if self.lost is None:
            return False
        never = ("refused", "fatal") if self.proven else ("refused", "fatal", *_STRANGERS)
        return self.lost.kind in never


class Servers:
    """All servers of one engine."""

    def __init__(self, addresses: Sequence[Address], chance: random.Random) -> None:
        self.all = [Server(address) for address in addresses]
        self._chance = chance

    def choose(self, now: float) -> Server | None:
        """The server to try now; None if none is to be tried yet, or ever."""
        free = [server for server in self.all if not server.hopeless and server.next_s <= now]
        return min(free, key=lambda s: (s.failures > 0, s.busy + s.streams), default=None)

    def wait_s(self, now: float) -> float:
        """How long until one may be tried; 0 if one may."""
        waits = [server.next_s - now for server in self.all if not server.hopeless]
        return max(0.0, min(waits, default=0.0))

    @property
    def hopeless(self) -> bool:
        """No server will ever do."""
        return all(server.hopeless for server in self.all)

    def others(self, server: Server, now: float) -> bool:
        """Whether there is another one that may be tried now."""
        return any(
            each is not server and not each.hopeless and each.next_s <= now for each in self.all
        )

    def opened(self, server: Server, now: float) -> None:
        """A connection to it stands."""
        server.opened_s = now

    def useful(self, server: Server) -> None:
        """It has said something: what went wrong before is over."""
        server.failures, server.lost, server.proven = 0, None, True

    def failed(self, server: Server, lost: Lost, now: float) -> None:
        """A connection to it failed, or was lost."""
        lasted = server.opened_s is not None and now - server.opened_s >= _LASTED_S
        server.opened_s, server.lost = None, lost
        server.failures = 1 if lasted else server.failures + 1
        server.next_s = now + self._pause_s(server, lost)

    def _pause_s(self, server: Server, lost: Lost) -> float:
        doubled: float = 2.0 ** min(server.failures - 1, 10)
        if lost.kind == "full":
            if lost.retry_after_s is not None:
                return min(max(lost.retry_after_s, 0.5), _FULL_MOST_S)
            return min(_FULL_S * doubled, _FULL_MOST_S) * self._chance.uniform(0.8, 1.2)
        return min(_FIRST_S * doubled, _MOST_S) * self._chance.uniform(0.5, 1.5)
