"""How fast engines were found to be on this computer: a number under a name, kept in the folder for
what can be found out again. One that cannot be written or read hinders nobody. Knows no engine.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from model_backends import on_disk

_FILE = "speeds.json"
WHISPER_DECODE_MS = "whisper base, ms a decode"  # the median of live ones, on one thread


def load_of(model: str) -> str:
    """The name for the share of a core that a model of the ggml engine takes."""
    return f"{model}, share of a core"


def note(folder: Path | None, name: str, value: float) -> None:
    """Keep it, rounded; the one before it goes."""
    if folder is None:
        return
    path = folder / _FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = _all(path) | {name: round(value, 4)}
        on_disk.write_whole(path, json.dumps(found, indent=1).encode(), 0o666)
    except OSError:
        pass


def read(folder: Path, name: str) -> float | None:
    """What was noted last; None if nothing sound was."""
    return _all(folder / _FILE).get(name)


def _all(path: Path) -> dict[str, float]:
    try:
        found = json.loads(path.read_text("utf-8")).items()
    except (OSError, ValueError, AttributeError):
        return {}
    return {name: float(v) for name, v in found if _is_sound(v)}


def _is_sound(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value) and value > 0
