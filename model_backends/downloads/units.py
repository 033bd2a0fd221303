"""Sizes in words. Imports nothing: windows ask, too."""

from __future__ import annotations


def size(count: float) -> str:
    """Bytes for people: 8.9 GB, 148 MB."""
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.0f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
