"""The controls' icons, drawn as strokes on a 24 × 24 grid so that they are sharp at any scale."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap

GRID = 24
_STROKE = 1.8
_SCALES = (1, 2, 3)


def _play() -> QPainterPath:
    path = QPainterPath(QPointF(8, 5.5))
    path.lineTo(18.5, 12)
    path.lineTo(8, 18.5)
    path.closeSubpath()
    return path


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


def _engine() -> QPainterPath:
    """A chip."""
    path = QPainterPath()
    path.addRoundedRect(QRectF(6.5, 6.5, 11, 11), 2, 2)
    path.addRect(QRectF(10.5, 10.5, 3, 3))
    for at in (9.5, 14.5):
        for start, end in ((3.5, 6.5), (17.5, 20.5)):
            path.moveTo(at, start)
            path.lineTo(at, end)
            path.moveTo(start, at)
            path.lineTo(end, at)
    return path


def _window() -> QPainterPath:
    path = QPainterPath()
    path.addRoundedRect(QRectF(3.5, 5, 17, 14), 2.5, 2.5)
    path.moveTo(3.5, 9)
    path.lineTo(20.5, 9)
    for y, end in ((12.2, 17), (15.6, 13)):
        path.moveTo(7, y)
        path.lineTo(end, y)
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
    "play": _play,
    "pause": _pause,
    "source": _source,
    "engine": _engine,
    "window": _window,
    "close": _close,
    "more": _more,
}
_FILLED = ("play", "more")


def icon(name: str, color: QColor, disabled: QColor) -> QIcon:
    """One of "play", "pause", "source", "engine", "window", "close", "more"."""
    made = QIcon()
    for scale in _SCALES:
        made.addPixmap(_draw(name, color, scale), QIcon.Mode.Normal)
        made.addPixmap(_draw(name, disabled, scale), QIcon.Mode.Disabled)
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
