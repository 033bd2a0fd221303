"""Text to token ids as Mistral's Tekken does it. Only hotwords need it; the engine itself reads.

Text is cut into pieces by the pattern of tekken.json, each piece is UTF-8, and within a piece the
pair of neighbours that is the earliest in the vocabulary is joined until none is in it. The
pattern speaks of Unicode classes, which `re` lacks: so each character is written as one letter for
its class, and the same pattern over those letters finds where to cut. Checked against
mistral-common 1.13.1. Knows nothing about control tokens.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator, Mapping

_CLASSES = {"Lu": "U", "Lt": "U", "Ll": "l", "Lm": "o", "Lo": "o"}
# Letters: U l o as above, m a mark, N a number, n an end of line, b a blank, s another space,
# / a slash, x anything else.
_CUTS = re.compile(
    "[bs/xm]?[Uom]*[lom]+"  # a word with a capital at most in front, and what stands before it
    "|[bs/xm]?[Uom]+[lom]*"  # capitals, and what follows them
    "|N"  # each digit alone
    "|b?[/xm]+[n/]*"  # punctuation
    "|[bsn]*n+|[bsn]+(?![^bsn])|[bsn]+"
)


def pieces(text: str) -> Iterator[str]:
    """The parts of a text that are encoded on their own."""
    classes = "".join(map(_class_of, text))
    for found in _CUTS.finditer(classes):
        yield text[found.start() : found.end()]


def encode(text: str, ranks: Mapping[bytes, int]) -> list[int]:
    """Ranks of the tokens of `text`; `ranks` must hold every single byte."""
    return [rank for piece in pieces(text) for rank in _merged(piece.encode(), ranks)]


def _class_of(character: str) -> str:
    if character in "\r\n":
        return "n"
    if character in " /":
        return "b" if character == " " else "/"
    category = unicodedata.category(character)
    if category in _CLASSES:
        return _CLASSES[category]
    if category[0] in "MN":
        return "m" if category[0] == "M" else "N"
    return "s" if character.isspace() and character not in "\x1c\x1d\x1e\x1f" else "x"


def _merged(piece: bytes, ranks: Mapping[bytes, int]) -> list[int]:
    if piece in ranks:
        return [ranks[piece]]
    parts = [piece[i : i + 1] for i in range(len(piece))]
    while len(parts) > 1:
        pairs = (
            (ranks[a + b], i)
            for i, (a, b) in enumerate(itertools.pairwise(parts))
            if a + b in ranks
        )
        best = min(pairs, default=None)
        if best is None:
            break
        at = best[1]
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return [ranks[part] for part in parts]
