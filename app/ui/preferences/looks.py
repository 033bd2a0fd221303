"""How captions look at a glance: whole looks, the size, and whether they can be read anywhere.

The same in the preferences and in the first run. Every choice is in the settings at once, and
so on the screen.
"""

from __future__ import annotations

from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFormLayout

from app.settings import OverlaySettings
from app.ui.overlay import line_pictures, look
from app.ui.preferences.preset_cards import PresetCards
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import plain, worded
from app.ui.widgets.color_button import contrast, worst_contrast
from app.ui.widgets.labelled_slider import SteppedPercentSlider
from model_backends.base import Sentence

ENOUGH_CONTRAST = 4.5  # WCAG 2.2, 1.4.3


class Looks:
    """Three widgets, for whoever lays them out."""

    def __init__(self, store: SettingsStore) -> None:
        self.presets = PresetCards()
        self.contrast = plain.label(name="dim", wrap=True)
        least, most = look.SIZES_PERCENT
        self.size = SteppedPercentSlider(
            Sentence("Text size"),
            least / 100,
            most / 100,
            Sentence("Smaller text"),
            Sentence("Larger text"),
        )
        self.presets.chosen.connect(
            lambda name: store.set_overlay(look.chosen(name, store.settings.overlay))
        )
        self.size.chosen.connect(
            lambda share: store.change_overlay(font_size=look.points(100 * share))
        )
        self.size.stepped.connect(
            lambda more: store.set_overlay(look.resized(store.settings.overlay, more))
        )

    def show_settings(self, overlay: OverlaySettings) -> None:
        """Let all three show what is set; tells nobody."""
        self.presets.show_settings(overlay)
        worded.text(self.contrast, readability(overlay))
        self.size.show_value(look.percent(overlay.font_size) / 100)

    def add_size_to(self, form: QFormLayout) -> None:
        """The slider with its label."""
        plain.add_row(form, Sentence("Si&ze"), self.size)


def readability(overlay: OverlaySettings) -> str:
    """Whether captions that look so can be read whatever is behind them."""
    ink, seen = QColor(overlay.text_color), overlay.window_opacity
    box, band = QColor(overlay.background_color), QColor(overlay.band_color)
    grounds = [(box, overlay.background_opacity), (band, overlay.band_opacity)]
    ratio, page = worst_contrast(ink, grounds, overlay.text_opacity, seen)
    if overlay.edge == "uniform":  # the letters bring a background of their own
        outline = [(line_pictures.contrasting(ink), overlay.text_opacity)]
        ratio = max(ratio, worst_contrast(ink, outline, overlay.text_opacity, seen)[0])
    if ratio >= ENOUGH_CONTRAST:
        return Sentence("Readable on any background")
    nearest = band if overlay.band_opacity > 0.5 else box
    if contrast(ink, nearest) < ENOUGH_CONTRAST:
        return Sentence("These colours are hard to read ({ratio:.1f}:1)", ratio=ratio)
    if page == "light":
        return Sentence("Hard to read over light pages ({ratio:.1f}:1)", ratio=ratio)
    return Sentence("Hard to read over dark pages ({ratio:.1f}:1)", ratio=ratio)
