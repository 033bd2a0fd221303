"""Keys grabbed from a real X server, pressed by xdotool while another window has the keyboard."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping
from queue import Empty, SimpleQueue

import pytest

from app.native.keys import Combination, Refusal, parse
from app.native.x11_keys import PLACES, X11Keys, _Keyboard
from tests.support.screen import Screen

pytestmark = pytest.mark.screen
WANTED = {"captions": parse("Ctrl+Alt+C"), "bigger": parse("Ctrl+Alt++"), "end": parse("F9")}


class Keyboard:
    """Keys of ours on a screen, and whoever presses them."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.pressed: SimpleQueue[str] = SimpleQueue()
        self.keys = X11Keys(self.pressed.put)

    def press(self, *keys: str) -> list[str]:
        """What was told of these; F9 is pressed after them, so that nothing is waited for."""
        self.screen.xdotool("key", "--delay", "30", *keys, "F9")
        told = []
        while (name := self.pressed.get(timeout=60)) != "end":
            told.append(name)
        return told

    def lay_out(self, *layout: str) -> None:
        subprocess.run(["setxkbmap", *layout], env=self.screen.env, check=True)


@pytest.fixture
def keyboard(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keyboard]:
    monkeypatch.setenv("DISPLAY", screen.variables["DISPLAY"])
    made = Keyboard(screen)
    assert made.keys.grab(WANTED) == {}
    yield made
    made.keys.close()


def test_a_key_is_told_whatever_is_locked_and_once(keyboard: Keyboard) -> None:
    assert keyboard.press("ctrl+alt+c") == ["captions"]
    for lock in ("Num_Lock", "Caps_Lock"):
        assert keyboard.press(lock, "ctrl+alt+c", lock) == ["captions"]
    both = keyboard.press("Num_Lock", "Caps_Lock", "ctrl+alt+c", "Num_Lock", "Caps_Lock")
    assert both == ["captions"]
    assert keyboard.press("ctrl+c", "alt+c", "ctrl+alt+shift+c", "ctrl+alt+d") == []


def test_plus_is_had_with_the_shift_that_types_it(keyboard: Keyboard) -> None:
    assert keyboard.press("ctrl+alt+plus", "ctrl+alt+equal") == ["bigger", "bigger"]


@pytest.mark.parametrize("layout", [("de",), ("us,ru",), ("ru",)])
def test_another_layout_is_followed(keyboard: Keyboard, layout: tuple[str, ...]) -> None:
    """F9 is where it was, so that its press comes after the new map has been taken in."""
    keyboard.lay_out(*layout)
    keyboard.press()
    c = str(PLACES["C"])  # by its place: in Cyrillic there is no c to ask for
    assert keyboard.press(f"ctrl+alt+{c}", "ctrl+alt+plus") == ["captions", "bigger"]


def test_a_key_that_another_program_has_is_told_apart(keyboard: Keyboard) -> None:
    other = Keyboard(keyboard.screen)
    try:
        wanted = {"captions": parse("Ctrl+Alt+C"), "mark": parse("Ctrl+Alt+M")}
        assert other.keys.grab(wanted) == {"captions": Refusal.TAKEN}
        keyboard.keys.grab({"end": WANTED["end"]})
        until_granted(other.keys, wanted)
    finally:
        other.keys.close()
    until_granted(keyboard.keys, WANTED)


def until_granted(keys: X11Keys, wanted: Mapping[str, Combination]) -> None:
    """What somebody else has just given back: of two connections the server may hear ours first."""
    deadline = time.monotonic() + 60
    while refused := keys.grab(wanted):
        assert time.monotonic() < deadline, refused


def test_what_is_not_wanted_any_more_goes_back(keyboard: Keyboard) -> None:
    keyboard.keys.grab({"end": WANTED["end"]})
    assert keyboard.press("ctrl+alt+c") == []


def test_a_key_held_down_is_one_press(keyboard: Keyboard) -> None:
    keyboard.screen.xdotool("keydown", "ctrl", "keydown", "alt", "keydown", "c")
    assert keyboard.pressed.get(timeout=60) == "captions"
    with pytest.raises(Empty):  # X repeats it after 660 ms at the latest
        keyboard.pressed.get(timeout=1.5)
    keyboard.screen.xdotool("keyup", "c", "keyup", "alt", "keyup", "ctrl")


def test_the_server_may_go(keyboard: Keyboard) -> None:
    keyboard.screen._server.kill()
    keyboard.keys._thread.join(60)
    assert not keyboard.keys._thread.is_alive()


def test_modifiers_are_found_where_this_keyboard_has_them() -> None:
    """Alt on Mod4, NumLock on Mod3, ScrollLock on Mod5: nothing says that they are usual."""
    symbols = {9: [ord("m")], 64: [0xFFE9], 77: [0xFF7F], 78: [0xFF14]}
    modifiers: list[list[int]] = [[], [], [], [], [], [77], [64, 0], [78]]
    keyboard = _Keyboard(symbols, modifiers)
    assert list(keyboard.grabs(parse("Alt+M"))) == [(9, 64)]
    assert keyboard.lock_sets == sorted({0, 2, 32, 34, 128, 130, 160, 162})
    assert list(keyboard.grabs(parse("Ctrl+Home"))) == []
