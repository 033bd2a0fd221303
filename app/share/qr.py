"""An address as a QR code, for a phone's camera: rows of dark and light, or lines of text.

Knows no window and no terminal.
"""

from __future__ import annotations

import segno

QUIET = 4  # modules of light around it, as the standard asks


def rows(text: str) -> list[list[bool]]:
    """True: dark. The quiet zone is part of it."""
    code = segno.make(text, error="m", micro=False)
    return [[bool(module) for module in row] for row in code.matrix_iter(border=QUIET)]


def lines(text: str) -> list[str]:
    """Two rows of modules a line, in half blocks: for light text on a dark ground."""
    found = rows(text)
    if len(found) % 2:
        found.append([False] * len(found[0]))
    pairs = zip(found[::2], found[1::2], strict=True)
    return ["".join(_HALVES[not a, not b] for a, b in zip(*pair, strict=True)) for pair in pairs]


_HALVES = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}
