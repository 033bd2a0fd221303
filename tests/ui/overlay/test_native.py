"""Each desktop's own ways. Those of Windows and macOS are run against stand-ins, not hardware."""

from __future__ import annotations

import ctypes
import os
from typing import Any, ClassVar

import pytest

from app import native
from app.native import linux, macos, windows, x11
from app.settings import OverlaySettings
from app.ui.overlay import look
from tests.support.screen import Screen


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, {}),
        ({"WAYLAND_DISPLAY": "wayland-0"}, {}),
        ({"DISPLAY": ":0"}, {"QT_QPA_PLATFORM": "xcb"}),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "w"}, {"QT_QPA_PLATFORM": "xcb;wayland"}),
    ],
)
def test_x11_is_used_wherever_there_is_one(environ: dict[str, str], wanted: dict[str, str]) -> None:
    assert linux.qt_environment(environ) == wanted


def test_what_the_user_set_for_qt_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    native.prepare_environment()
    assert os.environ["QT_QPA_PLATFORM"] == "offscreen"


def test_only_under_xwayland_the_window_manager_is_bypassed() -> None:
    wayland = {"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}
    assert linux.overlay_traits(wayland, "xcb").bypass_window_manager
    assert not linux.overlay_traits({"DISPLAY": ":0"}, "xcb").bypass_window_manager


def test_without_xwayland_the_user_is_told_what_to_do() -> None:
    traits = linux.overlay_traits({"WAYLAND_DISPLAY": "wayland-0"}, "wayland")
    assert not traits.places_itself
    assert "keep above" in traits.advice


def test_windows_puts_the_window_on_top_without_activating_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[tuple[Any, ...]] = []

    class User32:
        def SetWindowPos(self, *arguments: Any) -> None:
            calls.append(arguments)

    monkeypatch.setattr(windows, "_user32", User32)
    windows.keep_above(0x1234, "windows")
    [(window, after, *place, flags)] = calls
    assert window.value == 0x1234
    assert after.value == ctypes.c_void_p(-1).value  # HWND_TOPMOST
    assert place == [0, 0, 0, 0]
    assert flags == 0x0002 | 0x0001 | 0x0010  # neither moved, resized nor activated
    windows.keep_above(0x1234, "offscreen")
    assert len(calls) == 1


def test_macos_keeps_the_window_above_on_every_space(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[Any, ...]] = []

    def send(objc: object, receiver: int, selector: str, *arguments: Any) -> int:
        sent.append((receiver, selector, *(argument.value for argument in arguments)))
        return 77

    monkeypatch.setattr(macos, "_objc", object)
    monkeypatch.setattr(macos, "_send", send)
    macos.keep_above(5, "cocoa")
    assert sent == [
        (5, "window"),
        (77, "setLevel:", 25),
        (77, "setHidesOnDeactivate:", False),
        (77, "setCollectionBehavior:", 0b1010001),
    ]


def test_windows_hides_the_captions_from_sharing_and_its_answer_is_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[tuple[int, int]] = []
    answer = 1

    class User32:
        def SetWindowDisplayAffinity(self, window: Any, affinity: int) -> int:
            calls.append((window.value, affinity))
            return answer

    monkeypatch.setattr(windows, "_user32", User32)
    assert windows.hide_from_sharing(0x1234, True, "windows")
    assert windows.hide_from_sharing(0x1234, False, "windows")
    answer = 0
    assert not windows.hide_from_sharing(0x1234, True, "windows")
    assert calls == [(0x1234, 0x11), (0x1234, 0), (0x1234, 0x11)]
    assert not windows.hide_from_sharing(0x1234, True, "offscreen")
    assert len(calls) == 3


def test_macos_hides_the_captions_from_sharing(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[Any, ...]] = []

    def send(objc: object, receiver: int, selector: str, *arguments: Any) -> int:
        sent.append((receiver, selector, *(argument.value for argument in arguments)))
        return 77

    monkeypatch.setattr(macos, "_objc", object)
    monkeypatch.setattr(macos, "_send", send)
    assert macos.hide_from_sharing(5, True, "cocoa")
    assert macos.hide_from_sharing(5, False, "cocoa")
    assert sent[1::2] == [(77, "setSharingType:", 0), (77, "setSharingType:", 1)]
    assert not macos.hide_from_sharing(5, True, "offscreen")


def test_where_nothing_hides_windows_it_is_not_promised() -> None:
    assert not linux.can_hide_from_sharing("xcb")
    assert not linux.hide_from_sharing(5, True, "xcb")
    assert windows.can_hide_from_sharing("windows") and macos.can_hide_from_sharing("cocoa")


def test_windows_lets_a_dialog_above_and_gives_the_keyboard_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[tuple[Any, ...]] = []

    class Foreground:
        restype: Any = None

        def __call__(self) -> int:
            return 0x77

    class User32:
        GetForegroundWindow = Foreground()

        def SetWindowPos(self, *arguments: Any) -> None:
            calls.append(arguments)

        def SetForegroundWindow(self, window: Any) -> None:
            calls.append((window.value,))

    monkeypatch.setattr(windows, "_user32", User32)
    windows.let_below(0x1234, "windows")
    assert calls.pop()[1].value == ctypes.c_void_p(-2).value  # HWND_NOTOPMOST
    assert windows.active_window("windows") == 0x77
    windows.activate(0x77, "windows")
    assert calls == [(0x77,)]
    windows.activate(0, "windows")
    windows.activate(0x77, "offscreen")
    assert len(calls) == 1
    assert windows.active_window("offscreen") == 0


def test_macos_lets_a_dialog_above_and_gives_the_keyboard_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[tuple[Any, ...]] = []

    def send(objc: object, receiver: int, selector: str, *arguments: Any) -> int:
        sent.append((receiver, selector, *(argument.value for argument in arguments)))
        return {"processIdentifier": 4711}.get(selector, 77)

    monkeypatch.setattr(macos, "_objc", object)
    monkeypatch.setattr(macos, "_class", lambda objc, name: len(name))
    monkeypatch.setattr(macos, "_send", send)
    macos.let_below(5, "cocoa")
    assert sent[-1] == (77, "setLevel:", 0)
    assert macos.active_window("cocoa") == 4711
    macos.activate(4711, "cocoa")
    assert sent[-2:] == [
        (len("NSRunningApplication"), "runningApplicationWithProcessIdentifier:", 4711),
        (77, "activateWithOptions:", 0),
    ]
    assert macos.active_window("offscreen") == 0


def test_a_window_that_is_not_shown_yet_is_left_alone_on_macos(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(macos, "_objc", object)
    monkeypatch.setattr(macos, "_send", lambda _objc, _to, selector, *_: sent.append(selector))
    macos.keep_above(5, "cocoa")
    assert sent == ["window"]


@pytest.fixture
def display(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> Screen:
    for name, value in screen.variables.items():
        monkeypatch.setenv(name, value)
    return screen


@pytest.mark.screen
def test_a_compositor_is_noticed_and_missed(display: Screen) -> None:
    assert linux.has_compositor({}, "xcb")
    picom = display.xdotool("search", "--name", "^picom$").splitlines()[0]
    display.xdotool("windowkill", picom)
    while linux.has_compositor({}, "xcb"):
        pass  # until the server knows; the test's time limit ends the wait


@pytest.mark.screen
def test_the_server_is_asked_about_windows_that_may_be_gone(display: Screen) -> None:
    with x11._connection() as server:
        assert server is not None
        assert server.property_of(server.root, "_NET_SUPPORTED")
        assert server.property_of(0x7FFFFFF, "_NET_WM_STATE") == []
    assert not x11.fullscreen_is_active()


def test_without_an_x_server_the_answers_are_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":7654")
    assert x11.has_compositor()
    assert not x11.fullscreen_is_active()
    assert x11.active_window() == 0
    x11.activate(5)


class Shell:
    """shell32: takes down what an application toolbar asks; another bar is 40 px high there."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, int, int, tuple[int, int, int, int]]] = []

    def SHAppBarMessage(self, message: int, bar: Any) -> int:
        data = bar._obj
        assert data.size == ctypes.sizeof(data)
        if message == 2:  # ABM_QUERYPOS
            if data.edge == 3:
                data.place.bottom -= 40
            else:
                data.place.top += 40
        place = data.place
        sides = (place.left, place.top, place.right, place.bottom)
        self.messages.append((message, data.window, data.edge, sides))
        return 1


@pytest.mark.parametrize(
    ("edge", "pixels", "wanted"),
    [
        ("bottom", (0, 917, 1920, 163), (0, 877, 1920, 1040)),
        ("top", (0, 0, 1920, 163), (0, 40, 1920, 203)),
    ],
)
def test_windows_keeps_room_as_for_a_toolbar_beside_those_there_are(
    monkeypatch: pytest.MonkeyPatch,
    edge: str,
    pixels: tuple[int, int, int, int],
    wanted: tuple[int, int, int, int],
) -> None:
    shell = Shell()
    monkeypatch.setattr(windows, "_shell32", lambda: shell)
    assert windows.reserve(0x1234, edge, pixels, "windows")
    assert [message for message, *_ in shell.messages] == [0, 2, 3]  # new, query, set
    assert shell.messages[-1][1:] == (0x1234, {"top": 1, "bottom": 3}[edge], wanted)
    windows.release(0x1234, "windows")
    assert shell.messages[-1][:2] == (1, 0x1234)
    assert not windows.reserve(0x1234, edge, pixels, "offscreen")
    assert len(shell.messages) == 4


def test_macos_keeps_room_for_nobody() -> None:
    assert not macos.reserve(5, "top", (0, 0, 100, 50), "cocoa")


def test_captions_as_they_are_set_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "CaptionColor": 6, "CaptionOpacity": 0, "CaptionSize": 3, "CaptionFontStyle": 7,
        "CaptionEdgeEffect": 4, "BackgroundColor": 2, "BackgroundOpacity": 2, "RegionOpacity": 4,
    }  # fmt: skip
    monkeypatch.setattr(windows, "_caption_values", lambda: values)
    assert windows.caption_style() == {
        "text_color": "#ffff00",
        "band_color": "#000000",
        "band_opacity": 0.75,
        "background_opacity": 0.0,
        "size": 1.5,
        "font_family": "small capitals",
        "edge": "uniform",
    }
    monkeypatch.setattr(windows, "_caption_values", lambda: None)
    assert windows.caption_style() is None


class MediaAccessibility:
    """What macOS says of its captions: numbers, and colours by their number."""

    def __init__(self) -> None:
        for part, color in (("Foreground", 1), ("Background", 2), ("Window", 0)):
            self._answer(f"MACaptionAppearanceCopy{part}Color", color)
            self._answer(f"MACaptionAppearanceGet{part}Opacity", 0.5)
        self._answer("MACaptionAppearanceGetRelativeCharacterSize", 2.0)
        self._answer("MACaptionAppearanceGetTextEdgeStyle", 2)

    def _answer(self, name: str, value: float) -> None:
        def function(domain: int, behaviour: None) -> float:
            assert domain == 1  # the user's own
            return value

        setattr(self, name, function)


class CoreGraphics:
    COLORS: ClassVar = {1: (1.0, 1.0, 0.0, 1.0), 2: (0.0, 1.0)}  # RGB, and grey with alpha

    def CGColorGetNumberOfComponents(self, color: int) -> int:
        return len(self.COLORS[color])

    def CGColorGetComponents(self, color: int) -> list[float]:
        return list(self.COLORS[color])

    def CGColorRelease(self, color: int) -> None:
        assert color in self.COLORS


def test_captions_as_they_are_set_on_macos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(macos, "_media_accessibility", MediaAccessibility)
    monkeypatch.setattr(macos, "_core_graphics", CoreGraphics)
    assert macos.caption_style() == {
        "text_color": "#ffff00",
        "text_opacity": 0.5,
        "band_color": "#000000",
        "band_opacity": 0.5,
        "background_opacity": 0.5,
        "size": 2.0,
        "edge": "raised",
    }
    monkeypatch.setattr(macos, "_media_accessibility", lambda: None)
    assert macos.caption_style() is None


def test_what_a_desktop_has_set_becomes_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    style = {"text_color": "#00ffff", "size": 2.0, "edge": "raised"}
    monkeypatch.setattr(native, "caption_style", lambda: style)
    preset = look.presets()[-1]
    overlay = preset.applied_to(OverlaySettings(text_color="#ff0000", dock="top"))
    assert preset.name == "system"
    assert (overlay.text_color, overlay.font_size, overlay.edge) == ("#00ffff", 56, "raised")
    assert overlay.dock == "top"
