"""What is seen for as long as dictation is on, whatever else is: a pill that says so and ends it.

    ● Typing what is said · Stop

It floats above all windows, takes no keyboard, and can be dragged away from what it covers.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QGuiApplication

from app.language import say
from app.ui.overlay import placement
from app.ui.overlay.pill import Pill
from app.ui.state.dictation import Dictation
from app.ui.widgets import plain, worded
from app.ui.widgets.banner import announce
from model_backends.base import Sentence

_GAP = 10  # px from the captions
PASSWORDS = Sentence(
    "It goes wherever the keyboard is. Voxline cannot tell where a password is asked for."
)
_TIP = Sentence("Click to stop. {where}", where=PASSWORDS)


class Badge(Pill):
    """Follows `Dictation`; a click ends it. `captions` says where those are, with their strip."""

    def __init__(self, dictation: Dictation, captions: Callable[[], QRect]) -> None:
        super().__init__()
        self._dictation, self._captions = dictation, captions
        worded.title(self, Sentence("Dictation"))
        plain.set_tip(self, _TIP)
        self.clicked.connect(lambda: dictation.switch(False))
        dictation.changed.connect(self._follow)

    def _follow(self) -> None:
        if not self._dictation.on:
            self.hide()
            return
        line = self._dictation.line
        text = Sentence("{line} · Stop", line=line)
        if self.isVisible() and say(text) == self.text():
            return
        self.show_kind("good" if self._dictation.types else "warning")
        worded.text(self, text)
        worded.name(self, text)
        announce(self, line)
        self.setGeometry(self._place())
        self.show()
        self.raise_()

    def _place(self) -> QRect:
        """Where it is already, or else above the captions, or below where there is no room."""
        size = self.sizeHint()
        captions = self._captions()
        screen = QGuiApplication.screenAt(captions.center()) or QGuiApplication.primaryScreen()
        if self.isVisible():
            return placement.kept_on(QRect(self.pos(), size), screen.geometry())
        above = QPoint(captions.left(), captions.top() - _GAP - size.height())
        if above.y() < screen.geometry().top():
            above.setY(captions.bottom() + 1 + _GAP)
        return placement.kept_on(QRect(above, size), screen.geometry())
