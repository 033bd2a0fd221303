"""Keys that Windows tells us of, whichever program has the keyboard. Not run on hardware yet.

`RegisterHotKey` belongs to the thread that calls it, which must take its messages: it is a thread
of our own here, so that nothing depends on how Qt takes them.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from app.native.keys import DIGITS, LETTERS, Combination, NoGlobalKeysError, Refusal

# winuser.h
_WM_HOTKEY, _WM_APP, _WM_QUIT, _WM_USER = 0x0312, 0x8000, 0x0012, 0x0400
_MOD_ALT, _MOD_CONTROL, _MOD_SHIFT, _MOD_WIN, _MOD_NOREPEAT = 1, 2, 4, 8, 0x4000
_PM_NOREMOVE = 0
_ERROR_HOTKEY_ALREADY_REGISTERED = 1409
_VK_SHIFT, _VK_CONTROL, _VK_MENU, _DOWN = 0x10, 0x11, 0x12, 0x80
_LEAVE_KEYBOARD_ALONE = 4  # of ToUnicodeEx, since Windows 10 (1607): dead keys stay as they are
_MOST_LAYOUTS = 64
_ANSWER_WITHIN_S = 2.0
_VIRTUAL_KEYS: dict[str, tuple[int, ...]] = {
    **{key: (ord(key),) for key in LETTERS + DIGITS},
    **{f"F{number}": (0x6F + number,) for number in range(1, 13)},
    "+": (0xBB, 0x6B),  # and that of the number pad
    "-": (0xBD, 0x6D),
    "Space": (0x20,), "PgUp": (0x21,), "PgDown": (0x22,), "End": (0x23,), "Home": (0x24,),
    "Left": (0x25,), "Up": (0x26,), "Right": (0x27,), "Down": (0x28,),
    "Ins": (0x2D,), "Del": (0x2E,),
}  # fmt: skip


class _Message(ctypes.Structure):
    """MSG."""

    _fields_ = (
        ("window", ctypes.c_void_p),
        ("message", ctypes.c_uint),
        ("wparam", ctypes.c_size_t),
        ("lparam", ctypes.c_ssize_t),
        ("time", ctypes.c_uint32),
        ("x", ctypes.c_int32),
        ("y", ctypes.c_int32),
    )


class WindowsKeys:
    """A thread with a message loop. Raises NoGlobalKeysError if it does not come up."""

    def __init__(self, pressed: Callable[[str], None]) -> None:
        self._pressed = pressed
        self._user32, self._kernel32 = _libraries()
        self._orders: SimpleQueue[Mapping[str, Combination]] = SimpleQueue()
        self._answers: SimpleQueue[Mapping[str, Refusal]] = SimpleQueue()
        self._names: dict[int, str] = {}  # by the number of the hotkey
        self._thread_id = 0
        self._thread = Thread(target=self._run, name="global keys", daemon=True)
        self._thread.start()
        self._answer()  # now it has a queue that messages can be posted to

    def grab(self, wanted: Mapping[str, Combination]) -> Mapping[str, Refusal]:
        self._orders.put(dict(wanted))
        self._user32.PostThreadMessageW(self._thread_id, _WM_APP, 0, 0)
        return self._answer()

    def close(self) -> None:
        self._user32.PostThreadMessageW(self._thread_id, _WM_QUIT, 0, 0)
        self._thread.join(_ANSWER_WITHIN_S)

    def _answer(self) -> Mapping[str, Refusal]:
        try:
            return self._answers.get(timeout=_ANSWER_WITHIN_S)
        except Empty:
            raise NoGlobalKeysError from None

    def _run(self) -> None:
        message = _Message()
        self._thread_id = self._kernel32.GetCurrentThreadId()
        # asking for a message makes the queue
        self._user32.PeekMessageW(ctypes.byref(message), None, _WM_USER, _WM_USER, _PM_NOREMOVE)
        self._answers.put({})
        while self._user32.GetMessageW(ctypes.byref(message), None, 0, 0) > 0:  # 0: WM_QUIT
            if message.message == _WM_HOTKEY and message.wparam in self._names:
                self._pressed(self._names[message.wparam])
            elif message.message == _WM_APP:
                self._answers.put(self._register(self._orders.get()))
        self._unregister()

    def _register(self, wanted: Mapping[str, Combination]) -> dict[str, Refusal]:
        self._unregister()
        refused = {}
        for name, combination in wanted.items():
            problem = self._register_each(name, combination)
            if problem:
                refused[name] = problem
        return refused

    def _register_each(self, name: str, combination: Combination) -> Refusal | None:
        """On every key that types it, or on none."""
        if self._types(combination):
            return Refusal.TYPES
        taken: list[int] = []
        for key in _VIRTUAL_KEYS[combination.key]:
            number = max(self._names, default=0) + 1
            if not self._user32.RegisterHotKey(None, number, _modifiers(combination), key):
                already = _last_error() == _ERROR_HOTKEY_ALREADY_REGISTERED
                self._unregister(taken)
                return Refusal.TAKEN if already else Refusal.FAILED
            self._names[number] = name
            taken.append(number)
        return None

    def _types(self, wanted: Combination) -> bool:
        """Whether a character is typed with it, in any keyboard layout that is installed.

        Windows sends AltGr as Ctrl and Alt: a Polish "ć" would be gone if Ctrl+Alt+C were ours.
        """
        if not (wanted.control and wanted.alt) or wanted.meta:
            return False
        keys = _VIRTUAL_KEYS[wanted.key]
        layouts = (ctypes.c_void_p * _MOST_LAYOUTS)()
        count = self._user32.GetKeyboardLayoutList(_MOST_LAYOUTS, layouts)
        return any(
            self._typed(key, wanted.shift, layout) for layout in layouts[:count] for key in keys
        )

    def _typed(self, key: int, shift: bool, layout: int | None) -> bool:
        """Whether Ctrl, Alt and this key write something, or are a dead key."""
        held = (ctypes.c_ubyte * 256)()
        for modifier in (_VK_CONTROL, _VK_MENU, *((_VK_SHIFT,) if shift else ())):
            held[modifier] = _DOWN
        text = (ctypes.c_wchar * 8)()
        written = self._user32.ToUnicodeEx(
            key, 0, held, text, len(text), _LEAVE_KEYBOARD_ALONE, ctypes.c_void_p(layout)
        )
        return written < 0 or (written > 0 and text[0] >= " ")  # below: what Ctrl makes of letters

    def _unregister(self, numbers: list[int] | None = None) -> None:
        for number in list(self._names) if numbers is None else numbers:
            self._user32.UnregisterHotKey(None, number)
            del self._names[number]


def _modifiers(wanted: Combination) -> int:
    return (
        (_MOD_CONTROL if wanted.control else 0)
        | (_MOD_ALT if wanted.alt else 0)
        | (_MOD_SHIFT if wanted.shift else 0)
        | (_MOD_WIN if wanted.meta else 0)
        | _MOD_NOREPEAT
    )


def _last_error() -> int:
    """Of the last call through a library that keeps it for us; ctypes has it on Windows only."""
    get: Callable[[], int] = vars(ctypes)["get_last_error"]
    return get()


def _libraries() -> tuple[Any, Any]:
    """user32, which keeps its last error for us, and kernel32."""
    return ctypes.CDLL("user32", use_last_error=True), ctypes.CDLL("kernel32")
