"""Text to ids: as mistral-common encoded it with the published vocabulary, kept as data.

`tekken_cases.json` holds the texts, their ranks, and every token of the vocabulary that lies
within one of them: joining pairs can ask for no other.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_backends.voxtral.tekken import Tekken
from model_backends.voxtral.tekken_encode import encode, pieces
from tests.model_backends.voxtral.transcribing import TINY

_DATA = json.loads(Path(__file__).with_name("tekken_cases.json").read_text("utf-8"))
RANKS = {bytes.fromhex(token): rank for token, rank in _DATA["ranks"].items()}


@pytest.mark.parametrize("text", _DATA["cases"])
def test_texts_are_encoded_as_the_reference_does(text: str) -> None:
    assert encode(text, RANKS) == _DATA["cases"][text]


@given(st.text())
def test_nothing_is_lost(text: str) -> None:
    assert "".join(pieces(text)) == text
    tokens = {rank: token for token, rank in RANKS.items()}
    assert b"".join(tokens[rank] for rank in encode(text, RANKS)) == text.encode()


def test_ids_are_those_that_the_model_says() -> None:
    """ " seven" is three tokens, of which the last is a single byte."""
    tokens = Tekken.load(TINY / "tekken.json", 1400)
    ids = tokens.encode(" seven")
    assert [tokens.text(i) for i in ids] == [b" se", b"ve", b"n"]
    assert all(tokens.is_text(i) for i in ids)
