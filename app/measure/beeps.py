"""Sound that tells when it was made: a beep a second, each at a pitch of its own.

What was heard is found by its pitch and not by counting, so that a lost one is seen as lost and a
late one as late. Knows nothing of sources or sessions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EVERY_S = 1.0
PITCHES = 60  # then they come again
_FIRST_HZ, _STEP_HZ = 500.0, 50.0
_LONG_S = 0.12
_FRAME_S = 0.005
_LOUD = 0.02


@dataclass(frozen=True, slots=True)
class Beep:
    """One that was heard: which of the pitches, and when it began in what was listened to."""

    number: int
    at_s: float


def beeps(seconds: float, rate: int) -> NDArray[np.float32]:
    """The sound: float32 mono, a third of full scale, the first beep at half a second."""
    sound = np.zeros(round(seconds * rate), dtype=np.float32)
    at = np.arange(round(_LONG_S * rate)) / rate
    for number in range(int(seconds / EVERY_S)):
        pitch = _FIRST_HZ + _STEP_HZ * (number % PITCHES)
        begin = round((number + 0.5) * EVERY_S * rate)
        tone = 0.33 * np.sin(2 * np.pi * pitch * at)
        sound[begin : begin + len(tone)] = tone[: len(sound) - begin]
    return sound


def heard(sound: NDArray[np.float32], rate: int) -> list[Beep]:
    """The whole beeps in a stretch of unbroken mono sound."""
    frame = round(_FRAME_S * rate)
    count = len(sound) // frame
    loud = np.abs(sound[: count * frame].reshape(count, frame)).max(axis=1) > _LOUD
    found, at = [], 0
    while at < count:
        end = at
        while end < count and loud[end]:
            end += 1
        if (end - at) * _FRAME_S >= _LONG_S * 0.9 and at > 0 and end < count:
            found.append(Beep(_number(sound[at * frame : end * frame], rate), at * _FRAME_S))
        at = end + 1
    return found


def _number(tone: NDArray[np.float32], rate: int) -> int:
    size = 8 * len(tone)
    spectrum = np.abs(np.fft.rfft(tone * np.hanning(len(tone)), size))
    pitch = float(spectrum.argmax()) * rate / size
    return round((pitch - _FIRST_HZ) / _STEP_HZ)
