"""Words on one line, some of them bold, cut off with an ellipsis where the room ends.

The line runs as its first letter does, from the side at which it begins to be read: an Arabic
sentence that is found in pieces must not be laid out piece by piece from the left. Knows nothing
of sessions.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QTextCharFormat, QTextLayout, QTextOption

from app.ui.widgets.languages import RTL, direction

Piece = tuple[str, bool]  # its text, and whether it is bold
_ELLIPSIS = "…"


def draw(painter: QPainter, room: QRectF, pieces: Sequence[Piece]) -> None:
    """In the painter's font and colour, at the top of the room."""
    fitted(pieces, painter.font(), room.width()).draw(painter, QPointF(room.topLeft()))


def fitted(pieces: Sequence[Piece], font: QFont, width: float) -> QTextLayout:
    """As much of it as fits on the line; ends with an ellipsis if that is not all."""
    text = "".join(words for words, _ in pieces)
    layout = _laid_out(text, pieces, font, width)
    fits = _fitting(layout, text, width, font)
    while fits < len(text):
        shown = text[:fits].rstrip() + _ELLIPSIS
        layout = _laid_out(shown, pieces, font, width)
        if not fits or layout.lineAt(0).textLength() >= _length(shown):
            break
        fits -= 1  # a letter that is the last now may be wider than it was: Arabic
    return layout


def _laid_out(text: str, pieces: Sequence[Piece], font: QFont, width: float) -> QTextLayout:
    way = direction("", text)
    side = Qt.AlignmentFlag.AlignRight if way == RTL else Qt.AlignmentFlag.AlignLeft
    option = QTextOption(side | Qt.AlignmentFlag.AlignAbsolute)
    option.setWrapMode(QTextOption.WrapMode.WrapAnywhere)
    option.setTextDirection(way)
    layout = QTextLayout(text, font)
    layout.setTextOption(option)
    layout.setFormats(_formats(pieces))
    layout.beginLayout()
    layout.createLine().setLineWidth(width)
    layout.endLayout()
    return layout


def _fitting(layout: QTextLayout, text: str, width: float, font: QFont) -> int:
    """How many letters of it fit; with room for an ellipsis if not all do."""
    if layout.lineAt(0).textLength() >= _length(text):
        return len(text)
    layout.beginLayout()
    line = layout.createLine()
    line.setLineWidth(max(0.0, width - QFontMetricsF(font).horizontalAdvance(_ELLIPSIS)))
    units = line.textLength()
    layout.endLayout()
    return len(text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore"))


def _formats(pieces: Sequence[Piece]) -> list[QTextLayout.FormatRange]:
    made, at = [], 0
    for words, bold in pieces:
        look = QTextLayout.FormatRange()
        look.start, look.length, look.format = at, _length(words), QTextCharFormat()
        if bold:
            look.format.setFontWeight(QFont.Weight.Bold)
        made.append(look)
        at += look.length
    return [look for look in made if look.length]


def _length(text: str) -> int:
    """In the units that Qt counts in."""
    return len(text.encode("utf-16-le")) // 2
