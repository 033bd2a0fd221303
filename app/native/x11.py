"""What Qt does not ask the X server: who composites, what fills the screen, who has the keyboard.

libxcb through ctypes, since Qt's own X11 platform needs it too, so it is there. Unlike Xlib it
reports errors to the caller: a window may be gone by the time it is asked about. Every question
is answered with the harmless answer when there is no X server to ask.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_WORDS = 64  # 32-bit words of a property to read: far more than the states a window has
_ANY_TYPE = 0
_CLIENT_MESSAGE = 33
_SUBSTRUCTURE = 0x00080000 | 0x00100000  # what window managers listen to
_REPLACE, _ATOM, _CARDINAL = 0, 4, 6  # of ChangeProperty: mode, predefined types
_TYPE, _TYPE_BEFORE = "_NET_WM_WINDOW_TYPE", "_VOXLINE_TYPE_BEFORE"
_SET, _INPUT, _UNSORTED = 0, 2, 0  # of the Shape extension: operation, kind, order
_DESKTOP, _EVERY_DESKTOP = "_NET_WM_DESKTOP", 0xFFFFFFFF
_FROM_A_USER = 2  # EWMH's source indication: as a pager, which window managers obey


def has_compositor() -> bool:
    """A compositor owns the selection `_NET_WM_CM_Sn` (EWMH)."""
    with _connection() as server:
        return server is None or server.selection_has_owner(f"_NET_WM_CM_S{server.screen_number}")


def fullscreen_is_active() -> bool:
    """Whether the window in use is full-screen: window managers put it above "keep above"."""
    with _connection() as server:
        if server is None:
            return False
        windows = server.property_of(server.root, "_NET_ACTIVE_WINDOW")
        fullscreen = server.atom("_NET_WM_STATE_FULLSCREEN")
        return any(fullscreen in server.property_of(w, "_NET_WM_STATE") for w in windows if w)


def active_window() -> int:
    """The window that has the keyboard, as the window manager says; 0 if it does not say."""
    with _connection() as server:
        windows = server.property_of(server.root, "_NET_ACTIVE_WINDOW") if server else []
        return windows[0] if windows else 0


def activate(window: int) -> None:
    """Ask the window manager to give this window the keyboard (EWMH)."""
    with _connection() as server:
        if server is not None:
            server.tell_window_manager(window, "_NET_ACTIVE_WINDOW", (_FROM_A_USER, 0, 0, 0, 0))


def show_on_every_desktop(window: int) -> None:
    """Keep the window in sight when another virtual desktop is turned to (EWMH)."""
    with _connection() as server:
        if server is not None and server.property_of(window, _DESKTOP) != [_EVERY_DESKTOP]:
            data = (_EVERY_DESKTOP, _FROM_A_USER, 0, 0, 0)
            server.tell_window_manager(window, _DESKTOP, data)


def set_strut(window: int, edge: str, pixels: tuple[int, int, int, int]) -> bool:
    """Keep the window's room free at the "top" or "bottom" of the desktop (EWMH, `_NET_WM_STRUT`).

    A strut counts from the edge of the desktop, not of a screen, across a range of columns. What
    is so already is left as it is, or window managers would arrange all windows anew.
    """
    x, y, width, height = pixels
    with _connection() as server:
        if server is None:
            return False
        strut = [0] * 12  # left, right, top, bottom, then the range of each
        if edge == "top":
            strut[2], strut[8], strut[9] = y + height, x, x + width - 1
        else:
            strut[3], strut[10], strut[11] = server.height - y, x, x + width - 1
        server.let_be_dock(window)
        server.set_property(window, "_NET_WM_STRUT_PARTIAL", strut)
        server.set_property(window, "_NET_WM_STRUT", strut[:4])
        return True


def clear_strut(window: int) -> None:
    """Other windows may have the room again."""
    with _connection() as server:
        if server is None:
            return
        for name, length in (("_NET_WM_STRUT_PARTIAL", 12), ("_NET_WM_STRUT", 4)):
            if server.property_of(window, name):
                server.set_property(window, name, [0] * length)  # metacity sees no deletion
        server.let_be_no_dock(window)


def open_frames(window: int, opened: bool) -> None:
    """Let clicks pass through the frames that a window manager has put around a window.

    A window that takes no input still has its frame, and where that takes clicks they reach
    nobody (openbox; mutter's frames let them pass).
    """
    with _connection() as server:
        if server is not None:
            for frame in server.frames_of(window):
                server.set_input(frame, not opened)


class _ClientMessage(ctypes.Structure):
    """xcb_client_message_event_t: 32 bytes."""

    _fields_ = (
        ("response_type", ctypes.c_uint8),
        ("format", ctypes.c_uint8),
        ("sequence", ctypes.c_uint16),
        ("window", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("data", ctypes.c_uint32 * 5),
    )


class _Cookie(ctypes.Structure):
    """What every request returns; its reply is asked for with it."""

    _fields_ = (("sequence", ctypes.c_uint),)


class _Roots(ctypes.Structure):
    """xcb_screen_iterator_t; a screen begins with the id of its root window."""

    _fields_ = (
        ("data", ctypes.POINTER(ctypes.c_uint32)),
        ("rem", ctypes.c_int),
        ("index", ctypes.c_int),
    )


class _Server:
    """One connection. Replies are copied and freed at once."""

    def __init__(self, xcb: Any, link: ctypes.c_void_p, screen_number: int) -> None:
        self._xcb, self._link = xcb, link
        self.screen_number = screen_number
        roots = xcb.xcb_setup_roots_iterator(ctypes.c_void_p(xcb.xcb_get_setup(link)))
        for _ in range(screen_number):
            xcb.xcb_screen_next(ctypes.byref(roots))
        self.root = int(roots.data[0])
        # xcb_screen_t: five words, then width and height in pixels, 16 bits each
        self.height = int(roots.data[5]) >> 16

    def atom(self, name: str) -> int:
        """The number of a name; 0 (none) if the server is gone."""
        encoded = name.encode()
        cookie = self._xcb.xcb_intern_atom(self._link, 0, len(encoded), encoded)
        words = self._reply("xcb_intern_atom_reply", cookie, 3)
        return words[2] if words else 0

    def selection_has_owner(self, name: str) -> bool:
        cookie = self._xcb.xcb_get_selection_owner(self._link, self.atom(name))
        words = self._reply("xcb_get_selection_owner_reply", cookie, 3)
        return bool(words and words[2])

    def property_of(self, window: int, name: str) -> list[int]:
        """A property of 32-bit values; empty if it is not set or the window is gone."""
        cookie = self._xcb.xcb_get_property(
            self._link, 0, window, self.atom(name), _ANY_TYPE, 0, _WORDS
        )
        # reply: kind and format, length, type, bytes after, count of values, 12 unused, values
        words = self._reply("xcb_get_property_reply", cookie, 8, values_counted_at=4)
        return words[8:]

    def let_be_dock(self, window: int) -> None:
        """Window managers move all but docks out of the room that is kept free (metacity)."""
        types = self.property_of(window, _TYPE)
        dock = self.atom("_NET_WM_WINDOW_TYPE_DOCK")
        if types[:1] != [dock]:
            self.set_property(window, _TYPE_BEFORE, types, _ATOM)
            self.set_property(window, _TYPE, [dock], _ATOM)

    def let_be_no_dock(self, window: int) -> None:
        types = self.property_of(window, _TYPE_BEFORE)
        if types:
            self.set_property(window, _TYPE, types, _ATOM)
            self.delete_property(window, _TYPE_BEFORE)

    def set_property(
        self, window: int, name: str, values: list[int], of_type: int = _CARDINAL
    ) -> None:
        """A property of 32-bit values, unless it has them; nothing if the window is gone."""
        if self.property_of(window, name) == values:
            return
        data = (ctypes.c_uint32 * len(values))(*values)
        self._xcb.xcb_change_property(
            self._link, _REPLACE, window, self.atom(name), of_type, 32, len(values), data
        )
        self.atom(name)  # an answer to this comes after the change

    def delete_property(self, window: int, name: str) -> None:
        self._xcb.xcb_delete_property(self._link, window, self.atom(name))
        self.atom(name)

    def frames_of(self, window: int) -> list[int]:
        """The windows around this one, up to the root, which is none of them."""
        frames: list[int] = []
        while True:
            cookie = self._xcb.xcb_query_tree(self._link, window)
            # reply: kind, sequence, length, root, parent, ...
            words = self._reply("xcb_query_tree_reply", cookie, 4)
            if not words or words[3] in (0, self.root):
                return frames
            window = words[3]
            frames.append(window)

    def set_input(self, window: int, takes: bool) -> None:
        """Whether a window takes clicks where it is seen, or nowhere (the Shape extension)."""
        shape = _libxcb_shape()
        if shape is None:
            return
        if takes:
            shape.xcb_shape_mask(self._link, _SET, _INPUT, window, 0, 0, 0)
        else:
            shape.xcb_shape_rectangles(self._link, _SET, _INPUT, _UNSORTED, window, 0, 0, 0, None)
        self.atom("_NET_SUPPORTED")  # an answer to this comes after the change

    def tell_window_manager(self, window: int, what: str, data: tuple[int, ...]) -> None:
        """Send a client message about a window to the root, and wait until it has arrived.

        A server drops what it has not read when the connection is closed, flushed or not.
        """
        values = (ctypes.c_uint32 * 5)(*data)
        event = _ClientMessage(_CLIENT_MESSAGE, 32, 0, window, self.atom(what), values)
        self._xcb.xcb_send_event(self._link, 0, self.root, _SUBSTRUCTURE, ctypes.byref(event))
        self.atom(what)  # an answer to this comes after the message

    def _reply(
        self, name: str, cookie: _Cookie, head: int, values_counted_at: int | None = None
    ) -> list[int]:
        """The reply as 32-bit words, `head` of them and the values that follow; empty on errors."""
        pointer = getattr(self._xcb, name)(self._link, cookie, None)
        if not pointer:
            return []
        words = ctypes.cast(pointer, ctypes.POINTER(ctypes.c_uint32))
        count = head if values_counted_at is None else head + words[values_counted_at]
        copied = words[:count]
        _libc().free(ctypes.c_void_p(pointer))
        return copied


@contextmanager
def _connection() -> Iterator[_Server | None]:
    xcb = _libxcb()
    if xcb is None:
        yield None
        return
    number = ctypes.c_int()
    link = ctypes.c_void_p(xcb.xcb_connect(None, ctypes.byref(number)))
    try:
        yield None if xcb.xcb_connection_has_error(link) else _Server(xcb, link, number.value)
    finally:
        xcb.xcb_disconnect(link)


@cache
def _libxcb() -> Any:
    """libxcb with the types of what is called here, or None."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return None
    for request in ("intern_atom", "get_selection_owner", "get_property", "query_tree"):
        getattr(xcb, f"xcb_{request}").restype = _Cookie
        reply = getattr(xcb, f"xcb_{request}_reply")
        reply.restype, reply.argtypes = ctypes.c_void_p, (ctypes.c_void_p, _Cookie, ctypes.c_void_p)
    xcb.xcb_send_event.restype = _Cookie
    link, word, byte = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint8
    xcb.xcb_connect.restype = xcb.xcb_get_setup.restype = ctypes.c_void_p
    xcb.xcb_setup_roots_iterator.restype = _Roots
    xcb.xcb_intern_atom.argtypes = (link, byte, ctypes.c_uint16, ctypes.c_char_p)
    xcb.xcb_get_selection_owner.argtypes = (link, word)
    for verb in ("change_property", "delete_property"):
        getattr(xcb, f"xcb_{verb}").restype = _Cookie
    xcb.xcb_change_property.argtypes = (
        link, byte, word, word, word, byte, word, ctypes.c_void_p
    )  # fmt: skip
    xcb.xcb_delete_property.argtypes = (link, word, word)
    xcb.xcb_query_tree.argtypes = (link, word)
    xcb.xcb_send_event.argtypes = (link, byte, word, word, link)
    xcb.xcb_get_property.argtypes = (link, byte, word, word, word, word, word)
    return xcb


@cache
def _libxcb_shape() -> Any:
    """libxcb-shape, which Qt's X11 platform needs, too, or None."""
    try:
        shape = ctypes.CDLL("libxcb-shape.so.0")
    except OSError:
        return None
    link, word, byte, short = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint8, ctypes.c_int16
    shape.xcb_shape_mask.restype = shape.xcb_shape_rectangles.restype = _Cookie
    shape.xcb_shape_mask.argtypes = (link, byte, byte, word, short, short, word)
    shape.xcb_shape_rectangles.argtypes = (
        link, byte, byte, byte, word, short, short, word, ctypes.c_void_p
    )  # fmt: skip
    return shape


@cache
def _libc() -> Any:
    return ctypes.CDLL(None)
