"""The question before anything leaves this computer: who gets what, and the answer that is safe.

Knows nothing of what is sent, or where.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from app.ui.widgets import beside_captions

AGREE, REFUSE = "Agree", "Do not send"


def ask(
    parent: QWidget,
    title: str,
    text: str,
    agreed: Callable[[], object],
    refused: Callable[[], object] = lambda: None,
) -> QMessageBox:
    """Ask, without waiting; Enter and Escape both mean no."""
    box = QMessageBox(parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setWindowTitle(title)
    box.setText(text)
    agree = box.addButton(AGREE, QMessageBox.ButtonRole.AcceptRole)
    refuse = box.addButton(REFUSE, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(refuse)
    box.setEscapeButton(refuse)
    box.finished.connect(lambda _: agreed() if box.clickedButton() is agree else refused())
    box.finished.connect(box.deleteLater)
    beside_captions.put(box, box.sizeHint())
    box.open()
    return box
