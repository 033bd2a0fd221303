"""How written text holds together: where a line may break, how wide text is, what needs a space.

Knows scripts and characters; knows nothing about words' times, fonts or files.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from model_backends.line_breaks import (
    BEFORE_CONSONANT,
    CJK,
    NON_STARTERS,
    OPENERS,
    can_break,
    is_opener,
    needs_space,
)

__all__ = [
    "can_break", "clusters", "display_width", "harmless", "is_cjk", "is_opener", "needs_space",
    "pieces", "visible",
]  # fmt: skip

# Joins the character before: marks, Thai and Lao vowels after, skin tones, what a joiner joins.
_JOINS = re.compile(
    "[\u200d\u0e2f-\u0e3a\u0e45-\u0e4e\u0eaf-\u0ebc\u0ec6-\u0ece\U0001f3fb-\U0001f3ff]"
)
_TAKES_NEXT = re.compile(f"[\u200d{BEFORE_CONSONANT}]")
_HALF_A_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]")


@cache  # they take a while to compile, and the captions are shown before they are needed
def _piece() -> re.Pattern[str]:
    return re.compile(rf"\s*(?:[{OPENERS}]*(?:[{CJK}]|[^\s{CJK}]+)[{NON_STARTERS}]*)|\s+")


@cache
def _cjk() -> re.Pattern[str]:
    return re.compile(f"[{CJK}]")


def pieces(text: str) -> list[str]:
    """Cut text into parts that hold together on a line; `"".join(pieces(t)) == t`.

    A part carries the white space before it. Words of spaced scripts stay whole, Chinese and
    Japanese part into characters with the punctuation that belongs to them.
    """
    return _piece().findall(text) if text else []


def is_cjk(char: str) -> bool:
    """Chinese or Japanese: full-width, may break at either side."""
    return bool(_cjk().match(char))


def visible(text: str) -> str:
    """Text as one line of what a reader can see: control and other unprintable characters go,
    runs of white space become a space; "" if nothing would be seen.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    kept = "".join(char for char in text if char.isspace() or not _is_control(char))
    kept = " ".join(kept.split())
    return kept if any(not _is_unseen(char) for char in kept) else ""


def _is_control(char: str) -> bool:
    return char <= "\x9f" and not char.isprintable()


def _is_unseen(char: str) -> bool:
    return unicodedata.category(char) in ("Cf", "Zs", "Zl", "Zp")


def harmless(text: str) -> str:
    """Text that a terminal only shows, whoever wrote it: a file's name, a device's, an engine.

    White space becomes a space, other control characters their pictures (ESC is "␛") or "�"; so do
    the marks that turn the direction of all that follows, and halves of characters.
    """
    if text.isprintable() and not _DANGEROUS.search(text):
        return text
    return _DANGEROUS.sub(_picture, text)


# C0 and C1 controls, line and paragraph separators, embeddings, overrides and isolates of
# direction (the marks that only a letter's neighbours feel, U+200E and U+200F, stay), surrogates.
_DANGEROUS = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufff9-\ufffb]")


def _picture(match: re.Match[str]) -> str:
    char = match.group()
    if char.isspace() and char not in "\x1c\x1d\x1e\x1f":
        return " "
    if char < " ":
        return chr(0x2400 + ord(char))
    return "␡" if char == "\x7f" else "\N{REPLACEMENT CHARACTER}"


def display_width(text: str) -> int:
    """Columns that text takes: 2 for full-width characters, 0 for marks, else 1 (UAX #11)."""
    return sum(map(_char_width, text)) if not text.isascii() else len(text)


def _char_width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def clusters(text: str) -> list[str]:
    """Cut text into what a reader sees as characters: a base with the marks that follow it.

    A Thai or Lao vowel that is written before its consonant stays with it, two halves of a flag
    and a family of joined emoji stay together.
    """
    if text.isascii():
        return list(text)
    found: list[str] = []
    for char in text:
        if found and _belongs(found[-1], char):
            found[-1] += char
        else:
            found.append(char)
    return found


def _belongs(cluster: str, char: str) -> bool:
    if _JOINS.match(char) or unicodedata.category(char).startswith("M"):
        return True
    if _TAKES_NEXT.match(cluster[-1]):
        return True
    return bool(_HALF_A_FLAG.match(char) and _HALF_A_FLAG.fullmatch(cluster))
