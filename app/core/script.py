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
    "\u0e2f-\u0e3a\u0e45-\u0e4e\u0eaf-\u0ebc\u0ec6-\u0ece"  # Thai and Lao: vowels and marks after
)
# May not end a line: opening marks; Thai and Lao vowels that are written before their consonant.
_BEFORE_CONSONANT = "\u0e40-\u0e44\u0ec0-\u0ec4"
_OPENERS = f"（〔［｛〈《「『【〝“‘«({{\\[{_BEFORE_CONSONANT}"

_PIECE = re.compile(
    rf"\s*(?:[{_OPENERS}]*(?:[{_CJK}]|[^\s{_CJK}]+)[{_NON_STARTERS}]*)|\s+", re.UNICODE
)
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_IS_CJK = re.compile(f"[{_CJK}]")
_IS_NON_STARTER = re.compile(f"[{_NON_STARTERS}]")
_IS_OPENER = re.compile(f"[{_OPENERS}]")
# Joins the character before: marks, Thai and Lao vowels after, skin tones, what a joiner joins.
_JOINS = re.compile(
    "[\u200d\u0e2f-\u0e3a\u0e45-\u0e4e\u0eaf-\u0ebc\u0ec6-\u0ece\U0001f3fb-\U0001f3ff]"
)
_TAKES_NEXT = re.compile(f"[\u200d{_BEFORE_CONSONANT}]")
_HALF_A_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]")


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
