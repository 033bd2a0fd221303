"""What the keys do while the captions have the keyboard: one table, for the window and the help.

Knows the verbs of `CaptionOverlay`; keys that work from anywhere are another's business.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeyEvent

from model_backends.base import Sentence


class Captions(Protocol):
    """The verbs of the caption window that keys reach."""

    def page(self, way: int) -> None: ...
    def catch_up(self) -> None: ...
    def go_live(self) -> None: ...
    def resize_text(self, larger: bool) -> None: ...
    def copy_latest(self) -> None: ...
    def stretch(self, by: int, lines: int) -> None: ...
    def nudge(self, by: QPoint) -> None: ...


Act: TypeAlias = Callable[[Captions], object]

STEP = 10  # px of a move or a stretch by an arrow key
_K = Qt.Key
_MOVES = {_K.Key_Left: (-1, 0), _K.Key_Right: (1, 0), _K.Key_Up: (0, -1), _K.Key_Down: (0, 1)}
_PLAIN: dict[Qt.Key, Act] = {
    _K.Key_PageUp: lambda window: window.page(-1),
    _K.Key_PageDown: lambda window: window.page(1),
    _K.Key_Home: lambda window: window.catch_up(),
    _K.Key_End: lambda window: window.go_live(),
    _K.Key_Escape: lambda window: window.go_live(),
}
_WITH_CTRL: dict[Qt.Key, Act] = {
    _K.Key_Plus: lambda window: window.resize_text(True),
    _K.Key_Equal: lambda window: window.resize_text(True),  # + without Shift on many keyboards
    _K.Key_Minus: lambda window: window.resize_text(False),
    _K.Key_C: lambda window: window.copy_latest(),
}
TOLD = (
    (Sentence("Scroll back in the captions"), Sentence("Page Up, Page Down, the wheel")),
    (Sentence("Back to the newest words"), Sentence("End, Escape")),
    (Sentence("To where you stopped reading"), Sentence("Home")),
    (Sentence("Move the captions"), Sentence("Arrow keys")),
    (Sentence("Make the captions wider or higher"), Sentence("Ctrl+arrow keys")),
    (Sentence("Larger or smaller text"), Sentence("Ctrl++, Ctrl+−")),
    (Sentence("Copy the last minute"), Sentence("Ctrl+C")),
)


def action_for(event: QKeyEvent) -> Act | None:
    """What this key press asks for; None if nothing."""
    key = Qt.Key(event.key())
    ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
    if key in _MOVES:
        x, y = _MOVES[key]
        if ctrl:
            return lambda window: window.stretch(x * STEP, -y)
        return lambda window: window.nudge(QPoint(x, y) * STEP)
    return (_WITH_CTRL if ctrl else _PLAIN).get(key)
