"""Preferences: how captions look, and what recognises speech. Every change is applied at once.

There is no OK to press and nothing to lose: each control changes the settings through the store,
and shows what the store says.
"""

from __future__ import annotations

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QPushButton,
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

MARGIN = 8  # pixels between the window and the top of the screen


class Preferences(QDialog):
    """A window beside the others; captions go on, and show what is being changed."""

    def __init__(self, store: SettingsStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._placed = False  # from then on it stays where the user puts it
        self.setWindowTitle("Voxline preferences")
        self.sample = CaptionSample(store.settings.overlay)
        self.captions = CaptionPage(store)
        self.recognition = RecognitionPage(store)
        self.tabs = QTabWidget()
        self.tabs.addTab(self.captions, "&Captions")
        self.tabs.addTab(self.recognition, "&Recognition")
        self.defaults = QPushButton("Restore &defaults")
        self.defaults.setToolTip("How captions looked at first; their place stays")
        self.defaults.setAutoDefault(False)
        self.close_button = QPushButton("C&lose")
        self.close_button.setDefault(True)
        self._arrange()
        self.tabs.currentChanged.connect(self._show_what_belongs)
        self.defaults.clicked.connect(self._restore)
        self.close_button.clicked.connect(self.close)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Close), self, self.close)
        store.changed.connect(lambda now, _before: self.show_settings(now))
        self.show_settings(store.settings)

    def show_settings(self, settings: Settings) -> None:
        """Let every control show what is set."""
        self.captions.show_settings(settings.overlay)
        self.recognition.show_settings(settings)
        self.sample.apply(settings.overlay)

    def show_engines(self, engines: list[EngineChoice]) -> None:
        self.recognition.show_engines(engines)

    def come_forward(self) -> None:
        """Show it; the first time at the top, since captions are mostly at the bottom."""
        if not self._placed:
            self._placed = True
            screen = self.screen().availableGeometry()
            self.move(screen.center().x() - self.sizeHint().width() // 2, screen.top() + MARGIN)
        self.show()
        self.raise_()
        self.activateWindow()

    def _arrange(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.defaults)
        buttons.addStretch(1)
        buttons.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addWidget(self.sample)
        column.addWidget(self.tabs, 1)
        column.addLayout(buttons)

    def _show_what_belongs(self) -> None:
        of_captions = self.tabs.currentWidget() is self.captions
        self.sample.setVisible(of_captions)
        self.defaults.setVisible(of_captions)

    def _restore(self) -> None:
        geometry = self._store.settings.overlay.geometry
        self._store.set_overlay(OverlaySettings(geometry=geometry))
