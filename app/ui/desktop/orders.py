"""What a start of the window asks for: by its options, or of a Voxline that is running already.

    voxline-gui --new-session | --show-captions | FILE…

Each is an order as `control.Control` obeys them. Knows no socket and no window.
"""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

NEW_SESSION, TRANSCRIBE = "new-session", "transcribe"
NEW_SESSION_ORDER = json.dumps({"verb": NEW_SESSION})


def orders_of(args: Namespace) -> list[str]:
    """The orders that a command line comes to, in lines of JSON; none for a plain start."""
    orders = []
    if getattr(args, "new_session", False):
        orders.append(NEW_SESSION_ORDER)
    if getattr(args, "show_captions", False):
        orders.append(json.dumps({"verb": "show"}))
    return orders + [to_transcribe(path) for path in getattr(args, "files", ())]


def listens_at_start(orders: list[str], wanted: bool) -> bool:
    """Whether a fresh start listens: who opens a file wants its text, not the microphone's."""
    return wanted and not any(file_of(json.loads(order)) for order in orders)


def to_transcribe(path: Path) -> str:
    """The order for a file; whoever obeys it may be in another folder."""
    return json.dumps({"verb": TRANSCRIBE, "file": str(path.absolute())})


def file_of(order: object) -> Path | None:
    """The file of a `transcribe` order; None if it names none."""
    match order:
        case {"file": str(name)} if name:
            return Path(name)
        case _:
            return None
