"""What set-up says. All of it goes to stderr: stdout belongs to the app."""

from __future__ import annotations

import shutil
import sys


def say(text: str) -> None:
    """One line that stays."""
    _clear()
    sys.stderr.write(f"voxline set-up: {text}\n")
    sys.stderr.flush()


def passing(text: str) -> None:
    """One line that the next one replaces; nothing where stderr is no terminal."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns - 1
        _clear()
        sys.stderr.write(text[:width])
        sys.stderr.flush()


def _clear() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
