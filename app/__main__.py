"""`voxline`, `voxline-gui` and `python -m app`. Nothing heavy at the top: the worker re-imports it.

`--worker` (hidden) turns this process into the engine's worker: a frozen app has no other
interpreter to start it with. Its one executable is called by both names.

Ctrl-C ends what has not begun yet without the story of what Python was importing. That is arranged
by the first line that runs here, so all but the most needed is imported after it.
"""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False  # as of typing, which itself takes a while to import
if TYPE_CHECKING:
    from typing import NoReturn

WORKER_FLAG = "--worker"
WINDOW_NAME = "voxline-gui"
_INTERRUPTED = 130


def main() -> NoReturn:
    """The `voxline` command. Exits with its status."""
    _run("main")


def gui() -> NoReturn:
    """The `voxline-gui` command: the window, with no terminal to fall back on. Exits."""
    _run("open_window")


def installed() -> NoReturn:
    """The installed app's executable, by whichever of its two names. Exits."""
    from app import frozen

    frozen.leave_no_trace()
    frozen.hold_own_code()
    name = os.path.splitext(os.path.basename(sys.argv[0]))[0]  # noqa: PTH119, PTH122 - no pathlib yet
    if name == WINDOW_NAME:
        gui()
    main()


def _run(command: str) -> NoReturn:
    """One of `app.cli`'s two ways in."""
    ours = _end_quietly()
    arguments = sys.argv[1:]
    if arguments[:1] == [WORKER_FLAG]:
        _worker()
    try:
        from app import cli

        _look_for_packs()
        if ours:  # else somebody wants it ignored
            signal.signal(signal.SIGINT, signal.default_int_handler)
        _leave(getattr(cli, command)(arguments))
    except KeyboardInterrupt:
        _leave(_INTERRUPTED)
    finally:
        _end_quietly()  # what argparse ends has not ended yet


def _end_quietly() -> bool:
    """From now on Ctrl-C ends the process at once; whether it is Python's own to handle."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return handler in (signal.default_int_handler, signal.SIG_DFL)


def _look_for_packs() -> None:
    from app.worker import packs

    packs.announce()


def _worker() -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as it does itself, once it is there
    from app.worker.process import main as run_worker

    _leave(run_worker())


def _leave(status: int) -> NoReturn:
    """End the process now that all is saved, without Python's teardown.

    The sound server, Qt and the engines have threads and objects that outlive their use: a stuck
    one would delay the exit, soxr reports its objects as leaks on the user's terminal, and PySide
    on Python 3.11 was seen to end in "Fatal Python error: bool_dealloc".
    """
    _end_quietly()
    import logging

    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass  # nobody reads it any more, or a windowed app on Windows has none
    os._exit(status)


if __name__ == "__main__":
    _end_quietly()
    installed() if getattr(sys, "frozen", False) else main()
