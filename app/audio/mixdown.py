"""Many channels to one, by looking at them first: what is in one of them must be in the mix.

A plain mean cancels a stereo pair with one side inverted, and buries the one microphone of an
eight-track recorder. Here channels that work against the others are turned round, and the mix is
made as loud as its loudest channel. Knows nothing of files or devices.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from model_backends.base import Pcm

_MEMORY_S = 1.0  # how long what was seen of the channels counts
_AGAINST = -0.5  # correlation with another channel, below which one takes from the sum
_CANCELLED = 1 / 8  # a block whose sum is this much weaker than its loudest channel
_SILENT = 1e-20  # mean square; float32 of one 24-bit step is 1.4e-14
_LOUDEST = 4.0  # of what is sound; a glitch of 1e30 is not loudness


class Mixer:
    """One run of blocks of the same sound → mono."""

    def __init__(self) -> None:
        self._together: NDArray[np.float64] | None = None  # decaying sums of products, (n, n)
        self._weights: NDArray[np.float32] | None = None  # (n,), as the last block ended

    def mix(self, sound: Pcm, rate: int) -> Pcm:
        """Finite float32 of shape (channels, samples) at `rate` Hz → (samples,), in [-1, 1].

        Weights move over the length of a block, so that no change of them clicks.
        """
        channels, samples = sound.shape
        if not samples:
            return np.zeros(0, dtype=np.float32)
        if channels == 1:
            return _within_scale(sound[0])
        if self._weights is None or len(self._weights) != channels:
            self._together = self._weights = None
        before, after = self._weights, self._look(sound, rate)
        self._weights = after
        if before is None or bool(np.abs(before - after).max() < 1e-6):
            return _within_scale(after @ sound)
        begun: Pcm = before @ sound
        ended: Pcm = after @ sound
        return _within_scale(np.asarray(begun + (ended - begun) * _way(samples), np.float32))

    def _look(self, sound: Pcm, rate: int) -> NDArray[np.float32]:
        """The weights that suit this block and the second before it; shape (channels,)."""
        channels, samples = sound.shape
        products = _products(sound)
        last = self._weights
        signs = np.ones(channels) if last is None else np.sign(last).astype(np.float64)
        cancels = float(signs @ products @ signs) < float(products.diagonal().max()) * _CANCELLED
        if self._together is not None and not cancels:  # else what was is over
            products += self._together * math.exp(-samples / rate / _MEMORY_S)
        self._together = products
        loudest = float(products.diagonal().max())
        if loudest / samples < _SILENT:
            return last if last is not None else np.full(channels, 1 / channels, np.float32)
        signs = _agreeing(products, signs)
        mixed = float(signs @ products @ signs)
        # 1 for a channel alone, 1/√n for n voices that are not alike, 1/n for n copies of one
        gain = math.sqrt(loudest / mixed) if mixed > loudest else 1.0
        return np.asarray(signs * max(gain, 1 / channels), dtype=np.float32)


def _products(sound: Pcm) -> NDArray[np.float64]:
    """Of each channel with each, shape (channels, channels)."""
    with np.errstate(over="ignore", invalid="ignore"):
        products = (sound @ sound.T).astype(np.float64)
    if products.diagonal().max() <= _LOUDEST**2:  # NaN and infinity neither
        return products
    exact = np.clip(sound, -_LOUDEST, _LOUDEST).astype(np.float64)
    return exact @ exact.T


@lru_cache(maxsize=8)
def _way(samples: int) -> NDArray[np.float32]:
    """From 0 to nearly 1, shape (samples,)."""
    return np.linspace(0.0, 1.0, samples, endpoint=False, dtype=np.float32)


def _within_scale(mono: Pcm) -> Pcm:
    # not `clip`, which takes four times as long for a block
    return np.asarray(np.minimum(np.maximum(mono, -1.0), 1.0), dtype=np.float32)


def _agreeing(products: NDArray[np.float64], signs: NDArray[np.float64]) -> NDArray[np.float64]:
    """The signs with which no channel takes from the sum of the others; the worst turns first.

    Each turn makes the sum louder, so this ends.
    """
    if float((products * np.outer(signs, signs)).min()) >= 0.0:
        return signs  # nothing takes from the sum, as nearly always
    energy = np.maximum(products.diagonal(), _SILENT)
    alike = products / np.sqrt(np.outer(energy, energy))
    for _ in signs:
        turned = np.outer(signs, signs)
        against = (alike * turned).min(axis=1) < _AGAINST
        gives = (products * turned).sum(axis=1) / energy - 1  # to the sum, in its own energy
        gives[~against] = 0.0
        worst = int(gives.argmin())  # of a pair the quieter one, so that a voice keeps its sign
        if gives[worst] > _AGAINST:
            break
        signs = np.where(np.arange(len(signs)) == worst, -signs, signs)
    return signs
