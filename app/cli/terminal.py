"""Captions as text: on a terminal with a dim tail, in a pipe as plain text, or as JSON Lines.

A screen has `show(event)`, `tell(message)` and `close()`; none knows where events come from. What
it is given may hold anything, and gives a terminal no orders.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Protocol, TextIO

from app.cli import streams
from app.core.encoding import json_text
from app.core.lines import TURN_PAUSE_MS, CaptionLines
from app.core.script import clusters, display_width, harmless, pieces
from app.core.voices import label_of
from app.session.session import SessionEvent
from model_backends.base import Tail, Word

_DIM, _PLAIN, _CLEAR = "\x1b[2m", "\x1b[0m", "\r\x1b[K"
_NARROWEST = 20
_USUAL = 80


class Screen(Protocol):
    """Where captions go."""

    def show(self, event: SessionEvent) -> None:
        """Show an event, or ignore it. Raises OSError once if nothing can be shown any more."""

    def tell(self, message: str) -> None:
        """A sentence for the user, apart from the captions. Raises like `show()`."""

    def close(self) -> None:
        """Leave the cursor on a fresh line."""


class _Output:
    """Where a screen writes, until standard output takes no more."""

    def __init__(self, out: TextIO, messages: TextIO) -> None:
        self._out = out
        self._messages = messages
        self._lost = False

    def write(self, text: str) -> None:
        """Raises OSError once: from then on nothing is written."""
        if self._lost:
            return
        try:
            self._out.write(text)
            self._out.flush()
        except OSError:
            self._lost = True
            streams.silence(self._out)  # what waits in it must not fail again at the end
            raise

    def tell(self, message: str) -> None:
        streams.write_line(self._messages, message)


def terminal_columns(out: TextIO) -> int:
    """How wide the terminal is now that `out` writes to."""
    try:
        columns = os.get_terminal_size(out.fileno()).columns
    except (OSError, ValueError):
        columns = shutil.get_terminal_size().columns
    return columns or _USUAL


class TerminalScreen:
    """Lines that fill up word by word, with the tentative tail dim behind them.

    The width is asked for at each word. What a terminal does to a line that no longer fits differs
    from one to the next (wrapped, or cut off), so such a line is left alone, and what did not fit
    is written once more below.
    """

    def __init__(
        self,
        out: TextIO,
        messages: TextIO,
        columns: Callable[[], int],
        names: Mapping[str, str] | None = None,
    ) -> None:
        """`names`: of the voices, if it is to be said who speaks."""
        self._names = names or {}
        self._out = _Output(out, messages)
        self._ask_columns = columns
        self._columns = self._room()
        self._lines = CaptionLines(display_width, self._columns)
        self._lines.name_voices(self._names)
        self._last: Word | None = None
        self._row = ""  # as drawn last, without its tail
        self._tail = ""

    def show(self, event: SessionEvent) -> None:
        if isinstance(event, Word):
            self._follow_width()
            self._tail = ""
            self._add(replace(event, text=harmless(event.text)))
        elif isinstance(event, Tail) and self._is_news(event):
            self._follow_width()
            self._tail = harmless(event.text)
            self._draw()

    def tell(self, message: str) -> None:
        self._follow_width()
        self._out.write(_CLEAR)
        self._out.tell(message)
        self._draw()

    def close(self) -> None:
        self._tail = ""
        self._draw()
        if self._row:
            self._out.write("\n")
        self._row = ""  # what is told from here on stands below it

    def _is_news(self, tail: Tail) -> bool:
        """Another text, and one that goes on with what was said last."""
        follows = self._last is None or tail.lane == self._last.lane
        return follows and tail.text != self._tail

    def _room(self) -> int:
        return max(_NARROWEST, self._ask_columns()) - 1  # the last column would wrap the cursor

    def _follow_width(self) -> None:
        columns, before = self._room(), self._columns
        if columns == before:
            return
        self._columns = columns
        self._lines = CaptionLines(display_width, columns)
        left = self._row
        if display_width(self._row + self._shown_tail(before)) > columns:
            left = _beyond(self._row, columns)
            self._out.write("\n")
        self._row = self._tail = ""
        if left and self._last is not None:
            self._add(replace(self._last, text=left))
        self._lines.name_voices(self._names)

    def _add(self, word: Word) -> None:
        before = self._lines.started
        self._lines.add(word)
        lines = self._lines.visible(1 + self._lines.started - before)
        rows = [line.label + line.text for line in lines]
        self._last = word
        self._row = rows[-1] if rows else ""
        self._draw("".join(row + "\n" for row in rows[:-1]))

    def _draw(self, finished: str = "") -> None:
        """The finished rows, if any, then the row that is being filled."""
        tail = self._shown_tail(self._columns)
        dim = f"{_DIM}{tail}{_PLAIN}" if tail else ""
        self._out.write(f"{_CLEAR}{finished}{self._row}{dim}")

    def _shown_tail(self, columns: int) -> str:
        return _clipped(self._tail, columns - display_width(self._row))


class PlainScreen:
    """Committed text only, a new line after a pause; no escape codes."""

    def __init__(
        self, out: TextIO, messages: TextIO, names: Mapping[str, str] | None = None
    ) -> None:
        """`names`: of the voices, if it is to be said who speaks."""
        self._names = names or {}
        self._out = _Output(out, messages)
        self._last: Word | None = None

    def show(self, event: SessionEvent) -> None:
        if not isinstance(event, Word):
            return
        last, self._last = self._last, event
        turn = last is not None and (
            event.lane != last.lane or event.start_ms - last.end_ms >= TURN_PAUSE_MS
        )
        text = harmless(event.text)
        if turn or last is None:
            text = text.lstrip()
        if self._names and (last is None or event.lane != last.lane):
            text = label_of(event.lane, self._names) + text
        self._out.write("\n" * turn + text)

    def tell(self, message: str) -> None:
        self._out.tell(message)

    def close(self) -> None:
        if self._last is not None:
            self._out.write("\n")


class JsonScreen:
    """Every event as one JSON object a line: its fields, and `type` in lower case."""

    def __init__(self, out: TextIO, messages: TextIO) -> None:
        self._out = _Output(out, messages)

    def show(self, event: SessionEvent) -> None:
        fields = {k: str(v) if isinstance(v, Path) else v for k, v in asdict(event).items()}
        line = json_text({"type": type(event).__name__.lower(), **fields})
        self._out.write(line + "\n")

    def tell(self, message: str) -> None:
        self._out.tell(message)

    def close(self) -> None:
        self._out.write("")


def _beyond(row: str, columns: int) -> str:
    """What of a row did not fit into so many columns, from the word on that crosses the edge."""
    kept = ""
    for piece in pieces(row):
        if display_width(kept + piece) > columns:
            break
        kept += piece
    return row[len(kept) :].lstrip()


def _clipped(text: str, columns: int) -> str:
    """As much of the beginning as fits."""
    fitting = ""
    for cluster in clusters(text):
        if display_width(fitting + cluster) > columns:
            break
        fitting += cluster
    return fitting
