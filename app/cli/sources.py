"""`voxline sources`: what can be listened to, by the names people know."""

from __future__ import annotations

import argparse
import sys

from app.audio.advice import advice
from app.audio.sources import list_sources
from app.cli import tell
from app.cli.table import table
from app.core.encoding import json_text
from model_backends.base import Sentence


def run(args: argparse.Namespace) -> int:
    """Print the list; an empty one is not an error."""
    sources = list_sources()
    if args.json:
        rows = [source.to_json() for source in sources]
        sys.stdout.write(json_text(rows) + "\n")
        return 0
    if not sources:
        tell(Sentence("Nothing to listen to was found."), advice("none"))
        return 0
    marks = {True: "default", False: ""}
    sys.stdout.write(table([[s.name, s.kind, marks[s.default], s.id] for s in sources]))
    return 0
