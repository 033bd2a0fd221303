"""A landscape to see captions against: as bright, dark and busy as what they lie on in life.

Painted, so that there is no picture to be licensed. The same at every size.
"""

from __future__ import annotations

import math
from random import Random

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPainterPath, QRadialGradient

_RIDGES = (  # height from the top, roughness, colour: the farthest first
    (0.50, 0.16, "#8fa9c4"),
    (0.62, 0.13, "#5f7f92"),
    (0.74, 0.10, "#3c5d55"),
    (0.88, 0.07, "#1c2f27"),
)


def paint_scenery(painter: QPainter, room: QRectF) -> None:
    """Sky, sun, clouds, ridges and dark trees, from left to right and top to bottom."""
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.fillRect(room, _sky(room))
    _paint_glow(painter, room, QPointF(0.2, 0.3), 0.5, "#fffbe8", 255)
    chance = Random(7)
    for _ in range(9):
        at = QPointF(chance.uniform(0, 1), chance.uniform(0.02, 0.4))
        _paint_glow(painter, room, at, chance.uniform(0.08, 0.2), "#ffffff", 170)
    for top, rough, color in _RIDGES:
        painter.fillPath(_ridge(room, top, rough, chance), QColor(color))
    painter.restore()


def _sky(room: QRectF) -> QLinearGradient:
    sky = QLinearGradient(room.topLeft(), room.bottomRight())
    for at, color in ((0, "#fdf3d8"), (0.35, "#cfe3f2"), (0.7, "#6fa0cf"), (1, "#223a5e")):
        sky.setColorAt(at, QColor(color))
    return sky


def _paint_glow(
    painter: QPainter, room: QRectF, at: QPointF, size: float, color: str, alpha: int
) -> None:
    """A soft spot; `at` and `size` are shares of the room's width and height."""
    middle = QPointF(room.left() + at.x() * room.width(), room.top() + at.y() * room.height())
    radius = size * room.height()
    glow = QRadialGradient(middle, radius)
    bright = QColor(color)
    bright.setAlpha(alpha)
    faded = QColor(color)
    faded.setAlpha(0)
    glow.setColorAt(0, bright)
    glow.setColorAt(1, faded)
    painter.setBrush(glow)
    painter.drawEllipse(middle, radius * 2.2, radius)


def _ridge(room: QRectF, top: float, rough: float, chance: Random) -> QPainterPath:
    """A line of hills, closed at the bottom."""
    waves = [(chance.uniform(1, 9), chance.uniform(0, 6), rough / (n + 1)) for n in range(4)]
    path = QPainterPath(room.bottomLeft())
    for step in range(81):
        x = step / 80
        y = top + sum(high * math.sin(wide * x * 3 + shift) for wide, shift, high in waves) / 2
        path.lineTo(room.left() + x * room.width(), room.top() + y * room.height())
    path.lineTo(room.bottomRight())
    path.closeSubpath()
    return path
