"""The window "Send captions to…": every program that can have them, each with its own switch.

Shows `Feeds`; sends nothing itself.
"""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QVBoxLayout,
    QWidget,
)

from app.ui.feeds.groups import FileGroup, ObsGroup, ZoomGroup
from app.ui.state.feeds import Feeds
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import beside_captions, plain, worded
from app.ui.widgets.scrolled import scrolled
from model_backends.base import Sentence

_WIDTH, _WIDEST = 560, 960
_WHAT = Sentence(
    "Other programs can have what the captions show, as it comes. Nothing goes to another computer "
    "before you have agreed to it."
)


class FeedsDialog(QDialog):
    """Beside the captions; what it switches on stays on when it is closed."""

    def __init__(self, feeds: Feeds, store: SettingsStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        worded.title(self, Sentence("Send captions to…"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.zoom, self.obs = ZoomGroup(feeds), ObsGroup(feeds, store)
        self.file = FileGroup(feeds, store)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 12, 0)
        column.setSpacing(12)
        column.addWidget(plain.label(_WHAT, wrap=True))
        for group in (self.obs, self.zoom, self.file):
            column.addWidget(group)
        column.addStretch(1)
        self._page = page
        self._arrange()

    def come_forward(self) -> None:
        """Show it, as high as what is in it where the screen has the room."""
        width = max(_WIDTH, self.minimumSizeHint().width())
        inside = self._page.layout()
        height = inside.totalHeightForWidth(width - 60) if inside is not None else 0
        beside_captions.put(self, QSize(width, height + 90))
        self.show()

    def _arrange(self) -> None:
        area = scrolled(self._page, _WIDEST)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 16)
        column.setSpacing(12)
        column.addWidget(area, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        column.addWidget(buttons)
