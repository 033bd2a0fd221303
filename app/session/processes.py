"""Which process this is, in a form that another process can check later.

A process id alone may have been used again, and the time at which a process began is, on Linux,
worked out from a clock that people set. So there the id of the boot and the count of ticks since
then are kept, too. Knows nothing about journals.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

_SAME_PROCESS_S = 5.0  # clock corrections move a process's start time by less
_PROC = Path("/proc")


def identity() -> dict[str, Any]:
    """What tells this process from every other, as JSON-able values."""
    process = psutil.Process()
    found = {"pid": process.pid, "created": process.create_time()}
    boot, ticks = _boot(), _ticks(process.pid)
    return found | {"boot": boot, "ticks": ticks} if boot and ticks else found


def is_alive(identity: Mapping[str, Any]) -> bool:
    """Whether the process of this identity still runs; False if it is none. Never raises."""
    match identity:
        case {"pid": int(pid), "created": int() | float()} if 0 < pid < 1 << 31:
            pass
        case _:
            return False
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return _is_same(process, identity)
    except (psutil.Error, ValueError, OverflowError, OSError):
        return False


def _is_same(process: psutil.Process, identity: Mapping[str, Any]) -> bool:
    boot, ticks = _boot(), _ticks(process.pid)
    if boot and ticks and identity.get("boot") and identity.get("ticks"):
        return bool(identity["boot"] == boot and identity["ticks"] == ticks)
    return bool(abs(process.create_time() - identity["created"]) < _SAME_PROCESS_S)


def _boot() -> str | None:
    """The id of this boot; None where the system has none."""
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
    except (OSError, ValueError):
        return None


def _ticks(pid: int) -> int | None:
    """When the process began, in ticks since the boot (field 22 of /proc/PID/stat); or None."""
    try:
        line = (_PROC / str(pid) / "stat").read_text("utf-8", "replace")
        return int(line.rpartition(")")[2].split()[19])  # its name may hold anything
    except (OSError, ValueError, IndexError):
        return None
