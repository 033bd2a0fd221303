"""Which computer this is: the processor's name as the system tells it, its cores, and all by which
one is told from another. Knows nothing about models."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from model_backends.voxtral.cpu.library import library_path


def cores() -> int:
    """Of this computer, each counted once."""
    return psutil.cpu_count(logical=False) or psutil.cpu_count() or 1


def processor_name() -> str:
    """The processor's name, as the system tells it."""
    told = {"darwin": _told_by_macos, "win32": _told_by_windows}.get(sys.platform, _told_by_linux)
    try:
        name = told()
    except (OSError, subprocess.SubprocessError):
        name = ""
    return " ".join(name.split()) or platform.processor() or platform.machine()


def facts() -> dict[str, object]:
    """What decides how fast the library is here, and every bit of what it computes: the processor,
    the system with its mathematical functions, the library itself, built here or elsewhere."""
    path = library_path()
    built = path.stat() if path is not None else None
    return {
        "processor": processor_name(),
        "cores": [cores(), psutil.cpu_count()],
        "system": platform.platform(),
        "library": [path and path.name, built and built.st_size, built and built.st_mtime_ns],
        "numpy": np.__version__,
    }


def _told_by_linux() -> str:
    """Empty on most ARM boards, which tell numbers only."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    named = (line.partition(":")[2] for line in lines if line.startswith("model name"))
    return next(named, "")


def _told_by_macos() -> str:
    command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout


def _told_by_windows() -> str:
    import winreg  # only there

    registry: Any = winreg
    path = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
    with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, path) as key:
        return str(registry.QueryValueEx(key, "ProcessorNameString")[0])
