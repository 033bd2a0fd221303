"""What may be typed, on which key, by which desktop. Windows and macOS: against their rules, not
run on hardware."""

from __future__ import annotations

import ctypes
import os
from typing import Any

import pytest

from app.native import macos, macos_typing, windows_typing
from app.native.macos_typing import MacTypist
from app.native.typing import open_typist
from app.native.typist import KEYS, Focus, NoTypingError, typeable
from app.native.windows_typing import WindowsTypist
from app.native.x11_typing import Borrowed, Layout, keysym

TEXT = " Grüße, 你好 👩\u200d👧!"


# --- which way there is ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "environ", [{"WAYLAND_DISPLAY": "wayland-0"}, {"XDG_SESSION_TYPE": "wayland"}]
)
def test_wayland_is_told_in_words(environ: dict[str, str]) -> None:
    """Under XWayland, too: windows of Wayland itself would get nothing."""
    for platform in ("wayland", "xcb"):
        with pytest.raises(NoTypingError, match="On Wayland") as told:
            open_typist(platform, environ)
        assert "X11 session" in told.value.hint


def test_where_there_is_no_desktop_there_is_no_typing() -> None:
    with pytest.raises(NoTypingError):
        open_typist("offscreen", {})


def test_only_text_is_typed() -> None:
    assert typeable("a\r\nb\tc\x00\x7f\u202e\ue000\ud83dd\u2028") == "a  b cd "
    assert typeable(TEXT) == TEXT
    assert typeable("می\u200cخواهم") == "می\u200cخواهم"


# --- X11: which key -------------------------------------------------------------------------------

US = {
    50: (0xFFE1, 0), 37: (0xFFE3, 0), 77: (0xFF7F, 0),
    38: (ord("a"), ord("A"), 0x6C6, 0x6E6), 10: (ord("1"), ord("!")), 11: (ord("e"), 0),
    12: (0, 0), 13: (0,) * 7, 90: (0, 0),
}  # fmt: skip
MODIFIERS = [[50, 0], [66, 0], [37, 0], [], [77], [], [], [90]]


def test_a_key_is_found_plain_or_with_shift_in_the_group_that_is_in_use() -> None:
    layout = Layout(US, MODIFIERS, 0)
    assert layout.shift == 50
    assert [layout.key_of(keysym(char)) for char in "aA1!eE"] == [
        (38, False), (38, True), (10, False), (10, True), (11, False), (11, True),
    ]  # fmt: skip
    assert layout.key_of(keysym("é")) is None
    assert layout.free == [12, 13]  # 90 is somebody's modifier
    assert layout.harmless == 1 << 4
    second = Layout(US, MODIFIERS, 1)
    assert second.key_of(keysym("a")) is None, "that key types another letter now"
    assert second.key_of(keysym("1")) == (10, False), "… and this one has one group only"


def test_without_a_shift_key_capitals_are_borrowed() -> None:
    layout = Layout({38: (ord("a"), ord("A"))}, [[], [], [], [], [], [], [], []], 0)
    assert layout.key_of(keysym("A")) is None


@pytest.mark.parametrize(
    ("char", "number"),
    [("a", 0x61), ("é", 0xE9), ("ł", 0x1000142), ("你", 0x1004F60), ("👍", 0x101F44D)],
)
def test_characters_have_the_numbers_of_keysymdef(char: str, number: int) -> None:
    assert keysym(char) == number


class Server:
    """What keys type, and a program that reads presses only when it is waited for."""

    def __init__(self, *codes: int) -> None:
        self.rows: dict[int, tuple[int, ...]] = dict.fromkeys(codes, (0, 0))
        self.pressed: list[int] = []
        self.read = ""
        self.waits = 0
        self.refuses = False

    def settle(self) -> None:
        self.waits += 1
        self.read += "".join(chr(self.rows[code][0]) for code in self.pressed)
        self.pressed.clear()

    def change(self, code: int, symbols: tuple[int, int]) -> bool:
        if not self.refuses:
            self.rows[code] = symbols
        return not self.refuses

    def type(self, borrowed: Borrowed, text: str) -> None:
        borrowed.look_at(self.rows, [code for code, row in self.rows.items() if not any(row)])
        for char in text:
            code = borrowed.code_for(ord(char), self.change)
            if code:
                self.pressed.append(code)


def test_a_code_means_something_else_only_once_it_was_read() -> None:
    server = Server(200, 201, 202)
    borrowed = Borrowed(server.settle)
    server.type(borrowed, "abcab")
    assert server.waits == 0, "there are enough"
    server.type(borrowed, "dead beef" * 3)
    given = borrowed.given_back()
    assert server.read == "abcab" + "dead beef" * 3
    assert sorted(given) == [200, 201, 202]
    assert borrowed.given_back() == []


def test_another_keyboard_takes_ours_away_and_they_are_lent_again() -> None:
    server = Server(200, 201)
    borrowed = Borrowed(server.settle)
    server.type(borrowed, "ab")
    borrowed.settle()
    server.rows = {200: (ord("x"), ord("X")), 201: (0, 0)}
    server.type(borrowed, "ab")
    borrowed.settle()
    assert server.read == "abab"
    assert server.rows[200] == (ord("x"), ord("X")), "that one is somebody’s now"


def test_what_cannot_be_typed_is_left_out() -> None:
    server = Server()
    borrowed = Borrowed(server.settle)
    server.type(borrowed, "ab")
    server.rows, server.refuses = {200: (0, 0)}, True
    server.type(borrowed, "ab")
    assert not server.pressed


# --- Windows --------------------------------------------------------------------------------------


class User32:
    """SendInput as winuser.h has it: INPUT structures of 40 bytes (64 bits), UTF-16 units with
    KEYEVENTF_UNICODE; it may take fewer than it is given, and none where UIPI forbids it."""

    def __init__(self) -> None:
        self.window = 0x0001_0A2C
        self.process = 4711
        self.down: set[int] = set()
        self.takes = 1_000
        self.units: list[int] = []
        self.pressed: list[int] = []

    def GetForegroundWindow(self) -> int | None:
        return self.window or None

    def GetWindowThreadProcessId(self, window: Any, into: Any) -> int:
        assert window.value == self.window
        into._obj.value = self.process
        return 99

    def GetAsyncKeyState(self, key: int) -> int:
        return -0x8000 if key in self.down else 0

    def SendInput(self, count: int, inputs: Any, size: int) -> int:
        assert size == 40
        taken = min(count, self.takes)
        place = ctypes.cast(inputs, ctypes.c_void_p).value
        assert place is not None
        for number in range(taken):
            each = windows_typing._Input.from_address(place + number * size)
            assert each.kind == 1 and each.of.keyboard.key == 0
            flags, unit = each.of.keyboard.flags, each.of.keyboard.scan
            assert flags in (4, 6)
            if flags == 4:
                self.pressed.append(unit)
            else:
                assert self.pressed.pop() == unit, "released, but not the one that was pressed"
                self.units.append(unit)
        return taken

    @property
    def text(self) -> str:
        return b"".join(unit.to_bytes(2, "little") for unit in self.units).decode("utf-16-le")


@pytest.fixture
def user32(monkeypatch: pytest.MonkeyPatch) -> User32:
    made = User32()
    monkeypatch.setattr(windows_typing, "_user32", lambda: made)
    return made


@pytest.mark.parametrize("takes", [1_000, 3])
def test_windows_is_given_characters_and_what_it_did_not_take_again(
    user32: User32, takes: int
) -> None:
    user32.takes = takes
    assert WindowsTypist().type(TEXT) == 0
    assert user32.text == TEXT and not user32.pressed
    assert WindowsTypist().type("") == 0


def test_a_window_that_windows_protects_is_told(user32: User32) -> None:
    user32.takes = 0
    with pytest.raises(NoTypingError, match="takes no typing"):
        WindowsTypist().type("a")


def test_windows_says_who_has_the_keyboard(user32: User32) -> None:
    typist = WindowsTypist()
    assert typist.focus() == Focus(0x0001_0A2C)
    user32.down = {0x11}
    assert typist.focus().held == KEYS
    user32.process = os.getpid()
    assert typist.focus().ours
    user32.window = 0
    assert typist.focus() == Focus()


def test_structures_are_laid_out_as_windows_has_them() -> None:
    keyboard, either = windows_typing._KeyboardInput, windows_typing._Input
    assert [getattr(keyboard, name).offset for name in ("key", "scan", "flags", "time")] == [
        0, 2, 4, 8,
    ]  # fmt: skip
    assert either.of.offset == 8 and ctypes.sizeof(either) == 40


# --- macOS ----------------------------------------------------------------------------------------


class Quartz:
    """Events as CGEvent.h has them: text of 20 UTF-16 units at most, the rest is lost."""

    def __init__(self) -> None:
        self.allowed = True
        self.asked = False
        self.flags = 0
        self.typed = ""
        self._events: dict[int, tuple[bool, str]] = {}
        self._made = 0x7F00

    def CGPreflightPostEventAccess(self) -> bool:
        return self.allowed

    def CGRequestPostEventAccess(self) -> bool:
        self.asked = True
        return False

    def CGEventSourceFlagsState(self, state: int) -> int:
        assert state == 0
        return self.flags

    def CGEventCreateKeyboardEvent(self, source: None, key: int, down: bool) -> int:
        self._made += 8
        self._events[self._made] = (down, "")
        return self._made

    def CGEventSetFlags(self, event: Any, flags: int) -> None:
        assert event.value in self._events and flags == 0

    def CGEventKeyboardSetUnicodeString(self, event: Any, length: int, units: bytes) -> None:
        assert len(units) == 2 * length
        down, _ = self._events[event.value]
        self._events[event.value] = down, units[:40].decode("utf-16-le")

    def CGEventPost(self, tap: int, event: Any) -> None:
        down, text = self._events[event.value]
        self.typed += text if down else ""

    def CFRelease(self, event: Any) -> None:
        del self._events[event.value]

    @property
    def leaked(self) -> int:
        return len(self._events)


class Carbon:
    secure = False

    def IsSecureEventInputEnabled(self) -> bool:
        return self.secure


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> tuple[Quartz, Carbon]:
    made = Quartz(), Carbon()
    monkeypatch.setattr(macos_typing, "_libraries", lambda: made)
    monkeypatch.setattr(macos, "active_window", lambda platform: 4711)
    return made


def test_macos_is_given_text_in_pieces_that_it_takes(mac: tuple[Quartz, Carbon]) -> None:
    quartz, _ = mac
    text = "a" * 19 + "👩\u200d👧" * 20 + TEXT
    assert MacTypist().type(text) == 0
    assert quartz.typed == text
    assert not quartz.leaked


def test_macos_asks_the_user_first(mac: tuple[Quartz, Carbon]) -> None:
    quartz, _ = mac
    quartz.allowed = False
    with pytest.raises(NoTypingError, match="does not let") as told:
        MacTypist()
    assert quartz.asked and "Accessibility" in told.value.hint


def test_macos_says_who_has_the_keyboard_and_where_a_password_is(
    mac: tuple[Quartz, Carbon], monkeypatch: pytest.MonkeyPatch
) -> None:
    quartz, carbon = mac
    typist = MacTypist()
    assert typist.focus() == Focus(4711)
    carbon.secure, quartz.flags = True, 0x00100000 | 0x00010000  # Command, and Caps Lock
    assert typist.focus() == Focus(4711, secret=True, held=KEYS)
    quartz.flags = 0x00010000
    assert typist.focus().held == ""
    monkeypatch.setattr(macos, "active_window", lambda platform: os.getpid())
    assert typist.focus().ours
