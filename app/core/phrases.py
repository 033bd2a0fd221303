"""Where a line may break: at spaces, and how well where there are none between words.

Japanese, Chinese and Thai break between phrases or words, as BudouX's models find them from three
characters on either side; of text that still grows, one character behind the break is nearly
enough. Other such scripts break between syllables. What must stay together (punctuation, katakana,
numbers, a stem and its ending) does so whatever a model says. Knows nothing of widths.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING

from app.core.script import clusters, display_width, pieces
from model_backends.line_breaks import CJK, NON_STARTERS, UNSPACED, is_opener

if TYPE_CHECKING:
    from budoux import Parser

CONTEXT = 16  # characters before a text that tell what it is, its language too
LOOK_AHEAD = 3  # characters behind a break that a model asks for
_LOOK_BACK = 3

_KANA = "\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f"
_KATAKANA = "\u30a1-\u30fa\u30fc-\u30fe\u31f0-\u31ff\uff66-\uff9f"
_HIRAGANA = "\u3041-\u3096\u309d\u309e"
_HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_DIGIT = "0-9\uff10-\uff19"
_LATIN = "A-Za-z\u00c0-\u024f\uff21-\uff3a\uff41-\uff5a"
_THAI = "\u0e01-\u0e5b"
_MARKS = "、。，．：；！？…・｡､･,.:;!?"  # a line ends well after them, of whatever it is made
_STACKERS = "\u1039\u17d2"  # Burmese and Khmer: the next consonant is written below
_SILENCERS = "\u1039\u103a"  # Burmese: … and what is before ends the syllable
# Lao and Khmer consonants end a syllable, unless a vowel or a tone mark of their own follows.
_CONSONANT = "\u0e81-\u0eae\u0edc-\u0edf\u1780-\u17a2"
_BURMESE_CONSONANT = "\u1000-\u1021\u103f"
_AFTER_CONSONANT = "\u0eb0-\u0ebd\u0ec8-\u0ece\u17b6-\u17d3"
# As much as nine in ten phrases take.
_ORDINARY = {
    "japanese": "国" * 8,
    "simplified_chinese": "国" * 5,
    "traditional_chinese": "国" * 5,
    "thai": "ก" * 8,
}
# … and nine in ten katakana words, or numbers with what they count, with marks behind them.
_KATAKANA_WORD, _NUMBER = "国" * 11, "国" * 7
# Chinese: they belong to the word before.
_ENCLITICS = frozenset("的了着過过們们嗎吗呢吧嘛啊得地著")


class Seam(IntEnum):
    """How two characters hang together; a line breaks better at a higher one."""

    TIED = 0  # never apart: a mark and what it belongs to, parts of one written character
    WORD = 1  # inside a word or a number
    PHRASE = 2  # inside a phrase: between a noun and the next, or where nothing better is known
    LOOSE = 3  # between phrases
    SPACE = 4  # there is white space, or nothing before


@dataclass(frozen=True, slots=True)
class Unit:
    """Text that holds together, with the white space before it, and how it hangs on what is before.

    `marks` stands for what may still come and cannot begin a line. `known` is what is known of its
    phrase from here on; `room` stands for an ordinary one where that is not all.
    """

    text: str
    seam: Seam
    marks: str = ""
    known: str = ""
    room: str = ""


def units(before: str, text: str, after: str = "", language: str | None = None) -> list[Unit]:
    """Cut text at every place where a line may break; the texts joined are the text again.

    `before` and `after`: what is said around it, CONTEXT and LOOK_AHEAD characters of it or more;
    if `after` is "", nothing is known of the rest. `language`: ISO 639-1, or None.
    """
    context = before[-CONTEXT:]
    if not text:
        return []
    if not _class(UNSPACED).search(context + text):  # nearly all words of nearly all languages
        return _spaced(context, text)
    model = _model_for(context, text, language)
    seams = _seams(context, text, after[:LOOK_AHEAD], model)
    starts = [at for at, seam in enumerate(seams) if seam >= Seam.PHRASE or at == 0]
    found: list[Unit] = []
    phrase, is_whole = "", bool(after)  # from the unit's end on
    for at, end in reversed(list(zip(starts, [*starts[1:], len(text)], strict=True))):
        part = text[at:end]
        is_last = not phrase
        phrase = part + phrase
        begins = seams[at] > Seam.PHRASE
        room = "" if is_whole else _ordinary(part if is_last else "", model if begins else "")
        known = part if at and not begins else phrase  # what comes at once stays together
        found.append(Unit(part, seams[at], _marks_after(part, context), known, room))
        if begins:
            phrase, is_whole = "", True
    return found[::-1]


def tied(text: str) -> list[str]:
    """Cut text at every place where a word may be cut if it must be."""
    starts = [0, *(at for at in range(1, len(text)) if _seam(text, at, False) > Seam.TIED)]
    return [text[at:end] for at, end in zip(starts, [*starts[1:], len(text)], strict=True)]


def _spaced(before: str, text: str) -> list[Unit]:
    found = [Unit(part, Seam.SPACE, _marks_after(part, "")) for part in pieces(text)]
    if found and before and not (before[-1].isspace() or text[0].isspace()):
        found[0] = Unit(found[0].text, Seam.WORD, found[0].marks)
    return found


def _marks_after(part: str, before: str) -> str:
    """What must still fit, so that a mark to come never begins a line, nor a bracket ends one."""
    last, is_wide = part[-1], bool(_class(CJK).search(before + part))
    if is_opener(last):
        return "。。。" if is_wide else "x"
    if is_wide:
        return "。" if _is(NON_STARTERS, last) else "。。"
    return "กก" if _is(UNSPACED, last) else ""


def _ordinary(begun: str, model: str) -> str:
    """What stands for a phrase, and for the word that no line parts and of which this may be the
    beginning."""
    word = ""
    if begun and _is(_KATAKANA, begun[-1]):
        word = _KATAKANA_WORD
    elif begun and _is(_DIGIT + _LATIN, begun[-1]):
        word = _NUMBER
    return max(word, _ORDINARY.get(model, ""), key=display_width)


def _seams(before: str, text: str, after: str, model: str) -> list[Seam]:
    """The seam before each character of `text`."""
    loose = _loose(before, text, after, model)
    around, first = before + text + after, len(before)
    found = [_seam(around, at, at in loose) for at in range(first, first + len(text))]
    if before and before[-1].isspace():
        found[:1] = [Seam.SPACE]
    return found


def _seam(text: str, at: int, is_loose: bool) -> Seam:
    if at == 0:
        return Seam.SPACE
    before, after = text[at - 1], text[at]
    if before.isspace():  # it stands at the beginning of what follows it
        return Seam.TIED
    if after.isspace():
        return Seam.SPACE
    if _is_tied(before, after):
        return Seam.TIED
    if not (_is(UNSPACED, before) or _is(UNSPACED, after)) or _inside_word().match(before + after):
        return Seam.WORD
    if is_loose or is_opener(after) or _is(_MARKS, before):
        return Seam.LOOSE
    stem = _is(_HAN, before) and _is(_HIRAGANA, after)
    thai = _is(_THAI, before) and _is(_THAI, after)
    return Seam.WORD if stem or thai or _ends_syllable(text, at) else Seam.PHRASE


def _is_tied(before: str, after: str) -> bool:
    if _is(NON_STARTERS, after) or is_opener(before) or _is(_STACKERS, before):
        return True
    return len(clusters(before + after)) < 2


def _ends_syllable(text: str, at: int) -> bool:
    """A consonant of which is known that it belongs to the syllable before."""
    follows = text[at + 1 : at + 2]
    if not follows:
        return False
    if _is(_BURMESE_CONSONANT, text[at]):
        return _is(_SILENCERS, follows)
    return _is(_CONSONANT, text[at]) and not _is(_AFTER_CONSONANT, follows)


@cache  # patterns take a while to compile, and are not needed before there is such text
def _class(characters: str) -> re.Pattern[str]:
    return re.compile(f"[{characters}]")


def _is(characters: str, char: str) -> bool:
    return bool(_class(characters).match(char))


@cache
def _inside_word() -> re.Pattern[str]:
    """Two characters that no line parts: of a katakana or Latin word, of a number, its counter."""
    return re.compile(
        f"[{_KATAKANA}]{{2}}|[{_LATIN}{_DIGIT}.,'’&+/_-][{_LATIN}{_DIGIT}]|[{_DIGIT}][{CJK}]"
    )


# --- models ------------------------------------------------------------------------------------


def _loose(before: str, text: str, after: str, model: str) -> set[int]:
    """Where the model parts phrases: places in `before` + `text`, those in `text` among them."""
    if not model:
        return set()
    at = skipped = max(0, len(before) - _LOOK_BACK)
    found = set()
    for chunk in _parser(model).parse(before[skipped:] + text + after):
        if not (model.endswith("chinese") and chunk.rstrip(_MARKS) in _ENCLITICS):
            found.add(at)
        at += len(chunk)
    return found


def _model_for(before: str, text: str, language: str | None) -> str:
    """ "" where there is none."""
    if _class(_THAI).search(text):
        return "thai"
    if _class(_KANA).search(text):
        return "japanese"
    if not _class(_HAN).search(text):
        return ""
    code = (language or "").lower()
    if code.startswith("ja") or _class(_KANA).search(before):
        return "japanese"
    return f"{'traditional' if _is_traditional(before + text, code) else 'simplified'}_chinese"


def _is_traditional(text: str, code: str) -> bool:
    """Whether more of its characters are in use in Taiwan alone than on the mainland alone."""
    if code in ("yue", "zh-tw", "zh-hk", "zh-hant"):
        return True
    return sum(_is_in("big5", char) - _is_in("gb2312", char) for char in text) > 0


@cache
def _is_in(encoding: str, char: str) -> bool:
    try:
        char.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


@cache
def _parser(model: str) -> Parser:
    import budoux  # not before there is such text

    parser: Parser = getattr(budoux, f"load_default_{model}_parser")()
    return parser
