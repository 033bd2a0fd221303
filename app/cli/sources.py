"""`voxline sources`: what can be listened to, by the names people know."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from app.audio.advice import advice
from app.audio.choice import APPLICATION
from app.audio.devices.base import SourceInfo
from app.audio.sources import list_sources
from app.cli import tell
from app.cli.table import table
from app.core.encoding import json_text
from model_backends.base import Sentence

_FOLLOWING = (
    (Sentence("Automatic: the microphone and this computer’s sound"), "meeting"),
    (Sentence("The default microphone"), "microphone"),
    (Sentence("What the default output plays"), "system"),
)
_HEADINGS = {
    "microphone": Sentence("MICROPHONES"),
    "system": Sentence("THIS COMPUTER’S SOUND"),
    "application": Sentence("APPLICATIONS that play now"),
}


def run(args: argparse.Namespace) -> int:
    """Print the list; an empty one is not an error."""
    sources = list_sources()
    if args.json:
        rows = [source.to_json() for source in sources]
        sys.stdout.write(json_text(rows) + "\n")
        return 0
    if any(source.usable for source in sources):
        sys.stdout.write(_as_page(sources))
        return 0
    tell(Sentence("Nothing to listen to was found."), advice("none"))
    for source in sources:
        tell(Sentence("{name}: {why_not}", name=source.name, why_not=source.why_not))
    return 0


def _as_page(sources: Sequence[SourceInfo]) -> str:
    """What `--source` takes is the last of each row, or the name."""
    rows = [[name, "", takes] for name, takes in _FOLLOWING]
    for kind, heading in _HEADINGS.items():
        of_kind = [source for source in sources if source.kind == kind]
        if of_kind:
            rows += [["", "", ""], [heading, "", ""]]
        rows += [_row(source) for source in of_kind]
    return table(rows)


def _row(source: SourceInfo) -> list[str]:
    if not source.usable:
        return [source.name, "", source.why_not]
    takes = source.id if source.kind != "application" else f"{APPLICATION}{source.name}"
    return [source.name, Sentence("default") if source.default else "", takes]
