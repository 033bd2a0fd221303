"""Captions as text: on a terminal with a dim tail, in a pipe as plain text, or as JSON Lines.

A screen has `show(event)`, `tell(message)` and `close()`; none knows where events come from.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Protocol, TextIO

from app.core.lines import TURN_PAUSE_MS, CaptionLines
from app.core.script import clusters, display_width
from app.session.session import SessionEvent
from model_backends.base import Progress, Tail, Word

_DIM, _PLAIN, _CLEAR = "\x1b[2m", "\x1b[0m", "\r\x1b[K"


class Screen(Protocol):
    """Where captions go."""

    def show(self, event: SessionEvent) -> None:
        """Show an event, or ignore it. Raises OSError when the reader has gone."""

    def tell(self, message: str) -> None:
        """A sentence for the user, apart from the captions."""

    def close(self) -> None:
        """Leave the cursor on a fresh line."""


class TerminalScreen:
    """Lines that fill up word by word, with the tentative tail dim behind them."""

    def __init__(self, out: TextIO, messages: TextIO, columns: int) -> None:
        self._out = out
        self._messages = messages
        self._columns = max(20, columns) - 1  # the last column would wrap the cursor
        self._lines = CaptionLines(display_width, self._columns)
        self._row = ""
        self._tail = ""

    def show(self, event: SessionEvent) -> None:
        if isinstance(event, Word):
            before = self._lines.started
            self._lines.add(event)
            self._tail = ""
            rows = [line.text for line in self._lines.visible(1 + self._lines.started - before)]
            self._row = rows[-1]
            self._draw("".join(row + "\n" for row in rows[:-1]))
        elif isinstance(event, Tail) and event.text != self._tail:
            self._tail = event.text
            self._draw()

    def tell(self, message: str) -> None:
        self._out.write(_CLEAR)
        self._out.flush()
        self._messages.write(message + "\n")
        self._messages.flush()
        self._draw()

    def close(self) -> None:
        self._tail = ""
        self._draw()
        if self._row:
            self._out.write("\n")
            self._out.flush()

    def _draw(self, finished: str = "") -> None:
        """The finished rows, if any, then the row that is being filled."""
        tail = _clipped(self._tail, self._columns - display_width(self._row))
        dim = f"{_DIM}{tail}{_PLAIN}" if tail else ""
        self._out.write(f"{_CLEAR}{finished}{self._row}{dim}")
        self._out.flush()


class PlainScreen:
    """Committed text only, a new line after a pause; no escape codes."""

    def __init__(self, out: TextIO, messages: TextIO) -> None:
        self._out = out
        self._messages = messages
        self._last: Word | None = None

    def show(self, event: SessionEvent) -> None:
        if not isinstance(event, Word):
            return
        last, self._last = self._last, event
        turn = last is not None and (
            event.lane != last.lane or event.start_ms - last.end_ms >= TURN_PAUSE_MS
        )
        if turn:
            self._out.write("\n")
        fresh = turn or last is None
        self._out.write(event.text.lstrip() if fresh else event.text)
        self._out.flush()

    def tell(self, message: str) -> None:
        self._messages.write(message + "\n")
        self._messages.flush()

    def close(self) -> None:
        if self._last is not None:
            self._out.write("\n")
            self._out.flush()


class JsonScreen:
    """Every event as one JSON object a line: its fields, and `type` in lower case."""

    def __init__(self, out: TextIO, messages: TextIO) -> None:
        self._out = out
        self._messages = messages

    def show(self, event: SessionEvent) -> None:
        fields = {k: str(v) if isinstance(v, Path) else v for k, v in asdict(event).items()}
        line = json.dumps({"type": type(event).__name__.lower(), **fields}, ensure_ascii=False)
        self._out.write(line + "\n")
        if not isinstance(event, Progress):
            self._out.flush()

    def tell(self, message: str) -> None:
        self._messages.write(message + "\n")
        self._messages.flush()

    def close(self) -> None:
        self._out.flush()


def _clipped(text: str, columns: int) -> str:
    """As much of the beginning as fits."""
    fitting = ""
    for cluster in clusters(text):
        if display_width(fitting + cluster) > columns:
            break
        fitting += cluster
    return fitting
