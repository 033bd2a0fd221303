"""Decibels: the one curve of all meters, and what is too quiet for speech. Knows no sources."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a meter needs no arrays, and the captions are shown before they are loaded
    import numpy as np
    from numpy.typing import NDArray

# Speech whose loudest tenth of a second stays below this is mostly taken for background noise.
TOO_QUIET_DBFS = -55.0
METER_DB = (-55.0, -15.0)  # what a meter shows: from a quiet room to loud speech


def rms_of(mono: NDArray[np.float32]) -> float:
    """Root mean square of finite samples, shape (samples,); 0 of none."""
    return math.sqrt(float(mono @ mono) / len(mono)) if len(mono) else 0.0


def dbfs(rms: float) -> float:
    """Decibels re full scale of a root mean square, 0..1; silence is -120."""
    return 20 * math.log10(max(rms, 1e-6))


def loudness(rms: float) -> float:
    """How far a meter goes out, 0..1, for a root mean square, 0..1: equal steps of decibels."""
    quiet, loud = METER_DB
    return max(0.0, min(1.0, (dbfs(rms) - quiet) / (loud - quiet)))
