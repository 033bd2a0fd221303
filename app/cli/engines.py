"""`voxline engines`: each engine and model, available here or why not and what would help."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import Any

from app import paths
from app.cli.table import table
from app.core.encoding import json_text
from app.core.script import harmless
from app.language import say
from model_backends import ENGINES, availability, describe
from model_backends.base import Availability, EngineOptions, Sentence

_AVAILABLE, _NOT_AVAILABLE = Sentence("available"), Sentence("not available")


def run(args: argparse.Namespace) -> int:
    """Print the list; never fails because an engine is missing."""
    rows = all_rows()
    if args.json:
        sys.stdout.write(json_text([_as_json(row) for row in rows]) + "\n")
    else:
        sys.stdout.write(as_text(rows))
    return 0


def all_rows() -> list[Availability]:
    """One row for each engine and model."""
    return [row for name in ENGINES for row in _rows(name)]


def as_text(rows: list[Availability]) -> str:
    """For people: what is here, and below each that is not, what would help."""
    lines = [
        [row.engine, row.model, _AVAILABLE if row.available else _NOT_AVAILABLE, row.reason]
        for row in rows
    ]
    text = table(lines).splitlines(keepends=True)
    hints = [
        "" if row.available or not row.hint else f"    {harmless(say(row.hint))}\n" for row in rows
    ]
    return "".join(line + hint for line, hint in zip(text, hints, strict=True))


def _rows(name: str) -> list[Availability]:
    try:
        return availability(name, paths.models_dir())
    except ImportError as error:
        reason = Sentence("It is not part of this installation ({error}).", error=error)
        return [Availability(name, "", False, reason, Sentence("Install Voxline again."))]


def _as_json(row: Availability) -> dict[str, Any]:
    value = asdict(row)
    try:
        engine = describe(row.engine)
    except ImportError:
        return value
    info = engine.suited(EngineOptions(row.engine, model=row.model or None), paths.models_dir())
    return value | {
        "label": info.label,
        "default": row.model == engine.default_model,
        "delays_ms": list(info.delays_ms),
        "default_delay_ms": info.default_delay_ms,
        "languages": list(info.languages),
    }
