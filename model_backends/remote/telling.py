"""What the user is told of a server that fails: a sentence for as long as it lasts, and no sooner
than it matters. Pure: times are handed in.
"""

from __future__ import annotations

from model_backends.base import Notice, Sentence
from model_backends.remote.servers import Lost, Servers

_AFTER_S = 2.0  # a break that is over sooner need not be told
_KEPT = Sentence("What is said meanwhile is kept.")


class Telling:
    """Of one voice."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._lost: Lost | None = None  # why nothing comes
        self._since = 0.0
        self._told = ""
        self._told_of: Lost | None = None

    def failed(self, lost: Lost, since: float) -> None:
        """Nothing comes since then; or still does not, for another reason."""
        if self._lost is None:
            self._since = since
        self._lost = lost

    @property
    def troubled(self) -> bool:
        return self._lost is not None

    def useful(self, lane: str) -> list[Notice]:
        """The server has said something: what was told is taken back."""
        self._lost = self._told_of = None
        return self._say(lane, "")

    def news(self, lane: str, now: float) -> list[Notice]:
        """What the user is to be told now; each failure once."""
        lost = self._lost
        if lost is None or lost is self._told_of:
            return []
        if now - self._since < _AFTER_S and lost.kind != "full":
            return []
        self._told_of = lost
        return self._say(lane, self._sentence(lost, now))

    def _say(self, lane: str, message: str) -> list[Notice]:
        if message == self._told:
            return []
        self._told = message
        return [Notice(lane, "server", message, _KEPT if message else "")]

    def _sentence(self, lost: Lost, now: float) -> Sentence:
        hosts = ", ".join(server.address.host for server in self._servers.all)
        if lost.kind == "full":
            seconds = max(1, round(self._servers.wait_s(now)))
            return Sentence("{host} is full; trying again in {n} s.", host=hosts, n=seconds)
        if lost.kind == "slow":
            return Sentence("{host} does not answer; waiting for it.", host=hosts)
        return Sentence("The connection to {host} is broken; trying again.", host=hosts)
