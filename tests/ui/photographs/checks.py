"""What a program can find wrong in the windows that are shown: nothing cut, covered or too faint.

Each function returns sentences, one a fault. Knows nothing of how the windows came to be so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QColor, QFontMetricsF, QGuiApplication, QImage, QPainter
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QLabel,
    QLineEdit,
    QMainWindow,
    QMenu,
    QPushButton,
    QScrollArea,
    QTextEdit,
    QToolButton,
    QWidget,
)

from app.ui.overlay.toast import Toast
from app.ui.overlay.window import CaptionOverlay
from app.ui.sessions.window import SessionsWindow
from app.ui.widgets import theme
from app.ui.widgets.color_button import contrast
from tests.ui.photographs.scene import Desktop

_NEVER_COVERED = (QDialog, QMenu, QMainWindow, SessionsWindow)
_LEAVES = (QAbstractButton, QComboBox, QLabel)
_FIELDS = (QLineEdit, QTextEdit)
_WHITE = QColor("white")
_FRAME = 4  # px of a control's edge
_LEAST, _LEAST_IN_HIGH, _LEAST_WHILE_OFF = 4.5, 7.0, 3.0
_SLACK = 1  # px that rounding may cost
_NEAR = 0.6  # of the wanted contrast, which thin letters reach at least
_INK_PIXELS = 4  # fewer of a colour are a smear, no letter
_ALIKE = 0xFFF0F0F0  # what two colours that look the same have in common


def faults(overlay: CaptionOverlay, high_contrast: bool) -> list[str]:
    """All that is wrong now."""
    found = [*_between_windows(overlay), *_hidden_handle(overlay)]
    for window in windows():
        if isinstance(window, QFileDialog):
            continue  # Qt's own
        name = _name(window)
        found += [f"{name}: {fault}" for fault in inside(window)]
        if not isinstance(window, (CaptionOverlay, QMenu)):
            least = _LEAST_IN_HIGH if high_contrast else _LEAST
            found += [f"{name}: {fault}" for fault in faint(window, least)]
    return found


def windows() -> list[QWidget]:
    """All that are shown, but for what is behind them."""
    shown = (each for each in QApplication.topLevelWidgets() if each.isVisible())
    return [each for each in shown if not isinstance(each, Desktop)]


def _name(widget: QWidget) -> str:
    told = widget.windowTitle() if widget.isWindow() else ""
    if not told and isinstance(widget, (QLabel, QAbstractButton)):
        told = widget.text()
    told = told or widget.accessibleName() or widget.objectName()
    return f"{type(widget).__name__} “{told[:40]}”" if told else type(widget).__name__


# --- windows beside each other -------------------------------------------------------------------


def _between_windows(overlay: CaptionOverlay) -> Iterator[str]:
    """Everything is on the screen; captions and what must be read with them are side by side."""
    screen = QGuiApplication.primaryScreen().geometry()
    for window in windows():
        frame = window.frameGeometry()
        if not screen.contains(frame) and not isinstance(window, CaptionOverlay):
            yield f"{_name(window)} is not wholly on the screen: {_told(frame)}"
    if not overlay.isVisible():
        return
    box = overlay.box_on_screen
    if not screen.contains(box):
        yield f"the captions are not wholly on the screen: {_told(box)}"
    for window in windows():
        if not isinstance(window, _NEVER_COVERED):
            continue
        shared = window.frameGeometry().intersected(box)
        if not shared.isEmpty() and not _allowed(window):
            yield f"{_name(window)} and the captions lie over each other: {_told(shared)}"


def _hidden_handle(overlay: CaptionOverlay) -> Iterator[str]:
    """The handle of captions that let clicks through is seen on the screen, not only shown."""
    handle = overlay._click_through.handle
    if handle is None or not handle.isVisible():
        return
    screen = QGuiApplication.primaryScreen()
    place = handle.geometry()
    picture = screen.grabWindow(0, place.x(), place.y(), place.width(), place.height()).toImage()
    reached = _contrast_in(picture, handle.rect(), picture.width() / handle.width(), _WHITE)
    if reached < _LEAST:
        yield f"the handle has a contrast of {reached:.1f} only: something lies over it"


def _allowed(window: QWidget) -> bool:
    """A list of something in another window drops down over what is there."""
    return isinstance(window, QMenu) and window.parentWidget() is None


def _told(area: QRect) -> str:
    return f"{area.width()} x {area.height()} at {area.x()}, {area.y()}"


# --- inside a window -----------------------------------------------------------------------------


def inside(window: QWidget) -> Iterator[str]:
    leaves = [each for each in window.findChildren(QWidget) if _is_seen(each, window)]
    for leaf in leaves:
        if not _reachable(leaf, window):
            yield f"{_name(leaf)} reaches out of its window"
        if _is_cut(leaf) and not leaf.toolTip():
            yield f"{_name(leaf)} is cut, and no tooltip has the rest"
    for number, one in enumerate(leaves):
        for other in leaves[number + 1 :]:
            if _overlap(one, other, window):
                yield f"{_name(one)} and {_name(other)} lie over each other"


def _is_seen(widget: QWidget, window: QWidget) -> bool:
    inside = isinstance(widget.parentWidget(), (QComboBox, QToolButton, QLineEdit))
    return isinstance(widget, _LEAVES) and not inside and _is_shown(widget, window)


def _is_shown(widget: QWidget, window: QWidget) -> bool:
    return widget.window() is window and widget.isVisible() and not widget.size().isEmpty()


def _area(widget: QWidget, window: QWidget) -> QRect:
    return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())


def _scrolls(widget: QWidget) -> QScrollArea | None:
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QScrollArea):
            return parent
        parent = parent.parentWidget() if not parent.isWindow() else None
    return None


def _reachable(leaf: QWidget, window: QWidget) -> bool:
    """Inside its window, or inside a page that can be scrolled as far as it reaches and does not
    itself reach out."""
    area = _scrolls(leaf)
    page = area.widget() if area is not None else None
    if area is None or page is None:
        return _within(leaf, window)
    inside = _within(leaf, page)
    viewport, bar = area.viewport(), area.horizontalScrollBar()
    seen = _reachable(area, window)
    return inside and seen and (page.width() <= viewport.width() or bar.isVisible())


def _within(leaf: QWidget, outer: QWidget) -> bool:
    """Whether no widget around it, up to `outer`, cuts it off."""
    around = leaf.parentWidget()
    while around is not None:
        if not around.rect().contains(_area(leaf, around)):
            return False
        around = around.parentWidget() if around is not outer else None
    return True


def _is_cut(leaf: QWidget) -> bool:
    """Whether its text needs more room than it has."""
    if isinstance(leaf, Toast):
        return leaf.sizeHint().width() > leaf.width() + _SLACK
    if isinstance(leaf, QLabel):
        if not leaf.text():
            return False
        too_high = leaf.wordWrap() and leaf.heightForWidth(leaf.width()) > leaf.height() + _SLACK
        return too_high or leaf.minimumSizeHint().width() > leaf.width() + _SLACK  # of a word
    if isinstance(leaf, QComboBox):
        needed = QFontMetricsF(leaf.font()).horizontalAdvance(leaf.currentText())
        return needed > leaf.width() - 24 - 16 + _SLACK  # its arrow, its padding
    if isinstance(leaf, (QPushButton, QCheckBox)):
        return leaf.minimumSizeHint().width() > leaf.width() + _SLACK
    return isinstance(leaf, QToolButton) and _button_is_cut(leaf)


def _button_is_cut(button: QToolButton) -> bool:
    return bool(button.text()) and (button.sizeHint().width() > button.width() + _SLACK)


def _overlap(one: QWidget, other: QWidget, window: QWidget) -> bool:
    related = one.isAncestorOf(other) or other.isAncestorOf(one)
    if related or _scrolls(one) is not _scrolls(other):
        return False
    shared = _area(one, window).intersected(_area(other, window))
    return shared.width() > _SLACK and shared.height() > _SLACK


# --- contrast ------------------------------------------------------------------------------------


def faint(window: QWidget, least: float) -> Iterator[str]:
    """Text that does not stand out enough from what is behind it, by its pixels."""
    picture = _picture(window)
    scale = picture.width() / window.width()
    for leaf in window.findChildren(QWidget):
        if not (_is_shown(leaf, window) and _has_text(leaf)):
            continue
        area = _area(leaf, window).adjusted(_FRAME, _FRAME, -_FRAME, -_FRAME)
        if not _seen_area(leaf, window).contains(area) or area.width() < 6 or area.height() < 10:
            continue
        reached = _contrast_in(picture, area, scale, _ink_of(leaf))
        if reached < (least if leaf.isEnabled() else _LEAST_WHILE_OFF):
            yield f"{_name(leaf)} has a contrast of {reached:.1f} only"


def _ink_of(leaf: QWidget) -> QColor:
    if isinstance(leaf, _FIELDS):
        return QColor(theme.colors().off)  # of what an empty field is for
    return leaf.palette().color(leaf.foregroundRole())


def _has_text(leaf: QWidget) -> bool:
    if isinstance(leaf, QLineEdit):
        return bool(leaf.placeholderText()) and not leaf.text()
    if isinstance(leaf, QTextEdit):
        return bool(leaf.placeholderText()) and leaf.document().isEmpty()
    if isinstance(leaf, QComboBox):
        return bool(leaf.currentText())
    return isinstance(leaf, (QLabel, QAbstractButton)) and bool(leaf.text())


def _seen_area(leaf: QWidget, window: QWidget) -> QRect:
    area = _scrolls(leaf)
    return _area(area.viewport(), window) if area is not None else window.rect()


def _picture(window: QWidget) -> QImage:
    """The window's pixels, over grey where it is seen through."""
    taken = window.grab().toImage()
    image = QImage(taken.size(), QImage.Format.Format_RGB32)
    image.fill(QColor("#808080"))
    for_alpha = taken.convertToFormat(QImage.Format.Format_RGB32)
    return for_alpha if not taken.hasAlphaChannel() else _over(image, taken)


def _over(ground: QImage, picture: QImage) -> QImage:
    painter = QPainter(ground)
    picture.setDevicePixelRatio(1)
    painter.drawImage(0, 0, picture)
    painter.end()
    return ground


def _contrast_in(picture: QImage, area: QRect, scale: float, ink: QColor) -> float:
    """The largest contrast of a colour there with the one that most of the area has.

    Thin letters reach `ink` nowhere: where they come near it, `ink` it is.
    """
    exact: Counter[int] = Counter()
    for y in range(round(area.top() * scale), round(area.bottom() * scale)):
        for x in range(round(area.left() * scale), round(area.right() * scale)):
            exact[picture.pixel(x, y)] += 1
    if not exact:
        return 21.0
    ground = QColor(exact.most_common(1)[0][0])
    alike: dict[int, list[int]] = {}  # a short word has hardly two pixels of the same colour
    for color, times in exact.items():
        alike.setdefault(color & _ALIKE, []).extend([color] * times)
    inks = [QColor(colors[0]) for colors in alike.values() if len(colors) >= _INK_PIXELS]
    reached = max(contrast(color, ground) for color in inks)
    wanted = contrast(ink, ground)
    return max(reached, wanted) if reached >= wanted * _NEAR else reached
