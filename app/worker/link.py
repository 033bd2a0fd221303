"""One worker process and its two pipes: started, written to, read from, ended.

A link may change hands between two sessions; it belongs to one client at a time. Whoever reads is
one thread, whoever writes is one thread. Knows nothing about audio or what the messages mean.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, BinaryIO, cast

from app import frozen, paths, privacy
from app.worker import messages as m

_LOG_BYTES = 1_000_000


def worker_command(interpreter: str | None = None) -> list[str]:
    """The command that runs a worker: on the given interpreter, or on what runs this app."""
    if interpreter is None and frozen.is_frozen():
        return [str(frozen.executable()), "--worker"]
    return [interpreter or sys.executable, "-P", "-m", "app.worker.process"]


def child_env() -> dict[str, str]:
    """The environment for another interpreter: ours, less what an installed app did to it.

    It finds our modules and, from an installed app, none of the bundle's libraries nor of the
    user's. No library in it may send anything (`app.privacy`).
    """
    env = frozen.environment()
    if frozen.is_frozen():
        root, theirs = frozen.worker_sources(), ""
        env.pop("PYTHONHOME", None)
    else:
        root, theirs = Path(__file__).parents[2], env.get("PYTHONPATH", "")
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), theirs]))
    env["PYTHONUTF8"] = "1"
    return env | privacy.SWITCHES


class Link:
    """A running worker. Raises OSError from the constructor if it cannot be started."""

    def __init__(self, command: Sequence[str]) -> None:
        with _worker_log() as errors, frozen.outside_program():
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=child_env(),
                # no console window on Windows; elsewhere a group of its own, so that Ctrl-C in
                # the terminal reaches the app alone, which then flushes the worker
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                start_new_session=True,
            )

        self.number = self._process.pid  # for the log, once it has ended too

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process.poll() is None else None

    def send(self, message: m.Message) -> None:
        """Write one message; blocks while the pipe is full. OSError, ValueError if it is closed."""
        pipe = cast(BinaryIO, self._process.stdin)
        pipe.write(m.encode(message))
        pipe.flush()

    def receive(self) -> m.Message | None:
        """The next message; None at the end. Raises ProtocolError, OSError, ValueError."""
        return m.read(cast(BinaryIO, self._process.stdout))

    def kill(self) -> None:
        """End it now, whatever it is doing. Its `receive()` then returns None."""
        self._process.kill()

    def wait(self, timeout: float) -> None:
        """Until it has ended; it is killed when it has not by then."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def close(self, timeout: float = 2.0) -> int:
        """Close the pipes, which ends a worker; kill one that does not go. Its exit status."""
        for pipe in (self._process.stdin, self._process.stdout):
            try:
                if pipe is not None:
                    pipe.close()
            except OSError:
                pass  # a dead worker's pipe with bytes still in it
        self.wait(timeout)
        return int(self._process.returncode)


def _worker_log() -> IO[bytes]:
    """Where a worker's standard error goes; nowhere if there is no place to write.

    For its owner's eyes alone: it may hold names of files and what libraries print.
    """
    try:
        log = paths.private_file(paths.log_dir() / "worker.log")
        if log.stat().st_size > _LOG_BYTES:
            _begin_anew(log)
        return log.open("ab")
    except OSError:
        return Path(os.devnull).open("wb")


def _begin_anew(log: Path) -> None:
    """Keep the log as the one before it. Windows renames no file that somebody has open, as another
    worker has its log: then both go on in this one, and a later start finds it free."""
    try:
        log.replace(log.with_suffix(".1.log"))
    except OSError:
        return
    paths.private_file(log)
