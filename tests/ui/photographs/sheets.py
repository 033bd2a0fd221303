"""Contact sheets: many pictures on one, each with its name, so that few have to be looked at.

Of every picture only the part around the windows is laid out, at its own size where that fits:
what is cut or faint by a pixel is seen only so. Knows nothing of what is in the pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter

SHEET = QSize(1150, 1030)  # px; larger ones are made smaller by most viewers
_CAPTION, _GAP = 18, 6  # px


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture's name, its file, and the part of it that is to be seen: all of it if empty."""

    name: str
    file: Path
    part: QRect


def lay_out(shots: Sequence[Shot], folder: Path, name: str, zoom: float = 1.0) -> list[Path]:
    """Sheets as PNG files `name-1.png` …, their pictures in order; needs a QGuiApplication."""
    sheets: list[_Sheet] = []
    for shot in shots:
        picture = _cut_out(shot, zoom)
        if not sheets or not sheets[-1].take(shot.name, picture):
            sheets.append(_Sheet())
            sheets[-1].take(shot.name, picture)
    return [sheet.save(folder / f"{name}-{at}.png") for at, sheet in enumerate(sheets, 1)]


def _cut_out(shot: Shot, zoom: float) -> QImage:
    whole = QImage(str(shot.file))
    part = whole.copy(shot.part) if not shot.part.isEmpty() else whole
    most = SHEET - QSize(2 * _GAP, 2 * _GAP + _CAPTION)
    size = part.size() * zoom
    if size.width() > most.width() or size.height() > most.height():
        size = size.scaled(most, Qt.AspectRatioMode.KeepAspectRatio)
    smooth = Qt.TransformationMode.SmoothTransformation
    return part.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)


class _Sheet:
    """Rows of pictures, filled from the left."""

    def __init__(self) -> None:
        self._image = QImage(SHEET, QImage.Format.Format_RGB32)
        self._image.fill(QColor("white"))
        self._next = QPoint(_GAP, _GAP)
        self._row_height = 0

    def take(self, name: str, picture: QImage) -> bool:
        """Lay it out where there is room for it; whether there was."""
        if self._next.x() + picture.width() + _GAP > SHEET.width():
            self._next = QPoint(_GAP, self._next.y() + self._row_height)
            self._row_height = 0
        if self._next.y() + _CAPTION + picture.height() + _GAP > SHEET.height():
            return False
        self._paint(name, picture)
        self._row_height = max(self._row_height, _CAPTION + picture.height() + _GAP)
        self._next += QPoint(picture.width() + _GAP, 0)
        return True

    def save(self, path: Path) -> Path:
        used = QRect(0, 0, SHEET.width(), self._next.y() + self._row_height)
        self._image.copy(used).save(str(path))
        return path

    def _paint(self, name: str, picture: QImage) -> None:
        painter = QPainter(self._image)
        font = QFont()
        font.setPixelSize(13)
        painter.setFont(font)
        told = QRect(self._next, QSize(picture.width(), _CAPTION))
        painter.drawText(told, Qt.AlignmentFlag.AlignVCenter, name)
        painter.drawImage(self._next + QPoint(0, _CAPTION), picture)
        painter.end()
