"""How loud sound is to the ear: the one curve of every level meter."""

from __future__ import annotations

import math

_RANGE_DB = (-55.0, -15.0)  # re full scale: a quiet room to loud speech
_WORDS = ((0.02, "silent"), (0.3, "quiet"), (0.85, "good"))


def loudness(level: float) -> float:
    """0..1 for an RMS amplitude of 0..1, in equal steps of decibels."""
    decibels = 20 * math.log10(max(level, 1e-6))
    quiet, loud = _RANGE_DB
    return max(0.0, min(1.0, (decibels - quiet) / (loud - quiet)))


def in_words(level: float) -> str:
    """For a screen reader: the loudness of an RMS amplitude of 0..1 in a word."""
    heard = loudness(level)
    return next((word for below, word in _WORDS if heard < below), "loud")
