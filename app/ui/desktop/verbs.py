"""Who does which verb: the one list of what keys, tray, menus and the command line can ask for.

Knows the windows by what they can do; does nothing itself.
"""

from __future__ import annotations

from app.session.status import Stage
from app.ui.desktop.hotkeys import Hotkeys
from app.ui.overlay.window import CaptionOverlay
from app.ui.state.captioning import Captioning
from app.ui.state.commands import (
    BIGGER,
    CAPTIONS,
    CLICK_THROUGH,
    HOLD,
    MARK,
    PAUSE,
    SMALLER,
    Commands,
)
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import stages


def offer_all(
    commands: Commands, overlay: CaptionOverlay, captioning: Captioning, store: SettingsStore
) -> None:
    """Offer every verb there is."""

    def lets_through() -> bool:
        return store.settings.overlay.click_through

    commands.offer(CAPTIONS.name, lambda: _turn_over(overlay), overlay.isVisible)
    commands.offer(PAUSE.name, captioning.toggle_pause, lambda: _is_paused(captioning.stage))
    commands.offer(HOLD.name, overlay.toggle_hold, lambda: overlay.reading.held)
    commands.offer(
        CLICK_THROUGH.name, lambda: overlay.let_clicks_through(not lets_through()), lets_through
    )
    commands.offer(BIGGER.name, lambda: overlay.resize_text(True))
    commands.offer(SMALLER.name, lambda: overlay.resize_text(False))
    commands.offer(MARK.name, overlay.mark)


def keys_for_captions(hotkeys: Hotkeys) -> dict[str, str]:
    """The keys that work from anywhere, as the caption window names what they do."""
    names = {CAPTIONS.name: "show", PAUSE.name: "pause", HOLD.name: "hold"}
    names[CLICK_THROUGH.name] = "click-through"
    return {
        as_captions_say: hotkeys.shown(name)
        for name, as_captions_say in names.items()
        if hotkeys.works_everywhere(name)
    }


def _turn_over(overlay: CaptionOverlay) -> None:
    """Show the captions, or hide them as their own button does: with the way back."""
    if overlay.isVisible():
        overlay.hide_captions()
    else:
        overlay.show()


def _is_paused(stage: Stage) -> bool:
    """Whether nothing is listened to: the verb then begins to."""
    return stage in stages.AT_REST
