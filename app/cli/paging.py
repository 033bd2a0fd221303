"""The captions page of `voxline listen --page`: what a session says, on other screens, too.

Nothing of it is imported unless it was asked for.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Protocol

from app.cli.streams import tell, write_line
from app.cli.usage_error import UsageError, needs
from app.session.events import SessionEvent
from model_backends.base import Sentence


class Screens(Protocol):
    """Where else a session's events are shown."""

    def take(self, event: SessionEvent) -> None:
        """An event; never waits."""

    def close(self) -> None:
        """Nothing more comes."""


class NoScreens:
    """None: the usual case."""

    def take(self, event: SessionEvent) -> None:
        pass

    def close(self) -> None:
        pass


_LAST_WORDS_S = 2.0  # of waiting for screens that are slow to read


class Paging:
    """The page, from its start to its end. Raises UserError if it cannot be served."""

    def __init__(self, port: int, network: bool, names: Mapping[str, str]) -> None:
        from app.share.broadcast import Broadcast
        from app.share.key import PAGE, kept_key
        from app.share.page import Page

        self._names = names
        self._broadcast = Broadcast()
        self._page = Page(self._broadcast, kept_key(PAGE), port, network)
        self._page.start()
        self._announce()

    def take(self, event: SessionEvent) -> None:
        from app.share.telling import tell as tell_screens

        tell_screens(self._broadcast, event, self._names)

    def close(self) -> None:
        self._page.close(_LAST_WORDS_S)

    def _announce(self) -> None:
        from app.share.page import IN_THE_NETWORK
        from app.share.qr import lines

        page = self._page
        tell(Sentence("Captions page: {address}", address=page.address))
        tell(Sentence("As a browser source in OBS: {address}", address=page.obs_address))
        if page.network:
            tell(IN_THE_NETWORK)
            if sys.stderr.isatty():
                for line in lines(page.address):
                    write_line(sys.stderr, line)


def screens_for(args: argparse.Namespace, names: Mapping[str, str]) -> Screens:
    """As the command line asks."""
    if not (args.page or args.page_network):
        if args.page_port is not None:
            raise UsageError(needs("--page-port", "--page"))
        return NoScreens()
    from app.share.page import DEFAULT_PORT

    port = DEFAULT_PORT if args.page_port is None else args.page_port
    return Paging(port, args.page_network, names)
