"""Keys grabbed from an X server, for whichever program has the keyboard.

A grab is of a key code with an exact set of modifiers, so NumLock, CapsLock and ScrollLock each
double the number of grabs. Codes are looked up in the keyboard's map and again whenever that
changes; on a layout without Latin letters the place of the letter on a US keyboard counts. libxcb
through ctypes reports a refused grab (BadAccess) to whoever asked; Xlib would end the program.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, combinations
from threading import Lock, Thread

from app.native.keys import DIGITS, LETTERS, Combination, NoGlobalKeysError, Refusal
from app.native.x11_server import KEY_PRESS, KEY_RELEASE, NoServerError, Server

_SHIFT, _LOCK, _CONTROL, _ALT, _NUM, _SUPER = 1, 2, 4, 8, 16, 64  # as keyboards usually have them
_MAPPING_NOTIFY = 34
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


class X11Keys:
    """Grabs on the root window, and a thread that waits for them. Raises NoGlobalKeysError."""

    def __init__(self, pressed: Callable[[str], None]) -> None:
        self._pressed = pressed
        try:
            self._server = Server()
        except NoServerError:
            raise NoGlobalKeysError from None
        self._lock = Lock()
        self._wanted: dict[str, Combination] = {}
        self._names: dict[_Grab, str] = {}
        self._held: set[_Grab] = set()  # what the server has given us, with every set of locks
        self._released = (0, 0)  # key code and time of the last release
        self._wake_reader, self._wake_writer = os.pipe()
        self._closed = False
        self._keyboard = _Keyboard(*self._server.keyboard())
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
            self._keyboard = _Keyboard(*self._server.keyboard())
            self._grab_all()
        elif kind == KEY_RELEASE:
            self._released = (code, when)
        elif kind == KEY_PRESS and (code, when) != self._released:  # else it only repeats
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
