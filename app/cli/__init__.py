"""The command line: finds the command's module, runs it, and puts what goes wrong in a sentence.

Results go to standard output, everything else to standard error. Exit status: 0 done, 1 failed,
2 used wrongly, 130 interrupted. Loads nothing that the chosen command does not need.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import sys
from collections.abc import Callable, Sequence

from app.cli import streams
from app.cli.parser import build_window_parser
from app.cli.streams import tell, tell_above_bar

__all__ = ["guarded", "main", "open_window", "tell", "tell_above_bar"]

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def main(argv: Sequence[str]) -> int:
    """Run `voxline` with these arguments; the exit status. Raises SystemExit for wrong usage."""
    streams.prepare()
    return guarded(lambda: _command(argv))


def open_window(argv: Sequence[str] = ()) -> int:
    """Run `voxline-gui` with these arguments; the exit status. Raises SystemExit for wrong usage.

    For the entry point that has no terminal.
    """
    streams.prepare()
    return guarded(lambda: _window(build_window_parser().parse_args(argv)))


def guarded(command: Callable[[], int]) -> int:
    """Run a command; whatever it raises becomes a sentence and an exit status.

    Raises SystemExit as the command did, once what it has printed is out.
    """
    try:
        return _flushed(command)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except OSError as error:  # of standard output: `_flushed` has told all others
        return _output_lost(error)


def _flushed(command: Callable[[], int]) -> int:
    """What a command that failed has printed before may be lost, too: both are told."""
    leaving: SystemExit | None = None
    status = 0
    try:
        status = command()
    except BrokenPipeError:
        return _reader_left()
    except SystemExit as asked:
        leaving = asked
    except Exception as error:
        if isinstance(error, OSError) and streams.is_lost(sys.stdout, error):
            raise
        status = _told(error)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _reader_left()
    if leaving is not None:
        raise leaving
    return status


def _command(argv: Sequence[str]) -> int:
    args = _parsed(argv) if argv else None
    return _plain() if args is None or args.command is None else _run(args)


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    """By the grammar of all commands, which takes a while: the window does not wait for it."""
    from app.cli.arguments import build_parser

    return build_parser().parse_args(argv)


def _run(args: argparse.Namespace) -> int:
    """Every command is a module of this package with `run(args) -> int`."""
    from app.cli import logfile, tongue  # `--help` need not wait for them

    tongue.choose()
    logfile.begin()
    return int(importlib.import_module(f"app.cli.{args.command}").run(args))


def _plain() -> int:
    """`voxline` alone: the window, or captions in the terminal where there is no display."""
    from app.native.display import has_display

    if has_display():
        try:
            return _window(build_window_parser().parse_args([]))
        except _NoWindowError as problem:
            from app.cli import tongue
            from model_backends.base import Sentence

            tongue.choose()
            tell(
                Sentence("The window cannot be opened: {problem}.", problem=problem),
                Sentence("Captioning in the terminal instead."),
            )
    return _run(_parsed(["listen"]))


class _NoWindowError(Exception):
    """Qt, or a system library that it needs, is missing."""


def _window(args: argparse.Namespace) -> int:
    streams.expect_nothing()
    try:
        from app import starting

        starting.hasten()
        from app.main import run_gui
    except ImportError as error:
        gc.enable()
        raise _NoWindowError(error) from error
    return run_gui(args)


def _reader_left() -> int:
    """Whoever read our output has stopped (`| head`): go quietly, and keep Python quiet at exit."""
    streams.silence(sys.stdout)
    return 0


def _output_lost(error: OSError) -> int:
    """Standard output takes no more, as on a full disk; the command could not do its work."""
    from app.cli import tongue
    from app.session.files import output_problem

    tongue.choose()
    problem = output_problem(error)
    streams.silence(sys.stdout)
    tell(problem.message, problem.hint)
    return EXIT_FAILED


def _told(error: Exception) -> int:
    """Tell an error the user can act on in its own words, any other with the log's path."""
    from app.cli import tongue
    from app.cli.usage_error import UsageError
    from model_backends.base import Sentence, UserError

    tongue.choose()  # what a window has told needed nothing of the terminal's
    if isinstance(error, UserError):
        tell(error.message, error.hint)
        return EXIT_USAGE if isinstance(error, UsageError) else EXIT_FAILED
    what = Sentence(
        "Something went wrong inside Voxline: {error}.", error=str(error) or type(error).__name__
    )
    tell(what, _logged(error))
    return EXIT_FAILED


def _logged(error: Exception) -> str:
    """Write the traceback to the log; where it is, as a sentence. Without a log: the last line."""
    import traceback
    from datetime import datetime

    from app.cli import logfile
    from model_backends.base import Sentence

    log = logfile.path()
    trace = "".join(traceback.format_exception(error))
    try:
        logfile.append(f"{datetime.now():%Y-%m-%d %H:%M:%S}\n{trace}")
    except OSError as refused:
        at = traceback.extract_tb(error.__traceback__)[-1]
        return Sentence(
            "It was in {file}, line {line}; no log could be written to {log} ({reason}).",
            file=at.filename, line=at.lineno, log=log, reason=refused.strerror,
        )  # fmt: skip
    return Sentence("The details are in {log}.", log=log)
