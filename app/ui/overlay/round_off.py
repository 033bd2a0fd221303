"""Round corners on desktops that cannot blend: what is see-through would be black there.

Knows nothing of what the windows show.
"""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QGuiApplication, QPainterPath, QRegion
from PySide6.QtWidgets import QWidget

from app import native


def rounded(area: QRect, radius: float) -> QRegion:
    """The pixels of a box with round corners."""
    path = QPainterPath()
    path.addRoundedRect(QRectF(area), radius, radius)
    return QRegion(path.toFillPolygon().toPolygon())


def round_off(window: QWidget, radius: float) -> None:
    """Let a window be what is painted of it, where its corners could not be seen through."""
    if native.has_compositor(QGuiApplication.platformName()):
        window.clearMask()
    else:
        window.setMask(rounded(window.rect(), radius))
