"""Combo boxes on pages that are scrolled with the wheel; one for names that come from outside."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QPaintEvent, QResizeEvent, QStandardItemModel, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
)

from app.language import say
from app.ui.widgets import plain, worded

_TEXT_MARGIN = 4  # px that the style keeps free beside the text
_MOST_ROWS = 24  # seen at once; Qt shows ten, and then a last row that nobody finds
_COMMANDS = (
    Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.MetaModifier
)


class SteadyBox(QComboBox):
    """A combo box that neither the wheel nor a key meant for another control can change.

    What is chosen loses its middle where there is no room for it, and is the tooltip then.
    """

    def __init__(self) -> None:
        super().__init__()
        self._whole = ""  # the tooltip while not all of the choice is seen
        self.currentIndexChanged.connect(self._tell_whole)
        worded.follow(self, self._tell_whole)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt looks for the letter of any key that nobody takes: Alt+P would choose what begins
        with P while no button has that key."""
        letter = event.key() < Qt.Key.Key_Escape  # else it is one that opens or moves
        if letter and event.modifiers() & _COMMANDS:
            event.ignore()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._tell_whole()

    def _tell_whole(self) -> None:
        """What there is no room for can be read all the same."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        whole = self.whole_text
        if self.toolTip() == self._whole:  # else whoever made it has more to tell
            self._whole = plain.tip(whole) if self.fitting(whole, option) != whole else ""
            self.setToolTip(self._whole)
            # which a screen reader would read out a second time, as what describes the box
            self.setAccessibleDescription(" " if self._whole else "")

    @property
    def whole_text(self) -> str:
        """What is chosen, as it stands in the closed box where there is room."""
        return self.currentText()

    def paintEvent(self, event: QPaintEvent) -> None:
        """What does not fit loses its middle: Qt would cut it off."""
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        option.currentText = self.fitting(self.whole_text, option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def fitting(self, text: str, option: QStyleOptionComboBox) -> str:
        """As much of the text as there is room for when the box is closed."""
        room = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox,
            option,
            QStyle.SubControl.SC_ComboBoxEditField,
            self,
        )
        return self.fontMetrics().elidedText(
            text, Qt.TextElideMode.ElideMiddle, room.width() - _TEXT_MARGIN
        )


class ChoiceBox(SteadyBox):
    """A combo box that asks for news when opened."""

    chosen = Signal(str)  # the data of the item the user took
    about_to_open = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        worded.name(self, name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        self.setMaxVisibleItems(_MOST_ROWS)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._items: list[tuple[str, str]] = []
        self._why_not: dict[str, str] = {}
        self.activated.connect(lambda index: self.chosen.emit(self.itemData(index)))
        worded.follow(self, self._offer_again)

    def offer(self, items: Sequence[tuple[str, str]], chosen: str) -> None:
        """Show exactly these (label, data), with `chosen` picked; tells nobody."""
        self._items, self._why_not = list(items), {}
        self.clear()
        for label, data in items:
            self.addItem(plain.shortened(say(label)), data)
            self.setItemData(self.count() - 1, plain.tip(label), Qt.ItemDataRole.ToolTipRole)
        self.setCurrentIndex(max(0, self.findData(chosen)))
        self._tell_whole()

    def disable(self, data: str, why: str) -> None:
        """Show an item that cannot be taken, with the reason."""
        model = self.model()
        index = self.findData(data)
        if isinstance(model, QStandardItemModel) and index >= 0:
            self._why_not[data] = why
            model.item(index).setEnabled(False)
            self.setItemData(index, plain.tip(why), Qt.ItemDataRole.ToolTipRole)

    def _offer_again(self) -> None:
        """In another language."""
        why_not = self._why_not
        self.offer(self._items, self.currentData() or "")
        for data, why in why_not.items():
            self.disable(data, why)

    @property
    def whole_text(self) -> str:
        """By the name from outside, which its item shortens."""
        at = self.currentIndex()
        return say(self._items[at][0]) if 0 <= at < len(self._items) else self.currentText()

    def showPopup(self) -> None:
        self.about_to_open.emit()
        self.open_now()

    def open_now(self) -> None:
        """Open without asking anybody."""
        super().showPopup()
