"""The answers about a desktop that the caption window asks for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OverlayTraits:
    """How the caption window has to be made.

    `bypass_window_manager`: only an unmanaged window stays on top and where it is put; it gets
    no keyboard focus. `places_itself`: the app may move and resize its own windows; if not, it
    must ask the desktop to. `advice`: a sentence for the user where the desktop cannot be made
    to keep the captions on top.
    """

    bypass_window_manager: bool = False
    places_itself: bool = True
    advice: str = ""
