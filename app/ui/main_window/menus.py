"""The menu bar of the main window: what it offers, by which keys. Acts on nothing itself.

What reaches the captions from anywhere (`Commands`) stands here too, with the keys that do the
same in every program.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from app.ui.main_window.help import releases_page
from app.ui.state.commands import VERBS, Commands
from app.ui.widgets import worded
from model_backends.base import Sentence

if TYPE_CHECKING:
    from app.ui.desktop.hotkeys import Hotkeys

_SHORT_LABELS = {  # in a menu that says whether it is so
    "captions": Sentence("Show &captions"),
    "hold": Sentence("&Hold the text"),
    "click-through": Sentence("Let clicks &through"),
    "bigger": Sentence("&Bigger text"),
    "smaller": Sentence("S&maller text"),
    "mark": Sentence("Mar&k this place"),
    "dictate": Sentence("T&ype what is said into the window in use"),
}


class Menus:
    """Every action of the menu bar, by what it does."""

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self.all: list[QAction] = []
        self.verbs: dict[str, QAction] = {}  # what `Commands` does, but for pausing
        self._session_menu()
        self._edit_menu()
        self.view = worded.text(window.menuBar().addMenu(""), Sentence("&View"))
        self.controls = self._add(self.view, Sentence("Caption c&ontrols"), "Ctrl+Shift+K")
        self.latest = self._add(self.view, Sentence("&Latest words"), "Ctrl+End")
        self.page = self._add(self.view, Sentence("Captions &page…"), "")
        self.feeds = self._add(self.view, Sentence("&Send captions to…"), "")
        self._verbs_end = self.view.insertSeparator(self.controls)
        self._help_menu()

    def offer(self, commands: Commands) -> None:
        """Show what can be done with the captions; ticks follow whatever changed it."""
        for verb in commands.offered():
            if verb.name not in _SHORT_LABELS or verb.name in self.verbs:
                continue
            action = worded.text(QAction(self._window), _SHORT_LABELS[verb.name])
            action.setCheckable(commands.is_on(verb.name) is not None)
            action.triggered.connect(lambda _=False, name=verb.name: commands.do(name))
            self.view.insertAction(self._verbs_end, action)
            self.verbs[verb.name] = action
        self.view.aboutToShow.connect(lambda: self._tick(commands))
        self._tick(commands)

    def show_keys(self, hotkeys: Hotkeys) -> None:
        """The keys that work everywhere, now; where they do not, they work in this window."""
        for name, action in [*self.verbs.items(), ("pause", self.toggle)]:
            action.setShortcut(hotkeys.sequence(name))
            worded.tip(action, VERBS[name].label)

    def with_keys(self) -> list[QAction]:
        """In their order."""
        return [action for action in self._in_order() if not action.shortcut().isEmpty()]

    def _in_order(self) -> Iterable[QAction]:
        for top in self._window.menuBar().actions():
            menu = top.menu()
            if isinstance(menu, QMenu):
                yield from menu.actions()

    def _tick(self, commands: Commands) -> None:
        for name, action in self.verbs.items():
            action.setChecked(commands.is_on(name) is True)

    def _session_menu(self) -> None:
        menu = worded.text(self._window.menuBar().addMenu(""), Sentence("Sess&ion"))
        self.toggle = self._add(menu, Sentence("&Start"), "")
        self.new = self._add(menu, Sentence("&New session"), QKeySequence.StandardKey.New)
        self.stop = self._add(menu, Sentence("S&top and save"), "Ctrl+T")
        menu.addSeparator()
        self.save = self._add(menu, Sentence("Save transcript &as…"), QKeySequence.StandardKey.Save)
        self.save_shown = self._add(menu, Sentence("Save captions as they &were shown…"), "")
        self.sessions = self._add(menu, Sentence("S&essions…"), "Ctrl+L")
        self.folder = self._add(menu, Sentence("&Open transcripts folder"), "Ctrl+O")
        menu.addSeparator()
        self.close = self._add(menu, Sentence("&Close window"), QKeySequence.StandardKey.Close)
        self.quit = self._add(menu, Sentence("&Quit Voxline"), "Ctrl+Q")
        self.quit.setMenuRole(QAction.MenuRole.QuitRole)

    def _edit_menu(self) -> None:
        menu = worded.text(self._window.menuBar().addMenu(""), Sentence("&Edit"))
        self.copy = self._add(menu, Sentence("&Copy transcript"), "Ctrl+Shift+C")
        self.find = self._add(menu, Sentence("&Find…"), QKeySequence.StandardKey.Find)
        self.find_next = self._add(menu, Sentence("Find &next"), QKeySequence.StandardKey.FindNext)
        self.find_previous = self._add(
            menu, Sentence("Find pre&vious"), QKeySequence.StandardKey.FindPrevious
        )
        menu.addSeparator()
        self.preferences = self._add(menu, Sentence("P&references…"), "Ctrl+,")
        self.preferences.setMenuRole(QAction.MenuRole.PreferencesRole)

    def _help_menu(self) -> None:
        menu = worded.text(self._window.menuBar().addMenu(""), Sentence("&Help"))
        self.shortcuts = self._add(menu, Sentence("&Keyboard shortcuts"), "F1")
        self.first_run = self._add(menu, Sentence("&First steps…"), "")
        self.kept = self._add(menu, Sentence("&What is kept and where"), "")
        menu.addSeparator()
        self.report = self._add(menu, Sentence("&Report a problem…"), "")
        self.log = self._add(menu, Sentence("Open &log folder"), "")
        # only where whoever built this Voxline has said where others are
        self.releases = self._add(menu, Sentence("&Newer versions, in the browser"), "")
        self.releases.setVisible(bool(releases_page()))
        menu.addSeparator()
        self.about = self._add(menu, Sentence("&About Voxline"), "")
        self.about.setMenuRole(QAction.MenuRole.AboutRole)

    def _add(self, menu: QMenu, text: str, keys: QKeySequence.StandardKey | str) -> QAction:
        action = worded.text(QAction(self._window), text)
        action.setShortcut(QKeySequence(keys))
        menu.addAction(action)
        self.all.append(action)
        return action
