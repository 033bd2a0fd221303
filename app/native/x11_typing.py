"""Typing on X11: keys pressed through XTEST, into whatever window has the keyboard.

What the keyboard has is pressed there, in the layout that is in use. For what it has not (accents,
Chinese, emoji) a key code that types nothing gets the character for a while. Programs look a key up
when they get to its press, which may be much later: so a code keeps its character as long as there
are others, and is given another only once the program says that it has read so far (it is pinged,
as window managers do), or after a rest where it cannot say. At the end all codes are empty again.

A window may be of a password: X11 does not say.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence

from app.native.typist import CAPS_LOCK, KEYS, Focus, NoTypingError, typeable
from app.native.x11_server import KEY_PRESS, KEY_RELEASE, NoServerError, Server
from model_backends.base import Sentence

_REST_S = 2.0  # for a program that does not say what it has read
_ANSWER_S = 20.0  # for one that does: it may be busy
_MOST_BORROWED = 64
_SHIFT_L, _NUM_LOCK, _SCROLL_LOCK = 0xFFE1, 0xFF7F, 0xFF14  # keysymdef.h
_LOCK = 2  # of the modifiers
_MODIFIERS = 0xFF
_UNDER_POINTER = 1
_FIRST_PING = 0x5658_0000  # window managers tell theirs apart by their number, a time
_UNICODE = 0x01000000  # keysyms of all that is not in Latin-1
_GONE = Sentence("The X server does not answer."), Sentence("Nothing more is typed.")
_NO_XTEST = (
    Sentence("This X server lets no program type: its extension XTEST is switched off."),
    Sentence("Whoever administers it can switch it on."),
)


class X11Typist:
    """Satisfies `Typist`. Raises NoTypingError."""

    def __init__(self) -> None:
        try:
            self._server = Server()
        except NoServerError:
            raise NoTypingError(*_GONE) from None
        self._xtest = self._server.xtest()
        if not self._xtest:
            self._server.close()
            raise NoTypingError(*_NO_XTEST)
        self._borrowed = Borrowed(self._settle)
        self._into = 0  # the window that was typed into last
        self._pings = 0

    def focus(self) -> Focus:
        around = self._around()
        self._check()
        if not around or self._server.nothing_is_active:
            return Focus()
        process = next(filter(None, map(self._server.process_of, around)), 0)
        return Focus(around[-1], process == os.getpid(), held=self._held())

    def type(self, text: str) -> int:
        left_out, into = 0, self._client()
        if into != self._into:
            self._borrowed.settle()  # what the other window has not read yet
        self._into = into
        rows, modifiers = self._server.keyboard()
        self._check()
        layout = Layout(rows, modifiers, self._server.state() >> 13 & 3)
        self._borrowed.look_at(rows, layout.free)
        for char in typeable(text):
            left_out += not self._type_each(char, layout)
        self._check()
        return left_out

    def close(self) -> None:
        for code in self._borrowed.given_back():
            self._server.change_key(code, (0, 0))
        self._server.close()

    def _around(self) -> list[int]:
        """The window that has the keyboard, and those around it."""
        window = self._server.focus()
        if window == _UNDER_POINTER:
            window = self._server.under_pointer()
        return self._server.ancestry(window)

    def _client(self) -> int:
        """The one of them that can be asked what it has read; else the outermost, or 0."""
        around = self._around()
        return next(filter(self._server.pings, around), (around or [0])[-1])

    def _settle(self) -> None:
        """Until what was pressed has been read."""
        if self._into and self._server.pings(self._into):
            self._pings += 1
            self._server.ping(self._into, _FIRST_PING + self._pings, _ANSWER_S)
        else:
            time.sleep(_REST_S)

    def _type_each(self, char: str, layout: Layout) -> bool:
        symbol = keysym(char)
        found = layout.key_of(symbol)
        if found is not None:
            code, shifted = found
            self._press(code, layout.shift if shifted else 0)
            return True
        code = self._borrowed.code_for(symbol, self._server.change_key)
        if code:
            self._press(code, 0)
        return bool(code)

    def _press(self, code: int, shift: int) -> None:
        keys = [(KEY_PRESS, code), (KEY_RELEASE, code)]
        if shift:
            keys = [(KEY_PRESS, shift), *keys, (KEY_RELEASE, shift)]
        self._server.press(self._xtest, keys)

    def _held(self) -> str:
        """NumLock and ScrollLock change no letter."""
        rows, modifiers = self._server.keyboard()
        layout = Layout(rows, modifiers, 0)
        down = self._server.state() & _MODIFIERS & ~layout.harmless
        if down & ~_LOCK:
            return KEYS
        return CAPS_LOCK if down else ""

    def _check(self) -> None:
        if self._server.is_gone:
            raise NoTypingError(*_GONE)


def keysym(char: str) -> int:
    """The X number of a character (keysymdef.h: Latin-1 as it is, the rest by its code point)."""
    point = ord(char)
    return point if 0x20 <= point <= 0x7E or 0xA0 <= point <= 0xFF else _UNICODE | point


class Layout:
    """Which key types what in the group that is in use. Pure."""

    def __init__(
        self, rows: Mapping[int, Sequence[int]], modifiers: Sequence[Sequence[int]], group: int
    ) -> None:
        taken = {code for codes in modifiers for code in codes if code}
        self.free = [code for code, row in rows.items() if not any(row) and code not in taken]
        self.shift = next(
            (code for code in modifiers[0] if code and _SHIFT_L in rows.get(code, ())), 0
        )
        self.harmless = _mask(rows, modifiers, _NUM_LOCK) | _mask(rows, modifiers, _SCROLL_LOCK)
        self._keys: dict[int, tuple[int, bool]] = {}
        for code, row in rows.items():
            for shifted, symbol in enumerate(_levels(row, group)):
                if symbol and code not in taken and (self.shift or not shifted):
                    self._keys.setdefault(symbol, (code, bool(shifted)))

    def key_of(self, symbol: int) -> tuple[int, bool] | None:
        """(key code, whether with Shift), or None if no key types it by itself."""
        return self._keys.get(symbol)


def _levels(row: Sequence[int], group: int) -> tuple[int, int]:
    """Plain and shifted, as the core protocol reads a row: a letter alone has its capital."""
    at = 2 * group if any(row[2 * group : 2 * group + 2]) else 0
    plain, shifted = (*row[at : at + 2], 0, 0)[:2]
    if plain and not shifted:
        char = chr(plain) if plain < 0x100 else ""
        shifted = ord(char.upper()) if char.islower() and len(char.upper()) == 1 else plain
    return plain, shifted


def _mask(
    rows: Mapping[int, Sequence[int]], modifiers: Sequence[Sequence[int]], symbol: int
) -> int:
    return sum(
        1 << index
        for index, codes in enumerate(modifiers)
        if any(symbol in rows.get(code, ()) for code in codes if code)
    )


class Borrowed:
    """Key codes that typed nothing, and what they type now. `settle` comes back once whatever was
    pressed has been read. Pure but for that and `change`."""

    def __init__(self, settle: Callable[[], object]) -> None:
        self._settle = settle
        self._free: list[int] = []
        self._codes: dict[int, int] = {}  # by symbol, the one pressed last at the end
        self._unread: set[int] = set()  # codes that were pressed, and may not be looked up yet

    def look_at(self, rows: Mapping[int, Sequence[int]], free: Sequence[int]) -> None:
        """The keyboard as it is now: somebody may have set another, with which ours are gone."""
        self._codes = {
            symbol: code for symbol, code in self._codes.items() if symbol in rows.get(code, ())
        }
        self._free = list(free)

    def code_for(self, symbol: int, change: Callable[[int, tuple[int, int]], bool]) -> int:
        """A code that types this, from now on, and is pressed next; 0 if there is none."""
        code = self._codes.pop(symbol, 0) or self._lent(symbol, change)
        if code:
            self._codes[symbol] = code
            self._unread.add(code)
        return code

    def settle(self) -> None:
        """Wait for what has not been read."""
        if self._unread:
            self._settle()
            self._unread.clear()

    def given_back(self) -> list[int]:
        """All codes that type something because of us; they do not any more."""
        self.settle()
        codes, self._codes = list(self._codes.values()), {}
        return codes

    def _lent(self, symbol: int, change: Callable[[int, tuple[int, int]], bool]) -> int:
        if self._free and len(self._codes) < _MOST_BORROWED:
            code = self._free.pop()
        elif self._codes:
            code = self._codes.pop(next(iter(self._codes)))
        else:
            return 0
        if code in self._unread:
            self.settle()
        return code if change(code, (symbol, symbol)) else 0
