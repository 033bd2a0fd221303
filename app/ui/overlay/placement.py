"""Where the caption box goes: arithmetic on rectangles, no windows.

Places are kept relative to their screen, the last used screen last, so that they still make
sense when screens are rearranged, renamed or gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from PySide6.QtCore import QPoint, QRect, QSize

BOTTOM_MARGIN = 0.06  # of the screen's height: clear of most docks, near what is watched
WIDEST = 0.9  # of the screen's width, unless the user makes it wider
_FARTHEST = 1 << 20  # px: no desktop is as wide; Qt counts in 32 bits
_GAP = 12  # px between the captions and a window beside them

Geometry = Mapping[str, Sequence[int]]


def default_box(screen: QRect, size: QSize) -> QRect:
    """Bottom centre."""
    fitted = size.boundedTo(QSize(round(screen.width() * WIDEST), screen.height()))
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
    """The box kept for the screen called `name`, wherever that screen is now.

    None if none is kept, or what is kept can be no place: settings may be written by hand.
    """
    x, y, width, height = geometry.get(name, (0, 0, 0, 0))
    if min(width, height) < 1 or max(abs(x), abs(y), width, height) > _FARTHEST:
        return None
    return kept_on(QRect(screen.x() + x, screen.y() + y, width, height), screen)


def remember(geometry: Geometry, name: str, screen: QRect, box: QRect) -> dict[str, list[int]]:
    """The geometry with this box added as the latest."""
    kept = {other: list(sides) for other, sides in geometry.items() if other != name}
    kept[name] = [box.x() - screen.x(), box.y() - screen.y(), box.width(), box.height()]
    return kept


def last_used(geometry: Geometry, names: Sequence[str]) -> str | None:
    """Of the screens there are now, the one captions were on last."""
    return next((name for name in reversed(list(geometry)) if name in names), None)


def docked_box(room: QRect, edge: str, height: int) -> QRect:
    """The whole width of `room`, at its "top" or "bottom"."""
    top = room.top() if edge == "top" else room.bottom() + 1 - height
    return QRect(room.left(), top, room.width(), height)


def growth(
    box: QRect, screen: QRect, room: QRect, lines: int, line: int, bar: int
) -> tuple[int, int]:
    """Pixels by which a box grows up and down for so many more lines and a bar below them.

    Away from the nearer end of the screen, within `room`; fewer lines where there is too little.
    The bar goes below what is there wherever the screen has room for it, so that no line moves.
    """
    upwards = box.center().y() > screen.center().y()
    bar_below = not upwards or screen.bottom() - box.bottom() >= bar
    up, down = (0, bar) if bar_below else (bar, 0)
    free = box.top() - room.top() - up if upwards else room.bottom() - box.bottom() - down
    more = max(0, min(lines, free // line)) * line
    return (up + more, down) if upwards else (up, down + more)


def reaches_edge(box: QRect, edge: str, screens: Iterable[QRect]) -> bool:
    """Whether no other screen lies beyond that edge: room can be reserved at the desktop's only."""
    beyond = QRect(box)
    if edge == "top":
        beyond.setTop(-_FARTHEST)
        beyond.setBottom(box.top() - 1)
    else:
        beyond.setTop(box.bottom() + 1)
        beyond.setBottom(_FARTHEST)
    own = QPoint(box.center())
    return not any(screen.intersects(beyond) and not screen.contains(own) for screen in screens)


def widened(width: int, of_text: float, to_text: float, screen: QRect) -> int:
    """The width of a box whose letters have grown from one width to another.

    As many of them as before fit in a line, up to nine tenths of the screen; a box that the user
    has made wider than that stays as it is.
    """
    wanted = round(width * to_text / of_text)
    return max(width, min(wanted, round(screen.width() * WIDEST)))


def beside(captions: QRect, available: QRect, wanted: QSize, least: QSize) -> QRect:
    """A place for another window, clear of the captions where there is room for it.

    `available` is the screen without its panels; the place is never larger. The window shrinks to
    `least` before it goes under the captions.
    """
    above = QRect(available)
    above.setBottom(min(available.bottom(), captions.top() - _GAP))
    below = QRect(available)
    below.setTop(max(available.top(), captions.bottom() + _GAP))
    free = max(above, below, key=lambda room: room.height())
    if captions.isEmpty() or not captions.intersects(available):
        free = available
    size = wanted.boundedTo(free.size()).expandedTo(least).boundedTo(available.size())
    left = free.center().x() - size.width() // 2
    top = free.top() + max(0, (free.height() - size.height()) // 2)
    return kept_on(QRect(QPoint(left, top), size), available)
