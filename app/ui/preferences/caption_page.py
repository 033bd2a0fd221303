"""The page of the preferences that says how captions look."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontInfo
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFontComboBox,
    QFormLayout,
    QHBoxLayout,
    QSpinBox,
    QWidget,
)

from app.settings import FONT_SIZES_PT, LINES, OPACITIES, WINDOW_OPACITIES, OverlaySettings
from app.ui.overlay import line_pictures
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import plain
from app.ui.widgets.color_button import ColorButton, contrast, worst_contrast
from app.ui.widgets.labelled_slider import PercentSlider
from model_backends.base import Sentence

ENOUGH_CONTRAST = 4.5  # WCAG 2.2, 1.4.3
_EDGE_NAMES = {"none": "None", "uniform": "Outline", "shadow": "Shadow"}


class CaptionPage(QWidget):
    """Every field of OverlaySettings but the place of the window, which is dragged."""

    def __init__(self, store: SettingsStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lines = _spin("Caption lines", LINES, "")
        self.font_family = QFontComboBox()
        self.font_family.setAccessibleName("Font")
        self.font_family.setEditable(False)
        self.font_size = _spin("Font size", FONT_SIZES_PT, " pt")
        self.text_color = ColorButton("Text colour")
        self.background_color = ColorButton("Background colour")
        self.contrast = plain.label(name="dim", wrap=True)
        self.background_opacity = PercentSlider("Background opacity", *OPACITIES)
        self.window_opacity = PercentSlider("Opacity of the whole window", *WINDOW_OPACITIES)
        self.edge = QComboBox()
        self.edge.setAccessibleName("Letter edge")
        for value, name in _EDGE_NAMES.items():
            self.edge.addItem(name, value)
        self.show_language = QCheckBox("Show which lan&guage is heard")
        self.show_tail = QCheckBox("Show words that are not certain &yet (they may change)")
        self._arrange()
        self._connect(store)

    def show_settings(self, overlay: OverlaySettings) -> None:
        """Let every control show what is set; tells nobody."""
        _show_number(self.lines, overlay.lines)
        _show_number(self.font_size, overlay.font_size)
        self._show_family(overlay.font_family)
        self.text_color.show_color(overlay.text_color)
        self.background_color.show_color(overlay.background_color)
        self._show_contrast(overlay)
        self.background_opacity.show_value(overlay.background_opacity)
        self.window_opacity.show_value(overlay.window_opacity)
        self.edge.setCurrentIndex(self.edge.findData(overlay.edge))
        self.show_language.setChecked(overlay.show_language)
        self.show_tail.setChecked(overlay.show_tail)

    def _connect(self, store: SettingsStore) -> None:
        change = store.change_overlay
        self.lines.valueChanged.connect(lambda value: change(lines=value))
        self.font_size.valueChanged.connect(lambda value: change(font_size=value))
        # activated, not currentFontChanged: that one also tells what was only shown
        self.font_family.activated.connect(
            lambda _: change(font_family=self.font_family.currentFont().family())
        )
        self.text_color.chosen.connect(lambda color: change(text_color=color))
        self.background_color.chosen.connect(lambda color: change(background_color=color))
        self.background_opacity.chosen.connect(lambda share: change(background_opacity=share))
        self.window_opacity.chosen.connect(lambda share: change(window_opacity=share))
        self.edge.activated.connect(lambda index: change(edge=self.edge.itemData(index)))
        self.show_language.clicked.connect(lambda on: change(show_language=on))
        self.show_tail.clicked.connect(lambda on: change(show_tail=on))

    def _arrange(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(16, 16, 16, 16)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(10)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        plain.add_row(form, "&Font", self.font_family)
        plain.add_row(form, "Si&ze", self.font_size)
        plain.add_row(form, "Li&nes", self.lines)
        colors = QHBoxLayout()
        colors.setSpacing(10)
        background = plain.label("&Background")
        background.setBuddy(self.background_color)
        for widget in (self.text_color, background, self.background_color):
            colors.addWidget(widget)
        colors.addStretch(1)
        text = plain.label("&Text")
        text.setBuddy(self.text_color)
        form.addRow(text, colors)
        plain.add_row(form, "Backgro&und opacity", self.background_opacity)
        plain.add_row(form, "&Window opacity", self.window_opacity)
        plain.add_row(form, "Letter &edge", self.edge)
        form.addRow("", self.contrast)
        form.addRow("", self.show_language)
        form.addRow("", self.show_tail)

    def _show_family(self, family: str) -> None:
        shown = family or QFontInfo(QFont()).family()
        if self.font_family.currentFont().family() != shown:
            self.font_family.setCurrentFont(QFont(shown))

    def _show_contrast(self, overlay: OverlaySettings) -> None:
        self.contrast.setText(readability(overlay))


def _spin(name: str, bounds: tuple[int, int], suffix: str) -> QSpinBox:
    spin = QSpinBox()
    spin.setRange(*bounds)
    spin.setKeyboardTracking(False)  # "100" is not 10 on its way there
    spin.setSuffix(suffix)
    spin.setAccessibleName(name)
    return spin


def _show_number(spin: QSpinBox, value: int) -> None:
    blocked = spin.blockSignals(True)
    spin.setValue(value)
    spin.blockSignals(blocked)


def readability(overlay: OverlaySettings) -> str:
    """Whether captions that look so can be read whatever is behind them."""
    ink, background = QColor(overlay.text_color), QColor(overlay.background_color)
    seen = overlay.window_opacity
    ratio, page = worst_contrast(ink, background, overlay.background_opacity, seen)
    if overlay.edge == "uniform":  # the letters bring a background of their own
        outlined, _ = worst_contrast(ink, line_pictures.contrasting(ink), 1.0, seen)
        ratio = max(ratio, outlined)
    if ratio >= ENOUGH_CONTRAST:
        return "Readable on any background"
    if contrast(ink, background) < ENOUGH_CONTRAST:
        return Sentence("These colours are hard to read ({ratio:.1f}:1)", ratio=ratio)
    if page == "light":
        return Sentence("Hard to read over light pages ({ratio:.1f}:1)", ratio=ratio)
    return Sentence("Hard to read over dark pages ({ratio:.1f}:1)", ratio=ratio)
