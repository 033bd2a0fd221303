"""Rows of text in aligned columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """The rows, one a line, columns two spaces apart; those in `right` are aligned right."""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = []
        for index, (cell, wide) in enumerate(zip(row, widths, strict=True)):
            padding = " " * (wide - width(cell))
            cells.append(padding + cell if index in right else cell + padding)
        lines.append("  ".join(cells).rstrip())
    return "".join(line + "\n" for line in lines)


def width(text: str) -> int:
    """Columns a terminal gives this text: wide characters take two, combining marks none."""
    shown = [char for char in text if not unicodedata.combining(char)]
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in shown)
