"""The feeds of `voxline listen`: what is said goes to Zoom, OBS or a growing file, too.

Secrets come from the environment, from where the window has kept them, or are asked for; never from
the command line, which others on this computer can read. Nothing is imported or opened unless it
was asked for.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.streams import tell
from app.cli.usage_error import UsageError, needs
from app.core.timeline import Gap
from app.language import say
from app.session.events import SessionEvent
from app.session.files import FileProblem, check_writable
from model_backends.base import Sentence, UserError, Word

if TYPE_CHECKING:
    from app.share.feeds.runner import Feed, Outlet

ZOOM_URL, OBS_PASSWORD = "VOXLINE_ZOOM_URL", "VOXLINE_OBS_PASSWORD"


class Feeding:
    """All feeds that were asked for, from their start to their end."""

    def __init__(self, args: argparse.Namespace, names: Mapping[str, str]) -> None:
        """Raises UsageError for what cannot work, before anything is opened."""
        outlets = _outlets(args, names)
        self._feeds: list[Feed] = []
        if outlets:
            from app.share.feeds.runner import Feed

            self._feeds = [Feed(outlet, tell) for outlet in outlets]
        for feed in self._feeds:
            feed.start()

    def take(self, event: SessionEvent) -> None:
        """An event; never waits."""
        if isinstance(event, (Word, Gap)):
            for feed in self._feeds:
                feed.take(event)

    def close(self) -> None:
        """Send what there is still; waits a few seconds for it."""
        for feed in self._feeds:
            feed.close()


def _outlets(args: argparse.Namespace, names: Mapping[str, str]) -> list[Outlet]:
    found: list[Outlet] = []
    if args.obs_address and args.obs is None:
        raise UsageError(needs("--obs-address", "--obs"))
    try:
        if args.follow is not None:
            found.append(_growing(args.follow, args.force, names))
        if args.zoom:
            from app.share.feeds.zoom import Zoom

            found.append(Zoom(_zoom_url()))
        if args.obs is not None:
            found.append(_obs(args.obs, args.obs_address))
    except UserError as error:
        raise UsageError(error.message, error.hint) from error
    return found


def _obs(source: str, address: str | None) -> Outlet:
    from app.share.feeds import secrets
    from app.share.feeds.obs import DEFAULT_URL, Obs, destination_of

    url = address or DEFAULT_URL
    kept = secrets.obs(destination_of(url).host)
    return Obs(source, url, lambda: os.environ.get(OBS_PASSWORD) or secrets.find(kept))


def _growing(path: Path, force: bool, names: Mapping[str, str]) -> Outlet:
    from app.share.feeds.growing import GrowingFile

    outlet = GrowingFile(path, names or None)
    try:
        check_writable(path, force)
    except FileProblem as problem:
        raise UsageError(problem.message, problem.hint) from None
    return outlet


def _zoom_url() -> str:
    """The meeting's caption URL, which lets anybody caption in it."""
    given = os.environ.get(ZOOM_URL, "")
    if given:
        return given
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            Sentence("Zoom’s caption URL is not known."),
            Sentence("Put it into the variable {name}.", name=ZOOM_URL),
        )
    asked = Sentence("Caption URL of the Zoom meeting (it is not shown): ")
    return getpass.getpass(say(asked))
