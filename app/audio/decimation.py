"""From a whole multiple of 16 kHz to 16 kHz, at a pace that may move a little.

A windowed sinc (Kaiser; Oppenheim and Schafer, Discrete-Time Signal Processing, 7.6): flat to
7.2 kHz, 80 dB down from 8.8 kHz on; what lies between folds back onto what lies above 7.2 kHz. Of
the blocks of a 48 kHz device it takes half of the time that soxr takes with a variable ratio (90 µs
of 64 ms for 200), and keeps 1.6 ms of sound back where that keeps 12. Knows nothing of devices.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from model_backends.base import SAMPLE_RATE

Samples = NDArray[np.float32]  # shape (frames,)

_REACH = 25  # samples of 16 kHz to either side of the one that is worked out
_BETA = 7.857  # of the Kaiser window: 80 dB
_PHASES = 128  # places between two samples for which the filter is kept; between them it is a line
_TOGETHER = 16  # samples that are worked out by one product of matrices
# How far places may drift, in samples of 16 kHz, while the filter goes over from the one to the
# other in a straight line: 50 dB below the sound at 7 kHz, and 12 dB more with each octave below.
_DRIFT = 0.05
_SAME_PLACE = 1e-6  # in samples of the input: what adding up has rounded off
_MOST_PIECES = 8  # of a block, above which each sample is given a filter of its own: 310 ppm


class Decimator:
    """A stream: float32 mono, shape (frames,), in and out."""

    def __init__(self, times: int) -> None:
        """`times`: how often 16 kHz goes into the input's rate, 2 or more."""
        self._times = times
        self._taps = 2 * _REACH * times
        self._margin = math.ceil(_PHASES * _DRIFT * times) + 1  # places kept beyond two samples
        self._filters = _filters(times, self._margin)
        self._begin, self._end = _Matrix(times, self._taps), _Matrix(times, self._taps)
        self._before = self._taps // 2 - 1  # samples that a filter needs before its middle
        self._sound = np.zeros(self._before, dtype=np.float32)  # not done with yet
        self._at = float(self._before)  # in `_sound`: the place of the sample that is next

    def __call__(self, sound: Samples, pace: float = 1.0, *, last: bool = False) -> Samples:
        """What can be given out by now; `times` x n samples become n x `pace`."""
        rest = np.zeros(self._taps // 2 if last else 0, dtype=np.float32)
        self._sound = np.concatenate([self._sound, sound, rest])
        step = self._times / pace
        room = len(self._sound) - self._taps // 2 - self._at
        count = max(0, math.ceil(room / step))
        out = self._moving(count, step) if count else np.zeros(0, dtype=np.float32)
        done = int(self._at) - self._before
        if done > 0:
            self._sound = self._sound[done:]
            self._at -= done
        return out

    def _moving(self, count: int, step: float) -> Samples:
        """So many samples, with the place moving on by `step` from each to the next."""
        drift = abs(step / self._times - 1)
        pieces = max(1, math.ceil(count * drift / _DRIFT))
        if pieces > _MOST_PIECES:
            return self._one_by_one(count, step)
        size = math.ceil(count / pieces)
        return np.concatenate(
            [self._piece(min(size, count - done), step) for done in range(0, count, size)]
        )

    def _piece(self, count: int, step: float) -> Samples:
        first, begin = divmod(self._at, 1.0)
        self._at += count * step
        end = begin + count * (step - self._times)
        windows = self._windows(int(first), count)
        if abs(begin - self._begin.place) > _SAME_PLACE:
            self._begin.fill(begin, self._filter(begin))
        out = self._begin.of(windows)[:count]
        if end != begin:
            self._end.fill(end, self._filter(end))
            ended = self._end.of(windows)[:count]
            out = out + (ended - out) * (np.arange(count, dtype=np.float32) / np.float32(count))
            self._begin, self._end = self._end, self._begin  # the next piece begins where this ends
        return out

    def _windows(self, first: int, count: int) -> Samples:
        """What each product needs, one a row; as a copy, which such products are faster with."""
        rows, width = -(-count // _TOGETHER), (_TOGETHER - 1) * self._times + self._taps
        begin, hop = first - self._before, _TOGETHER * self._times
        end = begin + (rows - 1) * hop + width
        sound = self._sound[begin:end]
        if len(sound) < end - begin:  # the last row need not be filled
            rest = np.zeros(end - begin - len(sound), dtype=np.float32)
            sound = np.concatenate([sound, rest])  # `pad` takes longer than all else here
        one = sound.itemsize
        return np.ndarray((rows, width), np.float32, sound.tobytes(), 0, (hop * one, one)).copy()

    def _filter(self, off: float) -> Samples:
        """For a place so far behind a sample of the input, which may be a little before it."""
        low, part = divmod(off * _PHASES, 1.0)
        below, above = self._filters[int(low) + self._margin : int(low) + self._margin + 2]
        return np.asarray(below + (above - below) * np.float32(part))

    def _one_by_one(self, count: int, step: float) -> Samples:
        places = self._at + step * np.arange(count)
        self._at += step * count
        first = np.floor(places).astype(np.intp)
        phase = np.rint((places - first) * _PHASES).astype(np.intp) + self._margin
        windows = sliding_window_view(self._sound, self._taps)[first - self._before]
        return np.asarray(np.einsum("ij,ij->i", windows, self._filters[phase]), dtype=np.float32)


class _Matrix:
    """Works out `_TOGETHER` samples at once: each column is the filter of one of them.

    `place`: of the filter, behind a sample of the input; infinite before there is one.
    """

    def __init__(self, times: int, taps: int) -> None:
        self._whole = np.zeros(((_TOGETHER - 1) * times + taps, _TOGETHER), dtype=np.float32)
        one = self._whole.itemsize
        down, along = _TOGETHER * one, (times * _TOGETHER + 1) * one
        self._columns: Samples = np.ndarray(
            (taps, _TOGETHER), np.float32, self._whole, 0, (down, along)
        )
        self.place = math.inf

    def fill(self, place: float, taps: Samples) -> None:
        """From now on this filter."""
        self.place = place
        self._columns[:] = taps[:, np.newaxis]

    def of(self, windows: Samples) -> Samples:
        """`windows` of shape (n, samples of the input) → (n * `_TOGETHER`,)."""
        return np.asarray((windows @ self._whole).reshape(-1))


def _filters(times: int, margin: int) -> Samples:
    """Of places from a little before a sample to a little behind the next, shape (places, taps)."""
    taps = 2 * _REACH * times
    phases = np.arange(-margin, _PHASES + margin + 1) / _PHASES
    far = np.arange(taps) - (taps // 2 - 1) - phases[:, np.newaxis]  # from the place, in samples
    reach = np.clip(1 - (far / (taps / 2)) ** 2, 0.0, None)
    window = np.i0(_BETA * np.sqrt(reach)) / np.i0(_BETA)
    filters = np.sinc(far / times) * window
    return np.asarray(filters / filters.sum(axis=1, keepdims=True), dtype=np.float32)


def fits(rate: int) -> bool:
    """Whether a rate in Hz is one that this is for."""
    return rate % SAMPLE_RATE == 0 and rate > SAMPLE_RATE
