"""Holding the text still, scrolling back in it, and where reading stopped.

What is looked at is a copy: words that come meanwhile go to `CaptionLines` and change nothing of
it. It never goes on by itself. Places are kept as counts of words, which outlast a reflow.
Knows nothing of pixels, keys or windows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.core.lines import CaptionLines, Line


@dataclass(frozen=True, slots=True)
class Held:
    """What is looked at: `lines`, of which the last has number `end` and ends with word `words`."""

    lines: tuple[Line, ...]
    end: int
    words: int


class Scrollback:
    """`held` is None while the newest words are shown as they come."""

    def __init__(self, lines: CaptionLines) -> None:
        self._lines = lines
        self.held: Held | None = None
        self.stopped: int | None = None  # the word that reading stopped at: where the mark is
        self.by_hand = False  # whether it was marked, or only held there
        self._furthest: int | None = None  # … and the last one that was seen since

    @property
    def unread(self) -> int:
        """Words that have come and are below what is looked at."""
        return self._lines.added - self.held.words if self.held else 0

    def hold(self, count: int) -> None:
        """Stand still with the newest `count` lines; this is where reading stops."""
        if self.held is None:
            self.mark()
            self.by_hand = False
            self._look_at(self._lines.newest, count)

    def scroll(self, by: int, count: int) -> None:
        """Look at `count` lines this many further down (up: negative), as far as there are any."""
        end = self.held.end if self.held else self._lines.newest
        self.hold(count)
        self._look_at(end + by, count)

    def go_live(self) -> None:
        """Show the newest words again; the mark is where they were left for."""
        if self.held is not None:
            self.held = None
            self.stopped, self.by_hand = self._furthest, False

    def mark(self) -> None:
        """Reading stops here: at the end of what is looked at, or now."""
        self.stopped = self._furthest = self.held.words if self.held else self._lines.added
        self.by_hand = True

    def can_catch_up(self, count: int) -> bool:
        """Whether more than `count` lines have come since reading stopped, and are not shown."""
        if self._furthest is None:
            return False
        shown_to = self.held.end if self.held else self._lines.newest
        row = self._lines.row_of(self._furthest)
        return row <= shown_to - count or row > shown_to

    def catch_up(self, count: int, after: int | None = None) -> int | None:
        """Look at what follows the line at which reading stopped, or that of word `after`.

        Which word that was; None if reading never stopped.
        """
        after = self._furthest if after is None else after
        if after is not None:
            self._look_at(self._lines.row_of(after) + count - 1, count)
        return after

    def look_again(self, count: int) -> None:
        """After a reflow: at the same words, as near as lines are."""
        if self.held is not None:
            self._look_at(self._lines.row_of(self.held.words), count)

    def look_at_more(self, count: int) -> None:
        """At another number of lines that end with the same one, as it was held."""
        before = self.held
        if before is not None and len(before.lines) != count:
            above = self._lines.until(before.end - 1, count - 1)
            self.held = replace(before, lines=(*above, *before.lines[-1:]))

    def marked_row(self) -> int | None:
        """The number of the row below which the mark is; None while nothing comes after it."""
        if self.stopped is None or self.stopped >= self._lines.added:
            return None
        return self._lines.row_of(self.stopped)

    def _look_at(self, end: int, count: int) -> None:
        newest = self._lines.newest
        lines = self._lines.until(min(end, newest), count)  # which may bring older ones back
        end = max(min(end, newest), min(newest, self._lines.first + count - 1))
        lines = self._lines.until(end, count) if len(lines) < count else lines
        words = self._lines.words_until(end)
        self.held = Held(tuple(lines), end, words)
        if self._furthest is None or words > self._furthest:
            self._furthest = words
