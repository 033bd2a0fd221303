"""The worker process: gate and engine behind a pipe.

Runs as `python -m app.worker.process`, frames in on standard input, frames out on standard output;
whatever a library prints goes to standard error instead. It exits as soon as its input closes,
even in the middle of a decode, so that a killed app leaves no orphan. One thread hears and
decodes; a second only reads the pipe.
"""

from __future__ import annotations

import signal

if __name__ == "__main__":  # before what takes longer: Ctrl-C is the app's to handle, from here on
    signal.signal(signal.SIGINT, signal.SIG_IGN)

import contextlib
import faulthandler
import io
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from app.worker import messages as m
from app.worker.heartbeat import Heartbeat
from app.worker.priority import give_way
from model_backends.base import Sentence

if TYPE_CHECKING:
    from model_backends.base import Engine


def main() -> int:
    """Speak the protocol on this process's own pipes until its input closes."""
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the app's to handle: it will flush us
    source, sink = _private_pipes()
    sys.stdout = sys.stderr = _log()
    send = _sender(sink)
    send(m.Hello(m.PROTOCOL_VERSION, os.getpid(), sys.version.split()[0]))
    # Without a bound: the app sends a minute ahead at most, and a reader that waits here for a
    # long load to end would not see the pipe close.
    inbox: queue.Queue[m.Message] = queue.Queue()
    threading.Thread(target=_read, args=(source, inbox), daemon=True, name="pipe reader").start()
    heartbeat = Heartbeat(send)
    heartbeat.start()
    try:
        start = inbox.get()
        if not isinstance(start, m.Start) or start.version != m.PROTOCOL_VERSION:
            send(_wrong_version(start))
            return 1
        _serve(start, inbox, send, heartbeat)
    except Exception as error:
        send(_failure(error))
        traceback.print_exc()
    return 1


class _Log(io.RawIOBase):
    """Standard error, or nowhere when it cannot be written, as on a full disk.

    What a library prints must not end the library, and with it the captions.
    """

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 2

    def write(self, data: Any) -> int:
        with contextlib.suppress(OSError):
            return os.write(2, data)
        return len(data)


def _log() -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(_Log()), "utf-8", "backslashreplace", line_buffering=True
    )


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Our own copies of stdin and stdout; fd 0 becomes empty and fd 1 becomes stderr."""
    source, sink = os.dup(0), os.dup(1)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    if sys.platform == "win32":
        import msvcrt

        for fd in (source, sink):
            msvcrt.setmode(fd, os.O_BINARY)
    return os.fdopen(source, "rb"), os.fdopen(sink, "wb")


def _sender(sink: BinaryIO) -> Callable[[m.Message], None]:
    lock = threading.Lock()  # the heartbeat has its own thread

    def send(message: m.Message) -> None:
        frame = m.encode(message)
        try:
            with lock:
                sink.write(frame)
                sink.flush()
        except OSError:
            os._exit(0)  # nobody listens any more

    return send


def _read(source: BinaryIO, inbox: queue.Queue[m.Message]) -> None:
    """Move frames from the pipe to the inbox; end the process when the pipe ends.

    Or when anything else ends this thread: a worker without a reader would never end.
    """
    try:
        while (message := m.read(source)) is not None:
            inbox.put(message)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def _serve(
    start: m.Start,
    inbox: queue.Queue[m.Message],
    send: Callable[[m.Message], None],
    heartbeat: Heartbeat,
) -> NoReturn:
    """Serve one session after another; an engine that the next one wants stays loaded."""
    # imported here so that Hello is out before anything heavy is loaded
    from app.worker.loop import Loop, load_engine, take_engine

    if start.background:
        give_way()
    engine: Engine | None = None
    loaded = start
    while True:
        if engine is not None and start.loads_like(loaded):
            take_engine(engine, start, send)
        else:
            if engine is not None:
                engine.close()
            engine, loaded = load_engine(start, send), start
        Loop(engine, start, inbox, send, heartbeat).run()
        start = _next_start(inbox, heartbeat)


def _next_start(inbox: queue.Queue[m.Message], heartbeat: Heartbeat) -> m.Start:
    """Wait for the next session; what comes before it belongs to the one that is over."""
    heartbeat.idle = True
    while not isinstance(message := inbox.get(), m.Start):
        pass
    heartbeat.idle = False
    return message


def _wrong_version(message: m.Message) -> m.Failure:
    return m.Failure(
        Sentence(
            "The speech engine and the app do not fit together ({message}).",
            message=f"{message!r:.80}",
        ),
        # an update that was installed while this app ran brings the new version's worker
        Sentence("Quit Voxline and start it again. If that does not help, install it again."),
    )


def _failure(error: Exception) -> m.Failure:
    """The user's sentence for whatever stopped the worker."""
    message = getattr(error, "message", None)
    if message is not None:
        return m.Failure(message, getattr(error, "hint", ""))
    why = str(error) or type(error).__name__
    return m.Failure(
        Sentence("The speech engine stopped: {error}.", error=why),
        Sentence("The log has the details; `voxline doctor` shows where it is."),
    )


if __name__ == "__main__":
    # as in app.__main__: libraries' own threads must not delay the end of the process
    status = main()
    sys.stderr.flush()
    os._exit(status)
