"""The icon in the desktop's tray, where there is one; everything in it is elsewhere too."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, SignalInstance
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from app.session.status import Status
from app.ui.widgets import stages, theme
from model_backends.base import Sentence


class Tray(QObject):
    """Shows the state as a tooltip; its menu only says what was asked."""

    captions_toggled = Signal(bool)
    pause_toggled = Signal()
    main_window_requested = Signal()
    preferences_requested = Signal()
    quit_requested = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.menu = QMenu()
        self.captions = QAction("Show &captions", self.menu, checkable=True, checked=True)
        self.captions.triggered.connect(self.captions_toggled)
        self.menu.addAction(self.captions)
        self.pause = self._add("&Start", self.pause_toggled)
        self.menu.addSeparator()
        self._add("&Open main window", self.main_window_requested)
        self._add("P&references…", self.preferences_requested)
        self.menu.addSeparator()
        self._add("&Quit Voxline", self.quit_requested)
        self.icon = QSystemTrayIcon(theme.icon(), self)
        self.icon.setContextMenu(self.menu)
        self.icon.activated.connect(self._clicked)

    @property
    def available(self) -> bool:
        """Whether this desktop has a tray now."""
        return QSystemTrayIcon.isSystemTrayAvailable()

    def show(self) -> None:
        """Show the icon now, or as soon as the desktop has a tray."""
        self.icon.show()

    def show_status(self, status: Status) -> None:
        self.pause.setText(stages.start_label(status.stage))
        self.pause.setEnabled(stages.can_toggle(status.stage))
        self.icon.setToolTip(Sentence("Voxline: {state}", state=stages.title(status.stage)))

    def show_captions_visible(self, visible: bool) -> None:
        self.captions.setChecked(visible)

    def _add(self, text: str, signal: SignalInstance) -> QAction:
        action = self.menu.addAction(text)
        action.triggered.connect(lambda: signal.emit())
        return action

    def _clicked(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in (
            QSystemTrayIcon.ActivationReason.Trigger,
            QSystemTrayIcon.ActivationReason.DoubleClick,
        ):
            self.main_window_requested.emit()
