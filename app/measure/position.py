"""Sound that says when it was made, so that a stand-in for a model can "hear" what is said then.

Every pair of samples holds the number of the sample, to 16 samples, for 70 minutes, and survives a
rounding of PCM16. For ears it is noise. Pure.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model_backends.base import Pcm

_LEVELS = 2048  # 16 steps of PCM16 each, from -16384 on
_GROUP = 16  # samples of one low number
_STEP, _LOWEST = 16, -16384


def sound(first: int, samples: int) -> Pcm:
    """The sound from sample `first` of the session on, shape (samples,), float32, 16 kHz."""
    at = np.arange(first, first + samples, dtype=np.int64)
    low = at // _GROUP % _LEVELS
    high = at // (_GROUP * _LEVELS) % _LEVELS
    level = np.where(at % 2 == 0, low, high) * _STEP + _LOWEST
    return (level / 32768).astype(np.float32)


def position(pcm: NDArray[np.int16]) -> int:
    """The number of the first sample, to 16 samples; `pcm` begins at an even one."""
    level = (np.asarray(pcm[:2], np.int64) - _LOWEST + _STEP // 2) // _STEP
    low, high = (int(value) % _LEVELS for value in level)
    return (high * _LEVELS + low) * _GROUP
