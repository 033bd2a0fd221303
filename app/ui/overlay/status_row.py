"""The slim row above the captions: what is happening, whether sound arrives, which language.

Someone who reads instead of hearing cannot know that captions have stopped, so this row is
always there. While all is well it is quiet; trouble is a filled pill with its own background,
readable on whatever colours the captions have. Knows `Status`, not sessions.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from app.language import say
from app.session.status import Stage, Status
from app.settings import OverlaySettings
from app.ui.widgets import stages, worded
from app.ui.widgets.color_button import contrast
from app.ui.widgets.languages import native_name
from app.ui.widgets.level import loudness
from app.ui.widgets.meter import Meter
from app.ui.widgets.theme import CAPTIONS, LIGHT
from model_backends.base import Sentence, joined

TEXT_PX = 14
ROW_HEIGHT = 26
_PILL_HEIGHT = 24.0
PADDING = 10  # px from a pill's end to its text
_BARS = (0.45, 1.0, 0.7)  # the three bars of the level meter, as shares of its height
_METER = QSize(15, 14)
_DISC = 5.5  # px, radius of what shows progress
_METER_AREA = QRect(QPoint(PADDING, (ROW_HEIGHT - _METER.height()) // 2), _METER)
_GAP = 8.0
_QUIET = 0.8  # opacity of the row's text while all is well
_SEEN = 3.0  # contrast of what is no text
_LEAST_BACKING = 0.62  # opacity below which the text behind would be read with ours


@dataclass(frozen=True, slots=True)
class Tone:
    """How a kind of stage looks: `dot` is its mark; a `pill` stands out, with `ink` on it."""

    dot: QColor
    pill: QColor | None = None
    ink: QColor | None = None


_BLACK, _WHITE = QColor(CAPTIONS.black), QColor("#ffffff")
TONES = {
    "quiet": Tone(QColor(CAPTIONS.quiet)),
    "busy": Tone(QColor(CAPTIONS.busy)),
    "good": Tone(QColor(CAPTIONS.good)),
    "warning": Tone(_BLACK, QColor(CAPTIONS.warning), _BLACK),
    "failure": Tone(_WHITE, QColor(CAPTIONS.failure), _WHITE),
}


class StatusRow(QLabel):
    """State and level at the left, language at the right. Its height never changes.

    A label for assistive technology, which is told a name; what is seen is painted here.
    """

    def __init__(self, settings: OverlaySettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._status = Status(Stage.STARTING, " ")  # until it is told, there is nothing to tell
        self._bars = _heights(0.0)
        self._ground = QColor(settings.background_color)  # what the box has behind the row
        self._brief = False
        self._quiet_since = ""
        self._language: str | None = None
        self._font = QFont()
        self._font.setPixelSize(TEXT_PX)
        self._font.setWeight(QFont.Weight.Medium)
        self.setFixedHeight(ROW_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.meter = Meter(self)
        self.meter.setGeometry(_METER_AREA)
        self.meter.hide()

    @property
    def shown(self) -> str:
        """What the row says, before it is shortened to fit."""
        if self._brief:
            return stages.title(self._status.stage)
        if self._quiet_since and self._status.stage in stages.WELL:
            return Sentence("— quiet since {time} —", time=self._quiet_since)
        return stages.line(self._status)

    @property
    def language_text(self) -> str:
        """What the row says at its right end; empty if the user does not want it, or while off."""
        wanted = self._settings.show_language and self._status.stage not in stages.OFF
        return native_name(self._language) if wanted else ""

    @property
    def _seen(self) -> tuple[object, ...]:
        """All that is painted of the status."""
        stage = self._status.stage
        looks = stages.kind(stage), stage in stages.HEARING, self._status.fraction
        return *looks, self.shown, self.language_text

    def apply(self, settings: OverlaySettings) -> None:
        self._settings = settings
        self._look_again()

    def set_ground(self, ground: QColor) -> None:
        """What is behind the row."""
        self._ground = ground
        self._look_again()

    def set_status(self, status: Status) -> None:
        hears, before = status.stage in stages.HEARING, self._seen
        if not hears:
            self._bars = _heights(0.0)
        self._status = status
        told = self.shown or stages.title(status.stage)
        worded.name(self, joined(told, status.hint))  # a text would have the row painted
        if self._seen != before:  # it is told with every breath of the speaker
            self.meter.setVisible(hears)
            self._show_meter()
            self.update()

    def set_brief(self, brief: bool) -> None:
        """Whether the rest is told below."""
        if brief != self._brief:
            self._brief = brief
            self.update()

    def set_quiet_since(self, time: str) -> None:
        """Nothing has been said since then; empty while something is."""
        if time != self._quiet_since:
            self._quiet_since = time
            self.update()

    def set_level(self, level: float) -> None:
        """RMS amplitude of what is captured, 0..1."""
        bars = _heights(level)
        if self._status.stage in stages.HEARING and bars != self._bars:
            self._bars = bars
            self.meter.tell(level)
            self._show_meter()

    def tip_at(self, place: QPoint) -> str:
        """What is written there, if it is shortened."""
        whole = say(self.shown)
        return whole if place.x() < self.width() and self._shortened(whole) != whole else ""

    def sizeHint(self) -> QSize:
        return QSize(200, ROW_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, ROW_HEIGHT)

    def set_language(self, code: str | None) -> None:
        if code != self._language:
            self._language = code
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font)
        if self.language_text:
            self._paint_language(painter)
        self._paint_status(painter, self._shortened(say(self.shown)))

    def _look_again(self) -> None:
        self.meter.forget()
        self._show_meter()
        self.update()

    def _show_meter(self) -> None:
        """It stands on the row's own pill."""

        def draw(painter: QPainter) -> None:
            painter.translate(-_METER_AREA.topLeft())
            self._paint_status(painter, "")

        if self._status.stage in stages.HEARING:
            look = self._bars, stages.kind(self._status.stage)
            self.meter.show_one(look, lambda: self._ground, draw)

    def _paint_status(self, painter: QPainter, text: str) -> None:
        tone = TONES[stages.kind(self._status.stage)]
        if not text.strip() and self._status.stage not in stages.HEARING:
            return  # nothing has been told yet
        mark = _METER.width() + (_GAP if text else 0.0)
        words = QFontMetricsF(self._font).horizontalAdvance(text) if text else 0.0
        width = mark + words + 2 * PADDING
        pill = self._pill(0.0, width)
        self._paint_pill(painter, pill, tone.pill)
        inside = pill.adjusted(PADDING, 0, -PADDING, 0)
        self._paint_mark(painter, tone)
        if not text:
            return
        painter.setPen(tone.ink or self._ink())
        painter.drawText(inside.adjusted(mark, 0, 1, 0), Qt.AlignmentFlag.AlignVCenter, text)

    def _shortened(self, text: str) -> str:
        """As much of it as fits between the mark and the language."""
        room = self.width() - self._language_width() - _METER.width() - _GAP - 2 * PADDING
        return QFontMetricsF(self._font).elidedText(text, Qt.TextElideMode.ElideRight, room)

    def _language_width(self) -> float:
        text = self.language_text
        return QFontMetricsF(self._font).horizontalAdvance(text) + 2 * PADDING if text else 0.0

    def _paint_language(self, painter: QPainter) -> None:
        width = self._language_width()
        pill = self._pill(self.width() - width, width)
        self._paint_pill(painter, pill, None)
        painter.setPen(self._ink())
        painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, self.language_text)

    def _pill(self, left: float, width: float) -> QRectF:
        return QRectF(left, (ROW_HEIGHT - _PILL_HEIGHT) / 2, width, _PILL_HEIGHT)

    def _paint_pill(self, painter: QPainter, pill: QRectF, color: QColor | None) -> None:
        """Without a colour of its own a pill only backs the text where the box hardly does."""
        backing = QColor(self._settings.background_color)
        thin = self._settings.background_opacity < _LEAST_BACKING
        backing.setAlphaF(_LEAST_BACKING if thin else 0.0)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color or backing)
        painter.drawRoundedRect(pill, _PILL_HEIGHT / 2, _PILL_HEIGHT / 2)

    def _paint_mark(self, painter: QPainter, tone: Tone) -> None:
        """A level meter while sound is being listened to, else a dot, or progress as a ring."""
        area = QRectF(_METER_AREA)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._dot(tone))
        if self._status.stage in stages.HEARING:
            self._paint_meter(painter, area)
        elif self._status.fraction is not None:
            self._paint_progress(painter, area.center())
        else:
            painter.drawEllipse(area.center(), 4.5, 4.5)

    def _paint_progress(self, painter: QPainter, center: QPointF) -> None:
        """A disc that fills, in the ring that it will fill: so much is done, so much is left."""
        disc = QRectF(0, 0, 2 * _DISC, 2 * _DISC)
        disc.moveCenter(center)
        painter.drawPie(disc, 90 * 16, self._sweep())
        painter.setPen(QPen(painter.brush().color(), 1.4))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(disc)

    def _dot(self, tone: Tone) -> QColor:
        """Its mark's colour, darker where the captions have a light ground (WCAG 2.2, 1.4.11)."""
        ground = QColor(self._settings.background_color)
        if tone.pill is not None or contrast(tone.dot, ground) >= _SEEN:
            return tone.dot
        return QColor(getattr(LIGHT, stages.kind(self._status.stage)))

    def _sweep(self) -> int:
        """Clockwise, in sixteenths of a degree; a sliver at 0 so that there is something to see."""
        return -round(max(0.04, self._status.fraction or 0.0) * 360 * 16)

    def _paint_meter(self, painter: QPainter, area: QRectF) -> None:
        """Three bars that grow with the sound, as loud as it is to the ear."""
        for index, height in enumerate(self._bars):
            foot = QPointF(area.left() + index * 5.5, area.center().y() - height / 2)
            painter.drawRoundedRect(QRectF(foot.x(), foot.y(), 3.5, height), 1.75, 1.75)

    def _ink(self) -> QColor:
        ink = QColor(self._settings.text_color)
        ink.setAlphaF(_QUIET)
        return ink


def _heights(level: float) -> tuple[int, ...]:
    """Of the meter's bars, in whole pixels: what is not seen to change is not painted."""
    room = _METER.height() - 3
    return tuple(3 + round(room * share * loudness(level)) for share in _BARS)
