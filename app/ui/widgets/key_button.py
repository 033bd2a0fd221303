"""A button that shows a combination of keys, and takes another that is pressed on it.

Knows how keys are written; whether one may be used is for whoever listens to decide.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QKeyCombination, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QPushButton, QWidget

from app.native.keys import LETTERS
from app.native.x11_keys import PLACES
from app.ui.widgets import plain, worded
from model_backends.base import Sentence

NONE = Sentence("None")
ASKING = Sentence("Press the keys…")
_HOW = Sentence("Press it, then the keys. Escape: as before. Backspace: no key.")
_MODIFIERS = (
    Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Shift, Qt.Key.Key_Meta, Qt.Key.Key_AltGr,
)  # fmt: skip
_WITHOUT = (Qt.KeyboardModifier.KeypadModifier, Qt.KeyboardModifier.GroupSwitchModifier)
_SHIFTED = ("+",)  # may need Shift to be typed at all


class KeyButton(QPushButton):
    """`chosen` brings what was pressed, as `QKeySequence` writes it; "" for no key."""

    chosen = Signal(str)
    asking = Signal(bool)  # whether the next keys are taken

    def __init__(self, does: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._does, self._shown = does, ""
        self._asks = False
        self.setAutoDefault(False)
        self.setMinimumWidth(150)
        self.clicked.connect(self._ask)

    def show_key(self, shown: str) -> None:
        """Show these keys; tells nobody."""
        self._shown = shown
        if not self._asks:
            self._label(shown or NONE)

    def event(self, event: QEvent) -> bool:
        """While it asks, Tab and shortcuts are keys like others."""
        if self._asks and event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if self._asks and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            self._take(event)
            return True
        return super().event(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._end()
        super().focusOutEvent(event)

    def _ask(self) -> None:
        self._asks = True
        self._label(ASKING)
        self.setFocus()
        self.asking.emit(True)

    def _end(self) -> None:
        if self._asks:
            self._asks = False
            self._label(self._shown or NONE)
            self.asking.emit(False)

    def _take(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in _MODIFIERS:
            return  # more is to come
        alone = event.modifiers() == Qt.KeyboardModifier.NoModifier
        self._end()
        if alone and key == Qt.Key.Key_Escape:
            return
        cleared = alone and key in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete)
        self.chosen.emit("" if cleared else written(event))

    def _label(self, text: str) -> None:
        worded.text(self, text if isinstance(text, Sentence) else plain.unmnemonic(text))
        worded.name(self, Sentence("{does}: {keys}", does=self._does, keys=text))
        plain.set_tip(self, _HOW)


def written(event: QKeyEvent) -> str:
    """The keys as the settings have them: without how they had to be typed on this keyboard."""
    modifiers = event.modifiers()
    for modifier in _WITHOUT:
        modifiers &= ~modifier
    key = QKeySequence(event.key()).toString(QKeySequence.SequenceFormat.PortableText)
    if key in _SHIFTED:
        modifiers &= ~Qt.KeyboardModifier.ShiftModifier
    if len(key) == 1 and key.isalpha() and key not in LETTERS:
        latin = _latin_letter(event)
        if latin:
            combination = QKeyCombination(modifiers, Qt.Key(ord(latin)))
            return QKeySequence(combination).toString(QKeySequence.SequenceFormat.PortableText)
    combination = QKeyCombination(modifiers, Qt.Key(event.key()))
    return QKeySequence(combination).toString(QKeySequence.SequenceFormat.PortableText)


def _latin_letter(event: QKeyEvent) -> str:
    """On a keyboard of another script: the letter in this place, as the system finds it again."""
    if event.nativeVirtualKey() in map(ord, LETTERS):  # Windows' virtual keys are letters
        return chr(event.nativeVirtualKey())
    places = {code: letter for letter, code in PLACES.items()}
    return places.get(event.nativeScanCode(), "")
