"""Where a sentence ends: after a full stop that is one, not an abbreviation's.

The one home of this question: lines, cues and paragraphs ask here. Knows words and languages, not
widths, times or files.

A "." before a lower-case letter or a digit ends no sentence; dotted letters (U.S., p.m., z.B.) and
titles (Gen., Sra.) never do by themselves. What is lost if that is wrong is one good place for a
break; a break after "Gen." reads badly every time.
"""

from __future__ import annotations

import re

ENDS = ".!?…。！？؟।"
CLOSING = "\"'”’»)]}」』）】"
_OPENING = "¿¡“‘«([{„‚\"'–—-"


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Two or more letters with a full stop after each: "U.S.", "e.g.", "Ph.D.", "d.h.", "т.е."
_DOTTED = re.compile(r"(?:[^\W\d_]{1,2}\.){2,}")
_ORDINAL = re.compile(r"\d{1,2}\.")  # "der 5. Mai"
_WITH_ORDINALS = _set("de da nb nn no fi cs sk pl hu hr sl et lv is tr")

# Binds what follows: never the end of a sentence, and no line should end there. Titles and
# places stand before a name, so that they count with a capital only ("a rep. Then" is none).
_TITLES = {
    "en": "Mr Mrs Ms Mx Dr Prof St Gen Sen Rep Gov Capt Cpt Col Lt Sgt Maj Adm Cmdr Rev Hon Pres "
    "Supt Insp Messrs Mt Ft",
    "de": "Hr Fr Dr Prof Dipl Ing St Hl",
    "fr": "M MM Mme Mmes Mlle Mlles Dr Pr Me Mgr St Ste",
    "es": "Sr Sra Sres Sras Srta D Dña Dr Dra Prof Profa Ud Uds Lic Ing Gral Av Avda Sto Sta",
    "it": "Sig Sigg Sig.ra Sig.na Dott Dott.ssa Prof Prof.ssa Ing Avv Geom Rag On Arch",
    "pt": "Sr Sra Srs Sras Srta D Dr Dra Prof Profa Eng Exmo Exma Av",
    "nl": "Dhr Mevr Mw Dr Drs Ir Ing Mr Prof St",
    "sv": "Dr Prof",
    "pl": "Dr Prof Inż Mgr Ul Św",
    "ru": "Г Гг Ул Им Проф Акад",
}
_BINDING = {
    "en": "vs approx ca cf esp incl viz e.g i.e",
    "de": "bzw ca evtl ggf inkl exkl vgl sog bes geb gest allg z.b d.h u.a",
    "fr": "ex env cf av apr chap p.ex",
    "es": "ej núm pág aprox p.ej",
    "it": "es pag ca p.es",
    "pt": "ex pág aprox p.ex",
    "nl": "bv bijv ca nl resp incl b.v d.w.z",
    "sv": "ca bl resp inkl t.ex bl.a d.v.s",
    "pl": "np tzn tj m.in",
    "ru": "напр см тыс млн ул им т.е т.к",
}
# Binds a number that follows, and is an ordinary word or end of sentence otherwise.
_BEFORE_NUMBERS = _set(
    "no nos nr num núm vol fig ch p pp art sec jan feb mar apr jun jul aug sep sept oct nov dec "
    "okt dez abs bd kap févr janv juil déc n° §"
)
# May end a sentence; before a lower-case letter they do not even end a clause.
_EITHER = _set("inc ltd co corp bros jr sr etc dept est al usw ecc")

_NONE = _set("")
_TITLE_WORDS = {language: _set(words) for language, words in _TITLES.items()}
_BINDING_WORDS = {language: _set(words) for language, words in _BINDING.items()}


def ends_sentence(before: str, after: str, language: str | None = None) -> bool:
    """Whether a sentence ends between two words; `language` ISO 639-1, None is read as English.

    `after` may be "" for the end of all that was said.
    """
    bare = before.rstrip().rstrip(CLOSING)
    if not bare or bare[-1] not in ENDS:
        return False
    if bare[-1] not in ".…":
        return True
    following = first_letter(after)
    if following.islower() or (bare[-1] == "." and following.isdigit()):
        return False
    return bare.endswith(("..", "…")) or not is_abbreviation(bare, language)


def is_abbreviation(word: str, language: str | None = None) -> bool:
    """Whether the full stop of a word is that of an abbreviation that by itself ends nothing."""
    bare = word.strip().lstrip(_OPENING)
    if not bare.endswith("."):
        return False
    code = (language or "en")[:2]
    if _DOTTED.fullmatch(bare) or (_ORDINAL.fullmatch(bare) and code in _WITH_ORDINALS):
        return True
    return (len(bare) == 2 and bare[0].isalpha()) or _binds(bare[:-1], code)


def binds_to_next(before: str, after: str, language: str | None = None) -> bool:
    """Whether `before` is an abbreviation that belongs to `after`: "Gen. | Smith", "No. | 1"."""
    bare = before.strip().lstrip(_OPENING)
    if not bare.endswith("."):
        return False
    if first_letter(after).isdigit() and bare[:-1].lower() in _BEFORE_NUMBERS:
        return True
    if len(bare) == 2 and bare[0].islower():  # "z. B.", "p. ex.", "d. h."
        return True
    return _binds(bare[:-1], (language or "en")[:2])


def stops_clause(before: str, after: str, language: str | None = None) -> bool:
    """Whether a full stop that ends no sentence at least ends a clause: it is no abbreviation's."""
    bare = before.rstrip().rstrip(CLOSING)
    if not bare.endswith((".", "…")) or first_letter(after).isdigit():
        return False
    return bare.strip(" .").lower() not in _EITHER and not is_abbreviation(bare, language)


def first_letter(text: str) -> str:
    """The first character that is no space, quote or bracket; "" if there is none."""
    return text.lstrip().lstrip(_OPENING)[:1]


def _binds(bare: str, code: str) -> bool:
    if bare[:1].isupper() and bare in _TITLE_WORDS.get(code, _NONE):
        return True
    return bare.lower() in _BINDING_WORDS.get(code, _NONE)
