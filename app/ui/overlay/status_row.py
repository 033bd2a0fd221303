"""The slim row above the captions: what is happening, whether sound arrives, which language.

Someone who reads instead of hearing cannot know that captions have stopped, so this row is
always there. While all is well it is quiet; trouble is a filled pill with its own background,
readable on whatever colours the captions have. Knows `Status`, not sessions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.session.status import Stage, Status
from app.settings import OverlaySettings
from app.ui.widgets.languages import UNSURE, native_name

TEXT_PX = 14
ROW_HEIGHT = 26
_PILL_HEIGHT = 24.0
PADDING = 10  # px from a pill's end to its text
_BARS = (0.45, 1.0, 0.7)  # the three bars of the level meter, as shares of its height
_METER = QSize(15, 14)
_METER_RANGE_DB = (-55.0, -15.0)  # re full scale
_GAP = 8.0
_QUIET = 0.8  # opacity of the row's text while all is well
_LEAST_BACKING = 0.62  # opacity below which the text behind would be read with ours


@dataclass(frozen=True, slots=True)
class Tone:
    """How a stage looks: `dot` is its mark; a `pill` makes it stand out, with `ink` on it."""

    label: str
    dot: QColor
    pill: QColor | None = None
    ink: QColor | None = None


_AMBER, _RED, _BLUE = QColor("#ffc24b"), QColor("#c4281c"), QColor("#7cc4ff")
_BLACK, _WHITE, _GREEN, _GREY = (
    QColor("#101216"), QColor("#ffffff"), QColor("#4cd07d"), QColor("#9aa3b2")
)  # fmt: skip
TONES = {
    Stage.IDLE: Tone("Not started", _GREY),
    Stage.STARTING: Tone("Starting", _BLUE),
    Stage.LISTENING: Tone("Listening", _BLUE),
    Stage.SPEECH: Tone("Speech", _GREEN),
    Stage.NO_SOUND: Tone("No sound is arriving", _BLACK, _AMBER, _BLACK),
    Stage.CATCHING_UP: Tone("Catching up", _BLACK, _AMBER, _BLACK),
    Stage.PAUSED: Tone("Paused", _GREY),
    Stage.STOPPING: Tone("Finishing", _BLUE),
    Stage.STOPPED: Tone("Stopped", _GREY),
    Stage.FAILED: Tone("Stopped working", _WHITE, _RED, _WHITE),
}
_HEARING = (Stage.LISTENING, Stage.SPEECH, Stage.CATCHING_UP)


def status_text(status: Status) -> str:
    """One line for people: what is happening, how far it is, how far behind.

    While captions flow it is one word, since it changes with every breath of the speaker.
    """
    label = TONES[status.stage].label
    parts = [label if status.stage in _HEARING else status.message or label]
    if status.stage is Stage.STARTING and status.fraction is not None:
        parts.append(f"{status.fraction:.0%}")
    if status.stage is Stage.CATCHING_UP and status.lag_ms >= 1000:
        parts.append(f"{status.lag_ms / 1000:.0f} s behind")
    return " · ".join(parts)


def _loudness(level: float) -> float:
    """0..1 for an RMS amplitude: from a quiet room to loud speech, in equal steps of decibels."""
    decibels = 20 * math.log10(max(level, 1e-6))
    quiet, loud = _METER_RANGE_DB
    return max(0.0, min(1.0, (decibels - quiet) / (loud - quiet)))


class StatusRow(QWidget):
    """State and level at the left, language at the right. Its height never changes."""

    def __init__(self, settings: OverlaySettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._status = Status(Stage.IDLE, "")
        self._level = 0.0
        self._language: str | None = None
        self._font = QFont()
        self._font.setPixelSize(TEXT_PX)
        self._font.setWeight(QFont.Weight.Medium)
        self.setFixedHeight(ROW_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName("State")

    @property
    def text(self) -> str:
        """What the row says, before it is shortened to fit."""
        return status_text(self._status)

    @property
    def language_text(self) -> str:
        """What the row says at its right end; empty if the user does not want it."""
        return native_name(self._language) if self._settings.show_language else ""

    def apply(self, settings: OverlaySettings) -> None:
        self._settings = settings
        self.update()

    def set_status(self, status: Status) -> None:
        self._status = status
        self.setAccessibleDescription(" ".join(part for part in (self.text, status.hint) if part))
        self.update()

    def set_level(self, level: float) -> None:
        """RMS amplitude of what is captured, 0..1."""
        self._level = level
        if self._status.stage in _HEARING:
            self.update()

    def set_language(self, code: str | None) -> None:
        self._language = code
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font)
        room = QRectF(self.rect())
        if self.language_text:
            room.setRight(self._paint_language(painter) - _GAP)
        self._paint_status(painter, room)

    def _paint_status(self, painter: QPainter, room: QRectF) -> None:
        tone = TONES[self._status.stage]
        metrics = QFontMetricsF(self._font)
        mark = _METER.width() + _GAP
        text = metrics.elidedText(
            self.text, Qt.TextElideMode.ElideRight, room.width() - mark - 2 * PADDING
        )
        width = mark + metrics.horizontalAdvance(text) + 2 * PADDING
        pill = self._pill(room.left(), width)
        self._paint_pill(painter, pill, tone.pill)
        inside = pill.adjusted(PADDING, 0, -PADDING, 0)
        self._paint_mark(painter, inside, tone)
        painter.setPen(tone.ink or self._ink())
        painter.drawText(inside.adjusted(mark, 0, 1, 0), Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_language(self, painter: QPainter) -> float:
        """Returns where it begins, from the left."""
        metrics = QFontMetricsF(self._font)
        width = metrics.horizontalAdvance(self.language_text) + 2 * PADDING
        pill = self._pill(self.width() - width, width)
        self._paint_pill(painter, pill, None)
        painter.setPen(self._ink())
        painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, self.language_text)
        return pill.left()

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

    def _paint_mark(self, painter: QPainter, inside: QRectF, tone: Tone) -> None:
        """A level meter while sound is being listened to, else a dot, or progress as a ring."""
        area = QRectF(inside.left(), inside.center().y() - _METER.height() / 2,
                      _METER.width(), _METER.height())  # fmt: skip
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tone.dot)
        if self._status.stage in _HEARING:
            self._paint_meter(painter, area)
        elif self._status.fraction is not None:
            painter.drawPie(area.adjusted(0.5, 0, -0.5, 0), 90 * 16, self._sweep())
        else:
            painter.drawEllipse(area.center(), 4.5, 4.5)

    def _sweep(self) -> int:
        """Clockwise, in sixteenths of a degree; a sliver at 0 so that there is something to see."""
        return -round(max(0.04, self._status.fraction or 0.0) * 360 * 16)

    def _paint_meter(self, painter: QPainter, area: QRectF) -> None:
        """Three bars that grow with the sound, as loud as it is to the ear."""
        for index, share in enumerate(_BARS):
            height = 3.0 + (area.height() - 3.0) * share * _loudness(self._level)
            foot = QPointF(area.left() + index * 5.5, area.center().y() - height / 2)
            painter.drawRoundedRect(QRectF(foot.x(), foot.y(), 3.5, height), 1.75, 1.75)

    def _ink(self) -> QColor:
        ink = QColor(self._settings.text_color)
        ink.setAlphaF(_QUIET)
        return ink


__all__ = ["PADDING", "ROW_HEIGHT", "TONES", "UNSURE", "StatusRow", "status_text"]
