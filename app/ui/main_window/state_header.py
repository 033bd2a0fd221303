"""What the session is doing, how loud it is, and the buttons that start, pause and end it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.session.status import Stage, Status
from app.ui.widgets import theme
from app.ui.widgets.banner import announce

_TITLES = {
    Stage.IDLE: "Off",
    Stage.STARTING: "Starting",
    Stage.LISTENING: "Listening",
    Stage.SPEECH: "Captioning speech",
    Stage.NO_SOUND: "No sound is arriving",
    Stage.CATCHING_UP: "Catching up",
    Stage.PAUSED: "Paused",
    Stage.STOPPING: "Saving",
    Stage.STOPPED: "Stopped",
    Stage.FAILED: "Captions have stopped",
}
_COLORS = {  # stage: field of theme.Colors
    Stage.STARTING: "busy",
    Stage.LISTENING: "good",
    Stage.SPEECH: "good",
    Stage.NO_SOUND: "warning",
    Stage.CATCHING_UP: "warning",
    Stage.STOPPING: "busy",
    Stage.FAILED: "failure",
}
_START_LABELS = {Stage.PAUSED: "&Resume", Stage.FAILED: "&Try again"}
_OFF = (Stage.IDLE, Stage.STOPPED, Stage.FAILED)


def title(stage: Stage) -> str:
    """The stage in a word or two."""
    return _TITLES[stage]


def start_label(stage: Stage) -> str:
    """What the button that starts and pauses would do now, with its mnemonic."""
    if stage in _START_LABELS:
        return _START_LABELS[stage]
    return "&Start" if stage in _OFF else "&Pause"


def can_toggle(stage: Stage) -> bool:
    return stage != Stage.STOPPING


class _Dot(QWidget):
    """The stage as a colour; the words beside it say the same."""

    def __init__(self) -> None:
        super().__init__()
        self.color = "dim"
        self.setFixedSize(14, 14)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(getattr(theme.colors(), self.color)))
        painter.drawEllipse(QPointF(7, 7), 5, 5)


class LevelMeter(QWidget):
    """How loud the sound is that arrives, 0..1, as a row of bars."""

    BARS = 12

    def __init__(self) -> None:
        super().__init__()
        self.level = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Sound level")
        self.setToolTip("Sound level")

    def sizeHint(self) -> QSize:
        return QSize(self.BARS * 7, 18)

    def set_level(self, level: float) -> None:
        self.level = min(1.0, max(0.0, level))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        look = theme.colors()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for bar in range(self.BARS):
            lit = self.level * self.BARS > bar
            painter.setBrush(QColor(look.good if lit else look.line))
            painter.drawRoundedRect(QRectF(bar * 7, 2, 4, self.height() - 4), 2, 2)


class StateHeader(QWidget):
    """Shows a Status; its buttons only say that they were pressed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dot = _Dot()
        self.state = QLabel()
        self.state.setObjectName("state")
        self.detail = QLabel()
        self.detail.setObjectName("dim")
        self.detail.setWordWrap(True)
        self.detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.meter = LevelMeter()
        self.toggle = QPushButton("&Start")
        self.toggle.setObjectName("primary")
        self.new_session = QPushButton("&New session")
        self.new_session.setToolTip("Save what was said so far and begin an empty transcript")
        self._arrange()

    def show_status(self, status: Status) -> None:
        stage = status.stage
        announced = self.state.text() != title(stage)
        self.state.setText(title(stage))
        self.detail.setText(_detail(status))
        self.detail.setVisible(bool(self.detail.text()))
        self._dot.color = _COLORS.get(stage, "dim")
        self._dot.update()
        self.toggle.setText(start_label(stage))
        self.toggle.setEnabled(can_toggle(stage))
        self.new_session.setEnabled(stage not in (*_OFF, Stage.STOPPING))
        if stage in (*_OFF, Stage.PAUSED):
            self.meter.set_level(0.0)
        if announced:
            announce(self, f"{title(stage)}. {_detail(status)}")

    def _arrange(self) -> None:
        name = QHBoxLayout()
        name.setSpacing(8)
        for widget in (self._dot, self.state, self.meter):
            name.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)
        name.addStretch(1)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addLayout(name)
        words.addWidget(self.detail)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addLayout(words, 1)
        for button in (self.new_session, self.toggle):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)


def _detail(status: Status) -> str:
    """The message, unless it only repeats the title, and what to do next."""
    message = status.message.rstrip(".… ")
    repeated = message.casefold() == title(status.stage).casefold()
    parts = ["" if repeated else status.message, status.hint, status.remark]
    if status.stage == Stage.STARTING and status.fraction is not None:
        parts.insert(1, f"{status.fraction:.0%}")
    return " ".join(part for part in parts if part)
