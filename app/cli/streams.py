"""Standard input, output and error: whatever the shell has made of them, and whoever reads them.

The one door to the user's terminal for all that is no caption: what goes through here gives a
terminal no orders, and a stream that is closed, full or gone stops nothing. Knows no command.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from pathlib import Path
from typing import Literal, TextIO

_TAKES_NO_MORE = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EBADF)


def prepare() -> None:
    """Make the three streams usable, once, before anything else opens a file.

    Of those that are closed (`>&-`, or a windowed program on Windows) standard output refuses what
    is written, so that a result that is lost is told of; the others lead nowhere. What is opened
    here takes their numbers: else the next file would, and get what was meant for them. Captions
    are in any script and file names may be no text at all; a pipe must take both.
    """
    sys.stdin = sys.stdin or _nowhere("r")
    sys.stdout = sys.stdout or _refusing()
    sys.stderr = sys.stderr or _nowhere("w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8", errors="surrogateescape")


def tell(message: str, hint: str = "") -> None:
    """A sentence for the user, and what to do next, on standard error."""
    from model_backends.base import joined

    write_line(sys.stderr, joined(message, hint))


def tell_above_bar(sentence: str) -> None:
    """Like `tell`, without tearing a progress bar apart."""
    from tqdm import tqdm

    from app.core.script import harmless
    from app.language import say

    with contextlib.suppress(OSError):
        tqdm.write(harmless(say(sentence)), file=sys.stderr)


def write_line(messages: TextIO, text: str) -> None:
    """A line of plain text, a sentence in the language of now; who cannot be told goes without."""
    from app.core.script import harmless  # its tables cost milliseconds that `--help` need not wait
    from app.language import say

    with contextlib.suppress(OSError, ValueError):
        messages.write(harmless(say(text)) + "\n")
        messages.flush()


def is_lost(stream: TextIO, error: OSError) -> bool:
    """Whether an error without a file's name is that of a stream that takes no more.

    What waits in a stream is tried again. Where nothing waits (`python -u`, or a text so long that
    Python gave it to the system at once), an empty line is.
    """
    if error.filename is not None or isinstance(stream, io.StringIO):
        return False
    try:
        stream.flush()
        at_once = isinstance(stream, io.TextIOWrapper) and stream.write_through
        if at_once or error.errno in _TAKES_NO_MORE:
            stream.write("\n")
            stream.flush()
    except OSError:
        return True
    return False


def silence(stream: TextIO) -> None:
    """Lead a stream that cannot be written nowhere, what still waits in it included."""
    with contextlib.suppress(OSError, ValueError):  # it has no number: not the system's
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def expect_nothing() -> None:
    """A window prints no result: what a library prints where standard output is closed is lost, and
    must not end the library."""
    if isinstance(sys.stdout, _Refusing):
        silence(sys.stdout)


class _Refusing(io.TextIOWrapper):
    """Standard output that is closed: the system refuses each write, as it would without us."""


def _refusing() -> TextIO:
    only_to_read = os.open(os.devnull, os.O_RDONLY)
    return _Refusing(io.BufferedWriter(io.FileIO(only_to_read, "w")), "utf-8", "replace")


def _nowhere(mode: Literal["r", "w"]) -> TextIO:
    return Path(os.devnull).open(mode, encoding="utf-8", errors="replace")
