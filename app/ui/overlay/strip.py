"""The strip beside the caption box: the controls while the pointer or keyboard is there, else a
message if there is one, else nothing. It has its own room, so captions never move for it.
"""

from __future__ import annotations

from PySide6.QtCore import QRect, QTimer, Signal
from PySide6.QtGui import QRegion, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.session.status import Stage, Status
from app.ui.overlay.controls import BAR_HEIGHT, RADIUS, ControlsBar
from app.ui.overlay.round_off import rounded
from app.ui.overlay.toast import Message, Toast
from app.ui.widgets.theme import CAPTIONS

GAP = 6
HEIGHT = BAR_HEIGHT + GAP
NOTICE_MS = 10_000
_COLORS = {Stage.FAILED: "#ff6b5e", Stage.NO_SOUND: CAPTIONS.warning}


class Strip(QWidget):
    """`changed` tells that `used_area` is another one."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.controls = ControlsBar(self)
        self.toast = Toast(self)
        self._above = True
        self._trouble: Message | None = None  # lasts as long as its stage
        self._notice: Message | None = None  # lasts NOTICE_MS
        self._notice_ends = QTimer(self, interval=NOTICE_MS, singleShot=True)
        self._notice_ends.timeout.connect(self._drop_notice)
        self.controls.hide()
        self.toast.hide()

    @property
    def used_area(self) -> QRect:
        """What is shown, in this widget's coordinates, with the gap towards the box."""
        shown = self.controls if not self.controls.isHidden() else self.toast
        if shown.isHidden():
            return QRect()
        towards_box = (0, 0, 0, GAP) if self._above else (0, -GAP, 0, 0)
        return shown.geometry().adjusted(*towards_box)

    @property
    def region(self) -> QRegion:
        """The pixels of what is shown; not the gap, which would be black without a compositor."""
        shown = self.controls if not self.controls.isHidden() else self.toast
        return QRegion() if shown.isHidden() else rounded(shown.geometry(), RADIUS)

    @property
    def message(self) -> Message | None:
        return self._notice or self._trouble

    def set_above(self, above: bool) -> None:
        """Whether the box is below this strip."""
        self._above = above
        self.controls.menus_open_upwards = above
        self._arrange()

    def show_controls(self, shown: bool) -> None:
        if shown == self.controls.isHidden():
            self.controls.setVisible(shown)
            self._refresh()

    def show_status(self, status: Status) -> None:
        """The way out of trouble, for as long as it lasts; the box itself says what it is."""
        trouble = _trouble_of(status)
        if trouble != self._trouble:  # it is told with every breath of the speaker
            self._trouble = trouble
            self._refresh()

    def show_notice(self, message: Message) -> None:
        """Tell something for a while."""
        self._notice = message
        self._notice_ends.start()
        self._refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()

    def _drop_notice(self) -> None:
        self._notice = None
        self._refresh()

    def _refresh(self) -> None:
        message = self.message
        if message is not None:
            self.toast.show_message(message)
        self.toast.setVisible(message is not None and self.controls.isHidden())
        self._arrange()
        self.changed.emit()

    def _arrange(self) -> None:
        top = 0 if self._above else GAP
        self.controls.setGeometry(0, top, self.width(), BAR_HEIGHT)
        width = min(self.width(), self.toast.sizeHint().width())
        self.toast.setGeometry(0, top, width, BAR_HEIGHT)


def _trouble_of(status: Status) -> Message | None:
    color = _COLORS.get(status.stage)
    if color is not None and status.hint:
        return Message(status.hint, "", color)
    if status.remark:
        return Message(status.remark, "", _COLORS[Stage.NO_SOUND])
    return None


__all__ = ["GAP", "HEIGHT", "NOTICE_MS", "Message", "Strip"]
