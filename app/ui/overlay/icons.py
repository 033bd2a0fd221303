"""The controls' icons, drawn as strokes on a 24 × 24 grid so that they are sharp at any scale."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap

GRID = 24
_STROKE = 1.8
_SCALES = (1, 2, 3)


def _pause() -> QPainterPath:
    path = QPainterPath()
    for x in (8.5, 15.5):
        path.moveTo(x, 6)
        path.lineTo(x, 18)
    return path


def _source() -> QPainterPath:
    """A microphone."""
    path = QPainterPath()
    path.addRoundedRect(QRectF(9, 3.5, 6, 10.5), 3, 3)
    path.moveTo(5.5, 11.5)
    path.arcTo(QRectF(5.5, 5, 13, 13), 180, 180)
    path.moveTo(12, 18)
    path.lineTo(12, 21)
    return path


def _letter(height: float) -> QPainterPath:
    """A capital A that stands on the lower line, with room for a sign to its right."""
    top, foot, half = 19 - height, 19.0, height * 0.38
    middle = 3 + half
    path = QPainterPath(QPointF(middle - half, foot))
    path.lineTo(middle, top)
    path.lineTo(middle + half, foot)
    bar = foot - height * 0.32
    path.moveTo(middle - half * 0.66, bar)
    path.lineTo(middle + half * 0.66, bar)
    return path


def _smaller() -> QPainterPath:
    path = _letter(10)
    path.moveTo(14, 9)
    path.lineTo(20, 9)
    return path


def _larger() -> QPainterPath:
    path = _letter(14)
    path.moveTo(15, 9)
    path.lineTo(22, 9)
    path.moveTo(18.5, 5.5)
    path.lineTo(18.5, 12.5)
    return path


def _lines() -> QPainterPath:
    """Lines of text, and an arrow up: there will be more of them."""
    return _text_with_arrow(-1)


def _fewer() -> QPainterPath:
    return _text_with_arrow(1)


def _text_with_arrow(way: int) -> QPainterPath:
    path = QPainterPath()
    for y, end in ((13.5, 20), (18.5, 14)):
        path.moveTo(4, y)
        path.lineTo(end, y)
    path.moveTo(8, 6.5 - 2 * way)
    path.lineTo(12, 6.5 + 2 * way)
    path.lineTo(16, 6.5 - 2 * way)
    return path


def _close() -> QPainterPath:
    path = QPainterPath(QPointF(6.5, 6.5))
    path.lineTo(17.5, 17.5)
    path.moveTo(17.5, 6.5)
    path.lineTo(6.5, 17.5)
    return path


def _more() -> QPainterPath:
    path = QPainterPath()
    for x in (6, 12, 18):
        path.addEllipse(QPointF(x, 12), 1.1, 1.1)
    return path


_PATHS: dict[str, Callable[[], QPainterPath]] = {
    "hold": _pause,
    "source": _source,
    "smaller": _smaller,
    "larger": _larger,
    "lines": _lines,
    "fewer": _fewer,
    "close": _close,
    "more": _more,
}
_FILLED = ("more",)


def icon(name: str, color: QColor, disabled: QColor, checked: QColor | None = None) -> QIcon:
    """One of the names above; `checked` is its colour while the button is held down."""
    made = QIcon()
    for scale in _SCALES:
        made.addPixmap(_draw(name, color, scale), QIcon.Mode.Normal)
        made.addPixmap(_draw(name, disabled, scale), QIcon.Mode.Disabled)
        if checked is not None:
            for mode in (QIcon.Mode.Normal, QIcon.Mode.Active):
                made.addPixmap(_draw(name, checked, scale), mode, QIcon.State.On)
    return made


def _draw(name: str, color: QColor, scale: int) -> QPixmap:
    pixmap = QPixmap(GRID * scale, GRID * scale)
    pixmap.setDevicePixelRatio(scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    round_ends = Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
    painter.setPen(QPen(color, _STROKE, Qt.PenStyle.SolidLine, *round_ends))
    if name in _FILLED:
        painter.setBrush(color)
    painter.drawPath(_PATHS[name]())
    painter.end()
    return pixmap
