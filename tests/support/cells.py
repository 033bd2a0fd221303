"""A terminal of cells: what stands on it after a program wrote to it and somebody resized it.

Two kinds, as terminals differ: one cuts off lines that no longer fit (xterm, the console), one
wraps them (GNOME's, kitty, Windows Terminal). Only the orders that Voxline gives are known; any
other control character is a fault, as that is what the screens must keep from passing.
"""

from __future__ import annotations

import io
import re

from app.core.script import display_width

_TOKEN = re.compile(
    r"\x1b\[(\d*)([A-Za-z])|([\r\n])|([^\x00-\x1f\x7f-\x9f]+)|([\x00-\x1f\x7f-\x9f])"
)


class Cells(io.StringIO):
    """`lines` as their reader knows them, joined where the terminal wrapped them; the last one is
    that of the cursor, and the only one that a resize may cost something: the others were read.
    """

    def __init__(self, columns: int, wraps: bool) -> None:
        super().__init__()
        self.columns = columns
        self.wraps = wraps
        self.lines = [""]
        self._at_start = True

    def write(self, text: str) -> int:
        for number, order, control, shown, other in _TOKEN.findall(text):
            if other or (order and (number, order) not in (("", "K"), ("2", "m"), ("0", "m"))):
                raise AssertionError(f"an order that Voxline never gives: {text!r}")
            if control == "\n":
                self.lines.append("")
            elif order == "K":
                assert self._at_start
                self.lines[-1] = self.lines[-1][: self._last_row_begins()]
            elif shown:
                self._put(shown)
            if control or shown:
                self._at_start = bool(control)
        return len(text)

    def _last_row_begins(self) -> int:
        return max(0, len(self.lines[-1]) - 1) // self.columns * self.columns

    def _put(self, text: str) -> None:
        self.lines[-1] += text
        assert display_width(text) < self.columns, "the cursor would wrap"

    def resize(self, columns: int) -> None:
        self.columns = columns
        if not self.wraps:
            self.lines[-1] = self.lines[-1][:columns]
