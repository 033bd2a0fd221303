"""Contact sheets: many pictures on one, each with its name, so that few have to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter

_WIDTH, _CAPTION, _GAP = 500, 20, 8  # px
_COLUMNS, _ROWS = 3, 4


def lay_out(pictures: Sequence[tuple[str, Path]], folder: Path, name: str) -> list[Path]:
    """Sheets of a dozen pictures each, as PNG files `name-1.png` …; needs a QGuiApplication."""
    many = _COLUMNS * _ROWS
    sheets = [pictures[at : at + many] for at in range(0, len(pictures), many)]
    return [_sheet(some, folder / f"{name}-{number}.png") for number, some in enumerate(sheets, 1)]


def _sheet(pictures: Sequence[tuple[str, Path]], path: Path) -> Path:
    first = QImage(str(pictures[0][1]))
    height = round(_WIDTH * first.height() / first.width())
    rows = -(-len(pictures) // _COLUMNS)
    step_x, step_y = _WIDTH + _GAP, height + _CAPTION + _GAP
    sheet = QImage(_COLUMNS * step_x + _GAP, rows * step_y + _GAP, QImage.Format.Format_RGB32)
    sheet.fill(QColor("white"))
    painter = QPainter(sheet)
    font = QFont()
    font.setPixelSize(14)
    painter.setFont(font)
    for number, (caption, file) in enumerate(pictures):
        left = _GAP + number % _COLUMNS * step_x
        top = _GAP + number // _COLUMNS * step_y
        painter.drawText(QRect(left, top, _WIDTH, _CAPTION), Qt.AlignmentFlag.AlignVCenter, caption)
        smaller = QImage(str(file)).scaled(
            _WIDTH, height,
            Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation,
        )  # fmt: skip
        painter.drawImage(left, top + _CAPTION, smaller)
    painter.end()
    sheet.save(str(path))
    return path
