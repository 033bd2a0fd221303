"""Typing on macOS: keyboard events that carry text (Quartz). Not run on hardware yet.

macOS asks the user once whether Voxline may (Privacy & Security, Accessibility). Where a password
is typed, macOS protects the keyboard and says so: nothing is typed there.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any

from app.native import macos
from app.native.typist import KEYS, Focus, NoTypingError, typeable
from model_backends.base import Sentence

# CGEventTypes.h
_SESSION_STATE = 0  # kCGEventSourceStateCombinedSessionState
_HID_EVENT_TAP = 0
_FLAGS = 0x00020000 | 0x00040000 | 0x00080000 | 0x00100000  # Shift, Control, Option, Command
_MOST_UNITS = 20  # UTF-16 units of one event; what is more is lost
_QUARTZ = "/System/Library/Frameworks/ApplicationServices.framework/ApplicationServices"
_CARBON = "/System/Library/Frameworks/Carbon.framework/Carbon"
_NOT_ALLOWED = (
    Sentence("macOS does not let Voxline type yet."),
    Sentence(
        "Allow it in System Settings, Privacy & Security, Accessibility; then switch typing on "
        "again."
    ),
)


class MacTypist:
    """Satisfies `Typist`. Raises NoTypingError; macOS has then asked the user."""

    def __init__(self) -> None:
        self._quartz, self._carbon = _libraries()
        if not self._quartz.CGPreflightPostEventAccess():
            self._quartz.CGRequestPostEventAccess()
            raise NoTypingError(*_NOT_ALLOWED)

    def focus(self) -> Focus:
        """The keyboard belongs to programs here, not to windows."""
        process = macos.active_window("cocoa")
        if not process:
            return Focus()
        secret = bool(self._carbon.IsSecureEventInputEnabled())
        down = self._quartz.CGEventSourceFlagsState(_SESSION_STATE) & _FLAGS
        return Focus(process, process == os.getpid(), secret, KEYS if down else "")

    def type(self, text: str) -> int:
        for part in parts(typeable(text)):
            units = part.encode("utf-16-le")
            for down in (True, False):
                event = self._quartz.CGEventCreateKeyboardEvent(None, 0, down)
                if not event:
                    raise NoTypingError(*_NOT_ALLOWED)
                pointer = ctypes.c_void_p(event)
                self._quartz.CGEventSetFlags(pointer, 0)
                self._quartz.CGEventKeyboardSetUnicodeString(pointer, len(units) // 2, units)
                self._quartz.CGEventPost(_HID_EVENT_TAP, pointer)
                self._quartz.CFRelease(pointer)
        return 0

    def close(self) -> None:
        """Nothing was changed."""


def parts(text: str) -> list[str]:
    """Cut so that each fits into an event, and no character is cut in two."""
    found: list[str] = []
    room = 0
    for char in text:
        units = 2 if ord(char) > 0xFFFF else 1
        if units > room:
            found.append("")
            room = _MOST_UNITS
        found[-1] += char
        room -= units
    return found


def _libraries() -> tuple[Any, Any]:
    quartz, carbon = ctypes.CDLL(_QUARTZ), ctypes.CDLL(_CARBON)
    pointer, flags = ctypes.c_void_p, ctypes.c_uint64
    quartz.CGPreflightPostEventAccess.restype = ctypes.c_bool
    quartz.CGRequestPostEventAccess.restype = ctypes.c_bool
    quartz.CGEventSourceFlagsState.restype = flags
    quartz.CGEventSourceFlagsState.argtypes = (ctypes.c_int32,)
    quartz.CGEventCreateKeyboardEvent.restype = pointer
    quartz.CGEventCreateKeyboardEvent.argtypes = (pointer, ctypes.c_uint16, ctypes.c_bool)
    quartz.CGEventSetFlags.argtypes = (pointer, flags)
    quartz.CGEventKeyboardSetUnicodeString.argtypes = (pointer, ctypes.c_ulong, ctypes.c_char_p)
    quartz.CGEventPost.argtypes = (ctypes.c_uint32, pointer)
    quartz.CFRelease.argtypes = (pointer,)
    carbon.IsSecureEventInputEnabled.restype = ctypes.c_bool
    return quartz, carbon
