"""The amber bar below held captions: how much has come since, and the way back to it.

    [ Catch me up ]           Live ▾ 23 words

It is there for as long as the text stands still, so that nobody takes old words for new ones.
Knows nothing of captions.
"""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QWidget

from app.ui.widgets import plain, worded
from app.ui.widgets.theme import CAPTIONS
from model_backends.base import Counted, Sentence

HEIGHT = 34
_SHEET = f"""
QPushButton {{
    color: {CAPTIONS.black}; background: {CAPTIONS.warning}; border: 2px solid {CAPTIONS.warning};
    border-radius: 8px; padding: 0 12px; font-size: 15px; font-weight: 600;
}}
QPushButton:hover {{ background: #ffd27d; }}
QPushButton:focus {{ border-color: {CAPTIONS.black}; }}
QPushButton#aside {{
    color: {CAPTIONS.ink}; background: {CAPTIONS.surface}; border-color: {CAPTIONS.warning};
}}
QPushButton#aside:hover {{ background: {CAPTIONS.selected}; }}
"""


class LiveBar(QWidget):
    """Two buttons; the first is there only while there is something to catch up with."""

    live_requested = Signal()
    catch_up_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.live = QPushButton()
        self.catch_up = worded.text(QPushButton(), Sentence("Catch me up"))
        self.catch_up.setObjectName("aside")
        plain.set_tip(self.catch_up, Sentence("To where you stopped reading"))
        self.live.clicked.connect(self.live_requested)
        self.catch_up.clicked.connect(self.catch_up_requested)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for button in (self.catch_up, self.live):
            button.setFixedHeight(HEIGHT)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            row.addWidget(button)
        self.live.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setStyleSheet(_SHEET)
        self.setFixedHeight(HEIGHT)
        self.show_unread(0, False)

    def show_unread(self, words: int, can_catch_up: bool) -> None:
        """So many words have come below what is looked at."""
        worded.text(self.live, _live(words))
        told = Sentence("Go on with the newest words; {count} unread", count=words)
        worded.name(self.live, told)
        plain.set_tip(self.live, Sentence("Go on with the newest words (Escape or End)"))
        self.catch_up.setVisible(can_catch_up)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, HEIGHT)


def _live(words: int) -> str:
    if not words:
        return Sentence("Live ▾")
    return Counted("Live ▾  1 word", "Live ▾  {count:,} words", count=words)
