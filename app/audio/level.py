"""Decibels, and what is too quiet for speech. Knows nothing of meters or sources."""

from __future__ import annotations

import math

# Speech whose loudest tenth of a second stays below this is mostly taken for background noise.
TOO_QUIET_DBFS = -55.0


def dbfs(rms: float) -> float:
    """Decibels re full scale of a root mean square, 0..1; silence is -120."""
    return 20 * math.log10(max(rms, 1e-6))
