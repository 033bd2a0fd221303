"""How much of what the microphone hears is not what the loudspeakers play.

Loudspeakers reach the microphone late (5 to 250 ms, by the path through the sound system), quieter,
coloured and with the room's reverberation. So both sounds are compared as what those leave alone:
the power in 20 bands, every 10 ms. Reverberation only adds to what is played, and whoever speaks
only adds to that: the quietest that a band of the microphone ever is, next to what was played just
before, is what leaks. What is far above it was said in the room. With headphones the quietest is
silence, and everything is said in the room; so nobody needs to say which it is.

Pure: sound and times in, numbers out. Knows no words, lanes or engines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_backends.base import SAMPLE_RATE, Pcm

Frames = NDArray[np.float32]  # shape (frames, bands): log10 of the power; NaN where nothing was

FRAME_MS = 10
_HOP = SAMPLE_RATE * FRAME_MS // 1000
_WINDOW = 400  # samples, 25 ms
_FFT = 512
_EDGES_HZ = (
    100, 200, 300, 400, 510, 630, 770, 920, 1080, 1270, 1480,
    1720, 2000, 2320, 2700, 3150, 3700, 4400, 5300, 6400, 7500,
)  # fmt: skip  # critical bands (Zwicker), where there is speech
_BANDS = len(_EDGES_HZ) - 1
_BLOCK = 1_000  # frames that are kept together
_KEPT_BLOCKS = 190  # more than the half hour that a voice may wait to be heard

_LOOK_BACK_MS = 12_000  # of sound in which the leak is looked for
_EARLIEST, _LATEST = -4, 32  # frames by which the microphone may be later than what is played
_REVERBERATIONS_S = (0.0, 0.2, 0.5)  # times in which a room's sound falls by 60 dB
_AUDIBLE = 3.5  # below the loudest that is played in a band, log10 (35 dB): may be heard to leak
_QUIETEST = 0.1  # quantile: what a band of the microphone may be by its leak alone
_SPREAD = 1.2  # a leak may be so much above its quietest, log10 (12 dB)
_ABOVE_NOISE = 0.5  # log10 (5 dB): sound, rather than the noise of the microphone
_NOISE = 0.05  # quantile
_SILENT = -7.0  # log10 of a band's power at which nothing at all is played
_HEARABLE = -2.0  # … from which it may be heard in a room: about -66 dBFS
_AROUND_MS = 60  # words' times are inexact
_LEAST_MS = 300


class Bands:
    """The power of one voice's sound over time, for the last half hour.

    Sound may come in pieces of any length; a piece that does not follow the one before begins anew.
    """

    def __init__(self) -> None:
        edges = np.round(np.array(_EDGES_HZ) * _FFT / SAMPLE_RATE).astype(int)
        self._first, self._last = int(edges[0]), int(edges[-1])
        self._edges = edges[:-1] - edges[0]
        self._shape = np.hanning(_WINDOW).astype(np.float32)
        self._blocks: dict[int, NDArray[np.float16]] = {}
        self._rest: Pcm = np.zeros(0, dtype=np.float32)
        self._next_ms = 0.0  # of the first sample of the rest
        self.end_ms = 0  # up to which there is sound

    def add(self, start_ms: int, pcm: Pcm) -> None:
        """Take in sound; `start_ms`: session time of its first sample."""
        expected_ms = self._next_ms + len(self._rest) * 1000 / SAMPLE_RATE
        if abs(start_ms - expected_ms) > FRAME_MS:
            self._rest, self._next_ms = np.zeros(0, dtype=np.float32), float(start_ms)
        self._rest = np.concatenate([self._rest, pcm])
        count = (len(self._rest) - _WINDOW) // _HOP + 1
        if count > 0:
            self._keep(round(self._next_ms / FRAME_MS), self._powers(count))
            self._rest = self._rest[count * _HOP :]
            self._next_ms += count * FRAME_MS
        self.end_ms = max(self.end_ms, start_ms + len(pcm) * 1000 // SAMPLE_RATE)

    def _powers(self, count: int) -> Frames:
        """Log power of the next frames, full scale being about 10^3."""
        frames = np.lib.stride_tricks.sliding_window_view(self._rest, _WINDOW)[::_HOP][:count]
        power = np.square(np.abs(np.fft.rfft(frames * self._shape, _FFT)))
        bands = np.add.reduceat(power[:, self._first : self._last], self._edges, axis=1)
        return np.log10(bands + 1e-9).astype(np.float32)

    def _keep(self, first: int, frames: Frames) -> None:
        for offset, frame in enumerate(frames):
            number, at = divmod(first + offset, _BLOCK)
            if number not in self._blocks:
                self._blocks[number] = np.full((_BLOCK, _BANDS), np.nan, dtype=np.float16)
                self._forget(number - _KEPT_BLOCKS)
            self._blocks[number][at] = frame

    def _forget(self, before: int) -> None:
        self._blocks = {number: b for number, b in self._blocks.items() if number > before}

    def between(self, start: int, end: int) -> Frames:
        """The frames with these numbers (times in FRAME_MS), end excluded."""
        found = np.full((end - start, _BANDS), np.nan, dtype=np.float32)
        for number in range(start // _BLOCK, (end - 1) // _BLOCK + 1):
            block = self._blocks.get(number)
            if block is not None:
                low, high = max(start, number * _BLOCK), min(end, (number + 1) * _BLOCK)
                part = block[low - number * _BLOCK : high - number * _BLOCK]
                found[low - start : high - start] = part
        return found


def is_playing(played: Bands, start_ms: int, end_ms: int) -> bool:
    """Whether anything was played that may be heard between these times."""
    frames = played.between(start_ms // FRAME_MS - _LATEST, end_ms // FRAME_MS - _EARLIEST)
    return bool(np.any(frames > _HEARABLE))


@dataclass(frozen=True, slots=True)
class Leak:
    """Which of two sounds' frames leak, as found in a stretch that begins at frame `first`."""

    first: int
    expected: Frames  # log power of the leak, at its quietest
    noise: NDArray[np.float32]  # (bands,): of the microphone


def leak_between(played: Bands, heard: Bands, until_ms: int) -> Leak | None:
    """What leaks into what is heard before `until_ms`; None if nothing was played."""
    end = until_ms // FRAME_MS
    first = max(0, end - _LOOK_BACK_MS // FRAME_MS)
    source = played.between(first - _LATEST, end - _EARLIEST)
    if not np.any(source > _HEARABLE):
        return None
    microphone = heard.between(first, end)
    present = ~np.isnan(microphone)
    if not present.any():
        return None
    source = np.nan_to_num(source, nan=-9.0)
    candidates = [_reverberant(source, seconds) for seconds in _REVERBERATIONS_S]
    fits = [_best_delay(candidate, microphone, present) for candidate in candidates]
    best = max(range(len(fits)), key=lambda index: fits[index][0])
    loud = _delayed_maximum(candidates[best], fits[best][1], len(microphone))
    gain = _quietest(microphone - loud, present & _audible(loud))
    noise = np.nanquantile(microphone, _NOISE, axis=0).astype(np.float32)
    return Leak(first, loud + gain, noise)


def unexplained(leak: Leak, heard: Bands, start_ms: int, end_ms: int) -> float:
    """The part of the sound between two times that does not leak, 0..1; 1 if there is no sound.

    Loud and soft count by their power to 0.3, as they are perceived (Stevens).
    """
    missing_ms = max(0, _LEAST_MS - (end_ms - start_ms)) // 2
    low = (start_ms - _AROUND_MS - missing_ms) // FRAME_MS - leak.first
    high = (end_ms + _AROUND_MS + missing_ms) // FRAME_MS - leak.first
    low, high = max(0, low), min(len(leak.expected), high)
    if low >= high:
        return 1.0
    sound = heard.between(leak.first + low, leak.first + high)
    audible = ~np.isnan(sound) & (sound > leak.noise + _ABOVE_NOISE)
    if not audible.any():
        return 1.0
    own = audible & (sound > leak.expected[low:high] + _SPREAD)
    loudness = np.where(audible, np.power(10.0, 0.3 * np.nan_to_num(sound)), 0.0)
    return float(loudness[own].sum() / loudness.sum())


def _reverberant(source: Frames, seconds: float) -> Frames:
    """What is played as a room prolongs it: each band falls by 60 dB in so many seconds."""
    if not seconds:
        return source
    fall = np.float32(6.0 * FRAME_MS / 1000 / seconds)  # log10 a frame
    steps = np.arange(len(source), dtype=np.float32)[:, np.newaxis] * fall
    prolonged: Frames = np.maximum.accumulate(source + steps, axis=0) - steps
    return prolonged


def _audible(source: Frames) -> NDArray[np.bool_]:
    loudest = np.quantile(source, 0.98, axis=0)
    found: NDArray[np.bool_] = (source > loudest - _AUDIBLE) & (source > _SILENT)
    return found


def _best_delay(
    source: Frames, microphone: Frames, present: NDArray[np.bool_]
) -> tuple[float, int]:
    """(correlation, delay in frames) at which the two agree best.

    The correlation of log powers within each band, over the cells in which something is played:
    every sum over all delays at once, by Fourier transform.
    """
    size = -(-(len(source) + _LATEST - _EARLIEST) // 256) * 256
    cells = _audible(source).astype(np.float32)
    there = present.astype(np.float32)
    x, y = source * cells, np.where(present, microphone, 0.0)
    sources = np.fft.rfft(np.stack([cells, x, x * source]), size, axis=1).conj()
    heard = np.fft.rfft(np.stack([there, y, y * y]), size, axis=1)

    def summed(of_source: int, of_heard: int) -> NDArray[np.float64]:
        # lag k pairs source frame t with microphone frame t - k
        sums = np.fft.irfft((sources[of_source] * heard[of_heard]).conj(), size, axis=0)
        found: NDArray[np.float64] = sums[: _LATEST - _EARLIEST + 1]
        return found

    count = np.maximum(summed(0, 0), 1.0)
    sx, sy, sxy = summed(1, 0), summed(0, 1), summed(1, 1)
    spread_x = np.maximum(summed(2, 0) - sx * sx / count, 0.0).sum(axis=1)
    spread_y = np.maximum(summed(0, 2) - sy * sy / count, 0.0).sum(axis=1)
    together = (sxy - sx * sy / count).sum(axis=1)
    correlation = together / np.sqrt(spread_x * spread_y + 1e-6)
    lag = int(np.argmax(correlation))
    return float(correlation[lag]), _LATEST - lag


def _delayed_maximum(source: Frames, delay: int, length: int) -> Frames:
    """The source as the microphone's frames meet it, one frame sooner or later allowed."""
    begin = _LATEST - delay
    low, high = max(0, begin - 1), begin + 1
    found = source[begin : begin + length]
    for start in (low, high):
        other = source[start : start + length]
        if len(other) == length:
            found = np.maximum(found, other)
    return found


def _quietest(ratio: Frames, cells: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Per band: the least that the microphone is above what is played; -9 where nothing is."""
    masked = np.where(cells, ratio, np.nan)
    gain = np.full(_BANDS, -9.0, dtype=np.float32)
    known = cells.sum(axis=0) >= 10
    if known.any():
        gain[known] = np.nanquantile(masked[:, known], _QUIETEST, axis=0)
    return gain
