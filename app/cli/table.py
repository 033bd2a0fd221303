"""Rows of text in aligned columns, whoever named what is in them: a terminal gets no orders, and
sentences are said in the language of now."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.script import display_width, harmless
from app.language import say


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """The rows, one a line, columns two spaces apart; those in `right` are aligned right."""
    shown = [[harmless(say(cell)) for cell in row] for row in rows]
    widths = [max(map(display_width, column)) for column in zip(*shown, strict=True)]
    lines = []
    for row in shown:
        cells = []
        for index, (cell, wide) in enumerate(zip(row, widths, strict=True)):
            padding = " " * (wide - display_width(cell))
            cells.append(padding + cell if index in right else cell + padding)
        lines.append("  ".join(cells).rstrip())
    return "".join(line + "\n" for line in lines)
