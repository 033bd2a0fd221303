"""Preferences: how captions look, and what recognises speech. Every change is applied at once.

There is no OK to press and nothing to lose: each control changes the settings through the store,
and shows what the store says.
"""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.settings import OverlaySettings, Settings
from app.ui.preferences.caption_page import CaptionPage
from app.ui.preferences.caption_sample import CaptionSample
from app.ui.preferences.recognition_page import RecognitionPage
from app.ui.state.engines import EngineChoice
from app.ui.state.settings_store import SettingsStore

_UNDO = "&Undo restore"
_FRAME = 40  # px that the desktop's frame around a window takes at most
MARGIN = 8  # pixels between the window and the top of the screen


class Preferences(QDialog):
    """A window beside the others; captions go on, and show what is being changed."""

    def __init__(self, store: SettingsStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._placed = False  # from then on it stays where the user puts it
        self._before_restore: OverlaySettings | None = None
        self.setWindowTitle("Preferences")
        self.sample = CaptionSample(store.settings.overlay)
        self.captions = CaptionPage(store)
        self.recognition = RecognitionPage(store)
        self.tabs = QTabWidget()
        self.tabs.addTab(_scrolled(self.captions), "&Captions")
        self.tabs.addTab(_scrolled(self.recognition), "&Recognition")
        self.defaults = QPushButton("Restore &defaults")
        self.defaults.setToolTip("How captions looked at first; their place stays")
        self.defaults.setAutoDefault(False)
        self.undo = QPushButton(_UNDO)
        self.undo.setToolTip("How captions looked before the defaults were restored")
        self.undo.setAutoDefault(False)
        self.undo.hide()
        self.close_button = QPushButton("C&lose")
        self.close_button.setDefault(True)
        self._arrange()
        self.tabs.currentChanged.connect(self._show_what_belongs)
        self.defaults.clicked.connect(self._restore)
        self.undo.clicked.connect(self._undo_restore)
        self.close_button.clicked.connect(self.close)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Close), self, self.close)
        store.changed.connect(lambda now, _before: self.show_settings(now))
        self.show_settings(store.settings)

    def show_settings(self, settings: Settings) -> None:
        """Let every control show what is set."""
        self.captions.show_settings(settings.overlay)
        self.recognition.show_settings(settings)
        self.sample.apply(settings.overlay)
        if settings.overlay != self._restored:
            self._forget_restore()  # what was done since would be undone, too

    def show_page(self, page: QWidget) -> None:
        """Bring this page to the front."""
        for index in range(self.tabs.count()):
            area = self.tabs.widget(index)
            if isinstance(area, QScrollArea) and area.widget() is page:
                self.tabs.setCurrentIndex(index)

    def show_engines(self, engines: list[EngineChoice]) -> None:
        self.recognition.show_engines(engines)

    def come_forward(self) -> None:
        """Show it; the first time at the top, since captions are mostly at the bottom."""
        if not self._placed:
            self._placed = True
            screen = self.screen().availableGeometry()
            room = screen.size() - QSize(0, _FRAME + MARGIN)
            self.resize(self.sizeHint().boundedTo(room))
            self.move(screen.center().x() - self.width() // 2, screen.top() + MARGIN)
        self.show()
        self.raise_()
        self.activateWindow()

    def _arrange(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.defaults)
        buttons.addWidget(self.undo)
        buttons.addStretch(1)
        buttons.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addWidget(self.sample)
        column.addWidget(self.tabs, 1)
        column.addLayout(buttons)

    def _show_what_belongs(self) -> None:
        of_captions = self.tabs.currentIndex() == 0
        self.sample.setVisible(of_captions)
        self.defaults.setVisible(of_captions)
        self.undo.setVisible(of_captions and self._before_restore is not None)

    @property
    def _restored(self) -> OverlaySettings:
        """The first look; where the captions are is not part of it."""
        now = self._store.settings.overlay
        return OverlaySettings(
            geometry=now.geometry, dock=now.dock, click_through=now.click_through
        )

    def _restore(self) -> None:
        before = self._store.settings.overlay
        if before == self._restored:
            return
        self._store.set_overlay(self._restored)
        self._before_restore = before
        self._show_what_belongs()

    def _undo_restore(self) -> None:
        before, now = self._before_restore, self._store.settings.overlay
        if before is not None:
            restored = replace(before, geometry=now.geometry, dock=now.dock)
            self._store.set_overlay(replace(restored, click_through=now.click_through))
        self.defaults.setFocus()
        self._forget_restore()

    def _forget_restore(self) -> None:
        self._before_restore = None
        self.undo.hide()


class _Page(QScrollArea):
    """Scrolls where the screen is too small for the page, and is otherwise not seen."""

    def sizeHint(self) -> QSize:
        page = self.widget()
        return page.sizeHint() + QSize(2, 2) if page else super().sizeHint()


def _scrolled(page: QWidget) -> QScrollArea:
    area = _Page()
    area.setWidget(page)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setMinimumWidth(page.minimumSizeHint().width())
    return area
