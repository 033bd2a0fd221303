"""Samples in, log-mel frames out, incrementally and exactly as the offline transform would.

A frame every 160 samples, 400 samples wide, centred on its sample; 128 Slaney bands to 8 kHz;
the maximum is a constant, so nothing depends on later audio. Frames come in groups of eight
(one row), preceded by the three frames before them, which is all the convolution stem needs to
be stateless. Knows nothing about the model.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from model_backends.base import SAMPLE_RATE, Pcm
from model_backends.voxtral.schedule import (
    LEFT_PAD_ROWS,
    LOOK_AHEAD_SAMPLES,
    ROW_SAMPLES,
    SILENT_ROWS,
)
from model_backends.voxtral.spec import MEL_BINS, MEL_PER_ROW

HOP = 160
WIDTH = 400  # samples a frame sees; 200 on each side of its centre
CONTEXT_FRAMES = 3  # mel frames before a block that its first stem output depends on
SILENCE = -0.625  # every band of a silent frame: (1.5 - 8 + 4) / 4

_LOG_FLOOR, _CEILING, _RANGE = 1e-10, 1.5, 8.0


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney's scale: 200/3 Hz a mel up to 1 kHz (mel 15), then a factor 6.4 every 27 mels."""
    linear = mels * (200.0 / 3.0)
    return np.where(mels < 15.0, linear, 1000.0 * np.exp((mels - 15.0) * np.log(6.4) / 27.0))


def mel_filters() -> NDArray[np.float64]:
    """Triangles with Slaney's area norm, shape (201 bins, 128 bands)."""
    top = 15.0 + 27.0 * np.log(8.0) / np.log(6.4)  # 8000 Hz in mels
    edges = _hertz(np.linspace(0.0, top, MEL_BINS + 2))
    bins = np.linspace(0.0, SAMPLE_RATE / 2, WIDTH // 2 + 1)[:, None]
    rising = (bins - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - bins) / np.diff(edges)[1:]
    triangles: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling))
    return triangles * (2.0 / (edges[2:] - edges[:-2]))


_FILTERS = mel_filters()
_WINDOW = 0.5 * (1.0 - np.cos(2.0 * np.pi * np.arange(WIDTH) / WIDTH))  # periodic Hann


def log_mel(samples: NDArray[np.floating]) -> NDArray[np.float32]:
    """All whole frames of `samples`, shape (1 + (len - 400) // 160, 128), float32."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, WIDTH)[::HOP]
    spectrum = np.fft.rfft(frames * _WINDOW, axis=-1)
    power = spectrum.real**2 + spectrum.imag**2
    level = np.log10(np.maximum(power @ _FILTERS, _LOG_FLOOR))
    return ((np.maximum(level, _CEILING - _RANGE) + 4.0) / 4.0).astype(np.float32)


class MelStream:
    """The frontend of one stream: push samples of any length, take mel for whole rows.

    `first_row` is the row that the first sample taken belongs to: 31 when the silent rows before
    it come from a cache (the usual case), 0 to make the left padding here too. The left padding
    is part of the stream: the first sample pushed is the first of row 32.
    """

    def __init__(self, first_row: int = SILENT_ROWS) -> None:
        self.next_row = first_row
        self._chunks: deque[NDArray[np.float32]] = deque()
        self._held = 0  # samples in _chunks
        # Before the stream the convolution sees zeros; between rows, the frames that were there.
        before = 0.0 if first_row == 0 else SILENCE
        self._context = np.full((CONTEXT_FRAMES, MEL_BINS), before, np.float32)
        silence = WIDTH // 2 + (LEFT_PAD_ROWS - first_row) * ROW_SAMPLES
        self._append(np.zeros(silence, np.float32))

    def push(self, pcm: Pcm) -> None:
        """Add samples. A sample that is not a number counts as silence: it would never leave."""
        self._append(np.nan_to_num(pcm, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32))

    @property
    def ready(self) -> int:
        """Rows that can be taken now."""
        return max(0, (self._held - WIDTH // 2 - LOOK_AHEAD_SAMPLES) // ROW_SAMPLES)

    def take(self, rows: int) -> NDArray[np.float32]:
        """Mel of the next `rows` rows and the 3 frames before, shape (3 + 8 * rows, 128)."""
        used = rows * ROW_SAMPLES
        samples = self._read(used - HOP + WIDTH, drop=used)
        frames = np.concatenate([self._context, log_mel(samples)])
        assert len(frames) == CONTEXT_FRAMES + MEL_PER_ROW * rows
        self._context = frames[-CONTEXT_FRAMES:]
        self.next_row += rows
        return frames

    def _append(self, samples: NDArray[np.float32]) -> None:
        self._chunks.append(samples)
        self._held += len(samples)

    def _read(self, count: int, drop: int) -> NDArray[np.float32]:
        """The next `count` samples, of which the first `drop` are then forgotten."""
        parts, have = [], 0
        while have < count:
            parts.append(self._chunks.popleft())
            have += len(parts[-1])
        samples = np.concatenate(parts)
        self._chunks.appendleft(samples[drop:])
        self._held -= drop
        return samples[:count]
