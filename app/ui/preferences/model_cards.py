"""Cards for the models: what each is, whether it suits this computer, and the way to it.

What they say is `model_words`; what they do goes to `Models`, and what is chosen to the settings.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.language import say
from app.models.download import Progress
from app.ui.preferences.licence_dialog import LicenceDialog
from app.ui.preferences.model_words import Act, Button, about, buttons, standing
from app.ui.state.models import Models, ModelState
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import beside_captions, plain, worded
from app.ui.widgets.banner import announce
from app.ui.widgets.question import open_beside, question
from model_backends.base import Sentence
from model_backends.downloads.units import size

_STEPS = 1000  # of the bar
_LEFT_OUT = ("tiny.en",)  # takes over by itself where it is needed: nothing to choose first


class ModelCards(QWidget):
    """One below the other; looked at anew each time they are shown."""

    def __init__(self, models: Models, store: SettingsStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models, self._store = models, store
        self.cards: dict[str, ModelCard] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for state in models.states:
            card = ModelCard(state.model.title, partial(self._act, state.model.name))
            self.cards[state.model.name] = card
            column.addWidget(card)
        models.changed.connect(self.refresh)
        worded.follow(self, self.refresh)
        store.changed.connect(lambda _now, _before: self.refresh())
        self.refresh()

    def refresh(self) -> None:
        """Show every model as it stands now."""
        for state in self._models.states:
            chosen = state.is_chosen(self._store.settings)
            card = self.cards[state.model.name]
            # a Mac's model is of no interest elsewhere, nor is a small one that nobody must choose
            aside = state.model.name in _LEFT_OUT and not chosen and not state.busy
            made_for_others = state.model.engines == ("voxtral-mlx",) and not state.engine
            card.setVisible(not aside and not (made_for_others and state.place is None))
            card.show_state(state, chosen)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._models.look()

    def _act(self, name: str, act: Act) -> None:
        state = self._models.state(name)
        if act is Act.DOWNLOAD:
            self._ask_for_download(state)
        elif act is Act.CHECK:
            self._models.check(name)
        elif act is Act.CANCEL:
            self._models.cancel(name)
        elif act is Act.REMOVE:
            self._ask_to_remove(state)
        else:
            self._models.chosen.emit(state)

    def _ask_for_download(self, state: ModelState) -> None:
        """The licence first; it was agreed to if some of the model is here."""
        download = partial(self._models.download, state.model.name)
        if state.begun:
            download()
            return
        dialog = LicenceDialog(state.model, self)
        dialog.accepted.connect(download)
        beside_captions.put(dialog, dialog.sizeHint())
        dialog.open()

    def _ask_to_remove(self, state: ModelState) -> None:
        held = size(state.model.bytes if state.place is not None else state.begun)
        where = state.place.folder if state.place is not None else ""
        box = question(
            self,
            Sentence("Remove a model"),
            Sentence("Remove {title}? {size} become free.", title=state.model.title, size=held),
            Sentence("It can be downloaded again. {where}", where=where),
        )
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        remove = box.addButton(say(Sentence("Remove")), QMessageBox.ButtonRole.DestructiveRole)
        keep = box.addButton(say(Sentence("Keep")), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(keep)
        remove.clicked.connect(partial(self._models.remove, state.model.name))
        open_beside(box)


class ModelCard(QFrame):
    """One model. `act` is told what the user wants of it."""

    def __init__(self, title: str, act: Callable[[Act], None]) -> None:
        super().__init__()
        self._act = act
        self._shown: list[Button] = []
        self._told = ""
        self.setObjectName("banner")
        self.mark = QFrame()
        self.mark.setObjectName("mark")
        self.mark.setFixedWidth(4)
        self.title = plain.label(title, "state")
        self.about = _words()
        self.standing = _words("dim")
        self.bar = QProgressBar()
        worded.name(self.bar, title)
        self.bar.setRange(0, _STEPS)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self._buttons = QVBoxLayout()
        self._buttons.setSpacing(6)
        self._buttons.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._arrange()

    def _arrange(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(3)
        for widget in (self.title, self.about, self.bar, self.standing):
            words.addWidget(widget)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 8, 8, 8)
        row.setSpacing(12)
        row.addWidget(self.mark)
        row.addLayout(words, 1)
        row.addLayout(self._buttons)

    @property
    def buttons(self) -> dict[Act, QPushButton]:
        found = {}
        for at, shown in enumerate(self._shown):
            item = self._buttons.itemAt(at)
            widget = item.widget() if item is not None else None
            if isinstance(widget, QPushButton):
                found[shown.act] = widget
        return found

    def show_state(self, state: ModelState, chosen: bool) -> None:
        kind = _kind(state, chosen)
        said = about(state), standing(state, chosen)
        self.show_words(kind, *said, state.progress, buttons(state, chosen))

    def show_words(
        self, kind: str, about: str, said: str, progress: Progress | None, offered: list[Button]
    ) -> None:
        """`kind`: of its mark, as banners have it; a failure is announced."""
        self.setProperty("kind", kind)
        self.style().polish(self.mark)
        self.about.setText(_unbroken(say(about)))
        self.standing.setText(_unbroken(say(said)))
        self.standing.setVisible(bool(said))
        self.bar.setVisible(progress is not None)
        if progress is not None:
            self.bar.setValue(round(_STEPS * progress.fraction))
        if kind == "failure" and said != self._told:
            announce(self, said)
        self._told = said
        self._offer(offered)

    def _offer(self, wanted: list[Button]) -> None:
        """The same buttons stay: whoever has one in focus keeps it."""
        if wanted == self._shown:
            return
        had_focus = any(button.hasFocus() for button in self.buttons.values())
        while (item := self._buttons.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._shown = wanted
        for shown in wanted:
            button = worded.text(QPushButton(), shown.text)
            worded.name(button, shown.name)
            button.setAutoDefault(False)
            button.clicked.connect(partial(self._pressed, shown.act))
            self._buttons.addWidget(button)
            if had_focus and shown is wanted[0]:
                button.show()  # what is not shown yet takes no focus
                button.setFocus()

    def _pressed(self, act: Act, _checked: bool = False) -> None:
        self._act(act)


def _kind(state: ModelState, chosen: bool) -> str:
    if state.failure is not None and not state.busy:
        return "failure"
    if chosen and state.usable:
        return "good"
    return "info" if state.busy else ""


def _unbroken(text: str) -> str:
    """A number and its unit on one line."""
    return re.sub(r"(?<=\d) (?=(GB|MB|kB|min|h|s|%)\b)", "\u00a0", text)


def _words(name: str = "") -> QLabel:
    label = plain.label(name=name, wrap=True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    policy.setHeightForWidth(True)
    label.setSizePolicy(policy)
    return label
