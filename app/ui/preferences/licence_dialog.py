"""What a download brings, from whom and under which licence, before a byte of it comes."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontDatabase, QTextDocument
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout, QWidget

from app.models.catalogue import Model
from app.ui.widgets import plain, worded
from model_backends.base import Sentence
from model_backends.downloads.units import size

_MARGIN, _PADDING = 16, 24  # px around what is in it; of the text in its frame
_WIDEST = 960


class LicenceDialog(QDialog):
    """`accepted` is the user's word: it may be downloaded."""

    def __init__(self, model: Model, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        worded.title(self, Sentence("Download {title}", title=model.title))
        self.what = plain.label(
            Sentence(
                "{title}, by {author}. {size} come from the model hub, from “{repository}”. "
                "Captions go on meanwhile.",
                title=model.title,
                author=model.author,
                size=size(model.bytes),
                repository=model.repository,
            ),
            wrap=True,
        )
        self.text = QPlainTextEdit(model.licence_text)
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        worded.name(self.text, Sentence("Licence: {licence}", licence=model.licence))
        self.text.setMinimumSize(300, 90)
        buttons = QDialogButtonBox()
        self.download = worded.text(
            buttons.addButton("", QDialogButtonBox.ButtonRole.AcceptRole), Sentence("Download")
        )
        self.cancel = worded.text(
            buttons.addButton("", QDialogButtonBox.ButtonRole.RejectRole), Sentence("Cancel")
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        column.setSpacing(12)
        column.addWidget(self.what)
        column.addWidget(
            plain.label(Sentence("Its licence, {licence}:", licence=model.licence), "dim")
        )
        column.addWidget(self.text, 1)
        column.addWidget(buttons)

    def sizeHint(self) -> QSize:
        """Wide enough for the lines of a licence, which are broken already."""
        page = QTextDocument(self.text.toPlainText())
        page.setDefaultFont(self.text.font())
        page.setTextWidth(-1)
        around = self.text.frameWidth() * 2 + self.text.verticalScrollBar().sizeHint().width()
        wide = round(page.idealWidth()) + around + 2 * _MARGIN + _PADDING
        return QSize(min(max(560, wide), _WIDEST), 420)
