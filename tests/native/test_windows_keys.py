"""Windows' keys, against a user32 that keeps its rules. Not run on hardware."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import pytest

from app.native import windows_keys
from app.native.keys import Refusal, parse
from app.native.windows_keys import WindowsKeys

US_ENGLISH, POLISH, CZECH = 0x0409_0409, 0x0415_0415, 0x0405_0405
WM_HOTKEY, WM_QUIT = 0x0312, 0x0012
CTRL_ALT_NOREPEAT = 0x4003


class User32:
    """Messages belong to threads, which have a queue once they have asked for one; so do keys."""

    def __init__(self, taken: set[tuple[int, int]]) -> None:
        self.taken = taken  # (modifiers, key) of other programs
        self.keys: dict[tuple[int, int], tuple[int, int]] = {}  # to the thread and the number
        self.queues: dict[int, SimpleQueue[tuple[int, int]]] = {}
        self.error = 0
        # by layout: what AltGr and a key type there, "" for a dead key; as Windows has them
        self.types: dict[int, dict[int, str]] = {US_ENGLISH: {}}

    def PeekMessageW(self, into: Any, window: None, low: int, high: int, remove: int) -> int:
        self.queues.setdefault(threading.get_native_id(), SimpleQueue())
        return 0

    def GetMessageW(self, into: Any, window: None, low: int, high: int) -> int:
        message = into._obj
        message.message, message.wparam = self.queues[threading.get_native_id()].get(timeout=60)
        return int(message.message != WM_QUIT)

    def PostThreadMessageW(self, thread: int, message: int, wparam: int, lparam: int) -> int:
        if thread not in self.queues:
            return 0
        self.queues[thread].put((message, wparam))
        return 1

    def RegisterHotKey(self, window: None, number: int, modifiers: int, key: int) -> int:
        owner = threading.get_native_id(), number
        if (modifiers, key) in self.keys or (modifiers & 0xF, key) in self.taken:
            self.error = 1409  # ERROR_HOTKEY_ALREADY_REGISTERED
            return 0
        assert owner not in self.keys.values(), "this number is in use"
        self.keys[modifiers, key] = owner
        return 1

    def UnregisterHotKey(self, window: None, number: int) -> int:
        owner = threading.get_native_id(), number
        self.keys = {keys: each for keys, each in self.keys.items() if each != owner}
        return 1

    def GetKeyboardLayoutList(self, room: int, into: Any) -> int:
        for place, layout in enumerate(self.types):
            into[place] = layout
        return len(self.types)

    def ToUnicodeEx(
        self, key: int, scan: int, held: Any, into: Any, room: int, flags: int, layout: Any
    ) -> int:
        assert flags & 4, "the state of the keyboard is the user's"
        if not (held[0x11] & 0x80 and held[0x12] & 0x80):
            return 0
        typed = self.types[layout.value].get(key)
        if typed is None:
            into[0] = chr(key & 0x1F)  # some layouts make a control character of it
            return 1
        into[0] = typed or "\0"
        return 1 if typed else -1

    def press(self, modifiers: int, key: int) -> None:
        thread, number = self.keys[modifiers, key]
        self.queues[thread].put((WM_HOTKEY, number))


class Kernel32:
    def GetCurrentThreadId(self) -> int:
        return threading.get_native_id()


@pytest.fixture
def user32(monkeypatch: pytest.MonkeyPatch) -> User32:
    made = User32({(0x3, ord("T"))})
    monkeypatch.setattr(windows_keys, "_libraries", lambda: (made, Kernel32()))
    monkeypatch.setattr(windows_keys, "_last_error", lambda: made.error)
    monkeypatch.setattr(windows_keys, "_ANSWER_WITHIN_S", 60.0)  # its thread may have to wait
    return made


@pytest.fixture
def pressed() -> SimpleQueue[str]:
    return SimpleQueue()


@pytest.fixture
def keys(user32: User32, pressed: SimpleQueue[str]) -> Iterator[WindowsKeys]:
    made = WindowsKeys(pressed.put)
    yield made
    made.close()
    assert not user32.keys
    assert not made._thread.is_alive()


def test_a_key_is_told_by_its_name(
    user32: User32, keys: WindowsKeys, pressed: SimpleQueue[str]
) -> None:
    assert keys.grab({"captions": parse("Ctrl+Alt+C"), "bigger": parse("Ctrl+Alt++")}) == {}
    for key in (ord("C"), 0xBB, 0x6B):  # VK_OEM_PLUS and the number pad's
        user32.press(CTRL_ALT_NOREPEAT, key)
    assert [pressed.get(timeout=60) for _ in range(3)] == ["captions", "bigger", "bigger"]


def test_a_key_that_is_taken_is_told_apart(user32: User32, keys: WindowsKeys) -> None:
    wanted = {"click-through": parse("Ctrl+Alt+T"), "mark": parse("Ctrl+Alt+M")}
    assert keys.grab(wanted) == {"click-through": Refusal.TAKEN}
    assert list(user32.keys) == [(CTRL_ALT_NOREPEAT, ord("M"))]


def test_what_people_type_with_altgr_is_left_to_them(user32: User32, keys: WindowsKeys) -> None:
    """To Windows AltGr is Ctrl and Alt: with ours there would be no “ć” any more."""
    user32.types[POLISH] = {ord("C"): "ć", ord("A"): "ą"}
    user32.types[CZECH] = {0xBB: ""}  # a dead key
    wanted = {"captions": parse("Ctrl+Alt+C"), "mark": parse("Ctrl+Alt+M"),
              "bigger": parse("Ctrl+Alt++"), "hold": parse("Ctrl+Shift+C"),
              "pause": parse("Ctrl+Alt+Meta+C")}  # fmt: skip
    refused = keys.grab(wanted)
    assert refused == {"captions": Refusal.TYPES, "bigger": Refusal.TYPES}
    assert {key for _, key in user32.keys} == {ord("M"), ord("C")}


def test_a_key_is_had_whole_or_not_at_all(user32: User32, keys: WindowsKeys) -> None:
    user32.taken.add((0x3, 0x6D))  # VK_SUBTRACT
    assert keys.grab({"smaller": parse("Ctrl+Alt+-")}) == {"smaller": Refusal.TAKEN}
    assert not user32.keys


def test_other_keys_take_the_place_of_those_before(
    user32: User32, keys: WindowsKeys, pressed: SimpleQueue[str]
) -> None:
    keys.grab({"captions": parse("Ctrl+Alt+C")})
    keys.grab({"captions": parse("Meta+Shift+F9")})
    assert list(user32.keys) == [(0x400C, 0x78)]
    user32.press(0x400C, 0x78)
    assert pressed.get(timeout=60) == "captions"


def test_the_message_is_laid_out_as_windows_has_it() -> None:
    """MSG of winuser.h, 64 bits: window, message, wParam, lParam, time, point."""
    names = ("window", "message", "wparam", "lparam", "time", "x", "y")
    offsets = [getattr(windows_keys._Message, name).offset for name in names]
    assert offsets == [0, 8, 16, 24, 32, 36, 40]
    assert ctypes.sizeof(windows_keys._Message) == 48
