"""How wide the caption box is, as a share of its screen: for whoever chooses it by a number.

The box itself is dragged wider by its edges; both come to the same place in the settings. Knows no
window.
"""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QRect

from app.settings import OverlaySettings
from app.ui.overlay import floating, placement
from app.ui.overlay.caption_box import comfortable_size, minimum_width

SHARES = (0.2, 1.0)  # of the screen's width, from least to most


def share_of(settings: OverlaySettings) -> float:
    """The width of the floating box as a share of its screen's."""
    _, screen, box = _place(settings)
    return box.width() / screen.width()


def with_share(settings: OverlaySettings, share: float) -> OverlaySettings:
    """As wide as this share of its screen, around the same middle; never too narrow for its
    controls and a long word."""
    name, screen, box = _place(settings)
    wide = max(minimum_width(settings), round(share * screen.width()))
    grown = (wide - box.width() + 1) // 2  # on each side, in whole pixels: no step creeps sideways
    wider = box.adjusted(-grown, 0, grown, 0)
    place = placement.kept_on(wider, screen)
    return replace(settings, geometry=placement.remember(settings.geometry, name, screen, place))


def _place(settings: OverlaySettings) -> tuple[str, QRect, QRect]:
    """The screen the box is on, by name and place, and the box."""
    present = floating.screens()
    name = placement.last_used(settings.geometry, list(present)) or next(iter(present))
    box = placement.remembered(settings.geometry, name, present[name])
    if box is None:
        box = placement.default_box(present[name], comfortable_size(settings))
    return name, present[name], box
