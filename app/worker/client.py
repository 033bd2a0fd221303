"""The app's side of the pipe: starts the worker, feeds it, and brings it back when it dies.

Audio stays here until the worker says it is settled, so that a worker killed in mid-sentence is
replaced by another that hears the same audio again; what comes back is aligned with the words
already committed, and only new words are delivered. `push()` never blocks: a sender thread alone
writes to the pipe, a reader thread alone reads it and delivers. Knows nothing about Qt, sound
cards or files, and imports no engine.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, BinaryIO, TypeAlias, cast

from app import paths
from app.core.chunk import Chunk
from app.core.timeline import Gap
from app.worker import messages as m
from app.worker.replay_buffer import ReplayBuffer
from model_backends.base import Progress, Tail, Word

log = logging.getLogger(__name__)

AHEAD_MS = 60_000  # how far the worker may be sent ahead of what it has heard
MAX_RESTARTS = 5  # within RESTART_WINDOW_S; more often than that it will not get better
RESTART_WINDOW_S = 120.0


@dataclass(frozen=True, slots=True)
class Restarting:
    """The worker died and another is being started; nothing is lost meanwhile."""

    attempt: int
    message: str


ClientEvent: TypeAlias = m.Message | Restarting | Gap


def worker_command(interpreter: str | None = None) -> list[str]:
    """The command that runs a worker: on the given interpreter, or on what runs this app."""
    if interpreter is None and getattr(sys, "frozen", False):
        return [sys.executable, "--worker"]
    return [interpreter or sys.executable, "-P", "-m", "app.worker.process"]


def child_env() -> dict[str, str]:
    """The environment for another interpreter: ours, less what a frozen app did to it.

    PyInstaller points LD_LIBRARY_PATH at its bundle; an outside Python would load the bundle's
    libraries instead of its own.
    """
    env = {k: v for k, v in os.environ.items() if not k.startswith("_PYI")}
    original = env.pop("LD_LIBRARY_PATH_ORIG", None)
    if original is not None:
        env["LD_LIBRARY_PATH"] = original
    elif getattr(sys, "frozen", False):
        env.pop("LD_LIBRARY_PATH", None)
    root = str(Path(__file__).parents[2])
    env["PYTHONPATH"] = os.pathsep.join([root, *filter(None, [env.get("PYTHONPATH")])])
    env["PYTHONUTF8"] = "1"
    return env


def _worker_log() -> IO[bytes]:
    """Where a worker's standard error goes; nowhere if there is no place to write."""
    try:
        log = paths.log_dir() / "worker.log"
        if log.exists() and log.stat().st_size > 1_000_000:
            log.replace(log.with_suffix(".1.log"))
        return log.open("ab")
    except OSError:
        return Path(os.devnull).open("wb")


class EngineClient:
    """One worker, kept alive from `start()` to `close()`.

    `deliver` gets every event, in order, from the reader thread.
    """

    def __init__(
        self,
        start: m.Start,
        deliver: Callable[[ClientEvent], None],
        *,
        interpreter: str | None = None,
    ) -> None:
        self._start = start
        self._deliver = deliver
        self._command = worker_command(interpreter)
        self._buffer = ReplayBuffer(start.delays_ms)
        self._changed = threading.Condition()
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False  # the worker has been sent Start and may be fed
        self._queue: list[m.SetDelay | m.Break] = []
        self._finishing = self._finish_sent = self._closing = False
        self._next_utterance = start.first_utterance
        self._restarts: list[float] = []
        self.finished = threading.Event()  # Finished or Failure was delivered, or closed

    @property
    def worker_pid(self) -> int | None:
        """The worker's process id while there is one."""
        process = self._process
        return process.pid if process and process.poll() is None else None

    # --- what callers use ------------------------------------------------------------------

    def start(self) -> None:
        """Start the worker; returns at once."""
        for target, name in ((self._supervise, "engine reader"), (self._send_all, "engine sender")):
            threading.Thread(target=target, daemon=True, name=name).start()

    def push(self, chunk: Chunk) -> None:
        """Hand over audio; never blocks. What cannot be kept is marked with a Gap."""
        with self._changed:
            lost = self._buffer.push(chunk)
            self._changed.notify_all()
        for gap in lost:
            self._deliver(gap)

    def pause(self, lane: str) -> None:
        """The lane's audio ends here for now: flush its utterance."""
        with self._changed:
            self._buffer.push_break(lane)
            self._changed.notify_all()

    def set_delay(self, lane: str, track: int, ms: int) -> None:
        """Change a track's delay, soon: it overtakes audio that waits."""
        with self._changed:
            delays = list(self._start.delays_ms)
            delays[track] = ms
            self._start = replace(self._start, delays_ms=tuple(delays))
            self._queue.append(m.SetDelay(lane, track, ms))
            self._changed.notify_all()

    def wait_for_room(self, lane: str, timeout: float) -> bool:
        """For files: wait until less than AHEAD_MS is unheard. False on timeout or when over."""
        with self._changed:
            return (
                self._changed.wait_for(
                    lambda: self.finished.is_set() or self._buffer.ahead_ms(lane) < AHEAD_MS,
                    timeout,
                )
                and not self.finished.is_set()
            )

    def lag_ms(self, lane: str) -> int:
        """How much of the lane's audio has been pushed and not yet heard."""
        with self._changed:
            return self._buffer.ahead_ms(lane)

    def finish(self) -> None:
        """No more audio: everything is flushed, then `Finished` is delivered."""
        with self._changed:
            self._finishing = True
            self._changed.notify_all()

    def take_held(self) -> list[Word]:
        """The words that a replay holds back until it has gone on: for when it will not."""
        with self._changed:
            return self._buffer.finish()

    def close(self, timeout: float = 2.0) -> None:
        """Close the pipe, which ends the worker; kill it if it does not go."""
        with self._changed:
            self._closing = True
            process = self._process
            self._changed.notify_all()
        if process is not None:
            try:
                process.wait(timeout if self.finished.is_set() else 0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.finished.set()

    def kill(self) -> None:
        """End the worker now, whatever it is doing, and do not bring it back."""
        self.close(timeout=0)

    # --- the sender thread -----------------------------------------------------------------

    def _send_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._something_to_send())
                if self._closing:
                    return
                message, pipe = self._next_message(), self._pipe()
            try:
                pipe.write(m.encode(message))
                pipe.flush()
            except (OSError, ValueError):
                with self._changed:  # the reader sees the end of the pipe and restarts
                    self._ready = self._ready and self._pipe() is not pipe

    def _something_to_send(self) -> bool:
        if not self._ready:
            return False
        return bool(self._queue) or self._buffer.has_next(AHEAD_MS) or self._finish_due()

    def _finish_due(self) -> bool:
        return self._finishing and not self._finish_sent and not self._buffer.has_next(None)

    def _next_message(self) -> m.Message:
        if self._queue:
            return self._queue.pop(0)
        if self._buffer.has_next(AHEAD_MS):
            return self._buffer.next(AHEAD_MS)
        self._finish_sent = True
        return m.Finish()

    def _pipe(self) -> BinaryIO:
        assert self._process is not None and self._process.stdin is not None
        return cast(BinaryIO, self._process.stdin)

    # --- the reader thread -----------------------------------------------------------------

    def _supervise(self) -> None:
        """Run workers one after another until one finishes or no other can be expected to."""
        try:
            self._run_workers()
        except Exception as error:  # whatever it is, captions must not stop without a word
            log.exception("engine client")
            self._fail(f"The connection to the speech engine broke: {error}.")

    def _run_workers(self) -> None:
        while not self._closing:
            try:
                ended = self._run_worker()
            except OSError as error:
                self._fail(f"The speech engine could not be started: {error.strerror or error}.")
                return
            if ended or self._closing:
                break
            if not self._may_restart():
                self._fail("The speech engine stopped again and again.")
                return
            self._deliver(Restarting(len(self._restarts), "The speech engine stopped; restarting."))
        self.finished.set()
        with self._changed:
            self._changed.notify_all()

    def _fail(self, message: str) -> None:
        self._deliver(m.Failure(message, "The log has the details; see `voxline doctor`."))
        self.finished.set()
        with self._changed:
            self._changed.notify_all()

    def _may_restart(self) -> bool:
        now = time.monotonic()
        self._restarts = [t for t in self._restarts if now - t < RESTART_WINDOW_S] + [now]
        return len(self._restarts) <= MAX_RESTARTS

    def _run_worker(self) -> bool:
        """Run one worker to its end. True when it ended in good order (or said why not)."""
        process = self._spawn()
        assert process.stdin is not None and process.stdout is not None
        ended = False
        try:
            process.stdin.write(m.encode(self._begin()))
            process.stdin.flush()
            with self._changed:
                self._ready = True
                self._changed.notify_all()
            while not ended and (message := m.read(cast(BinaryIO, process.stdout))) is not None:
                self._receive(message)
                ended = isinstance(message, (m.Finished, m.Failure))
        except (OSError, m.ProtocolError):
            pass  # a worker that dies in mid-frame is a dead worker like any other
        finally:
            with self._changed:
                self._ready = False
            self._end(process, ended)
        return ended

    def _spawn(self) -> subprocess.Popen[bytes]:
        with _worker_log() as errors:
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=child_env(),
                # no console window on Windows; elsewhere a group of its own, so that Ctrl-C in
                # the terminal reaches the app alone, which then flushes the worker
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                start_new_session=True,
            )
        with self._changed:
            self._process = process
            closing = self._closing
        if closing:  # `close()` came before there was a process that it could end
            process.kill()
        return process

    def _begin(self) -> m.Start:
        """What the next worker is told first; everything unsettled will be sent again."""
        with self._changed:
            self._buffer.rewind()
            self._queue.clear()  # the delays are in Start, the breaks in the buffer
            self._finish_sent = False
            return replace(self._start, first_utterance=self._next_utterance)

    def _end(self, process: subprocess.Popen[bytes], in_good_order: bool) -> None:
        if not in_good_order:
            process.kill()  # or a sender stuck in its pipe would keep us from closing that
        for pipe in (process.stdin, process.stdout):
            try:
                if pipe is not None:
                    pipe.close()
            except OSError:
                pass  # a dead worker's pipe with bytes still in it
        try:
            process.wait(2.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _receive(self, message: m.Message) -> None:
        """Bookkeeping, then delivery; words of a replay pass only if they are new."""
        events: list[ClientEvent] = [message]
        with self._changed:
            if isinstance(message, Word):
                self._next_utterance = max(self._next_utterance, message.utterance + 1)
                events = list(self._buffer.commit(message))
            elif isinstance(message, Progress):
                events = [*self._buffer.progress(message)]
                self._changed.notify_all()
            elif isinstance(message, Tail) and self._buffer.aligning(message.lane, message.track):
                events = []
            elif isinstance(message, m.Finished):
                events = [*self._buffer.finish(), message]
        for event in events:
            self._deliver(event)


__all__ = ["ClientEvent", "EngineClient", "Restarting", "child_env", "worker_command"]
