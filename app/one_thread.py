"""NumPy's products of matrices stay on the thread that asks for them.

Ours are small: a spectrum's filters, a block of sound. Each takes OpenBLAS a millisecond on one
thread. Shared out, it leaves a thread on every other core that looks for more work for some 30 ms
before it sleeps, and on a busy computer whoever asked waits for a turn of that thread. An engine's
own mathematics is not done here and has threads of its own. Knows nothing of what is computed.
"""

from __future__ import annotations

import os

SWITCH = "OPENBLAS_NUM_THREADS"


def keep_to_one_thread() -> None:
    """In this process and all that it starts; before NumPy is imported. What the user has chosen
    stands."""
    os.environ.setdefault(SWITCH, "1")
