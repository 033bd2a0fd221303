"""Windows: what Qt's flags do not cover. Not run on hardware yet; tests fake `user32`."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

from app.native.traits import OverlayTraits

# winuser.h
_HWND_TOPMOST, _HWND_NOTOPMOST = -1, -2
# shellapi.h
_ABM_NEW, _ABM_REMOVE, _ABM_QUERYPOS, _ABM_SETPOS = 0, 1, 2, 3
_EDGES = {"top": 1, "bottom": 3}  # ABE_TOP, ABE_BOTTOM
_WM_USER = 0x0400
_WDA_NONE, _WDA_EXCLUDEFROMCAPTURE = 0x00, 0x11  # the second since Windows 10, version 2004
_SWP_NOSIZE, _SWP_NOMOVE, _SWP_NOACTIVATE = 0x0001, 0x0002, 0x0010


# Windows.Media.ClosedCaptioning's enumerations; 0 is "default" in each
_CAPTION_KEY = r"Software\Microsoft\Windows\CurrentVersion\ClosedCaptioning"
_COLORS = {
    1: "#ffffff", 2: "#000000", 3: "#ff0000", 4: "#00ff00",
    5: "#0000ff", 6: "#ffff00", 7: "#ff00ff", 8: "#00ffff",
}  # fmt: skip
_OPACITIES = {1: 1.0, 2: 0.75, 3: 0.25, 4: 0.0}
_CAPTIONS: dict[str, tuple[str, dict[int, Any]]] = {
    "text_color": ("CaptionColor", _COLORS),
    "text_opacity": ("CaptionOpacity", {**_OPACITIES, 4: 0.25}),  # unseen captions help nobody
    "band_color": ("BackgroundColor", _COLORS),
    "band_opacity": ("BackgroundOpacity", _OPACITIES),
    "background_color": ("RegionColor", _COLORS),
    "background_opacity": ("RegionOpacity", _OPACITIES),
    "size": ("CaptionSize", {1: 0.5, 2: 1.0, 3: 1.5, 4: 2.0}),
    "font_family": (
        "CaptionFontStyle",
        {
            1: "monospace serif", 2: "serif", 3: "monospace", 4: "sans-serif",
            5: "casual", 6: "cursive", 7: "small capitals",
        },
    ),
    "edge": (
        "CaptionEdgeEffect",
        {1: "none", 2: "raised", 3: "depressed", 4: "uniform", 5: "shadow"},
    ),
}  # fmt: skip


class _Rect(ctypes.Structure):
    """RECT"""

    _fields_ = (
        ("left", ctypes.c_long),
        ("top", ctypes.c_long),
        ("right", ctypes.c_long),
        ("bottom", ctypes.c_long),
    )


class _AppBar(ctypes.Structure):
    """APPBARDATA"""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("window", ctypes.c_void_p),
        ("message", ctypes.c_uint32),
        ("edge", ctypes.c_uint32),
        ("place", _Rect),
        ("parameter", ctypes.c_ssize_t),
    )


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


def caption_style() -> dict[str, Any] | None:
    """What is set in Settings, Accessibility, Captions; the registry keeps it as numbers."""
    values = _caption_values()
    if values is None:
        return None
    found = {field: names.get(values.get(value, 0)) for field, (value, names) in _CAPTIONS.items()}
    return {field: value for field, value in found.items() if value is not None}


def _caption_values() -> dict[str, int] | None:
    """Names and numbers below the captions' key; None if there is none."""
    try:
        import winreg  # only there
    except ImportError:
        return None
    values: dict[str, int] = {}
    registry: Any = winreg
    try:
        with registry.OpenKey(registry.HKEY_CURRENT_USER, _CAPTION_KEY) as key:
            for index in range(registry.QueryInfoKey(key)[1]):
                name, value, _kind = registry.EnumValue(key, index)
                values[name] = value
    except OSError:
        return None
    return values


def pass_clicks(window_id: int, on: bool, platform_name: str) -> None:
    """Nothing to add: Qt sets WS_EX_TRANSPARENT, which lets clicks reach what is below."""


def reserve(
    window_id: int, edge: str, pixels: tuple[int, int, int, int], platform_name: str
) -> bool:
    """As an application desktop toolbar, like the taskbar ("Using Application Desktop Toolbars").

    Registered anew each time: a bar that is registered already refuses, which changes nothing.
    """
    if platform_name != "windows":
        return False
    x, y, width, height = pixels
    bar = _app_bar(window_id)
    bar.edge, bar.place = _EDGES[edge], _Rect(x, y, x + width, y + height)
    shell = _shell32()
    shell.SHAppBarMessage(_ABM_NEW, ctypes.byref(bar))
    shell.SHAppBarMessage(_ABM_QUERYPOS, ctypes.byref(bar))  # other bars may be there: move along
    if edge == "top":
        bar.place.bottom = bar.place.top + height
    else:
        bar.place.top = bar.place.bottom - height
    return bool(shell.SHAppBarMessage(_ABM_SETPOS, ctypes.byref(bar)))


def release(window_id: int, platform_name: str) -> None:
    if platform_name == "windows":
        _shell32().SHAppBarMessage(_ABM_REMOVE, ctypes.byref(_app_bar(window_id)))


def can_hide_from_sharing(platform_name: str) -> bool:
    return platform_name == "windows"


def hide_from_sharing(window_id: int, hidden: bool, platform_name: str) -> bool:
    """Older Windows refuse, and some do for translucent windows: the answer is believed."""
    if platform_name != "windows":
        return not hidden
    affinity = _WDA_EXCLUDEFROMCAPTURE if hidden else _WDA_NONE
    return bool(_user32().SetWindowDisplayAffinity(ctypes.c_void_p(window_id), affinity))


def _app_bar(window_id: int) -> _AppBar:
    bar = _AppBar(window=window_id, message=_WM_USER)
    bar.size = ctypes.sizeof(_AppBar)
    return bar


def _put(window_id: int, after: int, platform_name: str) -> None:
    if platform_name != "windows":
        return
    _user32().SetWindowPos(
        ctypes.c_void_p(window_id), ctypes.c_void_p(after), 0, 0, 0, 0,
        _SWP_NOSIZE | _SWP_NOMOVE | _SWP_NOACTIVATE,
    )  # fmt: skip


def _shell32() -> Any:
    return ctypes.CDLL("shell32")


def _user32() -> Any:
    return ctypes.CDLL("user32")  # 64-bit Windows has one calling convention
