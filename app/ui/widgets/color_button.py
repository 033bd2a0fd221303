"""A button that shows a colour and offers the eight of the caption rules, or any other."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QColorDialog, QMenu, QToolButton, QWidget

from app.ui.widgets import beside_captions, worded
from model_backends.base import Sentence

# 47 CFR 79.103(c): the colours every caption display has to offer
STANDARD_COLORS = {
    Sentence("White"): "#ffffff",
    Sentence("Black"): "#000000",
    Sentence("Red"): "#ff0000",
    Sentence("Green"): "#00ff00",
    Sentence("Blue"): "#0000ff",
    Sentence("Yellow"): "#ffff00",
    Sentence("Magenta"): "#ff00ff",
    Sentence("Cyan"): "#00ffff",
}
_SWATCH = QSize(28, 18)


def contrast(one: QColor, other: QColor) -> float:
    """Contrast ratio of two opaque colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def worst_contrast(
    ink: QColor,
    grounds: Sequence[tuple[QColor, float]],
    text_opacity: float = 1.0,
    window_opacity: float = 1.0,
) -> tuple[float, str]:
    """Of captions that let through what is behind: the ratio over the worse page, and which.

    `grounds` are what lies between page and letters, the lowest first, each with its opacity.
    "light" or "dark": a white and a black page are the ends between which all others lie.
    """
    found = []
    for name, page in (("light", QColor("#ffffff")), ("dark", QColor("#000000"))):
        ground = page
        for color, opacity in grounds:
            ground = blended(color, ground, opacity)
        letters = blended(ink, ground, text_opacity)
        seen = (blended(color, page, window_opacity) for color in (letters, ground))
        found.append((contrast(*seen), name))
    return min(found)


def blended(over: QColor, under: QColor, opacity: float) -> QColor:
    """What is seen of a colour of this opacity over an opaque one."""
    pairs = (
        (over.redF(), under.redF()),
        (over.greenF(), under.greenF()),
        (over.blueF(), under.blueF()),
    )
    return QColor.fromRgbF(*(a * opacity + b * (1 - opacity) for a, b in pairs))


class ColorButton(QToolButton):
    """`chosen` comes with "#rrggbb" when the user has picked a colour."""

    chosen = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("button")
        self._name = name
        self.color = "#000000"
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(_SWATCH)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        menu = QMenu(self)
        for label, color in STANDARD_COLORS.items():
            action = worded.text(QAction(QIcon(_swatch(color)), "", menu), label)
            action.triggered.connect(lambda _=False, color=color: self._choose(color))
            menu.addAction(action)
        menu.addSeparator()
        worded.action(menu, Sentence("&Other…")).triggered.connect(self._ask)
        self.setMenu(menu)

    def show_color(self, color: str) -> None:
        """Show this colour; tells nobody."""
        self.color = color
        names = {value: name for name, value in STANDARD_COLORS.items()}
        label = names.get(color.lower(), color)
        worded.text(self, label)
        self.setIcon(QIcon(_swatch(color)))
        worded.name(self, Sentence("{what}: {color}", what=self._name, color=label))

    def _choose(self, color: str) -> None:
        self.show_color(color)
        self.chosen.emit(color)

    def _ask(self) -> None:
        dialog = QColorDialog(QColor(self.color), self)
        worded.title(dialog, self._name)
        dialog.colorSelected.connect(lambda color: self._choose(color.name()))
        dialog.finished.connect(dialog.deleteLater)
        beside_captions.put(dialog, dialog.sizeHint())
        dialog.open()


def _swatch(color: str) -> QPixmap:
    pixmap = QPixmap(_SWATCH)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor("#8a919c"), 1))
    painter.setBrush(QColor(color))
    painter.drawRoundedRect(1, 1, _SWATCH.width() - 2, _SWATCH.height() - 2, 4, 4)
    painter.end()
    return pixmap


def _luminance(color: QColor) -> float:
    """Relative luminance of sRGB, 0..1 (WCAG 2.2)."""
    channels = (color.redF(), color.greenF(), color.blueF())
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
