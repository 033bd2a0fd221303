"""A question in a small window: what all of them have in common. Asks nothing by itself."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QMessageBox, QSizePolicy, QSpacerItem, QWidget

from app.language import say
from app.ui.widgets import beside_captions, worded

_LEAST_WIDTH = 400  # px: a path has room, and the title is not cut by its buttons


def question(parent: QWidget, title: str, text: str, more: str = "") -> QMessageBox:
    """One without buttons yet; `open_beside()` shows it."""
    box = QMessageBox(parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    worded.title(box, title)
    worded.text(box, text)
    box.setInformativeText(say(more))
    layout = box.layout()
    if isinstance(layout, QGridLayout):  # as wide as its words are, whatever is asked of the box
        policy = QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed
        spacer = QSpacerItem(_LEAST_WIDTH, 0, *policy)
        layout.addItem(spacer, layout.rowCount(), 0, 1, layout.columnCount())
    return box


def open_beside(box: QMessageBox) -> None:
    """Show it where the captions are not; nobody waits for the answer."""
    beside_captions.put(box, box.sizeHint())
    box.open()
