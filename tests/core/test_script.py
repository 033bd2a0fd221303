"""Where text holds together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.breaks import Break, break_between
from app.core.script import (
    can_break,
    clusters,
    display_width,
    harmless,
    needs_space,
    pieces,
    visible,
)


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
        (" Mr.", " Smith", "en", Break.BAD), (" J.", " Smith", "en", Break.WORD),
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


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("แลน้ำเป็", ["แล", "น้ำ", "เป็"]), ("ໄປນຳ", ["ໄປ", "ນຳ"]), ("e\u0301a", ["e\u0301", "a"]),
        ("🇩🇪🇫🇷", ["🇩🇪", "🇫🇷"]), ("👍🏽x", ["👍🏽", "x"]), ("👨‍👩‍👧a", ["👨‍👩‍👧", "a"]),
        ("abc", ["a", "b", "c"]), ("", []),
    ],
)  # fmt: skip
def test_what_a_reader_sees_as_a_character_stays_whole(text: str, found: list[str]) -> None:
    assert clusters(text) == found


@pytest.mark.parametrize(("before", "after"), [("อากาศแ", "ละ"), ("น", "ำ"), ("ໄ", "ປ")])
def test_a_line_does_not_part_a_thai_or_lao_vowel_from_its_consonant(
    before: str, after: str
) -> None:
    assert not can_break(before, after)
    assert can_break("กิน", "ข้าว")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", "␛]0;owned␇"), ("\x1b[2J", "␛[2J"), ("\x9b2J", "�2J"),
        ("a\nb\tc\rd", "a b c d"), ("\u202egpj.exe", "�gpj.exe"), ("a\u2066b\u2069", "a�b�"),
        ("\udc9b31m", "�31m"), ("\x7f\x00", "␡␀"), ("a\u2028b", "a b"), ("\x85x", " x"),
        ("déjà 日本 שלום 🙂", "déjà 日本 שלום 🙂"), ("שלום\u200f!", "שלום\u200f!"),
        ("‍👩‍👧", "‍👩‍👧"),
    ],
)  # fmt: skip
def test_no_text_gives_a_terminal_orders(text: str, shown: str) -> None:
    assert harmless(text) == shown


@given(st.text())
def test_harmless_text_holds_no_control_character(text: str) -> None:
    assert not any(char < " " or "\x7f" <= char <= "\x9f" for char in harmless(text))
    assert harmless(harmless(text)) == harmless(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (" a  b\n", "a b"), ("  ", ""), ("\u200b\u2060", ""), ("\x1b[2Jx", "[2Jx"), ("\xa0", ""),
        ("👩‍👧", "👩‍👧"), ("\u200fש", "\u200fש"),
    ],
)  # fmt: skip
def test_visible_text_is_what_a_reader_can_see(text: str, shown: str) -> None:
    assert visible(text) == shown
