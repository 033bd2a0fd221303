"""Paints the captions: the last few lines, word by word, nothing that was shown ever moving
except up by whole lines; or, while it is held, some lines that stand still.

Where lines break is decided by `app.core.lines`, what is looked at while it is held by
`app.core.scrollback`; this module measures for them and paints what they say. It knows nothing
of windows, sessions or where words come from.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import (
    QAccessible,
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.core.lines import CaptionLines, Line
from app.core.scrollback import Scrollback
from app.settings import LINES, OverlaySettings
from app.ui.overlay import fonts
from app.ui.overlay.line_pictures import LinePictures, edge_room
from app.ui.overlay.spoken_lines import SpokenLines
from app.ui.widgets import worded
from app.ui.widgets.languages import direction
from model_backends.base import Sentence, Word

_NOT_PAINTED = 500  # words: more than fit on any screen, so older ones cannot be painted any more
_WAYS = 6000  # rows whose direction is remembered: all that can still be shown again
_OLD = 0.7  # opacity of what was said before a long silence
_MARK_PX = 2  # thickness of the line below what was read last
_MARK_OPACITY = 0.75
LEADING = 1.12  # of the font's own line spacing: room for scripts taller than the chosen font


def caption_font(settings: OverlaySettings) -> QFont:
    """The font captions are painted and measured in."""
    font = QFont()
    fonts.dress(font, settings.font_family)
    font.setPointSize(settings.font_size)
    font.setWeight(QFont.Weight.Medium)
    return font


def line_height(settings: OverlaySettings) -> int:
    """Pixels from one caption line to the next."""
    return round(QFontMetricsF(caption_font(settings)).lineSpacing() * LEADING)


class CaptionView(QWidget):
    """The text of the overlay. As many whole lines as fit its height, 1 to 12.

    `on_painted(word)` is called after the paint event in which a committed word was on screen
    for the first time; a word that scrolled past between two paints is never reported.
    """

    def __init__(self, settings: OverlaySettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.on_painted: Callable[[Word], None] | None = None
        self._settings = settings
        self._font = caption_font(settings)
        self._metrics = QFontMetricsF(self._font)
        self._line_height = line_height(settings)
        self._lines = CaptionLines(self._measure, self._text_width())
        self.scrollback = Scrollback(self._lines)
        self._old = 0  # words; as many as were there when a long silence was noticed
        self._not_painted: deque[Word] = deque(maxlen=_NOT_PAINTED)
        self._painted: list[str] = []
        self._pictures: LinePictures | None = None
        self._ways: dict[int, Qt.LayoutDirection] = {}  # by the number of the row
        self._spoken: SpokenLines | None = None  # once a screen reader is there
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        worded.name(self, Sentence("Captions"))

    @property
    def line_count(self) -> int:
        """How many lines fit."""
        fewest, most = LINES
        return max(fewest, min(most, self.height() // self._line_height))

    @property
    def painted_text(self) -> list[str]:
        """The lines of the last paint event, tail included, top to bottom."""
        return list(self._painted)

    @property
    def committed_text(self) -> list[str]:
        """The lines that the next paint event will show, without the tail."""
        return [line.label + line.text for line in self._visible()[1]]

    def add_word(self, word: Word) -> None:
        """Show one more committed word."""
        before = self._lines.started
        self._lines.add(word)
        self._not_painted.append(word)
        if QAccessible.isActive():
            self._speak()
        if self.scrollback.held is None:
            self._update_line() if self._lines.started == before else self.update()

    def grow_old(self) -> None:
        """It has long been silent: what is shown now is not what is being said."""
        self._old = self._lines.added
        self.update()

    def begin_session(self) -> None:
        """The words that come next are another session's; those shown stay until they scroll."""
        self._lines.begin_session()
        self.update()

    def name_voices(self, names: Mapping[str, str]) -> None:
        """From the next turn on say who speaks; with no names, do not."""
        self._lines.name_voices(names)

    def point_out(self, which: Callable[[Word], bool]) -> None:
        """From the next word on draw a box round these."""
        self._lines.point_out(which)

    def set_tail(self, text: str, lane: str | None = None) -> None:
        """Replace the tentative text; painted only if the user asked for it."""
        if self._settings.show_tail:
            self._lines.set_tail(text, lane)
            self.update()

    # --- held still ------------------------------------------------------------------------

    def hold(self) -> None:
        """Stand still with what is shown now."""
        self.scrollback.hold(self.line_count)
        self.update()

    def scroll_by(self, lines: int) -> None:
        """Stand still so many lines further down; up if it is less than 0."""
        self.scrollback.scroll(lines, self.line_count)
        self.update()

    def go_live(self) -> None:
        """Show the newest words as they come."""
        self.scrollback.go_live()
        self.update()

    def mark(self) -> None:
        """Reading stops here."""
        self.scrollback.mark()
        self.update()

    @property
    def can_catch_up(self) -> bool:
        """Whether there is something unread above or below what is shown."""
        return self.scrollback.can_catch_up(self.line_count)

    def catch_up(self, after: int | None = None) -> int | None:
        """Stand still at what follows the place where reading stopped, or word number `after`.

        Which word that was, for a view that has become larger since.
        """
        after = self.scrollback.catch_up(self.line_count, after)
        self.update()
        return after

    @property
    def latest_minute(self) -> list[Word]:
        """The words of the last minute of speech."""
        return self._lines.latest(60_000)

    @property
    def lines_kept(self) -> int:
        """How many lines there are, those that have scrolled away included."""
        return self._lines.newest - self._lines.first + 1

    # --- how it looks ----------------------------------------------------------------------

    def apply(self, settings: OverlaySettings) -> None:
        """Look as `settings` say. Lines are broken anew only if the font has changed."""
        font_is_new = caption_font(settings) != self._font
        self._settings = settings
        self._pictures = None
        if not settings.show_tail:
            self._lines.set_tail("")
        if font_is_new:
            self._font = caption_font(settings)
            self._metrics = QFontMetricsF(self._font)
            self._line_height = line_height(settings)
            self._reflow()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(640, self._line_height * self._settings.lines)

    def showEvent(self, event: QShowEvent) -> None:
        """Whoever reads the screen finds a text before there are words in it."""
        if QAccessible.isActive():
            self._speak()

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self._spoken is not None:
            self._spoken.setGeometry(self.rect())
        if event.size().width() != event.oldSize().width():
            self._pictures = None
            self._reflow()
        else:
            self.scrollback.look_at_more(self.line_count)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        first, lines = self._visible()
        held = self.scrollback.held is not None
        old = self._lines.row_of(self._old) if self._old and not held else first - 1
        pictures = self._pictures_now()
        keys = list(zip(lines, self._directions(first, lines), strict=True))
        for row, (line, way) in enumerate(keys):
            painter.setOpacity(_OLD if first + row <= old else 1.0)
            pictures.paint(painter, line, way, row * self._line_height)
        pictures.keep_only(keys)
        painter.setOpacity(1.0)
        self._paint_mark(painter, first, len(lines))
        painter.end()
        self._painted = [line.label + line.text + line.tail for line in lines]
        if not held:
            self._report_painted(sum(_visible_length(line.text) for line in lines))

    def _paint_mark(self, painter: QPainter, first: int, count: int) -> None:
        """A thin line below the row at which reading stopped; not in words that just go by."""
        marked = self.scrollback.marked_row()
        wanted = self.scrollback.held is not None or self.scrollback.by_hand
        if not wanted or marked is None or not first <= marked < first + count:
            return
        ink = QColor(self._settings.text_color)
        ink.setAlphaF(_MARK_OPACITY)
        side = round(edge_room(self._font))
        top = (marked - first + 1) * self._line_height - _MARK_PX
        painter.fillRect(side, top, self.width() - 2 * side, _MARK_PX, ink)

    def _pictures_now(self) -> LinePictures:
        """Those of the present look, width and screen."""
        scale = self.devicePixelRatioF()
        if self._pictures is None or self._pictures.scale != scale:
            self._pictures = LinePictures(
                self._settings, self._font, QSize(self.width(), self._line_height), scale
            )
        return self._pictures

    def _speak(self) -> None:
        if self._spoken is None:
            self._spoken = SpokenLines(self)
        self._spoken.follow(self.committed_text)

    def _directions(self, first: int, lines: list[Line]) -> list[Qt.LayoutDirection]:
        """Which way each line runs; one that was painted keeps its way whatever it turns out to be.

        A line with nothing committed on it yet may still change.
        """
        ways = []
        for number, line in enumerate(lines, first):
            way = self._ways.get(number)
            if way is None:
                way = direction(line.language, line.text + line.tail)
                if line.text:
                    self._ways[number] = way
            ways.append(way)
        if len(self._ways) > 2 * _WAYS:
            self._ways = {n: way for n, way in self._ways.items() if n > first - _WAYS}
        return ways

    def _reflow(self) -> None:
        self._ways.clear()
        self._lines.reflow(self._measure, self._text_width())
        self.scrollback.look_again(self.line_count)

    def _visible(self) -> tuple[int, list[Line]]:
        """The number of the first line that is shown, and all that are."""
        held = self.scrollback.held
        if held is not None:
            return held.end - len(held.lines) + 1, list(held.lines)
        lines = self._lines.visible(self.line_count)
        return self._lines.started - len(lines), lines

    def _measure(self, text: str) -> float:
        return self._metrics.horizontalAdvance(text)

    def _text_width(self) -> float:
        return float(max(1, self.width()) - 2 * edge_room(self._font))

    def _update_line(self) -> None:
        """Paint the last line only, with the room that tall letters take of the one above."""
        row = min(self._lines.started - self._lines.first, self.line_count) - 1
        top = round((row - 0.5) * self._line_height)
        self.update(0, top, self.width(), self.height() - top)

    def _report_painted(self, characters_on_screen: int) -> None:
        """The words at the end of what came in that fit in what is on screen were painted."""
        fresh = list(self._not_painted)
        self._not_painted.clear()
        if self.on_painted is None:
            return
        shown = []
        for word in reversed(fresh):
            characters_on_screen -= _visible_length(word.text)
            if characters_on_screen < 0:
                break
            shown.append(word)
        for word in reversed(shown):
            self.on_painted(word)


def _visible_length(text: str) -> int:
    """Characters without spaces: those at a break are not painted."""
    return len("".join(text.split()))
