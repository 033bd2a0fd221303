"""What a level meter shows: the curve of `app.audio.level`, and the same in words."""

from __future__ import annotations

from app.audio.level import loudness
from model_backends.base import Sentence

_WORDS = ((0.02, Sentence("silent")), (0.3, Sentence("quiet")), (0.85, Sentence("good")))
_LOUD = Sentence("loud")


def in_words(level: float) -> str:
    """For a screen reader: the loudness of an RMS amplitude of 0..1 in a word."""
    heard = loudness(level)
    return next((word for below, word in _WORDS if heard < below), _LOUD)


__all__ = ["in_words", "loudness"]
