"""Draws caption lines, each once: an outlined line takes 9 ms to draw and a word changes only one.

A line is drawn as a whole, in the direction it is given: text in the edge's colour where there is
an edge, then in its own, the tail dimmed; below it a band where one is wanted. Knows nothing of
where lines break or when they come.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPen,
    QPixmap,
    QTextCharFormat,
    QTextLayout,
    QTextLine,
    QTextOption,
)

from app.core.lines import Line
from app.core.voices import ME
from app.settings import OverlaySettings
from app.ui.widgets.languages import RTL

_Key: TypeAlias = tuple[Line, Qt.LayoutDirection]

TAIL_OPACITY = 0.6  # dim, and still 7:1 as white on black
OUTLINE = 0.07  # of the font's height, on each side of a stroke
SHADOW = 0.07  # of the font's height, down and to the right
RELIEF = 0.05  # … of raised letters, whose side is seen; up and to the left of depressed ones
_BOX = 0.045  # … the line round a word that is pointed out
_SHADOW_INK = QColor(0, 0, 0, 220)
_OWN_LIGHT, _OWN_DARK = "#7cc4ff", "#00508f"  # the user's name, in light and in dark text
_UNBROKEN = 1e6  # px; lines are broken by `app.core.lines`, not here
_OVERHANG = 0.5  # of a line's height, above and below: what tall scripts and edges may need


def edge_room(font: QFont) -> float:
    """Space kept free at both ends for the outline or shadow of the outermost letters, px."""
    return QFontMetricsF(font).height() * max(OUTLINE, SHADOW)


class LinePictures:
    """Lines of one look. `size` is a line's room, `scale` the screen's pixels per unit of it."""

    def __init__(self, settings: OverlaySettings, font: QFont, size: QSize, scale: float) -> None:
        self.scale = scale
        self._ink = QColor(settings.text_color)
        self._ink.setAlphaF(settings.text_opacity)
        self._band = QColor(settings.band_color)
        self._band.setAlphaF(settings.band_opacity)
        self._edge = settings.edge
        self._font = font
        self._font_height = QFontMetricsF(font).height()
        self._size = size
        self._overhang = round(size.height() * _OVERHANG)
        self._drawn: dict[_Key, QPixmap] = {}

    def paint(self, painter: QPainter, line: Line, way: Qt.LayoutDirection, top: int) -> None:
        """Put the line's room at `top`, its text running this way."""
        picture = self._drawn.get((line, way))
        if picture is None:
            picture = self._drawn[line, way] = self._draw(line, way)
        painter.drawPixmap(0, top - self._overhang, picture)

    def keep_only(self, lines: Iterable[_Key]) -> None:
        """Forget the others: they have scrolled away or grown."""
        self._drawn = {key: self._drawn[key] for key in lines}

    def _draw(self, line: Line, way: Qt.LayoutDirection) -> QPixmap:
        height = self._size.height() + 2 * self._overhang
        picture = QPixmap(QSize(self._size.width(), height) * self.scale)
        picture.setDevicePixelRatio(self.scale)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHints(
            QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing
        )
        self._draw_text(painter, line, way)
        painter.end()
        return picture

    def _draw_text(self, painter: QPainter, line: Line, way: Qt.LayoutDirection) -> None:
        room = self._size.width() - 2 * edge_room(self._font)
        text = _laid_out(line, way, room, self._font, self._ink, label=voice(line.lane, self._ink))
        origin = self._origin(text.lineAt(0))
        self._draw_band(painter, text.lineAt(0), origin)
        self._draw_boxes(painter, line, text.lineAt(0), origin)
        if self._edge == "shadow":
            drop = self._font_height * SHADOW
            shadow = _laid_out(line, way, room, self._font, _SHADOW_INK)
            shadow.draw(painter, origin + QPointF(drop, drop))
        elif self._edge == "uniform":
            pen = QPen(self._edge_ink(), 2 * OUTLINE * self._font_height)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            _laid_out(line, way, room, self._font, pen.color(), pen).draw(painter, origin)
        elif self._edge in ("raised", "depressed"):
            side = _laid_out(line, way, room, self._font, self._edge_ink())
            deep = round(max(1.0, RELIEF * self._font_height) * self.scale)
            step = (1 if self._edge == "raised" else -1) / self.scale
            for pixel in range(deep, 0, -1):
                side.draw(painter, origin + QPointF(pixel, pixel) * step)
        text.draw(painter, origin)

    def _draw_band(self, painter: QPainter, text: QTextLine, origin: QPointF) -> None:
        """Behind the letters of this line, as high as its room, so that bands join."""
        if not self._band.alpha() or not text.naturalTextWidth():
            return
        around = edge_room(self._font)
        left = origin.x() + text.naturalTextRect().left() - around
        width = text.naturalTextWidth() + 2 * around
        painter.fillRect(QRectF(left, self._overhang, width, self._size.height()), self._band)

    def _draw_boxes(self, painter: QPainter, line: Line, text: QTextLine, origin: QPointF) -> None:
        """Round each word that is pointed out, in the colour of the text; no letter moves."""
        thick = max(1.5, self._font_height * _BOX)
        painter.setPen(QPen(self._ink, thick))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        label = _utf16_length(line.label)
        for begin, end in line.boxed:
            ends = [_x_of(text, label + _utf16_length(line.text[:at])) for at in (begin, end)]
            left, width = origin.x() + min(ends), abs(ends[1] - ends[0])
            top, height = self._overhang + thick, self._size.height() - 2 * thick
            box = QRectF(left - thick, top, width + 2 * thick, height)
            painter.drawRoundedRect(box, 2 * thick, 2 * thick)

    def _edge_ink(self) -> QColor:
        ink = contrasting(self._ink)
        ink.setAlphaF(self._ink.alphaF())
        return ink

    def _origin(self, laid_out: QTextLine) -> QPointF:
        """Top left of the layout: its baseline is where the chosen font has it.

        Other fonts, which lend letters that it lacks, make a line higher when the first such letter
        comes: centred, all its words would move.
        """
        metrics = QFontMetricsF(self._font)
        baseline = (self._size.height() - metrics.height()) / 2 + metrics.ascent()
        top = self._overhang + baseline - laid_out.ascent()
        return QPointF(edge_room(self._font), top)


def _laid_out(
    line: Line,
    way: Qt.LayoutDirection,
    room: float,
    font: QFont,
    color: QColor,
    outline: QPen | None = None,
    label: QColor | None = None,
) -> QTextLayout:
    """At the side where it begins to read.

    Aligned by Qt, which goes by how far the text advances: its ink ends a pixel or two elsewhere
    with every last letter, and would have every word before it move.
    """
    side = Qt.AlignmentFlag.AlignRight if way == RTL else Qt.AlignmentFlag.AlignLeft
    option = QTextOption(side | Qt.AlignmentFlag.AlignAbsolute)
    option.setWrapMode(QTextOption.WrapMode.NoWrap)
    option.setTextDirection(way)
    layout = QTextLayout(line.label + line.text + line.tail, font)
    layout.setTextOption(option)
    named, committed = _utf16_length(line.label), _utf16_length(line.text)
    layout.setFormats(
        [
            _format(0, named, label or color, outline),
            _format(named, committed, color, outline),
            _format(named + committed, _utf16_length(line.tail), _dimmed(color), outline),
        ]
    )
    layout.beginLayout()
    layout.createLine().setLineWidth(room if way == RTL else _UNBROKEN)
    layout.endLayout()
    return layout


def _format(
    start: int, length: int, color: QColor, outline: QPen | None
) -> QTextLayout.FormatRange:
    look = QTextCharFormat()
    look.setForeground(color)
    if outline is not None:
        pen = QPen(outline)
        pen.setColor(color)
        look.setTextOutline(pen)
    made = QTextLayout.FormatRange()
    made.start, made.length, made.format = start, length, look
    return made


def _x_of(text: QTextLine, place: int) -> float:
    """Where the cursor would stand before the unit at `place`."""
    found: object = text.cursorToX(place)  # PySide gives the place back, too
    assert isinstance(found, tuple)
    return float(found[0])


def _utf16_length(text: str) -> int:
    """Qt counts UTF-16 units, Python characters."""
    return len(text.encode("utf-16-le")) // 2


def _dimmed(color: QColor) -> QColor:
    dim = QColor(color)
    dim.setAlphaF(color.alphaF() * TAIL_OPACITY)
    return dim


def voice(lane: str, ink: QColor) -> QColor:
    """The colour in which it is said who speaks: the user's own stands out, light or dark as the
    text is; 7:1 on black, and on white."""
    if lane != ME:
        return ink
    own = QColor(_OWN_LIGHT if _is_light(ink) else _OWN_DARK)
    own.setAlphaF(ink.alphaF())
    return own


def contrasting(ink: QColor) -> QColor:
    """The colour of an outline: black around light text, white around dark text."""
    return QColor(Qt.GlobalColor.black if _is_light(ink) else Qt.GlobalColor.white)


def _is_light(ink: QColor) -> bool:
    return ink.lightnessF() > 0.45
