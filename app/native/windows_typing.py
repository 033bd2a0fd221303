"""Typing on Windows: `SendInput` with characters instead of keys. Not run on hardware yet.

Any character goes through as it is, in UTF-16. Windows of programs that run as administrator take
nothing from others that do not (UIPI), and Windows does not say which: nothing arrives, and
`SendInput` counts nothing.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any

from app.native.typist import KEYS, Focus, NoTypingError, typeable
from model_backends.base import Sentence

# winuser.h
_INPUT_KEYBOARD = 1
_KEYEVENTF_KEYUP, _KEYEVENTF_UNICODE = 0x0002, 0x0004
_VK_SHIFT, _VK_CONTROL, _VK_MENU, _VK_LWIN, _VK_RWIN = 0x10, 0x11, 0x12, 0x5B, 0x5C
_DOWN = 0x8000
_BLOCKED = (
    Sentence("The window in use takes no typing from Voxline."),
    Sentence("It may run as administrator. Take another window, then switch typing on again."),
)


class _KeyboardInput(ctypes.Structure):
    """KEYBDINPUT"""

    _fields_ = (
        ("key", ctypes.c_uint16),
        ("scan", ctypes.c_uint16),
        ("flags", ctypes.c_uint32),
        ("time", ctypes.c_uint32),
        ("extra", ctypes.c_size_t),
    )


class _MouseInput(ctypes.Structure):
    """MOUSEINPUT, the largest of the union"""

    _fields_ = (
        ("x", ctypes.c_int32),
        ("y", ctypes.c_int32),
        ("data", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("time", ctypes.c_uint32),
        ("extra", ctypes.c_size_t),
    )


class _Either(ctypes.Union):
    _fields_ = (("keyboard", _KeyboardInput), ("mouse", _MouseInput))


class _Input(ctypes.Structure):
    """INPUT"""

    _fields_ = (("kind", ctypes.c_uint32), ("of", _Either))


class WindowsTypist:
    """Satisfies `Typist`."""

    def __init__(self) -> None:
        self._user32 = _user32()

    def focus(self) -> Focus:
        window = int(self._user32.GetForegroundWindow() or 0)
        if not window:
            return Focus()
        process = ctypes.c_uint32()
        self._user32.GetWindowThreadProcessId(ctypes.c_void_p(window), ctypes.byref(process))
        return Focus(window, process.value == os.getpid(), held=self._held())

    def type(self, text: str) -> int:
        units = typeable(text).encode("utf-16-le")
        keys = [int.from_bytes(units[at : at + 2], "little") for at in range(0, len(units), 2)]
        events = [(key, flags) for key in keys for flags in (0, _KEYEVENTF_KEYUP)]
        inputs = (_Input * len(events))()
        for each, (key, flags) in zip(inputs, events, strict=True):
            each.kind = _INPUT_KEYBOARD
            each.of.keyboard = _KeyboardInput(0, key, _KEYEVENTF_UNICODE | flags, 0, 0)
        at, size = 0, ctypes.sizeof(_Input)
        while at < len(inputs):
            sent = self._user32.SendInput(len(inputs) - at, ctypes.byref(inputs, at * size), size)
            if not sent:
                raise NoTypingError(*_BLOCKED)
            at += sent
        return 0

    def close(self) -> None:
        """Nothing was changed."""

    def _held(self) -> str:
        """Characters are sent as they are, so that CapsLock changes none; held keys would make
        commands of them."""
        held = (_VK_SHIFT, _VK_CONTROL, _VK_MENU, _VK_LWIN, _VK_RWIN)
        return KEYS if any(self._user32.GetAsyncKeyState(key) & _DOWN for key in held) else ""


def _user32() -> Any:
    user32 = ctypes.CDLL("user32")
    user32.GetForegroundWindow.restype = ctypes.c_void_p
    user32.GetWindowThreadProcessId.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
    user32.GetAsyncKeyState.restype = ctypes.c_int16
    user32.SendInput.restype = ctypes.c_uint32
    user32.SendInput.argtypes = (ctypes.c_uint32, ctypes.c_void_p, ctypes.c_int)
    return user32
