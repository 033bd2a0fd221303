"""Many channels to one, by looking at them first: what is in one of them must be in the mix.

A plain mean cancels a stereo pair with one side inverted, and buries the one microphone of an
eight-track recorder. Here channels that work against the others are turned round, and the mix is
made as loud as its loudest channel. Knows nothing of files or devices.

What is decided from a block is decided in plain numbers: of two channels there are four, and for
so few each step in NumPy takes as long as all of them do in Python.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from model_backends.base import Pcm

_MEMORY_S = 1.0  # how long what was seen of the channels counts
_AGAINST = -0.5  # correlation with another channel, below which one takes from the sum
_CANCELLED = 1 / 8  # a block whose sum is this much weaker than its loudest channel
_SILENT = 1e-20  # mean square; float32 of one 24-bit step is 1.4e-14
_LOUDEST = 4.0  # of what is sound; a glitch of 1e30 is not loudness


Products: TypeAlias = list[list[float]]  # of each channel with each, n rows of n


class Mixer:
    """One run of blocks of the same sound → mono."""

    def __init__(self) -> None:
        self._together: Products | None = None  # decaying sums
        self._weights: list[float] | None = None  # n, as the last block ended

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
        ended = _weighed(after, sound)
        if before is None or all(abs(b - a) < 1e-6 for b, a in zip(before, after, strict=True)):
            return _within_scale(ended)
        begun = _weighed(before, sound)
        return _within_scale(np.asarray(begun + (ended - begun) * _way(samples), np.float32))

    def _look(self, sound: Pcm, rate: int) -> list[float]:
        """The weights that suit this block and the second before it; one a channel."""
        channels, samples = sound.shape
        products = _products(sound)
        last = self._weights
        signs = [1.0] * channels if last is None else [math.copysign(1.0, each) for each in last]
        cancels = _energy(products, signs) < _loudest(products) * _CANCELLED
        if self._together is not None and not cancels:  # else what was is over
            products = _added(products, self._together, math.exp(-samples / rate / _MEMORY_S))
        self._together = products
        loudest = _loudest(products)
        if loudest / samples < _SILENT:
            return last if last is not None else [1 / channels] * channels
        signs = _agreeing(products, signs)
        mixed = _energy(products, signs)
        # 1 for a channel alone, 1/√n for n voices that are not alike, 1/n for n copies of one
        gain = math.sqrt(loudest / mixed) if mixed > loudest else 1.0
        return [sign * max(gain, 1 / channels) for sign in signs]


def _weighed(weights: Sequence[float], sound: Pcm) -> Pcm:
    mono: Pcm = np.array(weights, dtype=np.float32) @ sound
    return mono


def _products(sound: Pcm) -> Products:
    products: Products
    with np.errstate(over="ignore", invalid="ignore"):
        products = (sound @ sound.T).tolist()
    if all(row[n] <= _LOUDEST**2 for n, row in enumerate(products)):  # NaN and infinity neither
        return products
    if sound.max() <= _LOUDEST and sound.min() >= -_LOUDEST:  # … nor here
        return products
    exact = np.clip(sound, -_LOUDEST, _LOUDEST).astype(np.float64)
    products = (exact @ exact.T).tolist()
    return list(products)


def _loudest(products: Products) -> float:
    """The energy of the loudest channel."""
    return max(row[n] for n, row in enumerate(products))


def _energy(products: Products, signs: Sequence[float]) -> float:
    """Of the sum of the channels, each with its sign."""
    return sum(
        ours * math.fsum(map(operator.mul, row, signs))
        for ours, row in zip(signs, products, strict=True)
    )


def _added(products: Products, before: Products, kept: float) -> Products:
    """… to that much of what was before."""
    return [
        [new + kept * old for new, old in zip(row, old_row, strict=True)]
        for row, old_row in zip(products, before, strict=True)
    ]


@lru_cache(maxsize=8)
def _way(samples: int) -> NDArray[np.float32]:
    """From 0 to nearly 1, shape (samples,)."""
    return np.linspace(0.0, 1.0, samples, endpoint=False, dtype=np.float32)


def _within_scale(mono: Pcm) -> Pcm:
    # not `clip`, which takes four times as long for a block
    return np.asarray(np.minimum(np.maximum(mono, -1.0), 1.0), dtype=np.float32)


def _agreeing(products: Products, signs: list[float]) -> list[float]:
    """The signs with which no channel takes from the sum of the others; the worst turns first.

    Each turn makes the sum louder, so this ends.
    """
    agree = all(
        ours * theirs * product >= 0.0
        for ours, row in zip(signs, products, strict=True)
        for theirs, product in zip(signs, row, strict=True)
    )
    if agree:
        return signs  # nothing takes from the sum, as nearly always
    return list(_turned(np.array(products), np.array(signs)).tolist())


def _turned(products: NDArray[np.float64], signs: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same for arrays, of shapes (n, n) and (n,)."""
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
