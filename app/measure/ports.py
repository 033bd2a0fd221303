"""Ports of this computer: one that is free, and whether a server listens on one."""

from __future__ import annotations

import socket
import time


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
        return True
    except OSError:
        return False


def wait_for(port: int) -> None:
    """Until somebody listens there. Raises TimeoutError after a minute."""
    end = time.monotonic() + 60
    while not answers(port):
        if time.monotonic() > end:
            raise TimeoutError(f"no server on port {port}")
        time.sleep(0.05)
