"""One rule for where a paragraph ends: in the window and in the file."""

from __future__ import annotations

import pytest

from app.core.paragraphs import LONG_CHARACTERS, LONG_MS, PAUSE_MS, Paragraph
from model_backends.base import Word


def word(text: str, start_ms: int, end_ms: int) -> Word:
    return Word("me", 0, 0, text, start_ms, end_ms, "en")


@pytest.mark.parametrize(("pause_ms", "taken"), [(PAUSE_MS - 1, True), (PAUSE_MS, False)])
def test_a_silence_ends_it(pause_ms: int, taken: bool) -> None:
    paragraph = Paragraph.begun(word(" One.", 0, 300))
    assert paragraph.takes(word(" Two", 300 + pause_ms, 900 + pause_ms)) is taken


@pytest.mark.parametrize(("lasts_ms", "taken"), [(LONG_MS, True), (LONG_MS + 1, False)])
def test_one_that_lasts_long_ends_with_its_sentence(lasts_ms: int, taken: bool) -> None:
    paragraph = Paragraph.begun(word(" One", 0, 300))
    paragraph.add(word(" two.", 300, lasts_ms))
    assert paragraph.takes(word(" Three", lasts_ms, lasts_ms + 9)) is taken
    assert paragraph.takes(word(" three", lasts_ms, lasts_ms + 9))


def test_one_of_many_characters_ends_with_its_sentence() -> None:
    paragraph = Paragraph.begun(word("x" * (LONG_CHARACTERS - 2) + ".", 0, 300))
    assert paragraph.takes(word(" Three", 300, 400))
    paragraph.add(word(".", 300, 310))
    assert not paragraph.takes(word(" Three", 310, 400))
    assert paragraph.takes(word(" three", 310, 400))
