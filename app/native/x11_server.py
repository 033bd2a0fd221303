"""One connection to the X server, for whoever grabs keys or types: requests, replies, errors.

libxcb through ctypes, which Qt's X11 platform needs, too. It reports errors to whoever asked; Xlib
would end the program. XTEST, whose library not every desktop has, is spoken here by hand: one
request. A connection belongs to one thread at a time. Knows no key by its name.
"""

from __future__ import annotations

import ctypes
import select
import sys
import time
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

_ASYNC = 1
_ANY_TYPE = 0
_FAKE_INPUT = 2  # of XTEST
_FAKE_INPUT_BYTES = 36
KEY_PRESS, KEY_RELEASE, _CLIENT_MESSAGE = 2, 3, 33
_EVENT_MASK = 0x0800
# Programs send the answer to a ping to whoever selects one of these on the root: GTK and EWMH's
# text to the second, Qt to the first (the third is the window manager's alone).
_ANSWERS = 0x0002_0000 | 0x0008_0000  # StructureNotify, SubstructureNotify
_MOST_VALUES = 512  # of a property
_HEAD = 32  # bytes of a reply before what is of variable length


class NoServerError(Exception):
    """There is no X server to talk to, or there is none any more."""


class Server:
    """One connection. Raises NoServerError where there is no server to talk to."""

    def __init__(self) -> None:
        self._xcb = _libxcb()
        if self._xcb is None:
            raise NoServerError
        number = ctypes.c_int()
        self._link = ctypes.c_void_p(self._xcb.xcb_connect(None, ctypes.byref(number)))
        if self.is_gone:
            self.close()
            raise NoServerError
        setup = self._xcb.xcb_get_setup(self._link)
        self._first, self._last = ctypes.string_at(setup + 34, 2)  # the range of key codes
        self.root = int(self._xcb.xcb_setup_roots_iterator(ctypes.c_void_p(setup)).data[0])
        self.descriptor = int(self._xcb.xcb_get_file_descriptor(self._link))

    @property
    def is_gone(self) -> bool:
        return bool(self._xcb.xcb_connection_has_error(self._link))

    def close(self) -> None:
        self._xcb.xcb_disconnect(self._link)

    # --- the keyboard ----------------------------------------------------------------------

    def keyboard(self) -> tuple[dict[int, list[int]], list[bytes]]:
        """Keysyms by key code, as the core protocol lists them (first group plain and shifted,
        then the second); and the codes of each of the eight modifiers."""
        count = self._last - self._first + 1
        mapping = self._xcb.xcb_get_keyboard_mapping(self._link, self._first, count)
        head, data = self._reply("xcb_get_keyboard_mapping_reply", mapping)
        words, width = _words(data), head[1]
        rows = {self._first + n: words[n * width : (n + 1) * width] for n in range(count)}
        modifiers = self._xcb.xcb_get_modifier_mapping(self._link)
        head, codes = self._reply("xcb_get_modifier_mapping_reply", modifiers)
        width = head[1]
        return rows, [codes[n * width : (n + 1) * width] for n in range(8)]

    def change_key(self, code: int, symbols: Sequence[int]) -> bool:
        """Give a key these keysyms, plain and shifted; whether the server has done so."""
        values = (ctypes.c_uint32 * len(symbols))(*symbols)
        cookie = self._xcb.xcb_change_keyboard_mapping_checked(
            self._link, 1, code, len(symbols), values
        )
        return not self._error_of(cookie)

    def state(self) -> int:
        """Modifiers and buttons that are down, bits 13 and 14 the group (the layout) in use."""
        cookie = self._xcb.xcb_query_pointer(self._link, self.root)
        head, _ = self._reply("xcb_query_pointer_reply", cookie)
        return int.from_bytes(head[24:26], sys.byteorder)

    def grab(self, grabs: Sequence[tuple[int, int]]) -> int:
        """Have these keys, (code, modifiers), sent here; the code of the first error, or 0."""
        cookies = [
            self._xcb.xcb_grab_key_checked(
                self._link, 1, self.root, modifiers, code, _ASYNC, _ASYNC
            )
            for code, modifiers in grabs
        ]
        errors = [self._error_of(cookie) for cookie in cookies]
        return next(filter(None, errors), 0)

    def ungrab(self, grabs: Sequence[tuple[int, int]]) -> None:
        for code, modifiers in grabs:
            self._xcb.xcb_ungrab_key(self._link, code, self.root, modifiers)
        self._xcb.xcb_flush(self._link)

    def events(self) -> Iterator[bytes]:
        """Those that have come, 32 bytes each."""
        while event := self._xcb.xcb_poll_for_event(self._link):
            yield ctypes.string_at(event, 32)
            _libc().free(ctypes.c_void_p(event))

    # --- pressing keys ---------------------------------------------------------------------

    def xtest(self) -> int:
        """The number of the extension that presses keys for programs; 0 if it is switched off."""
        name = b"XTEST"
        cookie = self._xcb.xcb_query_extension(self._link, len(name), name)
        head, _ = self._reply("xcb_query_extension_reply", cookie)
        return head[9] if head[8] else 0

    def press(self, xtest: int, keys: Sequence[tuple[int, int]]) -> None:
        """Press and release keys, (KEY_PRESS or KEY_RELEASE, code), all at once and in order."""
        for kind, code in keys:
            request = bytearray(_FAKE_INPUT_BYTES)
            request[1], request[4], request[5] = _FAKE_INPUT, kind, code
            self._send(xtest, request)
        self.state()  # an answer to this comes after the presses

    # --- who has the keyboard --------------------------------------------------------------

    def focus(self) -> int:
        """The window that has the keyboard: 0 for none, 1 for the one under the pointer."""
        cookie = self._xcb.xcb_get_input_focus(self._link)
        head, _ = self._reply("xcb_get_input_focus_reply", cookie)
        return _word(head, 8)

    def under_pointer(self) -> int:
        """The outermost window there; 0 for none."""
        cookie = self._xcb.xcb_query_pointer(self._link, self.root)
        head, _ = self._reply("xcb_query_pointer_reply", cookie)
        return _word(head, 12)

    def ancestry(self, window: int) -> list[int]:
        """The window and those around it, without the root; empty if it is gone."""
        found: list[int] = []
        while window not in (0, self.root):
            cookie = self._xcb.xcb_query_tree(self._link, window)
            head, _ = self._reply("xcb_query_tree_reply", cookie)
            if not any(head):
                break
            found.append(window)
            window = _word(head, 12)
        return found

    def process_of(self, window: int) -> int:
        """The number of the process that a window says it is of (EWMH); 0 if it does not say."""
        return next(iter(self._property(window, "_NET_WM_PID")), 0)

    @property
    def nothing_is_active(self) -> bool:
        """Whether the window manager, if it tells (EWMH), has no window that it has given the
        keyboard to: the focus is then a window of its own."""
        name = "_NET_ACTIVE_WINDOW"
        if any(self._property(self.root, name)):
            return False
        return self._atom(name) in self._property(self.root, "_NET_SUPPORTED")

    def pings(self, window: int) -> bool:
        """Whether a window answers when it is asked if it still reads (EWMH)."""
        return self._atom("_NET_WM_PING") in self._property(window, "WM_PROTOCOLS")

    def ping(self, window: int, number: int, within_s: float) -> bool:
        """Ask it so; whether the answer came. Programs take in order what they are sent, so that
        then they have read all keys that were pressed before."""
        data = self._atom("WM_PROTOCOLS"), self._atom("_NET_WM_PING"), number, window, 0, 0
        message = (ctypes.c_uint32 * 8)(_word(bytes([_CLIENT_MESSAGE, 32, 0, 0]), 0), window, *data)
        self._watch_root(_ANSWERS)  # where answers go
        self._xcb.xcb_send_event(self._link, 0, window, 0, message)
        self._xcb.xcb_flush(self._link)  # waiting for events does not send what is queued
        answered = self._answered(data[0], number, time.monotonic() + within_s)
        self._watch_root(0)
        for _ in self.events():
            pass
        return answered

    def _answered(self, kind: int, number: int, until_s: float) -> bool:
        """Events are 32 bytes: kind, format, …, window at 4, type at 8, data from 12 on."""
        while not self.is_gone:
            for event in self.events():
                told = event[0] & 0x7F, _word(event, 4), _word(event, 8), _word(event, 16)
                if told == (_CLIENT_MESSAGE, self.root, kind, number):
                    return True
            left_s = until_s - time.monotonic()
            if left_s <= 0 or not select.select([self.descriptor], [], [], left_s)[0]:
                return False
        return False

    def _watch_root(self, events: int) -> None:
        value = ctypes.c_uint32(events)
        self._xcb.xcb_change_window_attributes(
            self._link, self.root, _EVENT_MASK, ctypes.byref(value)
        )
        self._xcb.xcb_flush(self._link)

    def _property(self, window: int, name: str) -> list[int]:
        """A property of 32-bit values; empty if it is not set or the window is gone."""
        cookie = self._xcb.xcb_get_property(
            self._link, 0, window, self._atom(name), _ANY_TYPE, 0, _MOST_VALUES
        )
        return _words(self._reply("xcb_get_property_reply", cookie)[1])

    def _atom(self, name: str) -> int:
        encoded = name.encode()
        cookie = self._xcb.xcb_intern_atom(self._link, 0, len(encoded), encoded)
        head, _ = self._reply("xcb_intern_atom_reply", cookie)
        return _word(head, 8)

    # --- the wire --------------------------------------------------------------------------

    def _send(self, opcode: int, request: bytearray) -> None:
        """A request that has no reply, of an extension that libxcb does not know."""
        body = (ctypes.c_char * len(request)).from_buffer(request)
        parts = (_Part * 3)()  # libxcb may use the two before the one that it is given
        parts[2] = _Part(ctypes.cast(body, ctypes.c_void_p), len(request))
        kind = _Request(1, None, opcode, 1)
        place = ctypes.byref(parts, 2 * ctypes.sizeof(_Part))
        self._xcb.xcb_send_request(self._link, 0, place, ctypes.byref(kind))

    def _error_of(self, cookie: _Cookie) -> int:
        error = self._xcb.xcb_request_check(self._link, cookie)
        if not error:
            return 0
        code = ctypes.string_at(error, 2)[1]
        _libc().free(ctypes.c_void_p(error))
        return code

    def _reply(self, name: str, cookie: _Cookie) -> tuple[bytes, bytes]:
        """A reply's head, 32 bytes, and what follows it; zeros and nothing on errors."""
        pointer = getattr(self._xcb, name)(self._link, cookie, None)
        if not pointer:
            return bytes(_HEAD), b""
        head = ctypes.string_at(pointer, _HEAD)
        data = ctypes.string_at(pointer + _HEAD, 4 * _word(head, 4))
        _libc().free(ctypes.c_void_p(pointer))
        return head, data


class _Cookie(ctypes.Structure):
    """What every request returns."""

    _fields_ = (("sequence", ctypes.c_uint),)


class _Part(ctypes.Structure):
    """struct iovec."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Request(ctypes.Structure):
    """xcb_protocol_request_t; without an extension of libxcb's the opcode is the major one."""

    _fields_ = (
        ("count", ctypes.c_size_t),
        ("extension", ctypes.c_void_p),
        ("opcode", ctypes.c_uint8),
        ("is_void", ctypes.c_uint8),
    )


class _Roots(ctypes.Structure):
    """xcb_screen_iterator_t; a screen begins with the id of its root window."""

    _fields_ = (
        ("data", ctypes.POINTER(ctypes.c_uint32)),
        ("rem", ctypes.c_int),
        ("index", ctypes.c_int),
    )


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], sys.byteorder)


def _words(data: bytes) -> list[int]:
    return [_word(data, at) for at in range(0, len(data), 4)]


@cache
def _libxcb() -> Any:
    """libxcb with the types of what is called here, or None. Its own copy: types are per copy."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return None
    link, word, byte, half = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint8, ctypes.c_uint16
    calls: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "connect": (ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_void_p)),
        "connection_has_error": (ctypes.c_int, (link,)),
        "disconnect": (None, (link,)),
        "get_setup": (ctypes.c_void_p, (link,)),
        "setup_roots_iterator": (_Roots, (ctypes.c_void_p,)),
        "get_file_descriptor": (ctypes.c_int, (link,)),
        "request_check": (ctypes.c_void_p, (link, _Cookie)),
        "poll_for_event": (ctypes.c_void_p, (link,)),
        "flush": (ctypes.c_int, (link,)),
        "send_request": (ctypes.c_uint, (link, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)),
        "grab_key_checked": (_Cookie, (link, byte, word, half, byte, byte, byte)),
        "ungrab_key": (_Cookie, (link, byte, word, half)),
        "change_keyboard_mapping_checked": (_Cookie, (link, byte, byte, byte, ctypes.c_void_p)),
        "get_keyboard_mapping": (_Cookie, (link, byte, byte)),
        "get_modifier_mapping": (_Cookie, (link,)),
        "query_pointer": (_Cookie, (link, word)),
        "query_extension": (_Cookie, (link, half, ctypes.c_char_p)),
        "get_input_focus": (_Cookie, (link,)),
        "query_tree": (_Cookie, (link, word)),
        "get_property": (_Cookie, (link, byte, word, word, word, word, word)),
        "change_window_attributes": (_Cookie, (link, word, word, ctypes.c_void_p)),
        "send_event": (_Cookie, (link, byte, word, word, ctypes.c_void_p)),
        "intern_atom": (_Cookie, (link, byte, half, ctypes.c_char_p)),
    }
    for name, (result, arguments) in calls.items():
        call = getattr(xcb, f"xcb_{name}")
        call.restype, call.argtypes = result, arguments
        if result is _Cookie and (reply := getattr(xcb, f"xcb_{name}_reply", None)) is not None:
            reply.restype, reply.argtypes = ctypes.c_void_p, (link, _Cookie, ctypes.c_void_p)
    return xcb


@cache
def _libc() -> Any:
    return ctypes.CDLL(None)
