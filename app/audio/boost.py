"""A slow gain for very quiet speech, so that it is taken for speech; nothing else is touched.

How loud somebody speaks is read from what stands out of the noise; in pauses nothing does, and the
gain stays where it is, so that no noise is ever pumped up. It never makes a peak reach full scale.
Knows nothing of sources or meters.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from app.audio.level import dbfs, rms_of

_WANTED_DBFS = -40.0  # of the loudest blocks of speech: below it is lifted to it …
_MOST_DB = 24.0  # … by no more than this: what needs more is the noise of a converter
_STANDS_OUT_DB = 10.0  # over the noise: speech does, by 15 to 30
_NOISE_RISES = 1.0  # dB a second that the noise may have grown without a pause to show it
_FORGETS = 3.0  # dB a second of speech, after which somebody quieter is heard as what they are
_SURE_S = 0.3  # of speech before the first gain
_UP, _DOWN = 20.0, 40.0  # dB a second; up only while somebody speaks
_NOTHING_DBFS = -95.0  # zeros, or the last bit of a converter: no noise to measure by
_PEAK = 0.7


class Boost:
    """Of one stream of blocks."""

    def __init__(self) -> None:
        self._noise_db: float | None = None
        self._speech_db: float | None = None  # of the loudest blocks lately
        self._spoken_s = 0.0
        self._gain_db = 0.0
        self._gain = 1.0  # as the last block ended

    def lift(self, mono: NDArray[np.float32], rate: int) -> tuple[NDArray[np.float32], float]:
        """Float32 mono in [-1, 1], shape (frames,), at `rate` Hz → the same lifted, and the gain
        at its end."""
        if not len(mono):
            return mono, self._gain
        level_db = dbfs(rms_of(mono))
        if level_db > _NOTHING_DBFS:
            self._follow(level_db, len(mono) / rate)
        before, after = self._gain, 10 ** (self._gain_db / 20)
        peak = float(np.abs(mono).max())
        if peak * after > _PEAK:
            after = max(1.0, _PEAK / peak)
        self._gain = after
        if before == after == 1.0:
            return mono, 1.0
        if before * peak > _PEAK:
            return mono * np.float32(after), after  # no time to come down slowly
        way = np.linspace(before, after, len(mono), dtype=np.float32)
        return mono * way, after

    def _follow(self, level_db: float, seconds: float) -> None:
        noise_db = level_db if self._noise_db is None else self._noise_db + _NOISE_RISES * seconds
        self._noise_db = min(level_db, noise_db)
        if level_db < self._noise_db + _STANDS_OUT_DB:
            return
        self._spoken_s += seconds
        lately_db = -math.inf if self._speech_db is None else self._speech_db - _FORGETS * seconds
        self._speech_db = max(level_db, lately_db)
        wanted_db = max(0.0, min(_MOST_DB, _WANTED_DBFS - self._speech_db))
        if self._spoken_s < _SURE_S and wanted_db > self._gain_db:
            return
        up, down = _UP * seconds, _DOWN * seconds
        self._gain_db += max(-down, min(up, wanted_db - self._gain_db))
