"""Asks what of all that is kept is to be deleted, and has it deleted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from app.session.erasing import PARTS, erase
from app.ui.state.background import in_background
from app.ui.widgets import beside_captions, narrow, plain, worded
from app.ui.widgets.banner import BannerStack
from app.ui.widgets.scrolled import scrolled
from model_backends.base import Sentence, UserError

_FOR_GOOD = Sentence("This cannot be undone. Files that you saved under names of your own stay.")
_NARROW = 440  # px of the parts that fit on the smallest of screens
_LOWEST, _WIDEST = 110, 960  # px, of the list of them
_RUNNING = Sentence("The session that is running is not deleted: it is kept until you stop it.")


class EraseDialog(QDialog):
    """`then(parts)` with the names of what was chosen, once that is confirmed."""

    def __init__(
        self, parent: QWidget, running: bool, then: Callable[[Sequence[str]], None]
    ) -> None:
        super().__init__(parent)
        self._then = then
        worded.title(self, Sentence("Delete everything"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.parts = {name: worded.text(QCheckBox(), part.label) for name, part in PARTS.items()}
        self.parts["said"].setChecked(True)
        roles = QDialogButtonBox.StandardButton
        self._buttons = QDialogButtonBox(roles.Cancel)
        self.delete = worded.text(
            self._buttons.addButton("", QDialogButtonBox.ButtonRole.AcceptRole), Sentence("&Delete")
        )
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for box in self.parts.values():
            column.addWidget(box)
            box.toggled.connect(self._allow)
        column.addWidget(plain.label(_FOR_GOOD, "warning", wrap=True))
        if running:
            column.addWidget(plain.label(_RUNNING, "dim", wrap=True))
        if narrow.is_narrow(self):
            narrow.Wrapped(page, _NARROW)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 20, 20, 16)
        whole.setSpacing(8)
        area = scrolled(page, _WIDEST)
        area.setMinimumHeight(_LOWEST)
        whole.addWidget(area, 1)
        whole.addWidget(self._buttons)
        self._buttons.button(roles.Cancel).setDefault(True)
        self._buttons.button(roles.Cancel).setFocus()
        self.accepted.connect(lambda: self._then(self._chosen()))

    def _chosen(self) -> list[str]:
        return [name for name, box in self.parts.items() if box.isChecked()]

    def _allow(self) -> None:
        self.delete.setEnabled(bool(self._chosen()))


def ask(
    parent: QWidget, banners: BannerStack, running: bool, erased: Callable[[Sequence[str]], None]
) -> EraseDialog:
    """Ask, delete in the background, and tell; `erased(parts)` when it is done."""

    def begin(chosen: Sequence[str]) -> None:
        def done(problems: list[UserError]) -> None:
            erased(chosen)
            for problem in problems[:2]:
                banners.tell("failure", problem.message, problem.hint)
            if not problems:
                banners.tell("good", Sentence("It is deleted."), about="erased")

        def failed(error: Exception) -> None:
            banners.tell("failure", Sentence("Not everything could be deleted."), str(error))

        in_background(lambda: erase(chosen), done, failed, owner=parent)

    dialog = EraseDialog(parent, running, begin)
    beside_captions.put(dialog, dialog.sizeHint())
    dialog.open()
    return dialog
