"""What each desktop does in its own way, behind a few functions that read alike everywhere.

The only module that chooses by `sys.platform` what a window does (the worker asks it too, for its
pipes). Knows no widgets: windows come as the number the desktop knows them by, and Qt's platform
as its name (`QGuiApplication.platformName()`).
"""

from __future__ import annotations

import os
import sys
from typing import Any

from app.native.traits import OverlayTraits

DESKTOP = {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux")

if sys.platform == "win32":
    from app.native import windows as _desktop
elif sys.platform == "darwin":
    from app.native import macos as _desktop
else:
    from app.native import linux as _desktop

__all__ = [
    "DESKTOP",
    "OverlayTraits",
    "activate",
    "active_window",
    "can_hide_from_sharing",
    "caption_style",
    "has_compositor",
    "hide_from_sharing",
    "is_covered",
    "keep_above",
    "let_below",
    "overlay_traits",
    "pass_clicks",
    "prepare_environment",
    "release",
    "reserve",
]


def caption_style() -> dict[str, Any] | None:
    """How this desktop's own captions are to look, as fields of `OverlaySettings`.

    Only those that the user has set there; None if this desktop keeps no such thing.
    """
    return _desktop.caption_style()


def prepare_environment() -> None:
    """Set what Qt must find in the environment. Call before the QApplication is made."""
    for name, value in _desktop.qt_environment(os.environ).items():
        os.environ.setdefault(name, value)


def overlay_traits(platform_name: str) -> OverlayTraits:
    """How the caption window has to be made on this desktop."""
    return _desktop.overlay_traits(os.environ, platform_name)


def has_compositor(platform_name: str) -> bool:
    """Whether translucent pixels show what is behind; if not they would be black."""
    return _desktop.has_compositor(os.environ, platform_name)


def is_covered(platform_name: str) -> bool:
    """Whether only an unmanaged window would now be on top; see `OverlayTraits`."""
    return _desktop.is_covered(os.environ, platform_name)


def keep_above(window_id: int, platform_name: str) -> None:
    """Keep a shown window on top, unfocused, where Qt's own flag is not enough."""
    _desktop.keep_above(window_id, platform_name)


def let_below(window_id: int, platform_name: str) -> None:
    """Undo `keep_above`, where clearing Qt's own flag is not enough."""
    _desktop.let_below(window_id, platform_name)


def active_window(platform_name: str) -> int:
    """What has the keyboard now, whosever it is, for `activate`; 0 if that cannot be known."""
    return _desktop.active_window(platform_name)


def activate(where: int, platform_name: str) -> None:
    """Give the keyboard to what had it when `active_window` was asked; nothing if it is gone."""
    _desktop.activate(where, platform_name)


def pass_clicks(window_id: int, on: bool, platform_name: str) -> None:
    """Let clicks on a window that takes none reach the one below, where Qt's flag is not enough."""
    _desktop.pass_clicks(window_id, on, platform_name)


def reserve(
    window_id: int, edge: str, pixels: tuple[int, int, int, int], platform_name: str
) -> bool:
    """Keep the room of a docked window free: maximised windows are to end where it begins.

    `edge` is "top" or "bottom", `pixels` the window's x, y, width, height as the desktop counts.
    Whether this desktop can do so.
    """
    return _desktop.reserve(window_id, edge, pixels, platform_name)


def release(window_id: int, platform_name: str) -> None:
    """Undo `reserve`; nothing if the window is gone or nothing was reserved."""
    _desktop.release(window_id, platform_name)


def can_hide_from_sharing(platform_name: str) -> bool:
    """Whether windows can be kept out of shared screens here at all."""
    return _desktop.can_hide_from_sharing(platform_name)


def hide_from_sharing(window_id: int, hidden: bool, platform_name: str) -> bool:
    """Keep a window out of what others see of a shared screen, or let them see it again.

    Whether the desktop has agreed.
    """
    return _desktop.hide_from_sharing(window_id, hidden, platform_name)
