"""Keys that macOS tells us of, whichever program has the keyboard. Not run on hardware yet.

Carbon's hot keys: old, but the only ones that need no permission. They come as events of the main
thread, which Qt runs. A key is named by its place on the keyboard, as on a US one.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from typing import Any

from app.native.keys import Combination, NoGlobalKeysError, Refusal

# CarbonEvents.h, Events.h
_COMMAND, _SHIFT, _OPTION, _CONTROL = 0x100, 0x200, 0x800, 0x1000
_NO_ERROR, _HOTKEY_EXISTS = 0, -9878
_EVENT_CLASS_KEYBOARD, _HOTKEY_PRESSED = 0x6B657962, 5  # 'keyb'
_DIRECT_OBJECT, _TYPE_HOTKEY_ID = 0x2D2D2D2D, 0x686B6964  # '----', 'hkid'
_SIGNATURE = 0x566F786C  # 'Voxl'
_KEY_CODES: dict[str, tuple[int, ...]] = {
    "A": (0,), "S": (1,), "D": (2,), "F": (3,), "H": (4,), "G": (5,), "Z": (6,), "X": (7,),
    "C": (8,), "V": (9,), "B": (11,), "Q": (12,), "W": (13,), "E": (14,), "R": (15,), "Y": (16,),
    "T": (17,), "O": (31,), "U": (32,), "I": (34,), "P": (35,), "L": (37,), "J": (38,), "K": (40,),
    "N": (45,), "M": (46,),
    "1": (18,), "2": (19,), "3": (20,), "4": (21,), "6": (22,), "5": (23,), "9": (25,), "7": (26,),
    "8": (28,), "0": (29,),
    "+": (24, 69), "-": (27, 78),  # and those of the number pad
    "Space": (49,), "Ins": (114,), "Home": (115,), "PgUp": (116,), "Del": (117,), "End": (119,),
    "PgDown": (121,), "Left": (123,), "Right": (124,), "Down": (125,), "Up": (126,),
    "F1": (122,), "F2": (120,), "F3": (99,), "F4": (118,), "F5": (96,), "F6": (97,), "F7": (98,),
    "F8": (100,), "F9": (101,), "F10": (109,), "F11": (103,), "F12": (111,),
}  # fmt: skip


class _HotKeyID(ctypes.Structure):
    """EventHotKeyID."""

    _fields_ = (("signature", ctypes.c_uint32), ("id", ctypes.c_uint32))


class _EventType(ctypes.Structure):
    """EventTypeSpec."""

    _fields_ = (("event_class", ctypes.c_uint32), ("kind", ctypes.c_uint32))


_HANDLER = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)


class MacKeys:
    """Hot keys of the application. Raises NoGlobalKeysError if Carbon takes no handler."""

    def __init__(self, pressed: Callable[[str], None]) -> None:
        self._pressed = pressed
        self._carbon = _carbon()
        self._names: dict[int, str] = {}  # by the number of the hot key
        self._grabbed: dict[int, ctypes.c_void_p] = {}
        self._handler = _HANDLER(self._take)  # kept: Carbon keeps no reference
        self._installed = ctypes.c_void_p()
        self._target = ctypes.c_void_p(self._carbon.GetApplicationEventTarget())
        kind = _EventType(_EVENT_CLASS_KEYBOARD, _HOTKEY_PRESSED)
        problem = self._carbon.InstallEventHandler(
            self._target, self._handler, 1, ctypes.byref(kind), None, ctypes.byref(self._installed)
        )
        if problem != _NO_ERROR:
            raise NoGlobalKeysError

    def grab(self, wanted: Mapping[str, Combination]) -> Mapping[str, Refusal]:
        self._release(list(self._grabbed))
        refused = {}
        for name, combination in wanted.items():
            problem = self._grab_each(name, combination)
            if problem:
                refused[name] = problem
        return refused

    def close(self) -> None:
        self._release(list(self._grabbed))
        self._carbon.RemoveEventHandler(self._installed)

    def _grab_each(self, name: str, combination: Combination) -> Refusal | None:
        """On every key that types it, or on none."""
        taken: list[int] = []
        for code in _KEY_CODES[combination.key]:
            number, hotkey = max(self._grabbed, default=0) + 1, ctypes.c_void_p()
            problem = self._carbon.RegisterEventHotKey(
                code,
                _modifiers(combination),
                _HotKeyID(_SIGNATURE, number),
                self._target,
                0,
                ctypes.byref(hotkey),
            )
            if problem != _NO_ERROR:
                self._release(taken)
                return Refusal.TAKEN if problem == _HOTKEY_EXISTS else Refusal.FAILED
            self._grabbed[number], self._names[number] = hotkey, name
            taken.append(number)
        return None

    def _release(self, numbers: list[int]) -> None:
        for number in numbers:
            self._carbon.UnregisterEventHotKey(self._grabbed.pop(number))
            del self._names[number]

    def _take(self, _next: int, event: int, _data: int) -> int:
        which = _HotKeyID()
        problem = self._carbon.GetEventParameter(
            ctypes.c_void_p(event), _DIRECT_OBJECT, _TYPE_HOTKEY_ID, None,
            ctypes.sizeof(which), None, ctypes.byref(which),
        )  # fmt: skip
        if problem == _NO_ERROR and which.id in self._names:
            self._pressed(self._names[which.id])
        return _NO_ERROR


def _modifiers(wanted: Combination) -> int:
    """As Qt names them: "Ctrl" is Command, "Meta" is Control."""
    return (
        (_COMMAND if wanted.control else 0)
        | (_OPTION if wanted.alt else 0)
        | (_SHIFT if wanted.shift else 0)
        | (_CONTROL if wanted.meta else 0)
    )


def _carbon() -> Any:
    carbon = ctypes.CDLL("/System/Library/Frameworks/Carbon.framework/Carbon")
    carbon.GetApplicationEventTarget.restype = ctypes.c_void_p
    word, pointer = ctypes.c_uint32, ctypes.c_void_p
    carbon.RegisterEventHotKey.argtypes = (word, word, _HotKeyID, pointer, word, pointer)
    carbon.InstallEventHandler.argtypes = (
        pointer, _HANDLER, ctypes.c_ulong, pointer, pointer, pointer,
    )  # fmt: skip
    carbon.GetEventParameter.argtypes = (
        pointer, word, word, pointer, ctypes.c_ulong, pointer, pointer,
    )  # fmt: skip
    return carbon
