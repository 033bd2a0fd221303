"""How written text holds together: where a line may break, how wide text is, what needs a space.

Knows scripts and characters; knows nothing about words' times, fonts or files.
"""

from __future__ import annotations

import re
import unicodedata

# Characters between which a line may break anywhere: kana, Han, their punctuation, full width.
_CJK = (
    "\u3000-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
    "\U00020000-\U0003ffff"
)
# Scripts written without spaces whose word breaks only the engine knows: Thai, Lao, Burmese, Khmer.
_UNSPACED = _CJK + "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
# May not begin a line (JIS X 4051's classes, shortened): closing marks, small kana, marks that
# belong to the character before.
_NON_STARTERS = (
    "、。，．：；！？）〕］｝〉》」』】〟’”»…‥ー々〜・"
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ"
    ",.:;!?)}%\\]\u3099\u309a\ufe00-\ufe0f\U000e0100-\U000e01ef"
)
_OPENERS = "（〔［｛〈《「『【〝“‘«({\\["  # may not end a line

_PIECE = re.compile(
    rf"\s*(?:[{_OPENERS}]*(?:[{_CJK}]|[^\s{_CJK}]+)[{_NON_STARTERS}]*)|\s+", re.UNICODE
)
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_IS_CJK = re.compile(f"[{_CJK}]")
_IS_NON_STARTER = re.compile(f"[{_NON_STARTERS}]")
_IS_OPENER = re.compile(f"[{_OPENERS}]")


def pieces(text: str) -> list[str]:
    """Cut text into parts that hold together on a line; `"".join(pieces(t)) == t`.

    A part carries the white space before it. Words of spaced scripts stay whole, Chinese and
    Japanese part into characters with the punctuation that belongs to them.
    """
    return _PIECE.findall(text)


def can_break(before: str, after: str) -> bool:
    """Whether a line may end after `before` when `after` comes next."""
    if not before or not after or before[-1].isspace() or after[0].isspace():
        return True
    if _IS_NON_STARTER.match(after) or is_opener(before[-1]):
        return False
    return bool(_IS_UNSPACED.match(before[-1]) or _IS_UNSPACED.match(after))


def is_opener(char: str) -> bool:
    """An opening bracket or quote, which may not end a line."""
    return bool(_IS_OPENER.match(char))


def is_cjk(char: str) -> bool:
    """Chinese or Japanese: full-width, may break at either side."""
    return bool(_IS_CJK.match(char))


def needs_space(before: str, after: str) -> bool:
    """Whether two utterances put after one another need a space that neither brings."""
    if not before or not after or before[-1].isspace() or after[0].isspace():
        return False
    return not (_IS_UNSPACED.match(before[-1]) or _IS_UNSPACED.match(after))


def display_width(text: str) -> int:
    """Columns that text takes: 2 for full-width characters, 0 for marks, else 1 (UAX #11)."""
    return sum(map(_char_width, text)) if not text.isascii() else len(text)


def _char_width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def clusters(text: str) -> list[str]:
    """Cut text into what a reader sees as characters: a base with the marks that follow it."""
    found: list[str] = []
    for char in text:
        mark = unicodedata.category(char).startswith("M") or char == "\u200d"
        if found and (mark or found[-1].endswith("\u200d")):
            found[-1] += char
        else:
            found.append(char)
    return found
