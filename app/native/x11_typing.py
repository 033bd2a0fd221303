"""Typing on X11: keys pressed through XTEST, into whatever window has the keyboard.

What the keyboard has is pressed there, in the layout that is in use. For what it has not (accents,
Chinese, emoji) a key code that types nothing gets the character for a while. Programs look a key up
when they get to its press, which may be later: so a code keeps its character as long as there are
others, and is not given another soon after it was pressed. At the end all codes are empty again.

A window may be of a password: X11 does not say.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence

from app.native.typist import CAPS_LOCK, KEYS, Focus, NoTypingError, typeable
from app.native.x11_server import KEY_PRESS, KEY_RELEASE, NoServerError, Server
from model_backends.base import Sentence

REST_S = 1.0  # from the last press of a borrowed code until it may mean something else
_MOST_BORROWED = 64
_SHIFT_L, _NUM_LOCK, _SCROLL_LOCK = 0xFFE1, 0xFF7F, 0xFF14  # keysymdef.h
_LOCK = 2  # of the modifiers
_MODIFIERS = 0xFF
_UNDER_POINTER = 1
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
        self._borrowed = Borrowed()

    def focus(self) -> Focus:
        window = self._server.focus()
        if window == _UNDER_POINTER:
            window = self._server.under_pointer()
        around = self._server.ancestry(window)
        self._check()
        if not around:
            return Focus()
        process = next(filter(None, map(self._server.process_of, around)), 0)
        return Focus(around[-1], process == os.getpid(), held=self._held())

    def type(self, text: str) -> int:
        left_out = 0
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
    """Key codes that typed nothing, and what they type now. Seconds are handed in; pure but for
    `change`."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._clock, self._wait = clock, wait
        self._free: list[int] = []
        self._codes: dict[int, int] = {}  # by symbol, the one pressed last at the end
        self._pressed_s: dict[int, float] = {}  # by code

    def look_at(self, rows: Mapping[int, Sequence[int]], free: Sequence[int]) -> None:
        """The keyboard as it is now: somebody may have set another, with which ours are gone."""
        self._codes = {
            symbol: code for symbol, code in self._codes.items() if symbol in rows.get(code, ())
        }
        self._free = list(free)

    def code_for(self, symbol: int, change: Callable[[int, tuple[int, int]], bool]) -> int:
        """A code that types this, from now on; 0 if there is none to be had."""
        code = self._codes.pop(symbol, 0) or self._lent(symbol, change)
        if code:
            self._codes[symbol] = code
            self._pressed_s[code] = self._clock()
        return code

    def _lent(self, symbol: int, change: Callable[[int, tuple[int, int]], bool]) -> int:
        if self._free and len(self._codes) < _MOST_BORROWED:
            code = self._free.pop()
        elif self._codes:
            code = self._codes.pop(next(iter(self._codes)))
        else:
            return 0
        rested_s = self._pressed_s.get(code, -REST_S) + REST_S
        if (left_s := rested_s - self._clock()) > 0:
            self._wait(left_s)
        return code if change(code, (symbol, symbol)) else 0

    def given_back(self) -> list[int]:
        """All codes that type something because of us; they do not any more."""
        if self._codes:
            self._wait(REST_S)  # what was pressed last may not have been looked up yet
        codes, self._codes = list(self._codes.values()), {}
        return codes
