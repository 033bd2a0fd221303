"""The words a user expects (names, terms), as a person writes them down: a line each, or commas.

Knows text, no files and no engines.
"""

from __future__ import annotations

import re

_BETWEEN = re.compile(r"[\n\r,;、，；،؛]+")


def words_in(text: str) -> tuple[str, ...]:
    """The words of a list, each once, in its order; a word may be several (“Marie Curie”)."""
    words = (" ".join(part.split()) for part in _BETWEEN.split(text))
    return tuple(dict.fromkeys(word for word in words if word))
