"""How loud a sound is to people: the one curve of every meter, and what is too quiet for speech.

Knows nothing of meters or sources.
"""

from __future__ import annotations

import math

QUIET_DBFS, LOUD_DBFS = -55.0, -15.0  # a quiet room; someone speaking loudly, close
# Speech whose loudest tenth of a second stays below this is mostly taken for background noise.
TOO_QUIET_DBFS = -55.0


def dbfs(rms: float) -> float:
    """Decibels re full scale of a root mean square, 0..1; silence is -120."""
    return 20 * math.log10(max(rms, 1e-6))


def loudness(rms: float) -> float:
    """0..1 for a root mean square: from a quiet room to loud speech in equal steps of decibels."""
    return max(0.0, min(1.0, (dbfs(rms) - QUIET_DBFS) / (LOUD_DBFS - QUIET_DBFS)))
