"""A device's stream at 16 kHz on the computer's clock: a resampler whose ratio may move a little.

Devices run up to some hundred parts per million fast or slow. Corrected stamps would have to be
understood by all that counts samples behind this (gate, engine, replay, journal), and would jump;
a ratio that moves by as much does the same here alone, without a jump. Rates that are whole
multiples of 16 kHz go through `decimation`; for the others soxr (1.1, HQ) has such ratios, which
keep back 15 ms of sound where a fixed one keeps 29.
"""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

from app.audio.clock import MOST_PACE
from app.audio.decimation import Decimator, fits
from model_backends.base import SAMPLE_RATE

_MOST = 1 / (1 - MOST_PACE)  # over the nominal ratio: soxr must know the largest beforehand


class Resampler:
    """A stream from a device's rate to 16 kHz: float32 mono, shape (frames,), in and out."""

    def __init__(self, rate: int, *, steady: bool = False) -> None:
        """`steady`: a file, whose samples are their own clock; its ratio is fixed."""
        self._rate = rate
        self._steady = steady
        self._pace = 1.0
        self._kept = 0.0  # samples of 16 kHz that it has taken and not given
        self._decimate = None if steady or not fits(rate) else Decimator(rate // SAMPLE_RATE)
        if self._decimate is not None or (steady and rate == SAMPLE_RATE):
            self._stream = None
        elif steady:
            self._stream = soxr.ResampleStream(rate, SAMPLE_RATE, 1, "float32", "HQ")
        else:
            self._stream = soxr.ResampleStream(
                rate * _MOST, SAMPLE_RATE, 1, "float32", "HQ", vr=True
            )
            self._stream.set_io_ratio(rate, SAMPLE_RATE)

    def __call__(
        self, mono: NDArray[np.float32], pace: float = 1.0, *, last: bool = False
    ) -> NDArray[np.float32]:
        """What can be given out by now; a second of the device becomes 16000 x `pace` samples."""
        if self._stream is None and self._decimate is None:
            return mono
        self._kept += len(mono) * SAMPLE_RATE * pace / self._rate
        out = self._given(np.asarray(mono, dtype=np.float32), pace, last)
        self._kept -= len(out)
        return out

    def _given(self, mono: NDArray[np.float32], pace: float, last: bool) -> NDArray[np.float32]:
        if self._decimate is not None:
            return self._decimate(mono, pace, last=last)
        assert self._stream is not None
        if pace != self._pace and not self._steady:
            self._pace = pace
            self._stream.set_io_ratio(self._rate / pace, SAMPLE_RATE, max(1, len(mono)))
        out: NDArray[np.float32] = self._stream.resample_chunk(mono, last)
        return out

    @property
    def kept_ms(self) -> int:
        """How much older than its arrival the newest sound is that it has given."""
        return round(self._kept * 1000 / SAMPLE_RATE)
