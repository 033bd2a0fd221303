"""Linux desktops: X11, and Wayland by way of XWayland.

Wayland has no way for a window to stay on top or to choose its place, and does not even say
that it ignored the wish. An unmanaged X11 window under XWayland was the only one that stayed
where it was put, above a focused native window (sway; GNOME and KDE untried).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from app.native import x11
from app.native.traits import OverlayTraits
from model_backends.base import Sentence

_NO_XWAYLAND = OverlayTraits(
    places_itself=False,
    advice=Sentence(
        "This desktop does not let Voxline keep the captions on top. "
        "Use the desktop's own “keep above”, or install XWayland and start Voxline again."
    ),
)


def qt_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """X11 wherever there is an X display; Qt tries the next of a list if it does not answer."""
    if not environ.get("DISPLAY"):
        return {}
    return {"QT_QPA_PLATFORM": "xcb;wayland" if environ.get("WAYLAND_DISPLAY") else "xcb"}


def overlay_traits(environ: Mapping[str, str], platform_name: str) -> OverlayTraits:
    if platform_name.startswith("wayland"):
        return _NO_XWAYLAND
    return OverlayTraits(
        bypass_window_manager=platform_name == "xcb" and _is_wayland_session(environ)
    )


def has_compositor(environ: Mapping[str, str], platform_name: str) -> bool:
    """Wayland always has one; taken as there when it cannot be found out."""
    if platform_name != "xcb" or _is_wayland_session(environ):
        return True
    return x11.has_compositor()


def is_covered(environ: Mapping[str, str], platform_name: str) -> bool:
    """Whether a managed window that is kept above is covered all the same: by a full-screen one."""
    return (
        platform_name == "xcb" and not _is_wayland_session(environ) and x11.fullscreen_is_active()
    )


def keep_above(window_id: int, platform_name: str) -> None:
    """On every desktop; Qt sets `_NET_WM_STATE_ABOVE`, and raising the window does the rest."""
    if platform_name == "xcb":
        x11.show_on_every_desktop(window_id)


def let_below(window_id: int, platform_name: str) -> None:
    """Nothing to add either."""


def active_window(platform_name: str) -> int:
    """An X11 window; Wayland tells nobody."""
    return x11.active_window() if platform_name == "xcb" else 0


def activate(where: int, platform_name: str) -> None:
    if platform_name == "xcb" and where:
        x11.activate(where)


def caption_style() -> dict[str, Any] | None:
    """No Linux desktop keeps one."""
    return None


def pass_clicks(window_id: int, on: bool, platform_name: str) -> None:
    """Window managers frame a window; the frame, too, must take no clicks."""
    if platform_name == "xcb":
        x11.open_frames(window_id, on)


def reserve(
    window_id: int, edge: str, pixels: tuple[int, int, int, int], platform_name: str
) -> bool:
    """By the window's strut, which window managers ask for; under Wayland nobody does."""
    if platform_name != "xcb" or _is_wayland_session(os.environ):
        return False
    return x11.set_strut(window_id, edge, pixels)


def release(window_id: int, platform_name: str) -> None:
    if platform_name == "xcb":
        x11.clear_strut(window_id)


def can_hide_from_sharing(platform_name: str) -> bool:
    """Neither X11 nor Wayland has a way that programs which share the screen heed."""
    return False


def hide_from_sharing(window_id: int, hidden: bool, platform_name: str) -> bool:
    return not hidden


def _is_wayland_session(environ: Mapping[str, str]) -> bool:
    return bool(environ.get("WAYLAND_DISPLAY")) or environ.get("XDG_SESSION_TYPE") == "wayland"
