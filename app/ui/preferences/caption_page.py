"""The page of the preferences that says how captions look: whole looks, then all else."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app import native
from app.settings import LINES, OPACITIES, TEXT_OPACITIES, WINDOW_OPACITIES, OverlaySettings
from app.ui.overlay import fonts, width
from app.ui.preferences.looks import Looks
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import plain, worded
from app.ui.widgets.choice_box import SteadyBox
from app.ui.widgets.color_button import ColorButton
from app.ui.widgets.labelled_slider import PercentSlider
from model_backends.base import Sentence

_EDGE_NAMES = {
    "none": Sentence("None"),
    "raised": Sentence("Raised"),
    "depressed": Sentence("Depressed"),
    "uniform": Sentence("Outline"),
    "shadow": Sentence("Shadow"),
}
_MARGIN = 16
_DOCKED = Sentence("Docked captions are as wide as the screen.")
_BESIDE_NUMBER = 8  # px between the edge of a field and the number in it


class CaptionPage(QWidget):
    """Every field of OverlaySettings but where the window stands, which is dragged."""

    def __init__(self, store: SettingsStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.looks = Looks(store)
        self.presets, self.size_slider = self.looks.presets, self.looks.size
        self.lines = _spin(Sentence("Caption lines"), LINES)
        self.width_slider = PercentSlider(Sentence("Width, of the screen’s"), *width.SHARES)
        self.show_more = QToolButton()
        self.show_more.setObjectName("fold")
        worded.text(self.show_more, Sentence("&More"))
        self.show_more.setCheckable(True)
        self.show_more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.show_more.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.more = QWidget()
        self._make_more()
        self._arrange()
        self._connect(store)
        self._unfold(False)

    def show_settings(self, overlay: OverlaySettings) -> None:
        """Let every control show what is set; tells nobody."""
        self.looks.show_settings(overlay)
        _show_number(self.lines, overlay.lines)
        self.width_slider.show_value(width.share_of(overlay))
        self.width_slider.setEnabled(not overlay.dock)
        plain.set_tip(self.width_slider, _DOCKED if overlay.dock else "")
        self._show_family(overlay.font_family)
        self.text_color.show_color(overlay.text_color)
        self.text_opacity.show_value(overlay.text_opacity)
        self.background_color.show_color(overlay.background_color)
        self.background_opacity.show_value(overlay.background_opacity)
        self.band_color.show_color(overlay.band_color)
        self.band_opacity.show_value(overlay.band_opacity)
        self.window_opacity.show_value(overlay.window_opacity)
        self.edge.setCurrentIndex(self.edge.findData(overlay.edge))
        self.show_language.setChecked(overlay.show_language)
        self.show_tail.setChecked(overlay.show_tail)
        self.hide_from_sharing.setChecked(overlay.hidden_from_sharing)

    def _make_more(self) -> None:
        self.font_family = SteadyBox()
        worded.name(self.font_family, Sentence("Font"))
        self.font_family.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        for family, kind in fonts.KINDS.items():
            self.font_family.addItem("", family)
            worded.item(self.font_family, self.font_family.count() - 1, kind.label)
        self.font_family.insertSeparator(self.font_family.count())
        for family in QFontDatabase.families():
            self.font_family.addItem(family, family)
        self.text_color = ColorButton(Sentence("Text colour"))
        self.text_opacity = PercentSlider(Sentence("Text opacity"), *TEXT_OPACITIES)
        self.background_color = ColorButton(Sentence("Background colour"))
        self.background_opacity = PercentSlider(Sentence("Background opacity"), *OPACITIES)
        self.band_color = ColorButton(Sentence("Colour behind the letters"))
        self.band_opacity = PercentSlider(Sentence("Opacity behind the letters"), *OPACITIES)
        self.window_opacity = PercentSlider(
            Sentence("Opacity of the whole window"), *WINDOW_OPACITIES
        )
        self.edge = SteadyBox()
        worded.name(self.edge, Sentence("Letter edge"))
        for value, name in _EDGE_NAMES.items():
            self.edge.addItem("", value)
            worded.item(self.edge, self.edge.count() - 1, name)
        self.hide_from_sharing = worded.text(
            QCheckBox(), Sentence("Others do not see captions on a shared scr&een")
        )
        self.show_language = worded.text(QCheckBox(), Sentence("Show which lan&guage is heard"))
        self.show_tail = worded.text(
            QCheckBox(), Sentence("Show words that are not certain &yet (they may change)")
        )

    def _connect(self, store: SettingsStore) -> None:
        change = store.change_overlay
        self.lines.valueChanged.connect(lambda value: change(lines=value))
        self.width_slider.chosen.connect(
            lambda share: store.set_overlay(width.with_share(store.settings.overlay, share))
        )
        self.show_more.toggled.connect(self._unfold)
        self.font_family.activated.connect(
            lambda index: change(font_family=self.font_family.itemData(index))
        )
        self.text_color.chosen.connect(lambda color: change(text_color=color))
        self.text_opacity.chosen.connect(lambda share: change(text_opacity=share))
        self.background_color.chosen.connect(lambda color: change(background_color=color))
        self.background_opacity.chosen.connect(lambda share: change(background_opacity=share))
        self.band_color.chosen.connect(lambda color: change(band_color=color))
        self.band_opacity.chosen.connect(lambda share: change(band_opacity=share))
        self.window_opacity.chosen.connect(lambda share: change(window_opacity=share))
        self.edge.activated.connect(lambda index: change(edge=self.edge.itemData(index)))
        self.show_language.clicked.connect(lambda on: change(show_language=on))
        self.hide_from_sharing.clicked.connect(lambda on: change(hidden_from_sharing=on))
        self.show_tail.clicked.connect(lambda on: change(show_tail=on))

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        column.setSpacing(10)
        column.addWidget(self.presets)
        column.addWidget(self.looks.contrast)
        first = _form()
        self.looks.add_size_to(first)
        plain.add_row(first, Sentence("Li&nes"), self.lines)
        plain.add_row(first, Sentence("W&idth"), self.width_slider)
        column.addLayout(first)
        column.addWidget(self.show_more, 0, Qt.AlignmentFlag.AlignLeft)
        form = _form()
        form.setContentsMargins(0, 0, 0, 0)
        self.more.setLayout(form)
        plain.add_row(form, Sentence("&Font"), self.font_family)
        _add_color(form, Sentence("&Text"), self.text_color, self.text_opacity)
        _add_color(form, Sentence("&Background"), self.background_color, self.background_opacity)
        _add_color(form, Sentence("Be&hind letters"), self.band_color, self.band_opacity)
        plain.add_row(form, Sentence("&Whole window"), self.window_opacity)
        plain.add_row(form, Sentence("Letter &edge"), self.edge)
        form.addRow("", self.show_language)
        form.addRow("", self.show_tail)
        if native.can_hide_from_sharing(QGuiApplication.platformName()):
            form.addRow("", self.hide_from_sharing)
        column.addWidget(self.more)
        column.addStretch(1)

    def _unfold(self, shown: bool) -> None:
        self.more.setVisible(shown)
        arrow = Qt.ArrowType.DownArrow if shown else Qt.ArrowType.RightArrow
        self.show_more.setArrowType(arrow)

    def _show_family(self, family: str) -> None:
        at = self.font_family.findData(family)
        if at < 0:  # chosen on another computer, or written by hand
            at = self.font_family.count()
            self.font_family.addItem(plain.shortened(family), family)
            self.font_family.setItemData(at, plain.tip(family), Qt.ItemDataRole.ToolTipRole)
        self.font_family.setCurrentIndex(at)


def _form() -> QFormLayout:
    form = QFormLayout()
    form.setHorizontalSpacing(16)
    form.setVerticalSpacing(10)
    form.setLabelAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form


def _add_color(form: QFormLayout, text: str, color: ColorButton, opacity: PercentSlider) -> None:
    row = QHBoxLayout()
    row.setSpacing(12)
    row.addWidget(color)
    row.addWidget(opacity, 1)
    label = plain.label(text)
    label.setBuddy(color)
    form.addRow(label, row)


def _spin(name: str, bounds: tuple[int, int]) -> QSpinBox:
    spin = QSpinBox()
    spin.lineEdit().setTextMargins(_BESIDE_NUMBER, 0, 0, 0)  # that of the style sheet is not seen
    spin.setRange(*bounds)
    spin.setKeyboardTracking(False)  # "12" is not 1 on its way there
    worded.name(spin, name)
    return spin


def _show_number(spin: QSpinBox, value: int) -> None:
    blocked = spin.blockSignals(True)
    spin.setValue(value)
    spin.blockSignals(blocked)
