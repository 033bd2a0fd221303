"""Where the caption box goes: arithmetic on rectangles, no windows.

Places are kept relative to their screen, the last used screen last, so that they still make
sense when screens are rearranged, renamed or gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QPoint, QRect, QSize

BOTTOM_MARGIN = 0.06  # of the screen's height: clear of most docks, near what is watched

Geometry = Mapping[str, Sequence[int]]


def default_box(screen: QRect, size: QSize) -> QRect:
    """Bottom centre."""
    fitted = size.boundedTo(screen.size())
    top = screen.bottom() + 1 - fitted.height() - round(screen.height() * BOTTOM_MARGIN)
    left = screen.center().x() - fitted.width() // 2
    return kept_on(QRect(QPoint(left, top), fitted), screen)


def kept_on(box: QRect, screen: QRect) -> QRect:
    """The box moved, and shrunk if it must be, so that all of it is on the screen."""
    size = box.size().boundedTo(screen.size())
    x = min(max(box.x(), screen.x()), screen.right() + 1 - size.width())
    y = min(max(box.y(), screen.y()), screen.bottom() + 1 - size.height())
    return QRect(QPoint(x, y), size)


def remembered(geometry: Geometry, name: str, screen: QRect) -> QRect | None:
    """The box kept for the screen called `name`, wherever that screen is now."""
    if name not in geometry:
        return None
    x, y, width, height = geometry[name]
    return kept_on(QRect(screen.x() + x, screen.y() + y, width, height), screen)


def remember(geometry: Geometry, name: str, screen: QRect, box: QRect) -> dict[str, list[int]]:
    """The geometry with this box added as the latest."""
    kept = {other: list(sides) for other, sides in geometry.items() if other != name}
    kept[name] = [box.x() - screen.x(), box.y() - screen.y(), box.width(), box.height()]
    return kept


def last_used(geometry: Geometry, names: Sequence[str]) -> str | None:
    """Of the screens there are now, the one captions were on last."""
    return next((name for name in reversed(list(geometry)) if name in names), None)
