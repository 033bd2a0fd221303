"""Sizes in words. Windows ask, too."""

from __future__ import annotations

from model_backends.base import Sentence


def size(count: float) -> Sentence:
    """Bytes for people: 8.9 GB, 148 MB."""
    if count >= 1e9:
        return Sentence("{count:.1f} GB", count=count / 1e9)
    if count >= 1e6:
        return Sentence("{count:.0f} MB", count=count / 1e6)
    return Sentence("{count:.0f} kB", count=count / 1e3)
