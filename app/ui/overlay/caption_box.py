"""The box on the screen: background, state above, captions below, and its size in lines.

Its height is always a whole number of caption lines, so that no line is ever cut; while the text
is held the way back has a row of its own below. Knows nothing of where it stands.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QHelpEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QRegion,
    QResizeEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QToolTip, QVBoxLayout, QWidget

from app.session.status import Stage, Status
from app.settings import LINES, OverlaySettings
from app.ui.overlay import live_bar
from app.ui.overlay.caption_view import CaptionView, caption_font, line_height
from app.ui.overlay.controls import MINIMUM_WIDTH
from app.ui.overlay.fault_panel import SHOWN, FaultPanel
from app.ui.overlay.live_bar import LiveBar
from app.ui.overlay.round_off import rounded
from app.ui.overlay.status_row import PADDING, ROW_HEIGHT, StatusRow
from app.ui.widgets import plain, stages, worded
from app.ui.widgets.theme import CAPTIONS

RADIUS = 16.0
PULSE_MS = 1_200
_SIDE, _TOP, _BETWEEN, _BOTTOM = 18, 9, 3, 13
_TEXT_SIDE = _SIDE - 4  # the edge's own room is the rest
_CHROME = _TOP + ROW_HEIGHT + _BETWEEN + _BOTTOM
_START_OFFSET = QPoint(-_SIDE, _TOP)
_CHARACTERS = 42  # a line of broadcast captions
_HANDLE = 24  # px that it takes of the row of the state
_DOCKED_CHARACTERS = 72  # longer lines are hard to find back in
BAR_ROOM = live_bar.HEIGHT + _BETWEEN  # px that the way back needs below held captions
_GRIP = QColor(255, 255, 255, 150)
_START_SHEET = f"""
QPushButton {{
    color: {CAPTIONS.ink}; background: {CAPTIONS.surface}; border: 1px solid {CAPTIONS.quiet};
    border-radius: 8px; padding: 0 14px; font-size: 14px;
}}
QPushButton:hover {{ background: {CAPTIONS.selected}; }}
QPushButton:focus {{ border: 2px solid {CAPTIONS.accent}; }}
"""


def box_height(settings: OverlaySettings) -> int:
    """Pixels needed for the chosen number of lines."""
    return _CHROME + settings.lines * line_height(settings)


def lines_in(height: float, settings: OverlaySettings) -> int:
    """The number of lines whose box is nearest to this height."""
    fewest, most = LINES
    return max(fewest, min(most, round((height - _CHROME) / line_height(settings))))


def letter_width(settings: OverlaySettings) -> float:
    """Of an average letter of the captions, in pixels."""
    return QFontMetricsF(caption_font(settings)).averageCharWidth()


def minimum_width(settings: OverlaySettings) -> int:
    """Room for the controls, and for a long word."""
    word = letter_width(settings) * 12
    return max(MINIMUM_WIDTH, round(word) + 2 * _SIDE)


def comfortable_size(settings: OverlaySettings) -> QSize:
    """Lines as long as those of broadcast captions."""
    text = letter_width(settings) * _CHARACTERS
    return QSize(max(minimum_width(settings), round(text) + 2 * _SIDE), box_height(settings))


class CaptionBox(QWidget):
    """`opaque` is for desktops that cannot show what is behind; `lit` while the pointer is near.

    `docked` boxes are square, and as wide as the screen; `dashed` ones let clicks through.
    """

    start_requested = Signal()
    source_requested = Signal()
    own_requested = Signal()

    def __init__(self, settings: OverlaySettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._opaque = self._lit = self._docked = self._dashed = False
        self._pulse = QTimer(self, singleShot=True, interval=PULSE_MS)
        self._pulse.timeout.connect(self._repaint_all)
        self._background: QPixmap | None = None
        self._status = Status(Stage.STARTING)
        self._own_unseen = False  # the user speaks, and is not shown
        self.status_row = StatusRow(settings)
        self.status_row.set_ground(self._ground)
        self.captions = CaptionView(settings)
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(0, _TOP, 0, _BOTTOM)
        column.setSpacing(_BETWEEN)
        self._state_row = _inset(self.status_row, _SIDE - PADDING)
        column.addLayout(self._state_row)
        self._text_row = _inset(self.captions, _TEXT_SIDE)
        column.addLayout(self._text_row, 1)
        self.live = LiveBar()
        self.live.hide()
        column.addLayout(_inset(self.live, _SIDE - PADDING))
        self.fault = FaultPanel(_START_SHEET, self)
        self.fault.start_requested.connect(self.start_requested)
        self.fault.source_requested.connect(self.source_requested)
        self.fault.own_requested.connect(self.own_requested)
        self.start = QPushButton(self)
        self.start.setStyleSheet(_START_SHEET)
        self.start.clicked.connect(self.start_requested)
        self.start.hide()
        worded.follow(self, self._place_inside)
        self.setMouseTracking(True)

    @property
    def tells_fault(self) -> bool:
        """Whether what is wrong is told in full where captions would be."""
        return self._lacks_words and self._status.stage in SHOWN

    def show_status(self, status: Status) -> None:
        """Tell what is happening; a box that does nothing says how to have it do something."""
        before, self._status = self._status, status
        self.status_row.set_status(status)
        if stages.both_well(before.stage, status.stage):
            return
        worded.text(self.start, stages.does_next(status.stage))
        self.look_for_words()

    def show_own_unseen(self, unseen: bool) -> None:
        """Somebody speaks to empty captions: the user, whose words these captions leave out."""
        if unseen != self._own_unseen:
            self._own_unseen = unseen
            self.look_for_words()

    def word_came(self) -> None:
        """What is told in place of captions has no place any more."""
        if not self.fault.isHidden():
            self.look_for_words()

    @property
    def _lacks_words(self) -> bool:
        return not self.captions.committed_text

    def look_for_words(self) -> None:
        """Words may have come, or the first of them: they go before what is said of faults."""
        stage = self._status.stage
        faulty = self.tells_fault
        quiet = self._lacks_words and self._own_unseen
        unseen = quiet and not faulty and stage not in stages.AT_REST
        if faulty:
            self.fault.show_status(self._status)
        elif unseen:
            self.fault.show_own_unseen()
        self.fault.setVisible(faulty or unseen)
        self.status_row.set_brief(faulty)
        self.fault.set_clickable(not self._dashed)
        self.start.setVisible(stage in stages.AT_REST and not faulty and not self._dashed)
        self._place_inside()

    def show_held(self, held: bool) -> None:
        self.live.setVisible(held)

    def apply(self, settings: OverlaySettings) -> None:
        self._settings = settings
        self.status_row.apply(settings)
        self.status_row.set_ground(self._ground)
        self.captions.apply(settings)
        self._inset_text()
        self._place_inside()
        self._repaint_all()

    def set_opaque(self, opaque: bool) -> None:
        if opaque != self._opaque:
            self._opaque = opaque
            self.status_row.set_ground(self._ground)
            self._repaint_all()

    def set_lit(self, lit: bool) -> None:
        """Show the border and the corner by which the box can be resized."""
        if lit != self._lit:
            self._lit = lit
            self._repaint_all()

    def set_docked(self, docked: bool) -> None:
        """Square, with the text in the middle of a line that may be as long as the screen."""
        self._docked = docked
        self._inset_text()
        self._repaint_all()

    def set_dashed(self, dashed: bool) -> None:
        """Clicks go through: the border says so, and there is no button, which none would reach."""
        if dashed != self._dashed:
            self._dashed = dashed
            self.look_for_words()
            self._repaint_all()

    def pulse(self) -> None:
        """A bright border, once, for about a second: something was said that the user waits for.

        On and off again is one flash; more than three a second can cause seizures (WCAG 2.3.1).
        """
        self._pulse.start()
        self._repaint_all()

    @property
    def region(self) -> QRegion:
        """The rounded shape, in this widget's coordinates."""
        return rounded(self.rect(), self._radius)

    @property
    def _radius(self) -> float:
        return 0.0 if self._docked else RADIUS

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._background = None
        self._inset_text()
        self._place_inside()

    def event(self, event: QEvent) -> bool:
        """The row above the captions is shortened to fit; its whole text is shown on asking."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            place = self.status_row.mapFrom(self, event.pos())
            if self.status_row.rect().contains(place):
                QToolTip.showText(event.globalPos(), plain.tip(self.status_row.tip_at(place)), self)
                return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A line of captions and what is behind it: the background is drawn but once."""
        scale = self.devicePixelRatioF()
        if self._background is None or self._background.devicePixelRatio() != scale:
            self._background = self._draw_background(scale)
        QPainter(self).drawPixmap(0, 0, self._background)

    @property
    def _ground(self) -> QColor:
        """What is behind all that is told."""
        color = QColor(self._settings.background_color)
        color.setAlphaF(1.0 if self._opaque else self._settings.background_opacity)
        return color

    def _draw_background(self, scale: float) -> QPixmap:
        picture = QPixmap(self.size() * scale)
        picture.setDevicePixelRatio(scale)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(self.rect()), self._radius, self._radius)
        painter.fillPath(outline, self._ground)
        if self._pulse.isActive():
            self._paint_pulse(painter)
        elif self._dashed:
            self._paint_dashes(painter)
        elif self._lit:
            self._paint_border(painter)
        painter.end()
        return picture

    def _repaint_all(self) -> None:
        self._background = None
        self.update()

    def _inset_text(self) -> None:
        """In a docked box the lines are no longer than can be read."""
        side = _TEXT_SIDE
        if self._docked:
            longest = round(letter_width(self._settings) * _DOCKED_CHARACTERS)
            side = max(side, (self.width() - longest) // 2)
        self._text_row.setContentsMargins(side, 0, side, 0)

    def _place_inside(self) -> None:
        """The button in the middle of an empty box, else by the state; faults over the lines.

        What is said of the state ends where the button, or the handle, begins.
        """
        button = self.start.sizeHint()
        in_row = not self.start.isHidden() and bool(self.captions.committed_text)
        side = _SIDE - PADDING
        taken = _SIDE + button.width() if in_row else side + (_HANDLE if self._dashed else 0)
        self._state_row.setContentsMargins(side, 0, taken, 0)
        self._column.activate()
        lines = self.captions.geometry()
        self.fault.setGeometry(
            QRect(
                _SIDE - PADDING, lines.top(), self.width() - 2 * (_SIDE - PADDING), lines.height()
            )
        )
        if self.start.isHidden():
            return
        if in_row:
            corner = QRect(0, 0, button.width(), ROW_HEIGHT)
            corner.moveTopRight(self.rect().topRight() + _START_OFFSET)
            self.start.setGeometry(corner)
            return
        centred = QRect(0, 0, button.width() + 20, min(40, lines.height()))
        centred.moveCenter(lines.center())
        self.start.setGeometry(centred)

    def _paint_dashes(self, painter: QPainter) -> None:
        """Light over dark, so that they are seen on whatever is behind."""
        edge = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        for color, style in ((Qt.GlobalColor.black, Qt.PenStyle.SolidLine),
                             (Qt.GlobalColor.white, Qt.PenStyle.DashLine)):  # fmt: skip
            painter.setPen(QPen(color, 2, style))
            painter.drawRoundedRect(edge, self._radius, self._radius)

    def _paint_pulse(self, painter: QPainter) -> None:
        edge = QRectF(self.rect()).adjusted(2, 2, -2, -2)
        for color, width in ((CAPTIONS.black, 4), (CAPTIONS.warning, 3)):
            painter.setPen(QPen(QColor(color), width))
            painter.drawRoundedRect(edge, self._radius, self._radius)

    def _paint_border(self, painter: QPainter) -> None:
        painter.setPen(QPen(QColor(255, 255, 255, 60), 1))
        edge = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(edge, self._radius, self._radius)
        pen = QPen(_GRIP, 1.6)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        corner = QPointF(self.width() - 6.5, self.height() - 6.5)
        for length in (4.0, 9.0):
            painter.drawLine(corner - QPointF(length, 0), corner - QPointF(0, length))


def _inset(widget: QWidget, side: int) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setContentsMargins(side, 0, side, 0)
    row.addWidget(widget)
    return row
