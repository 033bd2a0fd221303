"""A client's sound: base64 of 16-bit samples at its rate, made into what the engine hears.

Knows nothing of the events in which it travels.
"""

from __future__ import annotations

import base64
import binascii

import numpy as np

from app.audio.files import int16_bytes
from app.audio.resampling import Resampler
from model_backends.base import SAMPLE_RATE

RATES = (24_000, 16_000)  # Hz: OpenAI's own, and what speech engines hear


class Sound:
    """One client's; a rate may change between turns."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._resampler = Resampler(rate, steady=True)
        self._half = b""  # of a sample that a client cut in two

    def add(self, encoded: str) -> bytes:
        """int16 little-endian mono at 16 kHz. Raises ValueError for what is no base64."""
        try:
            data = self._half + base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise ValueError(str(error)) from error
        whole = len(data) & ~1
        data, self._half = data[:whole], data[whole:]
        if self.rate == SAMPLE_RATE:
            return data
        return self._resampled(data, last=False)

    def end(self) -> bytes:
        """What is still in the resampler, at the end of a turn."""
        self._half = b""
        if self.rate == SAMPLE_RATE:
            return b""
        rest = self._resampled(b"", last=True)
        self._resampler = Resampler(self.rate, steady=True)
        return rest

    @property
    def kept_ms(self) -> int:
        """How much of it has not come out yet."""
        return self._resampler.kept_ms

    def _resampled(self, data: bytes, last: bool) -> bytes:
        pcm = np.frombuffer(data, dtype="<i2").astype(np.float32) / 32768.0
        return int16_bytes(self._resampler(pcm, last=last))
