"""Windows: what Qt's flags do not cover. Not run on hardware yet; tests fake `user32`."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

from app.native.traits import OverlayTraits

# winuser.h
_HWND_TOPMOST, _HWND_NOTOPMOST = -1, -2
_SWP_NOSIZE, _SWP_NOMOVE, _SWP_NOACTIVATE = 0x0001, 0x0002, 0x0010


def qt_environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {}


def overlay_traits(environ: Mapping[str, str], platform_name: str) -> OverlayTraits:
    return OverlayTraits()


def has_compositor(environ: Mapping[str, str], platform_name: str) -> bool:
    """Always, since Windows 8."""
    return True


def is_covered(environ: Mapping[str, str], platform_name: str) -> bool:
    """Never as far as can be told; whether full-screen apps cover it is untried."""
    return False


def keep_above(window_id: int, platform_name: str) -> None:
    """Other topmost windows shown later cover ours until it is put first again."""
    _put(window_id, _HWND_TOPMOST, platform_name)


def let_below(window_id: int, platform_name: str) -> None:
    """Among the ordinary windows."""
    _put(window_id, _HWND_NOTOPMOST, platform_name)


def active_window(platform_name: str) -> int:
    """Its HWND."""
    if platform_name != "windows":
        return 0
    foreground = _user32().GetForegroundWindow
    foreground.restype = ctypes.c_void_p
    return int(foreground() or 0)


def activate(where: int, platform_name: str) -> None:
    """Allowed to the process that has the foreground now, which is ours."""
    if platform_name == "windows" and where:
        _user32().SetForegroundWindow(ctypes.c_void_p(where))


def _put(window_id: int, after: int, platform_name: str) -> None:
    if platform_name != "windows":
        return
    _user32().SetWindowPos(
        ctypes.c_void_p(window_id), ctypes.c_void_p(after), 0, 0, 0, 0,
        _SWP_NOSIZE | _SWP_NOMOVE | _SWP_NOACTIVATE,
    )  # fmt: skip


def _user32() -> Any:
    return ctypes.CDLL("user32")  # 64-bit Windows has one calling convention
