"""The log of a command: what its threads have to say goes into a file, never onto the terminal.

Python's own way with an application that has no log is to write warnings on standard error: into
the captions, and from threads that must not wait for a terminal that has been stopped. The file is
the window's, too; what has no place to be written is left out. Knows no command.
"""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

from app import paths


def path() -> Path:
    """Where the log is, or would be."""
    return paths.log_dir() / "voxline.log"


def append(text: str) -> None:
    """Add to the log. Raises OSError."""
    with paths.private_file(path()).open("a", encoding="utf-8", errors="replace") as file:
        file.write(text + "\n")


def begin() -> None:
    """Log from now on; a second time changes nothing. No file is made until there is a line."""
    root = logging.getLogger()
    if not any(isinstance(handler, _File) for handler in root.handlers):
        root.addHandler(_File())


class _File(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):
            append(self.format(record))
