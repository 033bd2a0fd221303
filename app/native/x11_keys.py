"""Keys grabbed from an X server, for whichever program has the keyboard.

A grab is of a key code with an exact set of modifiers, so NumLock, CapsLock and ScrollLock each
double the number of grabs. Codes are looked up in the keyboard's map and again whenever that
changes; on a layout without Latin letters the place of the letter on a US keyboard counts. libxcb
through ctypes reports a refused grab (BadAccess) to whoever asked; Xlib would end the program.
"""

from __future__ import annotations

import ctypes
import os
import select
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, combinations
from threading import Lock, Thread
from typing import Any

from app.native.keys import DIGITS, LETTERS, Combination, NoGlobalKeysError, Refusal

_SHIFT, _LOCK, _CONTROL, _ALT, _NUM, _SUPER = 1, 2, 4, 8, 16, 64  # as keyboards usually have them
_ASYNC = 1
_KEY_PRESS, _KEY_RELEASE, _MAPPING_NOTIFY = 2, 3, 34
_BAD_ACCESS = 10
# keysymdef.h
_ALT_L, _SUPER_L, _NUM_LOCK, _SCROLL_LOCK = 0xFFE9, 0xFFEB, 0xFF7F, 0xFF14
_KEYSYMS: dict[str, tuple[int, ...]] = {
    **{letter: (ord(letter.lower()),) for letter in LETTERS},
    **{digit: (ord(digit),) for digit in DIGITS},
    **{f"F{number}": (0xFFBD + number,) for number in range(1, 13)},
    "+": (ord("+"), 0xFFAB),  # and that of the number pad
    "-": (ord("-"), 0xFFAD),
    "Space": (0x20,), "PgUp": (0xFF55,), "PgDown": (0xFF56,), "Home": (0xFF50,), "End": (0xFF57,),
    "Ins": (0xFF63,), "Del": (0xFFFF,),
    "Left": (0xFF51,), "Up": (0xFF52,), "Right": (0xFF53,), "Down": (0xFF54,),
}  # fmt: skip
# Where letters are on a US keyboard, as Linux numbers keys: the rows from Q, A and Z.
PLACES = dict(
    chain(
        zip("QWERTYUIOP", range(24, 34), strict=True),
        zip("ASDFGHJKL", range(38, 47), strict=True),
        zip("ZXCVBNM", range(52, 59), strict=True),
    )
)
_Grab = tuple[int, int]  # key code, modifiers


class _Cookie(ctypes.Structure):
    """What every request returns."""

    _fields_ = (("sequence", ctypes.c_uint),)


class X11Keys:
    """Grabs on the root window, and a thread that waits for them. Raises NoGlobalKeysError."""

    def __init__(self, pressed: Callable[[str], None]) -> None:
        self._pressed = pressed
        self._server = _Server()
        self._lock = Lock()
        self._wanted: dict[str, Combination] = {}
        self._names: dict[_Grab, str] = {}
        self._held: set[_Grab] = set()  # what the server has given us, with every set of locks
        self._released = (0, 0)  # key code and time of the last release
        self._wake_reader, self._wake_writer = os.pipe()
        self._closed = False
        self._keyboard = self._server.keyboard()
        self._thread = Thread(target=self._listen, name="global keys", daemon=True)
        self._thread.start()

    def grab(self, wanted: Mapping[str, Combination]) -> Mapping[str, Refusal]:
        with self._lock:
            self._wanted = dict(wanted)
            refused = self._grab_all()
        os.write(self._wake_writer, b"g")  # asking for answers may have taken in an event
        return refused

    def close(self) -> None:
        self._closed = True
        os.write(self._wake_writer, b"q")
        self._thread.join()
        self._server.close()
        os.close(self._wake_reader)
        os.close(self._wake_writer)

    def _grab_all(self) -> dict[str, Refusal]:
        """Grab what is wanted now and let go of the rest; what is wanted still is never let go."""
        wanted = {name: list(self._keyboard.grabs(keys)) for name, keys in self._wanted.items()}
        self._let_go(self._held.difference(*map(self._with_locks, wanted.values())))
        self._names.clear()
        refused = {}
        for name, grabs in wanted.items():
            if not grabs:
                refused[name] = Refusal.NO_SUCH_KEY
            elif problem := self._grab_each(self._with_locks(grabs)):
                refused[name] = problem
            else:
                self._names.update(dict.fromkeys(grabs, name))
        return refused

    def _grab_each(self, grabs: set[_Grab]) -> Refusal | None:
        """All of them, or none."""
        error = self._server.grab(sorted(grabs - self._held))
        if not error:
            self._held |= grabs
            return None
        self._let_go(grabs)
        return Refusal.TAKEN if error == _BAD_ACCESS else Refusal.FAILED

    def _let_go(self, grabs: set[_Grab]) -> None:
        self._server.ungrab(sorted(grabs))
        self._held -= grabs

    def _with_locks(self, grabs: Sequence[_Grab]) -> set[_Grab]:
        return {(code, held | locks) for code, held in grabs for locks in self._keyboard.lock_sets}

    def _listen(self) -> None:
        descriptor = self._server.descriptor
        while not self._closed:
            ready, _, _ = select.select([descriptor, self._wake_reader], [], [])
            if self._wake_reader in ready:
                os.read(self._wake_reader, 64)
            with self._lock:
                names = [name for event in self._server.events() if (name := self._take(event))]
            for name in names:
                self._pressed(name)
            if self._server.is_gone:
                return

    def _take(self, event: bytes) -> str | None:
        """The name of what was pressed. An event: kind, code, …, time at 4, modifiers at 28."""
        kind, code = event[0] & 0x7F, event[1]
        when = int.from_bytes(event[4:8], sys.byteorder)
        state = int.from_bytes(event[28:30], sys.byteorder)
        if kind == _MAPPING_NOTIFY:
            self._keyboard = self._server.keyboard()
            self._grab_all()
        elif kind == _KEY_RELEASE:
            self._released = (code, when)
        elif kind == _KEY_PRESS and (code, when) != self._released:  # else it only repeats
            return self._names.get((code, state & self._keyboard.modifiers))
        return None


class _Keyboard:
    """Which codes and modifiers make a combination on the keyboard as it is set now.

    `symbols`: key code to its keysyms, as the core protocol lists them: first group plain and
    shifted, then the second group. `modifier_codes`: the codes of each of the eight modifiers.
    """

    def __init__(
        self, symbols: Mapping[int, Sequence[int]], modifier_codes: Sequence[Sequence[int]]
    ) -> None:
        self._symbols = symbols
        self._modifier_codes = modifier_codes
        self._alt = self._mask_of(_ALT_L) or _ALT
        self._meta = self._mask_of(_SUPER_L) or _SUPER
        locks = [_LOCK, self._mask_of(_NUM_LOCK) or _NUM, self._mask_of(_SCROLL_LOCK)]
        self.lock_sets = sorted(
            {sum(some) for n in range(4) for some in combinations(filter(None, locks), n)}
        )
        self.modifiers = _SHIFT | _CONTROL | self._alt | self._meta

    def grabs(self, wanted: Combination) -> Iterator[_Grab]:
        """Every code that types this key, and with which modifiers; none if no key does."""
        held = (
            (_CONTROL if wanted.control else 0)
            | (self._alt if wanted.alt else 0)
            | (self._meta if wanted.meta else 0)
            | (_SHIFT if wanted.shift else 0)
        )
        found = [hit for sym in _KEYSYMS[wanted.key] for hit in self._codes_of(sym)]
        if not found and wanted.key in PLACES:
            found = [(PLACES[wanted.key], False)]
        for code, shifted in found:
            yield code, held
            if shifted and not held & _SHIFT:
                yield code, held | _SHIFT  # "+" may need Shift, and may be pressed without

    def _codes_of(self, symbol: int) -> list[tuple[int, bool]]:
        """The codes that have it in the first of the columns where any has, and if shifted."""
        for column in range(4):
            codes = [
                code
                for code, row in self._symbols.items()
                if len(row) > column and row[column] == symbol
            ]
            if codes:
                return [(code, column % 2 == 1) for code in codes]
        return []

    def _mask_of(self, symbol: int) -> int:
        """The modifier that the key with this symbol is; 0 if none."""
        for index, codes in enumerate(self._modifier_codes):
            if any(symbol in self._symbols.get(code, ()) for code in codes if code):
                return 1 << index
        return 0


class _Server:
    """One connection. Raises NoGlobalKeysError where there is no server to talk to."""

    def __init__(self) -> None:
        self._xcb = _libxcb()
        if self._xcb is None:
            raise NoGlobalKeysError
        number = ctypes.c_int()
        self._link = ctypes.c_void_p(self._xcb.xcb_connect(None, ctypes.byref(number)))
        if self.is_gone:
            self.close()
            raise NoGlobalKeysError
        setup = self._xcb.xcb_get_setup(self._link)
        self._first, self._last = ctypes.string_at(setup + 34, 2)  # the range of key codes
        self._root = self._xcb.xcb_setup_roots_iterator(ctypes.c_void_p(setup)).data[0]
        self.descriptor = int(self._xcb.xcb_get_file_descriptor(self._link))

    @property
    def is_gone(self) -> bool:
        return bool(self._xcb.xcb_connection_has_error(self._link))

    def close(self) -> None:
        self._xcb.xcb_disconnect(self._link)

    def keyboard(self) -> _Keyboard:
        count = self._last - self._first + 1
        cookie = self._xcb.xcb_get_keyboard_mapping(self._link, self._first, count)
        width, data = self._reply("xcb_get_keyboard_mapping_reply", cookie)
        words = [int.from_bytes(data[at : at + 4], sys.byteorder) for at in range(0, len(data), 4)]
        rows = {self._first + n: words[n * width : (n + 1) * width] for n in range(count)}
        width, codes = self._reply(
            "xcb_get_modifier_mapping_reply", self._xcb.xcb_get_modifier_mapping(self._link)
        )
        return _Keyboard(rows, [codes[n * width : (n + 1) * width] for n in range(8)])

    def grab(self, grabs: Sequence[_Grab]) -> int:
        """Have these keys sent here; the code of the first error, or 0."""
        cookies = [
            self._xcb.xcb_grab_key_checked(
                self._link, 1, self._root, modifiers, code, _ASYNC, _ASYNC
            )
            for code, modifiers in grabs
        ]
        errors = [self._error_of(cookie) for cookie in cookies]
        return next(filter(None, errors), 0)

    def ungrab(self, grabs: Sequence[_Grab]) -> None:
        for code, modifiers in grabs:
            self._xcb.xcb_ungrab_key(self._link, code, self._root, modifiers)
        self._xcb.xcb_flush(self._link)

    def events(self) -> Iterator[bytes]:
        """Those that have come, 32 bytes each."""
        while event := self._xcb.xcb_poll_for_event(self._link):
            yield ctypes.string_at(event, 32)
            _libc().free(ctypes.c_void_p(event))

    def _error_of(self, cookie: _Cookie) -> int:
        error = self._xcb.xcb_request_check(self._link, cookie)
        if not error:
            return 0
        code = ctypes.string_at(error, 2)[1]
        _libc().free(ctypes.c_void_p(error))
        return code

    def _reply(self, name: str, cookie: _Cookie) -> tuple[int, bytes]:
        """The second byte of a reply, which says how wide a row is, and what follows its head."""
        pointer = getattr(self._xcb, name)(self._link, cookie, None)
        if not pointer:
            return 0, b""
        head = ctypes.string_at(pointer, 8)
        length = 4 * int.from_bytes(head[4:8], sys.byteorder)
        data = ctypes.string_at(pointer + 32, length)
        _libc().free(ctypes.c_void_p(pointer))
        return head[1], data


class _Roots(ctypes.Structure):
    """xcb_screen_iterator_t; a screen begins with the id of its root window."""

    _fields_ = (
        ("data", ctypes.POINTER(ctypes.c_uint32)),
        ("rem", ctypes.c_int),
        ("index", ctypes.c_int),
    )


@cache
def _libxcb() -> Any:
    """libxcb with the types of what is called here, or None. Its own copy: types are per copy."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return None
    link, word, byte, half = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint8, ctypes.c_uint16
    for name, result, arguments in (
        ("connect", ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_void_p)),
        ("connection_has_error", ctypes.c_int, (link,)),
        ("disconnect", None, (link,)),
        ("get_setup", ctypes.c_void_p, (link,)),
        ("setup_roots_iterator", _Roots, (ctypes.c_void_p,)),
        ("get_file_descriptor", ctypes.c_int, (link,)),
        ("get_keyboard_mapping", _Cookie, (link, byte, byte)),
        ("get_keyboard_mapping_reply", ctypes.c_void_p, (link, _Cookie, ctypes.c_void_p)),
        ("get_modifier_mapping", _Cookie, (link,)),
        ("get_modifier_mapping_reply", ctypes.c_void_p, (link, _Cookie, ctypes.c_void_p)),
        ("grab_key_checked", _Cookie, (link, byte, word, half, byte, byte, byte)),
        ("ungrab_key", _Cookie, (link, byte, word, half)),
        ("request_check", ctypes.c_void_p, (link, _Cookie)),
        ("poll_for_event", ctypes.c_void_p, (link,)),
        ("flush", ctypes.c_int, (link,)),
    ):
        call = getattr(xcb, f"xcb_{name}")
        call.restype, call.argtypes = result, arguments
    return xcb


@cache
def _libc() -> Any:
    return ctypes.CDLL(None)
