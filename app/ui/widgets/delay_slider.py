"""A slider with one stop per delay an engine offers, and the words that explain a stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QSlider, QWidget

from app.language import say
from app.ui.widgets import plain, theme, worded
from app.ui.widgets.banner import announce
from app.ui.widgets.theme import CAPTIONS
from model_backends.base import Sentence

_HANDLE = 7.0  # px, radius
_GROOVE = 4.0


@dataclass(frozen=True, slots=True)
class _Look:
    """Colours; `done` is for what lies before the handle, and for the focus."""

    groove: QColor
    done: QColor
    stop: QColor
    handle: QColor


_ON_CAPTIONS = _Look(
    QColor(CAPTIONS.groove), QColor(CAPTIONS.accent), QColor(CAPTIONS.quiet), QColor("#ffffff")
)


_STEPS = {
    QSlider.SliderAction.SliderSingleStepAdd: 1,
    QSlider.SliderAction.SliderPageStepAdd: 1,
    QSlider.SliderAction.SliderSingleStepSub: -1,
    QSlider.SliderAction.SliderPageStepSub: -1,
}


def delay_label(ms: int) -> str:
    """Short: "0.5 s"."""
    return Sentence("{seconds:g} s", seconds=_tenths(ms))


def delay_description(ms: int, word_error_rate: Mapping[int, float]) -> str:
    """With the published share of wrong words where there is one, and nothing invented else."""
    if ms not in word_error_rate:
        return delay_label(ms)
    return Sentence(
        "{delay} · about {rate:.1f} % of words wrong",
        delay=delay_label(ms),
        rate=word_error_rate[ms],
    )


def delay_in_words(ms: int, word_error_rate: Mapping[int, float]) -> str:
    """What waiting means, in a sentence or two."""
    if ms == 1000:
        waits = Sentence("Words appear about 1 second after they are said.")
    else:
        waits = Sentence(
            "Words appear about {seconds:g} seconds after they are said.", seconds=_tenths(ms)
        )
    if ms not in word_error_rate:
        return waits
    return Sentence(
        "{waits} About {rate:.1f} % of words are wrong.", waits=waits, rate=word_error_rate[ms]
    )


def _tenths(ms: int) -> float:
    """Seconds; two places where one would make neighbours alike."""
    return round(ms / 1000, 2)


class DelaySlider(QSlider):
    """Its value is a delay in milliseconds, always one of those offered; stops lie evenly.

    `delay_chosen` comes when the user has settled on one. While the handle is being dragged only
    `valueChanged` tells, so that an engine is not sent through every delay on the way. The wheel
    changes nothing: it scrolls what the slider lies on.
    """

    delay_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.delays_ms: tuple[int, ...] = ()
        self._word_error_rate: Mapping[int, float] = {}
        worded.name(self, Sentence("Delay in milliseconds"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._settled = 0
        self.actionTriggered.connect(self._take_action)
        self.valueChanged.connect(self._keep_to_stops)
        self.valueChanged.connect(self._describe)
        self.valueChanged.connect(self._maybe_settle)
        self.sliderReleased.connect(self._settle)

    @property
    def delay_ms(self) -> int | None:
        """The delay under the handle; None before there are any."""
        return self._stop(self.value()) if self.delays_ms else None

    @property
    def in_words(self) -> str:
        """What the delay under the handle means; empty before there is any."""
        ms = self.delay_ms
        return "" if ms is None else delay_in_words(ms, self._word_error_rate)

    def offer(
        self,
        delays_ms: Sequence[int],
        chosen_ms: int,
        word_error_rate: Mapping[int, float] | None = None,
    ) -> None:
        """Show exactly these stops, without telling anyone. A drag going on is left alone."""
        self._word_error_rate = word_error_rate or {}
        if self.isSliderDown() and tuple(delays_ms) == self.delays_ms:
            return
        self.delays_ms = tuple(sorted(delays_ms))
        blocked = self.blockSignals(True)
        self._set_range()
        self.setValue(self._stop(chosen_ms if chosen_ms in self.delays_ms else self.value()))
        self.blockSignals(blocked)
        self._settled = self.value()
        self._describe()
        self.update()

    def _set_range(self) -> None:
        """A step is the narrowest gap between stops, which assistive technology is told."""
        stops = self.delays_ms or (0,)
        gaps = [after - before for before, after in pairwise(stops)]
        self.setRange(stops[0], stops[-1])
        self.setSingleStep(min(gaps, default=1))
        self.setPageStep(min(gaps, default=1))

    def sizeHint(self) -> QSize:
        return QSize(120, 28)

    def minimumSizeHint(self) -> QSize:
        return QSize(84, 28)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self.setSliderPosition(self._nearest(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self.setSliderPosition(self._nearest(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.setSliderDown(False)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        look = self._look()
        stops = [self._at(index) for index in range(max(1, len(self.delays_ms)))]
        here = stops[self._index(self.value())]
        self._paint_groove(painter, stops[0], stops[-1], look.groove)
        self._paint_groove(painter, stops[0], here, look.done)
        painter.setPen(Qt.PenStyle.NoPen)
        for stop in stops:
            painter.setBrush(look.done if stop.x() <= here.x() else look.stop)
            painter.drawEllipse(stop, 3.0, 3.0)
        painter.setBrush(look.handle)
        painter.drawEllipse(here, _HANDLE, _HANDLE)
        if self.hasFocus():
            painter.setPen(QPen(look.done, 2.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(here, _HANDLE + 3, _HANDLE + 3)

    def _look(self) -> _Look:
        return _ON_CAPTIONS

    def _paint_groove(self, painter: QPainter, start: QPointF, end: QPointF, color: QColor) -> None:
        pen = QPen(color, _GROOVE)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawLine(start, end)

    def _nearest(self, x: float) -> int:
        """The delay whose stop is nearest to this place."""
        indices = range(max(1, len(self.delays_ms)))
        nearest = min(indices, key=lambda index: abs(self._at(index).x() - x))
        return self.delays_ms[nearest] if self.delays_ms else 0

    def _stop(self, ms: int) -> int:
        """The stop nearest to a number of milliseconds; that number before there are stops."""
        return min(self.delays_ms, key=lambda stop: abs(stop - ms), default=ms)

    def _index(self, ms: int) -> int:
        return self.delays_ms.index(self._stop(ms)) if self.delays_ms else 0

    def _take_action(self, action: int) -> None:
        """A key goes to the next stop, however far that is."""
        by = _STEPS.get(QSlider.SliderAction(action))
        if by is not None:
            index = max(0, min(self._index(self.value()) + by, len(self.delays_ms) - 1))
            self.setSliderPosition(self.delays_ms[index] if self.delays_ms else 0)

    def _keep_to_stops(self, ms: int) -> None:
        """Assistive technology may set any number."""
        if self.delays_ms and ms != self._stop(ms):
            self.setValue(self._stop(ms))

    def _at(self, index: int) -> QPointF:
        """Centre of a stop."""
        room = QRectF(self.rect()).adjusted(_HANDLE + 4, 0, -_HANDLE - 4, 0)
        share = index / max(1, len(self.delays_ms) - 1)
        return QPointF(room.left() + share * room.width(), room.center().y())

    def _describe(self) -> None:
        """In words for whoever cannot see the handle: Qt reads out only the milliseconds."""
        plain.set_tip(self, self.in_words)
        if say(self.in_words) == self.accessibleDescription():
            return
        worded.description(self, self.in_words)
        if self.hasFocus():
            announce(self, self.in_words)

    def _maybe_settle(self) -> None:
        if not self.isSliderDown():
            self._settle()

    def _settle(self) -> None:
        chosen = self.delay_ms
        if chosen is not None and self.value() != self._settled:
            self._settled = self.value()
            self.delay_chosen.emit(chosen)


class PlainDelaySlider(DelaySlider):
    """On a window, in the window's colours."""

    def _look(self) -> _Look:
        look = theme.colors()
        done = QColor(look.accent if self.isEnabled() else look.border)
        return _Look(QColor(look.border), done, QColor(look.border), done)
