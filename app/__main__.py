"""`voxline`, `voxline-gui` and `python -m app`. Nothing heavy at the top: the worker re-imports it.

`--worker` (hidden) turns this process into the engine's worker: a frozen app has no other
interpreter to start it with. Its one executable is called by both names.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import NoReturn

from app import frozen

WORKER_FLAG = "--worker"
WINDOW_NAME = "voxline-gui"


def main() -> NoReturn:
    """The `voxline` command. Exits with its status."""
    arguments = sys.argv[1:]
    if arguments[:1] == [WORKER_FLAG]:
        _worker()
    with _starting():
        from app.cli import main as run_command

        _look_for_packs()
    _leave(run_command(arguments))


def gui() -> NoReturn:
    """The `voxline-gui` command: the window, with no terminal to fall back on. Exits."""
    if sys.argv[1:2] == [WORKER_FLAG]:
        _worker()
    with _starting():
        from app.cli import open_window

        _look_for_packs()
    _leave(open_window(sys.argv[1:]))


def installed() -> NoReturn:
    """The installed app's executable, by whichever of its two names. Exits."""
    frozen.leave_no_trace()
    frozen.hold_own_code()
    if PurePath(sys.argv[0]).stem == WINDOW_NAME:
        gui()
    main()


@contextmanager
def _starting() -> Iterator[None]:
    """Ctrl-C ends what has not begun yet, without the story of what Python was importing."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # else somebody wants it ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, before)


def _look_for_packs() -> None:
    from app.worker import packs

    packs.announce()


def _worker() -> NoReturn:
    from app.worker.process import main as run_worker

    _leave(run_worker())


def _leave(status: int) -> NoReturn:
    """End the process now that all is saved, without Python's teardown.

    The sound server, Qt and the engines have threads and objects that outlive their use: a stuck
    one would delay the exit, soxr reports its objects as leaks on the user's terminal, and PySide
    on Python 3.11 was seen to end in "Fatal Python error: bool_dealloc".
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass  # nobody reads it any more, or a windowed app on Windows has none
    os._exit(status)


if __name__ == "__main__":
    installed() if frozen.is_frozen() else main()
