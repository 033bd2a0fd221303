"""Who does which verb: the one list of what keys, tray, menus and the command line can ask for.

Knows the windows by what they can do; does nothing itself but sizes, which belong to nobody.
"""

from __future__ import annotations

from app.session.status import Stage
from app.settings import FONT_SIZES_PT
from app.ui.overlay.window import CaptionOverlay
from app.ui.state.captioning import Captioning
from app.ui.state.commands import BIGGER, CAPTIONS, PAUSE, SMALLER, Commands
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import stages

STEP = 1.1  # from one size of the text to the next


def offer_all(
    commands: Commands, overlay: CaptionOverlay, captioning: Captioning, store: SettingsStore
) -> None:
    """Offer every verb there is."""
    commands.offer(CAPTIONS.name, lambda: turn_over(overlay), overlay.isVisible)
    commands.offer(PAUSE.name, captioning.toggle_pause, lambda: _is_paused(captioning.stage))
    commands.offer(BIGGER.name, lambda: resize_text(store, STEP))
    commands.offer(SMALLER.name, lambda: resize_text(store, 1 / STEP))


def turn_over(overlay: CaptionOverlay) -> None:
    """Show the captions, or hide them as their own button does: with the way back."""
    if overlay.isVisible():
        overlay.hide_captions()
    else:
        overlay.show()


def resize_text(store: SettingsStore, by: float) -> None:
    """The next size, at least a point away, between the smallest and the largest."""
    now = store.settings.overlay.font_size
    wanted = round(now * by)
    if wanted == now:
        wanted += 1 if by > 1 else -1
    smallest, largest = FONT_SIZES_PT
    store.change_overlay(font_size=max(smallest, min(largest, wanted)))


def _is_paused(stage: Stage) -> bool:
    """Whether nothing is listened to: the verb then begins to."""
    return stage is Stage.PAUSED or stage in stages.OFF
