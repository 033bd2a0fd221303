"""The card of the acceleration pack, below those of the models: there where a pack is of use, or is
installed.

What it says is `pack_words`; what it does goes to `Packs`.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QMessageBox, QVBoxLayout, QWidget

from app.language import say
from app.packs.sources import configured
from app.ui.preferences.model_cards import ModelCard
from app.ui.preferences.model_words import Act
from app.ui.preferences.pack_words import TITLE, about, buttons, mark, question, standing
from app.ui.state.packs import Packs
from app.ui.widgets import worded
from app.ui.widgets.question import open_beside
from app.ui.widgets.question import question as ask
from model_backends.base import Sentence
from model_backends.downloads.units import size


class PackCard(QWidget):
    """Looked at anew each time it is shown; hidden where there is nothing to see."""

    def __init__(self, packs: Packs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._packs = packs
        self.card = ModelCard(TITLE, self._act)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.card)
        packs.changed.connect(self.refresh)
        worded.follow(self, self.refresh)
        self.refresh()

    def refresh(self) -> None:
        state = self._packs.state
        self.card.setVisible(state.of_interest)
        if state.of_interest:
            self.card.show_words(
                mark(state), about(state), standing(state), state.progress, buttons(state)
            )

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._packs.look()

    def _act(self, act: Act) -> None:
        if act is Act.CANCEL:
            self._packs.cancel()
        elif act is Act.REMOVE:
            self._ask_to_remove()
        elif self._packs.state.begun or self._packs.state.here is not None:
            self._packs.install()  # it was agreed to
        else:
            self._ask_to_install()

    def _ask_to_install(self) -> None:
        asked, more = question(self._packs.state, configured())
        box = self._box(asked, more)
        install = box.addButton(say(Sentence("Install")), QMessageBox.ButtonRole.AcceptRole)
        install.clicked.connect(self._packs.install)
        self._open(box, Sentence("Cancel"))

    def _ask_to_remove(self) -> None:
        state = self._packs.state
        held = state.begun
        if state.here is not None and state.plan is not None:
            held += state.plan.unpacked
        asked = Sentence("Remove the acceleration pack? About {size} become free.", size=size(held))
        box = self._box(
            asked, Sentence("It can be installed again. Captions go on with the built-in model.")
        )
        remove = box.addButton(say(Sentence("Remove")), QMessageBox.ButtonRole.DestructiveRole)
        remove.clicked.connect(self._packs.remove)
        self._open(box, Sentence("Keep"))

    def _box(self, asked: str, more: str) -> QMessageBox:
        box = ask(self, TITLE, asked, more)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return box

    def _open(self, box: QMessageBox, leave: str) -> None:
        box.setDefaultButton(box.addButton(say(leave), QMessageBox.ButtonRole.RejectRole))
        open_beside(box)
