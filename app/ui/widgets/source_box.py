"""A combo box of what can be listened to: by kind, under headings, with a file at the end.

It opens once the list of now has come, so that nothing moves under the pointer and nothing that
was just plugged in is missing. Knows nothing of how the list is had.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QStandardItemModel

from app.audio.choice import from_text
from app.audio.devices.base import SourceInfo
from app.language import say
from app.ui.widgets import plain, source_names
from app.ui.widgets.choice_box import ChoiceBox
from app.ui.widgets.sound_file import ask_for_sound_file
from app.ui.widgets.source_names import ASK_FOR_FILE, LOOKING, Row, in_full
from model_backends.base import Sentence

_MARGIN_PX = 30  # of the list beside its longest row, for a scroll bar
WAIT_MS = 300  # for the list, before the box opens with the one before


class SourceBox(ChoiceBox):
    """`source_chosen` is the choice as settings keep it. `about_to_open`: a list is wanted."""

    source_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__(Sentence("Sound source"))
        self._rows: list[Row] = []
        self._sources: Sequence[SourceInfo] | None = None  # what there is, once it is known
        self._source = ""
        self._waiting = QTimer(self, singleShot=True, interval=WAIT_MS)
        self._waiting.timeout.connect(self._open)
        self.chosen.connect(self._take)

    def show_chosen(self, source: str) -> None:
        """What is listened to, as settings keep it."""
        self._source = source
        self._offer()

    def show_sources(self, sources: Sequence[SourceInfo]) -> None:
        """Offer these; the one chosen stays in the list even if it is not among them."""
        self._sources = sources
        if self.takes_rows:
            self._offer()

    def _offer_again(self) -> None:
        self.show_rows(self._rows)

    def _offer(self) -> None:
        self.show_rows(source_names.rows(self._sources, from_text(self._source)))

    def show_rows(self, rows: Sequence[Row]) -> None:
        """List exactly these; tells nobody. A box that waited for them opens."""
        unread = self.view().isVisible()
        if unread:
            self.hidePopup()
        self._rows = list(rows)
        chosen = next((row.source for row in rows if row.chosen), "")
        self.offer([(row.text, row.source) for row in rows], chosen)
        model = self.model()
        assert isinstance(model, QStandardItemModel)
        for index, row in enumerate(rows):
            self._paint_row(model, index, row)
        if self._waiting.isActive() or unread:
            self._open()

    @property
    def takes_rows(self) -> bool:
        """Nothing moves under an open list, unless it only says that it is looking."""
        return not self.view().isVisible() or any(row.text == LOOKING for row in self._rows)

    def showPopup(self) -> None:
        if not self._waiting.isActive():
            self._waiting.start()
            self.about_to_open.emit()

    @property
    def whole_text(self) -> str:
        """Closed, its heading is not seen: what is chosen is named in full."""
        at = self.currentIndex()
        return say(in_full(self._rows[at])) if 0 <= at < len(self._rows) else self.currentText()

    def _paint_row(self, model: QStandardItemModel, index: int, row: Row) -> None:
        item = model.item(index)
        item.setEnabled(not (row.heading or row.why_not))
        if row.ours:
            item.setText(say(row.text))
        if row.heading:
            font = item.font()
            font.setBold(True)
            item.setFont(font)
        if row.why_not:
            item.setData(plain.tip(row.why_not), Qt.ItemDataRole.ToolTipRole)

    def _open(self) -> None:
        self._waiting.stop()
        self.view().setMinimumWidth(self.view().sizeHintForColumn(0) + _MARGIN_PX)
        self.open_now()

    def _take(self, source: str) -> None:
        if source != ASK_FOR_FILE:
            self.source_chosen.emit(source)
            return
        self.show_rows(self._rows)  # what is listened to is the same until a file is taken
        ask_for_sound_file(self, self.source_chosen.emit)
