"""macOS: what Qt's flags do not cover. Not run on hardware yet; tests fake the Objective-C runtime.

Qt recreates its NSWindow when flags change, so this is applied again on every re-raise.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

from app.native.traits import OverlayTraits

# AppKit: NSStatusWindowLevel, NSNormalWindowLevel, and NSWindowCollectionBehavior's
# CanJoinAllSpaces, Stationary, IgnoresCycle. FullScreenAuxiliary is left out: reports disagree
# on whether it helps or hurts.
_STATUS_WINDOW_LEVEL, _NORMAL_WINDOW_LEVEL = 25, 0
_SHARING_NONE, _SHARING_READ_ONLY = 0, 1  # NSWindowSharingType
_ON_ALL_SPACES = 1 << 0 | 1 << 4 | 1 << 6


# MediaAccessibility: kMACaptionAppearanceDomainUser, MACaptionAppearanceTextEdgeStyle
_USER_DOMAIN = 1
_EDGES = {1: "none", 2: "raised", 3: "depressed", 4: "uniform", 5: "shadow"}
_FRAMEWORKS = "/System/Library/Frameworks"


def qt_environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {}


def overlay_traits(environ: Mapping[str, str], platform_name: str) -> OverlayTraits:
    return OverlayTraits()


def has_compositor(environ: Mapping[str, str], platform_name: str) -> bool:
    """Always."""
    return True


def is_covered(environ: Mapping[str, str], platform_name: str) -> bool:
    """Never as far as can be told; whether full-screen apps cover it is untried."""
    return False


def keep_above(window_id: int, platform_name: str) -> None:
    """Above other apps' windows, on every space, and there while this app is in the background."""
    if platform_name != "cocoa":
        return
    objc = _objc()
    window = _send(objc, window_id, "window")
    if not window:
        return
    _send(objc, window, "setLevel:", ctypes.c_long(_STATUS_WINDOW_LEVEL))
    _send(objc, window, "setHidesOnDeactivate:", ctypes.c_bool(False))
    _send(objc, window, "setCollectionBehavior:", ctypes.c_ulong(_ON_ALL_SPACES))


def let_below(window_id: int, platform_name: str) -> None:
    """Among the ordinary windows."""
    if platform_name != "cocoa":
        return
    objc = _objc()
    window = _send(objc, window_id, "window")
    if window:
        _send(objc, window, "setLevel:", ctypes.c_long(_NORMAL_WINDOW_LEVEL))


def active_window(platform_name: str) -> int:
    """The process id of the app in front: macOS gives the keyboard to apps, not to windows."""
    if platform_name != "cocoa":
        return 0
    objc = _objc()
    workspace = _send(objc, _class(objc, "NSWorkspace"), "sharedWorkspace")
    app = _send(objc, workspace or 0, "frontmostApplication")
    return (_send(objc, app, "processIdentifier") or 0) & 0xFFFFFFFF if app else 0


def activate(where: int, platform_name: str) -> None:
    if platform_name != "cocoa" or not where:
        return
    objc = _objc()
    running = _class(objc, "NSRunningApplication")
    app = _send(objc, running, "runningApplicationWithProcessIdentifier:", ctypes.c_int(where))
    if app:
        _send(objc, app, "activateWithOptions:", ctypes.c_ulong(0))


def caption_style() -> dict[str, Any] | None:
    """What is set in System Settings, Accessibility, Captions (MediaAccessibility's MACaption…)."""
    access = _media_accessibility()
    if access is None:
        return None
    text, back, box = (
        _color(access, f"MACaptionAppearanceCopy{part}Color")
        for part in ("Foreground", "Background", "Window")
    )
    edge = access.MACaptionAppearanceGetTextEdgeStyle(_USER_DOMAIN, None)
    found: dict[str, Any] = {
        "text_color": text,
        "text_opacity": max(0.25, _share(access, "MACaptionAppearanceGetForegroundOpacity")),
        "band_color": back,
        "band_opacity": _share(access, "MACaptionAppearanceGetBackgroundOpacity"),
        "background_color": box,
        "background_opacity": _share(access, "MACaptionAppearanceGetWindowOpacity"),
        "size": _share(access, "MACaptionAppearanceGetRelativeCharacterSize"),
        "edge": _EDGES.get(edge),
    }
    return {name: value for name, value in found.items() if value is not None}


def _color(access: Any, function: str) -> str | None:
    """A CGColor in RGB or grey as "#rrggbb"."""
    graphics = _core_graphics()
    color = getattr(access, function)(_USER_DOMAIN, None)
    if not color:
        return None
    count = graphics.CGColorGetNumberOfComponents(color)
    parts = graphics.CGColorGetComponents(color)[:count]
    graphics.CGColorRelease(color)
    red, green, blue = parts[:3] if count >= 4 else parts[:1] * 3
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def _share(access: Any, function: str) -> float:
    return float(getattr(access, function)(_USER_DOMAIN, None))


def _media_accessibility() -> Any:
    """MediaAccessibility with the types of what is called here, or None."""
    try:
        access = ctypes.CDLL(f"{_FRAMEWORKS}/MediaAccessibility.framework/MediaAccessibility")
    except OSError:
        return None
    for part in ("Foreground", "Background", "Window"):
        getattr(access, f"MACaptionAppearanceCopy{part}Color").restype = ctypes.c_void_p
        getattr(access, f"MACaptionAppearanceGet{part}Opacity").restype = ctypes.c_double
    access.MACaptionAppearanceGetRelativeCharacterSize.restype = ctypes.c_double
    access.MACaptionAppearanceGetTextEdgeStyle.restype = ctypes.c_long
    return access


def _core_graphics() -> Any:
    graphics = ctypes.CDLL(f"{_FRAMEWORKS}/CoreGraphics.framework/CoreGraphics")
    graphics.CGColorGetNumberOfComponents.restype = ctypes.c_size_t
    graphics.CGColorGetNumberOfComponents.argtypes = (ctypes.c_void_p,)
    graphics.CGColorGetComponents.restype = ctypes.POINTER(ctypes.c_double)
    graphics.CGColorGetComponents.argtypes = (ctypes.c_void_p,)
    graphics.CGColorRelease.argtypes = (ctypes.c_void_p,)
    return graphics


def pass_clicks(window_id: int, on: bool, platform_name: str) -> None:
    """Nothing to add: Qt sets `ignoresMouseEvents`."""


def reserve(
    window_id: int, edge: str, pixels: tuple[int, int, int, int], platform_name: str
) -> bool:
    """macOS keeps room for nobody but the Dock and the menu bar."""
    return False


def release(window_id: int, platform_name: str) -> None:
    """Nothing was reserved."""


def can_hide_from_sharing(platform_name: str) -> bool:
    return platform_name == "cocoa"


def hide_from_sharing(window_id: int, hidden: bool, platform_name: str) -> bool:
    """What shares the screen by ScreenCaptureKit sees it all the same since macOS 15."""
    if platform_name != "cocoa":
        return not hidden
    objc = _objc()
    window = _send(objc, window_id, "window")
    if not window:
        return not hidden
    sharing = _SHARING_NONE if hidden else _SHARING_READ_ONLY
    _send(objc, window, "setSharingType:", ctypes.c_ulong(sharing))
    return True


def _class(objc: Any, name: str) -> int:
    objc.objc_getClass.restype = ctypes.c_void_p
    return int(objc.objc_getClass(name.encode()) or 0)


def _objc() -> Any:
    return ctypes.CDLL("/usr/lib/libobjc.A.dylib")


def _send(objc: Any, receiver: int, selector: str, *arguments: Any) -> int | None:
    """One Objective-C message. `objc_msgSend` must be called with the method's own signature."""
    objc.sel_registerName.restype = ctypes.c_void_p
    name = ctypes.c_void_p(objc.sel_registerName(selector.encode()))
    types: list[Any] = [ctypes.c_void_p, ctypes.c_void_p, *map(type, arguments)]
    method = ctypes.CFUNCTYPE(ctypes.c_void_p, *types)(("objc_msgSend", objc))
    answer: int | None = method(ctypes.c_void_p(receiver), name, *arguments)
    return answer
