"""Why there are no captions, in their empty lines, and the button that may mend it.

Where captions have yet to come there is room for the whole sentence in letters that are read from
a chair. It has a ground of its own, since the captions may have none. Knows `Status` only.
"""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QWidget

from app.session.status import Stage, Status
from app.ui.widgets import plain, stages, worded
from app.ui.widgets.theme import CAPTIONS
from model_backends.base import Sentence, joined

TEXT_PX = (20, 17, 14)  # the largest in which the sentence fits
SHOWN = (Stage.FAILED, Stage.NO_SOUND)
_CHOOSE_SOURCE = Sentence("Choose source…")
_OWN_UNSEEN = Sentence(
    "You are heard, and what you say is in the transcript. Captions show what the others say."
)
_SHOW_OWN = Sentence("Show my words, too")
_INSET, _GAP, _RADIUS, _BUTTON_HEIGHT = 12, 14, 10.0, 40
_WRAPPED = int(
    Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
)
_STRIPES: dict[Stage | None, str] = {
    Stage.FAILED: CAPTIONS.failure,
    Stage.NO_SOUND: CAPTIONS.warning,
}


class FaultPanel(QLabel):
    """A label for assistive technology; the button's wishes come as three signals."""

    start_requested = Signal()
    source_requested = Signal()
    own_requested = Signal()

    def __init__(self, sheet: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._stage: Stage | None = Stage.FAILED  # None: nothing is wrong
        self._font = QFont()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.button = worded.text(
            QPushButton(self), _CHOOSE_SOURCE
        )  # never nameless, not even unseen
        self.button.setStyleSheet(sheet)
        worded.follow(self, self._arrange)
        self.button.clicked.connect(self._ask)
        self.hide()

    def show_status(self, status: Status) -> None:
        """Tell what is wrong, and what to do."""
        self._stage = status.stage
        failed = status.stage is Stage.FAILED
        self._tell(
            joined(status.message or stages.title(status.stage), status.hint),
            stages.does_next(status.stage) if failed else _CHOOSE_SOURCE,
        )

    def show_own_unseen(self) -> None:
        """Tell why nothing is to be read although somebody speaks: it is the user."""
        self._stage = None
        self._tell(_OWN_UNSEEN, _SHOW_OWN)

    def set_clickable(self, clickable: bool) -> None:
        """Whether there is a button: none where clicks go through."""
        self.button.setVisible(clickable)
        self._arrange()

    @property
    def text_px(self) -> int:
        """The size that the sentence is shown in."""
        return self._font.pixelSize()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(CAPTIONS.edge), 1))
        painter.setBrush(QColor(CAPTIONS.surface))
        room = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(room, _RADIUS, _RADIUS)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(_STRIPES.get(self._stage, CAPTIONS.good)))
        painter.drawRoundedRect(QRectF(5, 7, 4, self.height() - 14), 2, 2)
        painter.setFont(self._font)
        painter.setPen(QColor(CAPTIONS.ink))
        painter.drawText(self._text_room(), _WRAPPED, self.text())

    def _arrange(self) -> None:
        size = self.button.sizeHint()
        height = min(_BUTTON_HEIGHT, self.height() - 6)
        place = QRect(0, 0, size.width(), height)
        place.moveCenter(self.rect().center())
        place.moveRight(self.rect().right() - _INSET)
        self.button.setGeometry(place)
        self._choose_font()

    def _choose_font(self) -> None:
        room = self._text_room()
        for pixels in TEXT_PX:
            self._font.setPixelSize(pixels)
            endless = QRect(0, 0, room.width(), 10_000)
            needed = QFontMetrics(self._font).boundingRect(endless, _WRAPPED, self.text())
            if needed.height() <= room.height():
                return

    def _text_room(self) -> QRect:
        right = self.width() if self.button.isHidden() else self.button.geometry().left()
        right -= _GAP
        return QRect(_INSET + 6, 2, max(1, right - _INSET - 6), self.height() - 4)

    def _tell(self, text: str, button: str) -> None:
        worded.text(self, text)
        plain.set_tip(self, text)
        worded.text(self.button, button)
        self._arrange()
        self.update()

    def _ask(self) -> None:
        if self._stage is None:
            self.own_requested.emit()
        elif self._stage is Stage.FAILED:
            self.start_requested.emit()
        else:
            self.source_requested.emit()
