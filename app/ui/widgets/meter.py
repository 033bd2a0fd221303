"""What level meters have in common: a few pictures, one of which is shown, and a word for each.

A meter moves for as long as the app runs. Its picture has the ground below it painted in, and
covers that, so that nothing behind it is painted with it: a change takes a fifth of the time.
Knows nothing of what the pictures look like.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QLabel, QWidget

from app.ui.widgets import worded
from app.ui.widgets.level import in_words
from model_backends.base import Sentence


class Meter(QLabel):
    """Of a fixed size. A label for assistive technology, which is told a word."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pictures: dict[tuple[Hashable, float], QPixmap] = {}  # by what they show, and scale
        self._picture = QPixmap()
        self._word = in_words(0.0)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        worded.name(self, Sentence("Sound level"))
        worded.description(self, self._word)

    def tell(self, level: float) -> None:
        """In a word, for those who do not see it: RMS amplitude, 0..1."""
        word = in_words(level)
        if word != self._word:
            self._word = word
            worded.description(self, word)

    def show_one(
        self, what: Hashable, ground: Callable[[], QColor], draw: Callable[[QPainter], None]
    ) -> None:
        """The picture of `what`, drawn on its ground when it is first needed."""
        scale = self.devicePixelRatioF()
        picture = self._pictures.get((what, scale))
        if picture is None:
            picture = self._pictures[what, scale] = _drawn(self.size(), scale, ground(), draw)
        self._picture = picture
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """In the place of what is behind, which is painted all the same for a picture of it all."""
        painter = QPainter(self)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        painter.drawPixmap(0, 0, self._picture)
        painter.end()

    def forget(self) -> None:
        """All pictures: their look has changed."""
        self._pictures.clear()


def _drawn(size: QSize, scale: float, ground: QColor, draw: Callable[[QPainter], None]) -> QPixmap:
    picture = QPixmap(size * scale)
    picture.setDevicePixelRatio(scale)
    picture.fill(ground)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    draw(painter)
    painter.end()
    return picture
