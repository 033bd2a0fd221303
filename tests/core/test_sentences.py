"""Full stops that end a sentence and full stops that do not, in several languages."""

from __future__ import annotations

import pytest

from app.core.breaks import Break, break_between
from app.core.cues import cues
from app.core.lines import CaptionLines
from app.core.paragraphs import Paragraph
from app.core.script import display_width
from app.core.sentences import ends_sentence
from model_backends.base import Word
from tests.core.words import spoken

# (before, after, language)
ENDS = [
    (" end.", " Then", "en"), (" end.", "", "en"), (" end!", " then", "en"), (" end?", " 3", "en"),
    (" end.”", " But", None), (" no.", " That", "en"), (" rep.", " Then", "en"),
    (" Ende.", " Dann", "de"), (" 1999.", " Dann", "de"), (" five.", " “Why", "en"),
    (" etc.", " The", "en"), (" wait…", " Now", "en"), (" wait...", " Now", "en"),
    (" fin.", " ¿Quién", "es"), ("い。", "散", "ja"), ("है।", " वह", "hi"), (" كيف؟", " هل", "ar"),
    (" 5.", " Then", "en"), (" mar.", " Luego", "es"), (" конец.", " Потом", "ru"),
]  # fmt: skip
GOES_ON = [
    (" U.S.", " The", "en"), (" p.m.", " On", "en"), (" e.g.", " London", "en"),
    (" i.e.", " the", "en"), (" U.K.", " as", "en"), (" D.C.", " Yesterday", "en"),
    (" Ph.D.", " Students", "en"), (" z.B.", " Berlin", "de"), (" d.h.", " Er", "de"),
    (" z.", " B.", "de"), (" B.", " Berlin", "de"), (" p.", " ex.", "fr"), (" ex.", " Paris", "fr"),
    (" p.ej.", " Madrid", "es"), (" т.е.", " Он", "ru"), (" Gen.", " Smith", "en"),
    (" Mr.", " Smith", None), (" Sra.", " García", "es"), (" Dra.", " Ruiz", "es"),
    (" Mme.", " Curie", "fr"), (" M.", " Dupont", "fr"), (" Sig.", " Rossi", "it"),
    (" Profa.", " Silva", "pt"), (" Dhr.", " Jansen", "nl"),
    (" Hr.", " Meier", "de"), (" (St.", " Mary's", "en"), (" bzw.", " Der", "de"),
    (" J.", " Smith", "en"), (" 5.", " Mai", "de"), (" Inc.", " about", "en"),
    (" Jan.", " 5", "en"), (" No.", " 1", "en"), (" approx.", " 10", "en"),
    (" end.", " then", "en"),
    (" wait…", " maybe", "en"), ("...", " maybe", "en"), (" well,", " Then", "en"),
    ("", " A", "en"),
    (" vs.", " The", "en"), (" “U.S.”", " He", "en"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "language"), ENDS)
def test_a_sentence_ends(before: str, after: str, language: str | None) -> None:
    assert ends_sentence(before, after, language)


@pytest.mark.parametrize(("before", "after", "language"), GOES_ON)
def test_a_sentence_goes_on(before: str, after: str, language: str | None) -> None:
    assert not ends_sentence(before, after, language)
    assert break_between(before, after, language) is not Break.SENTENCE


@pytest.mark.parametrize(
    ("before", "after", "language", "found"),
    [
        (" Gen.", " Smith", "en", Break.BAD), (" No.", " 1", "en", Break.BAD),
        (" Jan.", " 5", "en", Break.BAD), (" vs.", " the", "en", Break.BAD),
        (" z.", " B.", "de", Break.BAD), (" e.g.", " in", "en", Break.BAD),
        (" U.K.", " as", "en", Break.PHRASE), (" Inc.", " about", "en", Break.PHRASE),
        (" end.", " then", "en", Break.CLAUSE), (" U.S.", " are", "en", Break.WORD),
    ],
)  # fmt: skip
def test_what_an_abbreviation_is_worth_as_a_place_to_break(
    before: str, after: str, language: str | None, found: Break
) -> None:
    assert break_between(before, after, language) is found


TALK = (
    " Houses in the U.S. are very expensive and so is life in the U.K. as well, e.g. in London at"
    " 5 p.m. on a Friday. I spoke with Gen. Smith and Sen. Jones of Acme Inc. about the No. 1"
    " problem at approx. 10 a.m. in Washington D.C. yesterday. The price rose 3.5 % to $1,234.50"
    " on Jan. 5, i.e. the most since vs. the euro at St. Mary's."
)
_HELD = (
    "Gen. Smith", "Sen. Jones", "No. 1", "approx. 10", "Jan. 5", "vs. the", "St. Mary's", "e.g. in",
)  # fmt: skip


def test_no_cue_and_no_line_parts_an_abbreviation_from_what_it_belongs_to() -> None:
    words = spoken(TALK, 500, language="en", per_char_ms=60)
    lines = CaptionLines(display_width, 40)
    for word in words:
        lines.add(word)
    rows = [line.text for line in lines.visible(100)]
    cued = [row for cue in cues(words) for row in cue.text.split("\n")]
    for held in _HELD:
        assert any(held in row for row in rows), held
        assert any(held in row for row in cued), held


def test_a_long_paragraph_does_not_end_at_an_abbreviation() -> None:
    paragraph = Paragraph.begun(Word("me", 0, 0, " It", 0, 100))
    for word in spoken(" was long" * 100 + " until Gen.", 200):
        assert paragraph.takes(word)
        paragraph.add(word)
    end = paragraph.last.end_ms
    assert paragraph.takes(Word("me", 0, 0, " Smith", end, end + 300))
    paragraph.add(Word("me", 0, 0, " went.", end, end + 300))
    assert not paragraph.takes(Word("me", 0, 0, " Then", end + 300, end + 600))
