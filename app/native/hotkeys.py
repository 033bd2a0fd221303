"""Who grabs keys on this desktop: the one place that chooses. What a key is, `keys` says."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping

from app.native.keys import GlobalKeys, NoGlobalKeysError


def open_keys(
    platform_name: str,
    pressed: Callable[[str], None],
    environ: Mapping[str, str] = os.environ,
) -> GlobalKeys:
    """This desktop's own. `pressed(name)` is called from any thread, once a press however long.

    `platform_name` is Qt's. Raises NoGlobalKeysError where there are none to be had.
    """
    if platform_name == "windows" and sys.platform == "win32":
        from app.native.windows_keys import WindowsKeys

        return WindowsKeys(pressed)
    if platform_name == "cocoa":
        from app.native.macos_keys import MacKeys

        return MacKeys(pressed)
    if platform_name == "xcb" and not is_wayland(environ):
        from app.native.x11_keys import X11Keys

        return X11Keys(pressed)
    raise NoGlobalKeysError


def is_wayland(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether keys are the compositor's: an X11 program gets them there only while it is in use."""
    return bool(environ.get("WAYLAND_DISPLAY")) or environ.get("XDG_SESSION_TYPE") == "wayland"
