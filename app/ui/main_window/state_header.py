"""What the session is doing, how loud it is, and the buttons to start, pause and save."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.session.status import Stage, Status
from app.ui.widgets import narrow, plain, stages, theme, worded
from app.ui.widgets.banner import announce
from app.ui.widgets.level_meter import LevelMeter
from model_backends.base import Sentence

_FEW_BARS = 8  # on a narrow screen French needs the room for its words


class _Dot(QWidget):
    """The stage as a colour; the words beside it say the same."""

    def __init__(self) -> None:
        super().__init__()
        self.color = "quiet"
        self.setFixedSize(14, 14)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(getattr(theme.colors(), self.color)))
        painter.drawEllipse(QPointF(7, 7), 5, 5)


class StateHeader(QWidget):
    """Shows a Status; its buttons only say that they were pressed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stage = Stage.IDLE
        self._key = ""
        self._dot = _Dot()
        self.state = plain.label(name="state", wrap=True)  # beside buttons with long words, too
        self.detail = plain.label(name="dim", wrap=True)
        self.detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.detail.setAccessibleDescription(" ")  # or the tooltip would be read out, too
        self.meter = LevelMeter(_FEW_BARS) if narrow.is_narrow(self) else LevelMeter()
        self.toggle = worded.text(QPushButton(), Sentence("&Start"))
        self.toggle.setObjectName("primary")
        self.save = worded.text(QPushButton(), Sentence("Save &as…"))
        worded.tip(
            self.save,
            Sentence("Save a copy of the transcript where you like, as subtitles or text"),
        )
        self._arrange()

    def show_status(self, status: Status) -> None:
        before, self._stage = self._stage, status.stage
        stage = status.stage
        detail = stages.detail(status)
        worded.text(self.state, stages.title(stage))
        worded.text(self.detail, detail)
        worded.tip(self.detail, detail)  # on a small screen it may be cut
        self.detail.setVisible(bool(detail))
        if stages.both_well(before, stage):
            return
        self._dot.color = stages.kind(stage)
        self._dot.update()
        worded.text(self.toggle, stages.start_label(stage))
        self._tell_what_it_does()
        self.toggle.setEnabled(stages.can_toggle(stage))
        if not self._listens:
            self.meter.set_level(0.0)
        told = stages.announcement(before, status)
        if told:
            announce(self, told)

    def show_key(self, key: str) -> None:
        """The key that starts and pauses; empty for none."""
        self._key = key
        self._tell_what_it_does()

    def _tell_what_it_does(self) -> None:
        does = stages.does_next_in_full(self._stage)
        told = Sentence("{does} ({key})", does=does, key=self._key) if self._key else does
        plain.set_tip(self.toggle, told)

    def show_level(self, level: float) -> None:
        """RMS amplitude of what is captured; dark while nothing is listened to."""
        if self._listens and not self.window().isMinimized():
            self.meter.set_level(level)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._keep_room()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._keep_room()

    def _keep_room(self) -> None:
        """For a second line of the state: with each breath of a speaker it is another one, and
        the transcript below would move."""
        self.setMinimumHeight(2 * self.state.fontMetrics().lineSpacing())

    @property
    def _listens(self) -> bool:
        return self._stage not in (*stages.AT_REST, Stage.STOPPING)

    def _arrange(self) -> None:
        name = QHBoxLayout()
        name.setSpacing(8)
        for widget in (self._dot, self.meter, self.state):  # what stays as wide is before the words
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
        for button in (self.toggle, self.save):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
