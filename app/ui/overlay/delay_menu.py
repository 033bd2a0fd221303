"""The menu of delays: a few by name, each with what one will feel, and the slider with them all.

    ✓ Balanced      about half a second behind, 8.7 % of words wrong
    ────●─────────  Words appear about 0.48 seconds after they are said. …

It stays open while the slider is moved, so that one can watch the captions meanwhile. Knows no
engine: it is told what there is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QActionGroup, QKeyEvent
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget, QWidgetAction

from app.ui.overlay.menus import SHEET
from app.ui.widgets import plain, worded
from app.ui.widgets.delay_slider import DelaySlider, delay_in_words
from app.ui.widgets.delay_stops import felt, named_stops
from app.ui.widgets.theme import CAPTIONS
from model_backends.base import Sentence

_TEXT_PX = 14
_WIDTH = 380  # px of the words under the slider
_SHEET = f"QLabel {{ color: {CAPTIONS.ink}; font-size: {_TEXT_PX}px; }}"


class DelayMenu(QMenu):
    """`delay_chosen(ms)` comes once the user has settled on a delay."""

    delay_chosen = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        worded.text(self, Sentence("Delay"))
        self.setStyleSheet(SHEET)
        self._group = QActionGroup(self)
        self._offered: tuple[object, ...] = ()
        self.slider = _MenuSlider()
        self.words = plain.label(wrap=True)
        self._words_by_ms: dict[int, str] = {}
        self._slider_action = QWidgetAction(self)
        self._slider_action.setDefaultWidget(self._below())
        self.slider.valueChanged.connect(self._describe)
        self.slider.delay_chosen.connect(self._choose)

    def offer(
        self,
        delays_ms: Sequence[int],
        chosen_ms: int,
        usual_ms: int,
        word_error_rate: Mapping[int, float],
    ) -> None:
        """Exactly these delays, `usual_ms` being the engine's own choice."""
        offered = (tuple(delays_ms), usual_ms, tuple(word_error_rate.items()))
        if offered == self._offered and self.slider.delay_ms == chosen_ms:
            return  # it is told with every change of state
        self.slider.offer(delays_ms, chosen_ms, word_error_rate)
        if offered != self._offered:  # nothing moves in an open menu for the sake of a tick
            self._offered = offered
            self._words_by_ms = {ms: delay_in_words(ms, word_error_rate) for ms in delays_ms}
            self._list(delays_ms, usual_ms, word_error_rate)
        self._describe()

    def explain(self, why: str) -> None:
        """There is nothing to choose here: say why, in the place of what could be chosen."""
        if (why,) != self._offered:
            self._offered = (why,)
            self._list((), 0, {})
            worded.action(self, why).setEnabled(False)

    def _list(
        self, delays_ms: Sequence[int], usual_ms: int, word_error_rate: Mapping[int, float]
    ) -> None:
        self.removeAction(self._slider_action)
        self.clear()
        self._group = QActionGroup(self)
        for stop in named_stops(delays_ms, usual_ms, word_error_rate):
            text = Sentence("{name}: {felt}", name=stop.name, felt=felt(stop.ms, word_error_rate))
            action = worded.action(self, text)
            action.setCheckable(True)
            action.setData(stop.ms)
            action.triggered.connect(lambda _=False, ms=stop.ms: self._choose(ms))
            self._group.addAction(action)
        if len(delays_ms) > 1:  # one alone leaves nothing to slide
            self.addSeparator()
            self.addAction(self._slider_action)

    def _choose(self, ms: int) -> None:
        self.delay_chosen.emit(ms)

    def _describe(self) -> None:
        ms = self.slider.delay_ms
        worded.text(self.words, "" if ms is None else self._words_by_ms.get(ms, ""))
        for action in self._group.actions():
            action.setChecked(action.data() == ms)

    def _below(self) -> QWidget:
        """The slider and its words, with room for the longest: nothing moves while it does."""
        below = QWidget()
        below.setStyleSheet(_SHEET)
        column = QVBoxLayout(below)
        column.setContentsMargins(14, 8, 14, 8)
        column.addWidget(self.slider)
        column.addWidget(self.words)
        self.words.setFixedWidth(_WIDTH)
        self.words.setMinimumHeight(2 * self.words.fontMetrics().lineSpacing() + 4)
        self.words.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        below.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        below.setFocusProxy(self.slider)
        return below


class _MenuSlider(DelaySlider):
    """In a menu up and down walk through the menu."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            event.ignore()
        else:
            super().keyPressEvent(event)
