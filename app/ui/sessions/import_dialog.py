"""Files to be imported, each with its language, before it begins; and the ways to name them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFrame,
    QGridLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.language import say
from app.ui.sessions.imports import Job
from app.ui.widgets import beside_captions, narrow, plain, worded
from app.ui.widgets.choice_box import ChoiceBox
from app.ui.widgets.file_dialogs import in_our_words
from app.ui.widgets.following import FollowFocus
from app.ui.widgets.languages import native_name
from app.ui.widgets.sound_file import FILTERS
from model_backends.base import Sentence

_LEFT_OUT = (
    "Left out, for only files can be imported: {names}. Of a folder, drop the files that are in it."
)
_NAMED = 3  # of what is left out; "…" stands for more
_AUTOMATIC = Sentence("Automatic")
_LOWEST, _HIGHEST = 60, 260  # px, of the list
_SHORT = 24  # characters of a name on a narrow screen
Files = Callable[[Sequence[Path]], object]


class ImportDialog(QDialog):
    """`then(jobs)` once it is confirmed. What is there and no file is left out, and named."""

    def __init__(
        self,
        parent: QWidget,
        paths: Sequence[Path],
        languages: Sequence[str],
        then: Callable[[list[Job]], None],
    ) -> None:
        super().__init__(parent)
        worded.title(self, Sentence("Import"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        left_out = [path for path in paths if path.exists() and not path.is_file()]
        self._files = [path for path in paths if path not in left_out]
        self.languages: list[ChoiceBox] = []
        offered = [("", _AUTOMATIC), *sorted((code, native_name(code)) for code in languages)]
        page, grid = QWidget(), QGridLayout()
        page.setLayout(grid)
        grid.setColumnStretch(0, 1)
        grid.setContentsMargins(0, 0, 0, 0)
        longest = _SHORT if narrow.is_narrow(self) else plain.LONGEST_NAME
        for row, path in enumerate(self._files):
            name = plain.name_label(path.name, longest, tip=str(path))
            box = ChoiceBox(Sentence("Language of {name}", name=path.name))
            box.offer([(label, code) for code, label in offered], "")
            grid.addWidget(name, row, 0)
            grid.addWidget(box, row, 1)
            if not languages:
                box.hide()
            self.languages.append(box)
        area = QScrollArea()
        area.setWidget(page)
        area.setWidgetResizable(True)
        FollowFocus(area)
        area.setFrameShape(QFrame.Shape.NoFrame)
        high = page.sizeHint().height()
        area.setMinimumHeight(min(high, _LOWEST))
        area.setMaximumHeight(min(high, _HIGHEST))
        beside = area.verticalScrollBar().sizeHint().width()
        area.setMinimumWidth(page.minimumSizeHint().width() + beside)  # no choice is cut
        told = plain.label(
            Sentence("The text is kept with your sessions; the file stays where it is."),
            "dim",
            wrap=True,
        )
        self.left_out = plain.label(_left_out(left_out), "warning", wrap=True)
        plain.set_tip(self.left_out, "\n".join(map(str, left_out)))
        self.left_out.setVisible(bool(left_out))
        roles = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(roles.Cancel)
        accept = buttons.addButton("", QDialogButtonBox.ButtonRole.AcceptRole)
        worded.text(accept, Sentence("&Import"))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 16)
        column.setSpacing(12)
        for widget in (area, self.left_out, told, buttons):
            column.addWidget(widget)
        self.setMinimumWidth(460)
        self.accepted.connect(lambda: then(self._jobs()))

    def _jobs(self) -> list[Job]:
        boxes = zip(self._files, self.languages, strict=True)
        return [Job(path, str(box.currentData() or "")) for path, box in boxes]


def ask_for_files(parent: QWidget, then: Files) -> QFileDialog:
    """Show a dialog for one file or more; returns at once."""
    dialog = in_our_words(QFileDialog(parent, say(Sentence("Import audio or video"))))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    dialog.setNameFilters([say(each) for each in FILTERS])
    dialog.filesSelected.connect(lambda names: then([Path(name) for name in names]))
    beside_captions.put(dialog, dialog.sizeHint())
    dialog.open()
    return dialog


class Drops(QObject):
    """Files dropped on a widget; it need not know of it."""

    def __init__(self, widget: QWidget, then: Files) -> None:
        super().__init__(widget)
        self._then = then
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDropEvent):  # QDragEnterEvent and QDragMoveEvent are, too
            dropped = _paths_in(event.mimeData())
            if not any(path.is_file() for path in dropped):
                return False
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            if event.type() == QEvent.Type.Drop:
                self._then(dropped)  # with what is no file: it is said what becomes of that
            return True
        return False


def _paths_in(data: QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


def _left_out(paths: Sequence[Path]) -> str:
    names = [f"“{plain.shortened(path.name)}”" for path in paths[:_NAMED]]
    return Sentence(_LEFT_OUT, names=", ".join([*names, "…"] if len(paths) > _NAMED else names))
