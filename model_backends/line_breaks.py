"""Where text of any script may break, and where two pieces of it need a space between them.

Below the app, since what aligns two hearings of the same speech has to know it. Knows scripts and
characters, nothing about words' times, widths or files.
"""

from __future__ import annotations

import re
from functools import cache

# Characters between which a line may break anywhere: kana, Han, their punctuation, full width.
CJK = (
    "\u3000-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
    "\U00020000-\U0003ffff"
)
# Scripts without spaces between words: besides these Thai, Lao, Burmese, Khmer.
UNSPACED = CJK + "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
# May not begin a line (UAX #14's classes CL, CP, EX, IS, NS, CJ, PO and CM, with which JIS X 4051
# agrees): closing marks, small kana, marks that belong to the character before, units of a number.
NON_STARTERS = (
    "、。，．：；！？）〕］｝〉》」』】〟〗〙｠’”»›…‥ー々〻〜～゠・‼⁇⁈⁉ゝゞヽヾ％‰℃℉￠"
    "｡､｣･ｰﾞﾟ"
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶㇰ-ㇿｧ-ｯ"
    ",.:;!?)}%\\]\u3099-\u309c\ufe00-\ufe0f\U000e0100-\U000e01ef"
    "\u0e2f-\u0e3a\u0e45-\u0e4e\u0eaf-\u0ebc\u0ec6-\u0ece"  # Thai and Lao: vowels and marks after
)
# May not end a line: opening marks, what stands before a number; Thai and Lao vowels that are
# written before their consonant.
BEFORE_CONSONANT = "\u0e40-\u0e44\u0ec0-\u0ec4"
OPENERS = f"（〔［｛〈《「『【〖〘｟｢〝“‘«‹￥￡＄＃№({{\\[{BEFORE_CONSONANT}"


@cache  # it takes a while to compile, and is not needed before there are words
def _of(characters: str) -> re.Pattern[str]:
    return re.compile(f"[{characters}]")


def can_break(before: str, after: str) -> bool:
    """Whether a line may end after `before` when `after` comes next."""
    if not before or not after or before[-1].isspace() or after[0].isspace():
        return True
    if _of(NON_STARTERS).match(after) or is_opener(before[-1]):
        return False
    return bool(_of(UNSPACED).match(before[-1]) or _of(UNSPACED).match(after))


def is_opener(char: str) -> bool:
    """An opening bracket or quote, which may not end a line."""
    return bool(_of(OPENERS).match(char))


def needs_space(before: str, after: str) -> bool:
    """Whether two utterances put after one another need a space that neither brings."""
    if not before or not after or before[-1].isspace() or after[0].isspace():
        return False
    return not (_of(UNSPACED).match(before[-1]) or _of(UNSPACED).match(after))
