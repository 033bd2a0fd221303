"""The command line: finds the command's module, runs it, and puts what goes wrong in a sentence.

Results go to standard output, everything else to standard error. Exit status: 0 done, 1 failed,
2 used wrongly, 130 interrupted. Loads nothing that the chosen command does not need.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Callable, Sequence

from app.cli.arguments import build_parser

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def main(argv: Sequence[str]) -> int:
    """Run `voxline` with these arguments; the exit status. Raises SystemExit for wrong usage."""
    _speak_utf8()
    args = build_parser().parse_args(argv)
    if args.command is None:
        return guarded(_plain)
    return guarded(lambda: _run(args))


def open_window() -> int:
    """Open the window; the exit status. For the entry point that has no terminal."""
    return guarded(_window)


def guarded(command: Callable[[], int]) -> int:
    """Run a command; whatever it raises becomes a sentence and an exit status."""
    try:
        status = command()
        if sys.stdout is not None:  # a windowed program on Windows has none
            sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        return _reader_left()
    except Exception as error:
        return _told(error)


def tell(message: str, hint: str = "") -> None:
    """A sentence for the user, and what to do next, on standard error."""
    if sys.stderr is not None:
        sys.stderr.write(" ".join(part for part in (message, hint) if part) + "\n")
        sys.stderr.flush()


def _run(args: argparse.Namespace) -> int:
    """Every command is a module of this package with `run(args) -> int`."""
    return int(importlib.import_module(f"app.cli.{args.command}").run(args))


def tell_above_bar(sentence: str) -> None:
    """Like `tell`, without tearing a progress bar apart."""
    from tqdm import tqdm

    tqdm.write(sentence, file=sys.stderr)


def _speak_utf8() -> None:
    """Captions are in any script and file names may be no text at all; a pipe must take both."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not stream.isatty():
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")


def _plain() -> int:
    """`voxline` alone: the window, or captions in the terminal where there is no display."""
    from app.native.display import has_display

    if has_display():
        try:
            return _window()
        except _NoWindowError as problem:
            tell(f"The window cannot be opened: {problem}.", "Captioning in the terminal instead.")
    return _run(build_parser().parse_args(["listen"]))


class _NoWindowError(Exception):
    """Qt, or a system library that it needs, is missing."""


def _window() -> int:
    try:
        from app.main import run_gui
    except ImportError as error:
        raise _NoWindowError(error) from error
    return run_gui(build_parser().parse_args([]))


def _reader_left() -> int:
    """Whoever read our output has stopped (`| head`): go quietly, and keep Python quiet at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    return 0


def _told(error: Exception) -> int:
    """Tell an error the user can act on in its own words, any other with the log's path."""
    from app.cli.usage import UsageError
    from model_backends.base import UserError

    if isinstance(error, UserError):
        tell(error.message, error.hint)
        return EXIT_USAGE if isinstance(error, UsageError) else EXIT_FAILED
    tell(f"Something went wrong inside Voxline: {error or type(error).__name__}.", _logged())
    return EXIT_FAILED


def _logged() -> str:
    """Write the current traceback to the log; where it is, as a sentence."""
    import traceback
    from datetime import datetime

    from app import paths

    try:
        log = paths.log_dir() / "voxline.log"
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now():%Y-%m-%d %H:%M:%S}\n{traceback.format_exc()}\n")
    except OSError:
        traceback.print_exc()  # nowhere else to keep it
        return ""
    return f"The details are in {log}."
