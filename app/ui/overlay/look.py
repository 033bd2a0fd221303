"""How captions can look at once: presets, steps of size, and more or fewer lines.

Values in, values out: `OverlaySettings` by `replace()`. Knows no widget, only the desktop's look.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtGui import QGuiApplication, QPalette

from app import native
from app.settings import FONT_SIZES_PT, OverlaySettings
from model_backends.base import Sentence

USUAL_SIZE_PT = OverlaySettings().font_size  # 100 %
SIZES_PERCENT = (50, 300)
MANY_LINES = 6  # what "More lines" gives
_FEW_LINES = OverlaySettings().lines
_STEPS = (*range(50, 150, 10), *range(150, 301, 25))  # percent
_LOOK = (
    "lines", "font_family", "font_size", "text_color", "text_opacity", "band_color",
    "band_opacity", "background_color", "background_opacity", "window_opacity", "edge",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Preset:
    """A whole look: what it does not name is as in the defaults."""

    name: str
    label: str
    told: str  # in a few words
    values: Mapping[str, Any]

    def applied_to(self, settings: OverlaySettings) -> OverlaySettings:
        """The settings with this look; where the captions are, and what they show, stays."""
        usual = OverlaySettings()
        look = {name: getattr(usual, name) for name in _LOOK} | dict(self.values)
        return replace(settings, **look)

    def is_that_of(self, settings: OverlaySettings) -> bool:
        return self.applied_to(settings) == settings


_PRESETS = (
    Preset("classic", Sentence("Classic"), Sentence("White on black"), {}),
    Preset(
        "contrast",
        Sentence("High contrast"),
        Sentence("Yellow on black, larger"),
        {"text_color": "#ffff00", "background_opacity": 1.0, "font_size": 36},
    ),
    Preset(
        "clear",
        Sentence("Clear"),
        Sentence("White with an outline, no box"),
        {"background_opacity": 0.0, "edge": "uniform"},
    ),
    Preset(
        "large", Sentence("Large"), Sentence("48 point, three lines"), {"font_size": 48, "lines": 3}
    ),
)


def presets() -> tuple[Preset, ...]:
    """Those that are offered here, the desktop's own the last."""
    return *_PRESETS, _of_the_system(native.caption_style(), QGuiApplication.palette())


def chosen(name: str, settings: OverlaySettings) -> OverlaySettings:
    """The settings with the look of that name; as they are if there is none."""
    return next((p.applied_to(settings) for p in presets() if p.name == name), settings)


def _of_the_system(style: Mapping[str, Any] | None, palette: QPalette) -> Preset:
    """As the desktop's own captions look; where it has none, in the colours of its windows."""
    if style is None:
        colors = {
            "text_color": palette.color(QPalette.ColorRole.Text).name(),
            "background_color": palette.color(QPalette.ColorRole.Base).name(),
            "background_opacity": 1.0,
        }
        return Preset(
            "system", Sentence("My system’s"), Sentence("The colours of your desktop"), colors
        )
    values = {name: value for name, value in style.items() if name != "size"}
    values["font_size"] = points(100 * float(style.get("size", 1.0)))
    return Preset(
        "system", Sentence("My system’s"), Sentence("As set for captions on this computer"), values
    )


def percent(font_size: int) -> int:
    """A size in points as a share of the usual one."""
    return round(100 * font_size / USUAL_SIZE_PT)


def points(size_percent: float) -> int:
    """The other way round, within what a font can have."""
    low, high = FONT_SIZES_PT
    return max(low, min(high, round(USUAL_SIZE_PT * size_percent / 100)))


def resized(settings: OverlaySettings, larger: bool) -> OverlaySettings:
    """The next of the sizes, larger or smaller; a size beyond them comes back into them."""
    sizes = [points(share) for share in _STEPS]
    now = settings.font_size
    if larger:
        size = next((size for size in sizes if size > now), sizes[-1])
    else:
        size = next((size for size in reversed(sizes) if size < now), sizes[0])
    return replace(settings, font_size=size)


def shows_many(lines: int) -> bool:
    """Whether the next step is to fewer lines."""
    return lines >= MANY_LINES


def with_more_or_fewer(settings: OverlaySettings, few: int = _FEW_LINES) -> OverlaySettings:
    """As many lines as "More lines" gives; or, where there are as many, `few` of them again."""
    return replace(settings, lines=few if shows_many(settings.lines) else MANY_LINES)
