"""The worker process: gate and engine behind a pipe.

Runs as `python -m app.worker.process`, frames in on standard input, frames out on standard output;
whatever a library prints goes to standard error instead. It exits as soon as its input closes,
even in the middle of a decode, so that a killed app leaves no orphan. One thread hears and
decodes; a second only reads the pipe.
"""

from __future__ import annotations

import faulthandler
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from app.worker import messages as m


def main() -> int:
    """Speak the protocol on this process's own pipes until told to finish or cut off."""
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the app's to handle: it will flush us
    source, sink = _private_pipes()
    send = _sender(sink)
    send(m.Hello(m.PROTOCOL_VERSION, os.getpid(), sys.version.split()[0]))
    # Without a bound: the app sends a minute ahead at most, and a reader that waits here for a
    # long load to end would not see the pipe close.
    inbox: queue.Queue[m.Message] = queue.Queue()
    threading.Thread(target=_read, args=(source, inbox), daemon=True, name="pipe reader").start()
    try:
        start = inbox.get()
        if not isinstance(start, m.Start) or start.version != m.PROTOCOL_VERSION:
            send(_wrong_version(start))
            return 1
        return _serve(start, inbox, send)
    except Exception as error:
        traceback.print_exc()
        send(_failure(error))
        return 1


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
    def send(message: m.Message) -> None:
        try:
            sink.write(m.encode(message))
            sink.flush()
        except OSError:
            os._exit(0)  # nobody listens any more

    return send


def _read(source: BinaryIO, inbox: queue.Queue[m.Message]) -> None:
    """Move frames from the pipe to the inbox; end the process when the pipe ends."""
    try:
        while (message := m.read(source)) is not None:
            inbox.put(message)
    except m.ProtocolError:
        traceback.print_exc()
    os._exit(0)


def _serve(start: m.Start, inbox: queue.Queue[m.Message], send: Callable[[m.Message], None]) -> int:
    """Load the engine and run the loop until it is finished."""
    # imported here so that Hello is out before anything heavy is loaded
    from app.worker.loop import Loop, load_engine

    engine = load_engine(start, send)
    try:
        Loop(engine, start, inbox, send).run()
    finally:
        engine.close()
    return 0


def _wrong_version(message: m.Message) -> m.Failure:
    return m.Failure(
        f"The speech engine and the app do not fit together ({message!r:.80}).",
        "Install Voxline again so that both are of the same version.",
    )


def _failure(error: Exception) -> m.Failure:
    """The user's sentence for whatever stopped the worker."""
    message = getattr(error, "message", None)
    if message is not None:
        return m.Failure(message, getattr(error, "hint", ""))
    return m.Failure(
        f"The speech engine stopped: {error or type(error).__name__}.",
        "The log has the details; `voxline doctor` shows where it is.",
    )


if __name__ == "__main__":
    # as in app.__main__: libraries' own threads must not delay the end of the process
    status = main()
    sys.stderr.flush()
    os._exit(status)
