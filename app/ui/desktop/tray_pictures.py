"""The tray's icon in each state: the app's, with a mark whose shape says what its colour does.

running     a filled disc          saving, starting   three dots
paused      two bars               trouble            a triangle with a stroke
off         a ring                 failed             a square with a cross
"""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF

from app.session.status import Stage
from app.ui.widgets import stages, theme

SIZES = (16, 22, 24, 32, 48, 64)
_SHARE = 0.7  # of the icon's side that the mark takes, at the bottom right
_MARGIN = 0.14  # of the mark's ground around what is drawn on it
_GROUND, _INK = QColor("#101216"), QColor("#ffffff")
_COLORS = {
    "running": QColor("#3ddc84"),
    "paused": _INK,
    "off": _INK,
    "busy": QColor("#7cc4ff"),
    "trouble": QColor("#ffc24b"),
    "failed": QColor("#ff6b5e"),
}


def mark_of(stage: Stage) -> str:
    """The name of the mark for a stage."""
    if stage is Stage.FAILED:
        return "failed"
    if stage is Stage.PAUSED:
        return "paused"
    if stage in stages.OFF:
        return "off"
    if stage in stages.TROUBLE:
        return "trouble"
    return "running" if stage in stages.WELL else "busy"


@cache
def icon(mark: str) -> QIcon:
    """The app's icon with this mark; "quiet" has none."""
    made = QIcon()
    for size in SIZES:
        made.addPixmap(_picture(mark, size))
    return made


def _picture(mark: str, size: int) -> QPixmap:
    pixmap = theme.icon().pixmap(size, size)
    if mark not in _COLORS:
        return pixmap
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    side = round(pixmap.width() * _SHARE)
    room = QRectF(pixmap.width() - side, pixmap.height() - side, side, side)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_GROUND)
    painter.drawRoundedRect(room, side * 0.28, side * 0.28)
    margin = round(side * _MARGIN)  # whole pixels: at 16 there are few
    _draw(painter, mark, room.adjusted(margin, margin, -margin, -margin))
    painter.end()
    return pixmap


def _draw(painter: QPainter, mark: str, room: QRectF) -> None:
    color, side = _COLORS[mark], room.width()
    painter.setBrush(color)
    if mark == "running":
        painter.drawEllipse(room)
    elif mark == "paused":
        bar = QRectF(room.x(), room.y(), max(1, round(0.3 * side)), side)
        painter.drawRect(bar)
        painter.drawRect(bar.translated(side - bar.width(), 0))
    elif mark == "busy":
        for number in range(3):
            middle = QPointF(room.x() + (0.14 + 0.36 * number) * side, room.center().y())
            painter.drawEllipse(middle, 0.15 * side, 0.15 * side)
    elif mark == "off":
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(color, 0.2 * side))
        painter.drawEllipse(room.adjusted(0.12 * side, 0.12 * side, -0.12 * side, -0.12 * side))
    elif mark == "trouble":
        corners = (QPointF(room.center().x(), room.top()), room.bottomLeft(), room.bottomRight())
        painter.drawPolygon(QPolygonF(list(corners)))
        painter.setBrush(_GROUND)
        stroke = QRectF(room.center().x() - 0.08 * side, room.y() + 0.36 * side, 0.16 * side, 0)
        painter.drawRect(stroke.adjusted(0, 0, 0, 0.44 * side))
    else:
        painter.drawRect(room)
        painter.setPen(QPen(_GROUND, 0.17 * side))
        inner = room.adjusted(0.24 * side, 0.24 * side, -0.24 * side, -0.24 * side)
        painter.drawLine(inner.topLeft(), inner.bottomRight())
        painter.drawLine(inner.topRight(), inner.bottomLeft())
