"""Where text holds together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.breaks import Break, break_between
from app.core.script import can_break, clusters, display_width, needs_space, pieces


@given(st.text())
def test_pieces_and_clusters_lose_nothing(text: str) -> None:
    assert "".join(pieces(text)) == text
    assert "".join(clusters(text)) == text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (" hello, world", [" hello,", " world"]),
        ("「公園」で。", ["「公", "園」", "で。"]),
        ("ラーメンをちょっと", ["ラー", "メ", "ン", "を", "ちょっ", "と"]),
        ("我用Python写", ["我", "用", "Python", "写"]),
        (" 안녕하세요 여러분", [" 안녕하세요", " 여러분"]),
    ],
)
def test_pieces(text: str, parts: list[str]) -> None:
    assert pieces(text) == parts


@pytest.mark.parametrize(
    ("before", "after", "may"),
    [
        ("don", "'t", False), ("one", " two", True), ("天", "气", True), ("天", "。", False),
        ("「", "天", False), ("a", "天", True), ("", "a", True), ("สวัสดี", "ครับ", True),
    ],
)  # fmt: skip
def test_where_a_line_may_end(before: str, after: str, may: bool) -> None:
    assert can_break(before, after) is may


def test_width_counts_full_width_characters_twice_and_marks_not_at_all() -> None:
    assert display_width("abc") == 3
    assert display_width("日本。") == 6
    assert display_width("e\u0301") == 1
    assert display_width("ｱ") == 1


def test_utterances_need_a_space_only_in_spaced_scripts() -> None:
    assert needs_space("Yes.", "No.")
    assert not needs_space("Yes. ", "No.")
    assert not needs_space("是。", "不")
    assert not needs_space("", "No.")


@pytest.mark.parametrize(
    ("before", "after", "language", "found"),
    [
        (" end.", " Next", "en", Break.SENTENCE), (" end.”", " Next", "en", Break.SENTENCE),
        (" Mr.", " Smith", "en", Break.WORD), (" J.", " Smith", "en", Break.WORD),
        (" well,", " then", "en", Break.CLAUSE), (" dog", " and", "en", Break.PHRASE),
        (" the", " dog", "en", Break.BAD), (" of", " a", None, Break.BAD),
        (" Hund", " und", "de", Break.PHRASE), (" Hund", " und", "fr", Break.WORD),
        ("い。", "散", "ja", Break.SENTENCE), (" big", " dog", "en", Break.WORD),
    ],
)  # fmt: skip
def test_how_well_a_break_reads(
    before: str, after: str, language: str | None, found: Break
) -> None:
    assert break_between(before, after, language) is found
