"""The icon in the desktop's tray, where there is one; everything in it is elsewhere too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, SignalInstance
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from app.language import say
from app.native import DESKTOP
from app.session.status import Status
from app.ui.desktop import tray_pictures
from app.ui.state.commands import CAPTIONS, PAUSE, Commands
from app.ui.widgets import stages, worded
from model_backends.base import Sentence

if TYPE_CHECKING:
    from app.ui.desktop.hotkeys import Hotkeys

_LABELS = {
    "hold": Sentence("&Hold the text"),
    "click-through": Sentence("Let clicks &through"),
    "dictate": Sentence("T&ype what is said into the window in use"),
}

_TOLD_MS = 10_000


class Tray(QObject):
    """Shows the state by shape, colour and tooltip; a click shows or hides the captions."""

    main_window_requested = Signal()
    preferences_requested = Signal()
    quit_requested = Signal()

    def __init__(self, commands: Commands, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._commands = commands
        self._mark = ""  # what the icon shows now
        self.menu = QMenu()
        self.verbs = {CAPTIONS.name: self._verb(Sentence("Show &captions"), CAPTIONS.name)}
        self.verbs |= {
            name: self._verb(label, name)
            for name, label in _LABELS.items()
            if commands.offers(name)
        }
        self.pause = worded.action(self.menu, Sentence("&Start"))
        self.pause.triggered.connect(lambda: commands.do(PAUSE.name))
        self.menu.addSeparator()
        self._add(Sentence("&Open main window"), self.main_window_requested)
        self._add(Sentence("P&references…"), self.preferences_requested)
        self.menu.addSeparator()
        self._add(Sentence("&Quit Voxline"), self.quit_requested)
        self.icon = QSystemTrayIcon(tray_pictures.icon("quiet"), self)
        self.icon.setContextMenu(self.menu)
        self.icon.activated.connect(self._clicked)
        self.menu.aboutToShow.connect(self.tick)

    @property
    def available(self) -> bool:
        """Whether this desktop has a tray now."""
        return QSystemTrayIcon.isSystemTrayAvailable()

    def show(self) -> None:
        """Show the icon now, or as soon as the desktop has a tray."""
        self.icon.show()

    def show_status(self, status: Status) -> None:
        worded.text(self.pause, stages.start_label(status.stage))
        self.pause.setEnabled(stages.can_toggle(status.stage))
        worded.tip(self.icon, Sentence("Voxline: {state}", state=stages.title(status.stage)))
        mark = tray_pictures.mark_of(status.stage)
        if mark != self._mark:  # a tray on D-Bus is sent the whole picture each time
            self._mark = mark
            self.icon.setIcon(tray_pictures.icon(mark))

    def tell_name(self, name: str, context: str) -> None:
        """Have the desktop tell that a name was said."""
        title = Sentence("“{name}” was said", name=name)
        self.icon.showMessage(say(title), context, self.icon.icon(), _TOLD_MS)

    def show_keys(self, hotkeys: Hotkeys) -> None:
        """The keys that do the same from anywhere."""
        for name, action in [*self.verbs.items(), (PAUSE.name, self.pause)]:
            action.setShortcut(hotkeys.sequence(name))

    def tick(self) -> None:
        """Tick what is so; a menu that the desktop shows itself does not always ask before."""
        for name, action in self.verbs.items():
            action.setChecked(self._commands.is_on(name) is True)

    def _verb(self, label: str, name: str) -> QAction:
        action = worded.action(self.menu, label)
        action.setCheckable(True)
        action.setChecked(self._commands.is_on(name) is True)
        action.triggered.connect(lambda: self._do(name))
        return action

    def _do(self, name: str) -> None:
        self._commands.do(name)
        self.tick()

    def _add(self, text: str, signal: SignalInstance) -> QAction:
        action = worded.action(self.menu, text)
        action.triggered.connect(lambda: signal.emit())
        return action

    def _clicked(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        """On macOS a click opens the menu, and is told all the same."""
        if reason is QSystemTrayIcon.ActivationReason.Trigger and DESKTOP != "macos":
            self._do(CAPTIONS.name)
