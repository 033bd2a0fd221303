"""Holding the captions still, scrolling back in them, catching up, copying: what a reader does.

Drives the view and the bar below it; the box is asked to grow while the text is held. Knows no
session and no settings.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication, QWheelEvent

from app.core.script import needs_space
from app.ui.overlay.caption_view import CaptionView
from app.ui.overlay.live_bar import LiveBar
from model_backends.base import Word

MOST_LINES = 8  # that a held box shows
_NOTCH = 120  # eighths of a degree: one step of most wheels
_LINES_A_NOTCH = 2


class Reading(QObject):
    """`held_changed(bool)` comes first, with the box to be made larger or smaller by it."""

    held_changed = Signal(bool)

    def __init__(self, view: CaptionView, bar: LiveBar, parent: QObject) -> None:
        super().__init__(parent)
        self._view, self._bar = view, bar
        self._turned = 0.0  # of the wheel, in lines
        bar.live_requested.connect(self.go_live)
        bar.catch_up_requested.connect(self.catch_up)

    @property
    def held(self) -> bool:
        return self._view.scrollback.held is not None

    @property
    def lines_wanted(self) -> int:
        """How many lines a held box has to show: what there is, up to eight."""
        return min(MOST_LINES, self._view.lines_kept)

    def toggle(self) -> None:
        self.go_live() if self.held else self.hold()

    def hold(self) -> None:
        """Stand still with what is shown; listening goes on."""
        if not self.held:
            self._view.hold()
            self._now_held()

    def scroll(self, lines: int) -> None:
        """So many lines down (up: negative), and stand still there."""
        if not self.held and lines > 0:
            return  # there is nothing below the newest words
        was_held = self.held
        self._view.scroll_by(lines)
        if not was_held:
            self._now_held()
        self.tell()

    def page(self, way: int) -> None:
        """As far as is shown, less a line to find one's place by; 1 is down, -1 up."""
        if not self.held:
            self.hold()
            self.scroll(-1 if way < 0 else 0)
            return
        self.scroll(way * max(1, self._view.line_count - 1))

    def turn(self, event: QWheelEvent) -> None:
        """The wheel was turned, or two fingers moved: by whole lines."""
        self._turned -= event.angleDelta().y() * _LINES_A_NOTCH / _NOTCH
        lines = int(self._turned)
        self._turned -= lines
        if lines:
            self.scroll(lines)

    def go_live(self) -> None:
        """Show the newest words as they come."""
        if self.held:
            self._view.go_live()
            self._turned = 0.0
            self.held_changed.emit(False)

    def catch_up(self) -> None:
        """Go to where reading stopped, if something unread is there."""
        if not self._view.can_catch_up:
            return
        was_held = self.held
        stopped_at = self._view.catch_up()
        if not was_held:
            self._now_held()  # more lines are shown from now on
            self._view.catch_up(stopped_at)
        self.tell()

    def mark(self) -> None:
        """Reading stops here."""
        self._view.mark()
        self.tell()

    def tell(self) -> None:
        """Say how much has come below what is looked at."""
        if self.held:
            self._bar.show_unread(self._view.scrollback.unread, self._view.can_catch_up)

    @property
    def can_copy(self) -> bool:
        return bool(self._view.latest_minute)

    @property
    def can_catch_up(self) -> bool:
        return self._view.can_catch_up

    def copy_latest(self) -> int:
        """Put the last minute of speech into the clipboard; how many words that were."""
        words = self._view.latest_minute
        if words:
            QGuiApplication.clipboard().setText(text_of(words))
        return len(words)

    def _now_held(self) -> None:
        self.held_changed.emit(True)
        self.tell()


def text_of(words: list[Word]) -> str:
    """Words as one would write them, a line for each turn."""
    text, last = "", None
    for word in words:
        if last is not None and word.lane != last.lane:
            text += "\n" + word.text.lstrip()
        elif last is not None and word.utterance != last.utterance:
            space = " " if needs_space(text[-1:], word.text[:1]) else ""
            text += space + word.text
        else:
            text += word.text
        last = word
    return text.strip()
