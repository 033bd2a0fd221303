"""The log: everything that goes wrong is written down, and the user gets a sentence, not a trace.

One rotating file in the user's log folder; Qt's messages, uncaught exceptions of any thread and
crashes of native code go there too. A log folder that cannot be written costs the log only.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import sys
import threading
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import NoReturn, TextIO

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

from app import paths

_BYTES = 1_000_000
_OLD_FILES = 3
_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}
log = logging.getLogger("voxline")
_crash_file: TextIO | None = None  # faulthandler writes to its descriptor for as long as we live


def start() -> Path | None:
    """Begin logging; the log's path, or None if it cannot be written."""
    path = _open_log()
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread
    qInstallMessageHandler(_log_qt)
    return path


def on_uncaught(tell: Callable[[], None]) -> None:
    """Have `tell` called, in the UI thread, after an uncaught exception there was logged."""

    def log_and_tell(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        _log_uncaught(kind, error, trace)
        if threading.current_thread() is threading.main_thread() and isinstance(error, Exception):
            tell()

    sys.excepthook = log_and_tell


def _open_log() -> Path | None:
    global _crash_file
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    try:
        path = paths.private_file(paths.log_dir() / "voxline.log")
        handler = _Log(path, maxBytes=_BYTES, backupCount=_OLD_FILES, encoding="utf-8")
        _crash_file = paths.private_file(path.with_name("crash.log")).open("a", encoding="utf-8")
    except OSError as error:
        sys.stderr.write(f"No log is written: {error.strerror}.\n")
        return None
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)
    faulthandler.enable(_crash_file)
    return path


class _Log(RotatingFileHandler):
    """Goes on in the file it has while Windows renames none, because somebody has it open: else
    every line from then on would be lost."""

    def doRollover(self) -> None:
        try:
            super().doRollover()
        except OSError:
            if self.stream is None:
                self.stream = self._open()


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    log.critical("uncaught", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    name = args.thread.name if args.thread else "a thread"
    if args.exc_value is not None:
        trace = (args.exc_type, args.exc_value, args.exc_traceback)
        log.critical("uncaught in %s", name, exc_info=trace)


def _log_qt(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    logging.getLogger("qt").log(_LEVELS.get(kind, logging.WARNING), message)
    if kind == QtMsgType.QtFatalMsg:
        _end_for(message)


def _end_for(message: str) -> NoReturn:
    """Qt is about to abort, above all where no window can be opened: say so and end in order."""
    if _crash_file is not None:
        faulthandler.dump_traceback(_crash_file)
    sys.stderr.write(f"Voxline cannot open its windows. {message.strip()}\n")
    sys.stderr.flush()
    logging.shutdown()
    os._exit(1)
