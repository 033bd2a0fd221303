"""A worker that nobody waits for gives way: it gets the processor time that others leave.

Knows nothing of what is computed.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

_NICE = 10  # a tenth of what another gets: less, and a busy computer would never be done
_BELOW_NORMAL = 0x4000  # Windows


def give_way() -> None:
    """For this process, for good. A system that refuses leaves it as it is."""
    with contextlib.suppress(OSError, AttributeError):
        if sys.platform == "win32":
            import ctypes

            kernel = ctypes.windll.kernel32
            kernel.SetPriorityClass(kernel.GetCurrentProcess(), _BELOW_NORMAL)
            return
        os.nice(_NICE)
    if sys.platform == "linux":  # which weighs sessions first, and processes within them
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(_NICE))
