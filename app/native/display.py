"""Whether a window can be opened at all. Asked before Qt is loaded, and knows nothing about it."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path

from app.native import DESKTOP


def has_display(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a window can be opened here.

    On Linux a display that is named but does not answer (a stale DISPLAY after `su` or `ssh`)
    counts as none: Qt would abort the process rather than raise.
    """
    if DESKTOP != "linux" or environ.get("QT_QPA_PLATFORM"):
        return True
    return _wayland_answers(environ) or _x11_answers(environ)


def _wayland_answers(environ: Mapping[str, str]) -> bool:
    name = environ.get("WAYLAND_DISPLAY", "")
    return bool(name) and _connects(Path(environ.get("XDG_RUNTIME_DIR", "/"), name))


def _x11_answers(environ: Mapping[str, str]) -> bool:
    host, colon, rest = environ.get("DISPLAY", "").rpartition(":")
    number = rest.split(".")[0]
    if not colon or not number.isdigit():
        return False
    if host in ("", "unix"):
        path = f"/tmp/.X11-unix/X{number}"
        return _connects(path) or _connects(f"\0{path}")
    return _connects((host, 6000 + int(number)))


def _connects(address: str | Path | tuple[str, int]) -> bool:
    try:
        if isinstance(address, tuple):
            with socket.create_connection(address, timeout=1):
                return True
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1)
            probe.connect(str(address))
            return True
    except OSError:
        return False
