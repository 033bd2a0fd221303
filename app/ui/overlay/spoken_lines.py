"""The captions for those who have them read out or in braille: text with lines and a caret.

Lies over the painted captions and paints nothing. It says nothing by itself: captions that spoke
would talk over the speaker.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QWidget

from app.ui.widgets import worded
from model_backends.base import Sentence

# Whatever is chosen for text fields in general would be drawn over the captions.
_SHEET = "QPlainTextEdit { background: transparent; border: none; padding: 0; }"


class SpokenLines(QPlainTextEdit):
    """The committed lines that are on the screen."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._lines: list[str] = []
        self.setReadOnly(True)
        self.setStyleSheet(_SHEET)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.viewport().setAutoFillBackground(False)
        worded.name(self, Sentence("Captions"))
        self.setGeometry(parent.rect())
        self.show()

    def follow(self, lines: Sequence[str]) -> None:
        """Hold these lines now."""
        if list(lines) != self._lines:
            self._lines = list(lines)
            self.setPlainText("\n".join(lines))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Nothing: the captions are painted below."""
