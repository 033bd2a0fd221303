"""Whether a model fits into memory beside the one that is loaded already.

Judged by what each engine's own `info` says that it needs, and by what is free now, before
anything is loaded. May take a moment (a graphics card is asked): not for a thread that paints.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil

from model_backends import availability, describe
from model_backends.base import Availability, EngineOptions
from model_backends.voxtral.torch.info import graphics_card

SPARE_BYTES = 500_000_000  # what the system, and the captions themselves, go on with


def free_and_total(device: str) -> tuple[int, int]:
    """Bytes of this device's memory: what a program could still take, and all there is, as far as
    is known."""
    if device == "cuda":
        card = graphics_card()
        return (card.memory_bytes, 0) if card is not None else (0, 0)
    memory = psutil.virtual_memory()
    return int(memory.available), int(memory.total)


def is_there(
    options: EngineOptions,
    models_dir: Path,
    memory: Callable[[str], tuple[int, int]] = free_and_total,
) -> bool:
    """Whether the engine of these options (by its own name) can be loaded beside another one.

    True, too, where nothing is known of what it takes, and for one that this computer could not
    hold even alone: the engine itself then says so, in its own words, and nothing has been ended
    for it.
    """
    row = _row(options, availability(options.engine, models_dir))
    if row is None:
        return True
    device = str(options.device or row.details.get("device") or "cpu")
    needed = _needed(row, options.precision, device)
    if not needed:
        return True
    free, total = memory(device)
    return needed + SPARE_BYTES <= free or (bool(total) and needed > total)


def _row(options: EngineOptions, rows: list[Availability]) -> Availability | None:
    """Of the model that is wanted: named as the engine names it, or by its folder."""
    if options.model is None:
        usual = describe(options.engine).default_model
        return next((row for row in rows if row.model == usual), rows[0] if rows else None)
    for row in rows:
        if options.model in (row.model, row.details.get("path")):
            return row
    return None


def _needed(row: Availability, precision: str | None, device: str) -> int:
    """Bytes with one voice; 0 where nobody knows. On a graphics card the engine takes the most
    precise weights that fit: it shall not take less for a neighbour that is about to go."""
    needed = row.details.get("needed_bytes")
    if isinstance(needed, dict) and needed:
        usual = (
            "bf16" if device == "cuda" else row.details.get("precision") or row.details.get("bits")
        )
        return int(needed.get(str(precision or usual)) or min(needed.values()))
    path = Path(str(row.details.get("path", "")))
    return path.stat().st_size if path.is_file() else 0
