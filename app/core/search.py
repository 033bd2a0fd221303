"""Finding words in what was said, as people type them: whatever the case, accents or commas.

Text and query are folded the same way; a query is found within words, too, so that scripts without
spaces and languages that join words need nothing of their own. Pure text: knows no files.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PARAGRAPH = "\n"  # ends one in folded text, so that no query is found across two

# Accents of Latin, Greek and Cyrillic, and the vowel marks of Arabic and Hebrew. Not those that
# make another letter, as in Hindi and Japanese.
_MARKS = re.compile("[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u0640\u064b-\u0652\u0670]")
_STOPS = re.compile('[.,;:!?…"“”„«»()\\[\\]¿¡、。，！？；：「」『』（）।،؛؟]')
_SPACE = re.compile(r"\s+")
_LIKE = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "‐": "-", "‑": "-"})


def folded(text: str) -> str:
    """The text as it is compared: small letters, no accents, no punctuation, single spaces."""
    if text.isascii():
        return _SPACE.sub(" ", _STOPS.sub("", text.lower()))
    loose = unicodedata.normalize("NFKD", text.casefold())
    plain = unicodedata.normalize("NFC", _MARKS.sub("", loose))
    return _SPACE.sub(" ", _STOPS.sub("", plain.casefold().translate(_LIKE)))


def sought(query: str) -> str:
    """What is looked for; empty if the query has nothing to look for."""
    return folded(query).strip()


@dataclass(frozen=True, slots=True)
class Place:
    """One hit: the first and the last word that it touches, counted from 0."""

    first: int
    last: int


def places(texts: Sequence[str], query: str) -> list[Place]:
    """Where the folded `query` is found in one paragraph's words, ascending; none overlap."""
    text, starts = _folded_words(texts)
    found: list[Place] = []
    at = text.find(query) if query else -1
    while at >= 0:
        end = at + len(query)
        # a space at its beginning is the end of the word before
        found.append(Place(bisect_right(starts, at) - 1, bisect_right(starts, end - 1) - 1))
        at = text.find(query, end)
    return found


def folded_words(texts: Iterable[str]) -> str:
    """The words of one paragraph, folded as `places()` reads them."""
    return _folded_words(texts)[0]


def _folded_words(texts: Iterable[str]) -> tuple[str, list[int]]:
    """Folded word by word, and where in that each begins (after its space)."""
    parts: list[str] = []
    starts: list[int] = []
    length = 0
    spaced = True  # the text so far ends with a space, or is empty
    for text in texts:
        part = folded(text)
        if spaced:
            part = part.removeprefix(" ")
        starts.append(length + part.startswith(" "))
        length += len(part)
        spaced = part.endswith(" ") or (spaced and not part)
        parts.append(part)
    return "".join(parts), starts
