"""Tokens with times to pieces of text with times. A character that a vocabulary lacks is said byte
by byte, as several tokens of which none is text: they are one piece, once they are a character.
Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from model_backends.guess import Guess

_BROKEN = "\N{REPLACEMENT CHARACTER}"  # what the library decodes half a character to


class Token(Protocol):
    """As the library gives it: `p` is a probability."""

    @property
    def text(self) -> str: ...
    @property
    def p(self) -> float: ...
    @property
    def t0_ms(self) -> int: ...
    @property
    def t1_ms(self) -> int: ...


class Pieces:
    """Of one listening, whose tokens only become more."""

    def __init__(self) -> None:
        self._taken = 0  # tokens
        self._at = 0  # where their text ends in the whole text

    def new(self, tokens: Sequence[Token], whole: str, final: bool = False) -> list[Guess]:
        """What has come since the last time. `whole`: the text of all tokens, put together from
        their bytes. `final`: what is no character yet will not become one."""
        pieces: list[Guess] = []
        bytewise: list[Token] = []
        for token in tokens[self._taken :]:
            if _BROKEN in token.text or (bytewise and not token.text):
                bytewise.append(token)
                continue
            pieces += self._joined(bytewise, self._text_before(token.text, whole))
            bytewise = []
            self._pass(token.text, whole)
            pieces.append(_piece([token], token.text))
        rest = whole[self._at :]
        if bytewise and (final or not rest.endswith(_BROKEN)):
            pieces += self._joined(bytewise, rest)
            self._at = len(whole)
            bytewise = []
        self._taken = len(tokens) - len(bytewise)
        return pieces

    def _joined(self, tokens: Sequence[Token], text: str) -> list[Guess]:
        text = text.replace(_BROKEN, "")
        return [_piece(tokens, text)] if tokens and text else []

    def _text_before(self, following: str, whole: str) -> str:
        end = whole.find(following, self._at)
        return whole[self._at : end] if end >= 0 else ""

    def _pass(self, text: str, whole: str) -> None:
        """The whole text begins without the space that its first token has."""
        text = text if self._at else text.lstrip()
        found = whole.find(text, self._at)
        if found >= 0:
            self._at = found + len(text)


def _piece(tokens: Sequence[Token], text: str) -> Guess:
    start_ms, end_ms = tokens[0].t0_ms, max(token.t1_ms for token in tokens)
    return Guess(text, start_ms, end_ms, min(token.p for token in tokens))
