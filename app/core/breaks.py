"""How good a place for a break is: after a sentence, after a clause, before a joining word.

Shared by live lines (which see only what was said so far) and subtitle cues (which see all).
Knows words and languages, not widths or times; where a sentence ends is `sentences`' business,
where a line may break at all that of `phrases`.
"""

from __future__ import annotations

from enum import IntEnum

from app.core.sentences import CLOSING, ENDS, binds_to_next, ends_sentence, stops_clause


class Break(IntEnum):
    """Higher reads better."""

    INSIDE = 0  # in the middle of a phrase whose words have no spaces between them
    BAD = 1  # after an article, preposition or conjunction: it belongs to what follows
    WORD = 2
    PHRASE = 3  # before a conjunction or preposition
    CLAUSE = 4  # after a comma and its like
    SENTENCE = 5


_CLAUSE_ENDS = frozenset(",;:–—、，；：،؛")

# Conjunctions and prepositions: a line reads best when it breaks before them, not after.
_JOINERS = {
    "en": "and or but nor so yet because although though while when where which who that if "
    "unless until since as than of in on at by for from to with without about into onto "
    "over under between through during before after against towards",
    "de": "und oder aber denn sondern weil dass obwohl wenn als ob damit während bevor nachdem in "
    "an auf bei mit nach von zu aus für durch gegen ohne um über unter vor zwischen wegen "
    "seit",
    "fr": "et ou mais donc or ni car que qui quand lorsque si comme parce puisque de à dans en "
    "par pour sur avec sans sous entre vers chez depuis pendant contre",
    "es": "y e o u pero sino porque que cuando si como aunque donde de a en con por para sin "
    "sobre entre hasta desde hacia contra según",
    "it": "e o ma però perché che quando se come mentre dove di a da in con su per tra fra senza "
    "sopra sotto verso contro",
    "pt": "e ou mas porém porque que quando se como embora onde de a em com por para sem sobre "
    "entre até desde contra",
    "nl": "en of maar want omdat dat als toen hoewel terwijl wanneer in op aan bij met naar van "
    "uit voor door tegen zonder om over onder tussen",
    "ru": "и а но или что чтобы если когда как где потому хотя пока в во на с со к ко у о об от "
    "до из за под над для без при через между",
}
_ARTICLES = {
    "en": "the a an my your his her its our their this these those",
    "de": "der die das den dem des ein eine einen einem einer mein dein sein ihr unser",
    "fr": "le la les un une des du au aux mon ton son ma ta sa mes tes ses ce cette ces",
    "es": "el la los las un una unos unas mi tu su al del",
    "it": "il lo la i gli le un uno una mio tuo suo del della al alla nel nella",
    "pt": "o a os as um uma uns umas meu seu do da dos das no na nos nas ao",
    "nl": "de het een mijn jouw zijn haar ons",
}
_BEFORE = {language: frozenset(words.split()) for language, words in _JOINERS.items()}
_BINDING = {
    language: words | frozenset(_ARTICLES.get(language, "").split())
    for language, words in _BEFORE.items()
}
_NONE: frozenset[str] = frozenset()


def break_between(before: str, after: str, language: str | None) -> Break:
    """How well a break reads between two words; `language` ISO 639-1, None is read as English."""
    last = before.rstrip().rstrip(CLOSING)[-1:]
    if last and last in ENDS:
        return _after_stop(before, after, language)
    if last and last in _CLAUSE_ENDS:
        return Break.CLAUSE
    return _between_words(before, after, language)


def _after_stop(before: str, after: str, language: str | None) -> Break:
    if ends_sentence(before, after, language):
        return Break.SENTENCE
    if binds_to_next(before, after, language):
        return Break.BAD
    if stops_clause(before, after, language):
        return Break.CLAUSE
    return _between_words(before, after, language)


def _between_words(before: str, after: str, language: str | None) -> Break:
    code = (language or "en")[:2]
    if _bare(before) in _BINDING.get(code, _NONE):
        return Break.BAD
    return Break.PHRASE if _bare(after) in _BEFORE.get(code, _NONE) else Break.WORD


def _bare(word: str) -> str:
    return word.strip().strip("¿¡" + CLOSING + "“‘«([{").lower()
