"""The question before anything leaves this computer: who gets what, and the answer that is safe.

Knows nothing of what is sent, or where.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QMessageBox, QWidget

from app.language import say
from app.ui.widgets.question import open_beside, question
from model_backends.base import Sentence

AGREE, REFUSE = Sentence("Agree"), Sentence("Do not send")


def ask(
    parent: QWidget,
    title: str,
    text: str,
    agreed: Callable[[], object],
    refused: Callable[[], object] = lambda: None,
) -> QMessageBox:
    """Ask, without waiting; Enter and Escape both mean no."""
    box = question(parent, title, text)
    agree = box.addButton(say(AGREE), QMessageBox.ButtonRole.AcceptRole)
    refuse = box.addButton(say(REFUSE), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(refuse)
    box.setEscapeButton(refuse)
    box.finished.connect(lambda _: agreed() if box.clickedButton() is agree else refused())
    box.finished.connect(box.deleteLater)
    open_beside(box)
    return box
