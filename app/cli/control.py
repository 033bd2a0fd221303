"""`voxline control`: has the Voxline that runs do something. Starts none, and loads no Qt."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from app import paths
from app.native import doorway
from model_backends.base import Sentence, UserError

ANSWER_WITHIN_S = 5.0
_NOT_RUNNING = Sentence("Voxline is not running."), Sentence("Start it, then try again.")


def run(args: argparse.Namespace) -> int:
    """Pass the order on and tell what came of it. Raises UserError if nobody does it."""
    answer = _ask({"verb": args.verb, "on": {"on": True, "off": False}.get(args.state)})
    said = answer.pop("said", None) if answer is not None else None  # in the windows' language
    if args.json:
        sys.stdout.write(json.dumps({"running": answer is not None, **(answer or {})}) + "\n")
    if answer is None:
        raise UserError(*_NOT_RUNNING)
    if not answer["done"]:
        raise UserError(said or f"{answer['message']} {answer['hint']}".strip())
    if not args.json:
        tell_done(said or answer["message"])
    return 0


def tell_done(message: str) -> None:
    """The result, for people."""
    from app.core.script import harmless

    sys.stdout.write(f"{harmless(message)}\n")


def _ask(order: dict[str, Any]) -> dict[str, Any] | None:
    """What the running Voxline answers; None if none runs."""
    try:
        line = doorway.ask(paths.data_dir(), json.dumps(order), ANSWER_WITHIN_S)
        return None if line is None else dict(json.loads(line))
    except (OSError, ValueError) as error:  # ValueError: no JSON, as of another version
        raise UserError(
            Sentence("Voxline is running but does not answer."),
            Sentence("Try again; if it stays so, end it and start it again."),
        ) from error
