"""The page of the preferences for the keys that work in every program.

What a key may be, and what became of it, is `Hotkeys`' to say; this page shows it beside the key.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.ui.desktop.hotkeys import NO_KEYS, Hotkeys
from app.ui.state.commands import Commands, Verb
from app.ui.widgets import plain, worded
from app.ui.widgets.banner import announce
from app.ui.widgets.key_button import KeyButton
from model_backends.base import Sentence

_EVERYWHERE = Sentence("These keys work in every program, whichever has the keyboard.")
_DESKTOPS = Sentence("The desktop keeps these keys. Its keyboard settings change them.")
_NOT_GIVEN = Sentence("No key")


class KeysPage(QWidget):
    """A row for each verb that somebody does."""

    def __init__(self, hotkeys: Hotkeys, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hotkeys = hotkeys
        self.about = plain.label(name="dim", wrap=True)
        self.buttons: dict[str, KeyButton] = {}
        self.given: dict[str, QLabel] = {}  # where the desktop keeps the keys
        self.problems: dict[str, QLabel] = {}
        self.reset = worded.text(QPushButton(), Sentence("&Restore keys"))
        worded.tip(self.reset, Sentence("The keys as they were at first"))
        self.reset.setAutoDefault(False)
        self._grid = QGridLayout()
        self._refused = ("", "")  # the verb whose new key could not be, and why
        for verb in commands.offered():
            self._add(verb)
        self._arrange()
        self.reset.clicked.connect(hotkeys.reset)
        hotkeys.changed.connect(self.show_keys)
        self.show_keys()

    def show_keys(self) -> None:
        """Show every key, and what is wrong with it."""
        kept = self._hotkeys.kept_by_desktop
        about = _DESKTOPS if kept else _EVERYWHERE
        worded.text(self.about, NO_KEYS if self._hotkeys.none_to_be_had else about)
        self.reset.setVisible(not kept)
        for name, button in self.buttons.items():
            shown = self._hotkeys.shown(name)
            button.show_key(shown)
            button.setVisible(not kept)
            worded.text(self.given[name], shown or _NOT_GIVEN)
            self.given[name].setVisible(kept)
            self._tell(name, self._hotkeys.problem(name))
        if self._refused[0]:
            self._tell(*self._refused)

    def _choose(self, name: str, keys: str) -> None:
        problem = self._hotkeys.assign(name, keys)
        self._refused = (name if problem else "", problem)
        self.show_keys()
        told = problem or self._hotkeys.problem(name)
        if told:
            announce(self.buttons[name], told)

    def _ask(self, name: str, asking: bool) -> None:
        if asking:
            self._refused = ("", "")
        self._hotkeys.suspend(asking)

    def _tell(self, name: str, problem: str) -> None:
        worded.text(self.problems[name], problem)
        self.problems[name].setVisible(bool(problem))
        worded.description(self.buttons[name], problem)

    def _add(self, verb: Verb) -> None:
        button = self.buttons[verb.name] = KeyButton(verb.label)
        button.chosen.connect(lambda keys, name=verb.name: self._choose(name, keys))
        button.asking.connect(lambda on, name=verb.name: self._ask(name, on))
        self.given[verb.name] = plain.label()
        self.problems[verb.name] = plain.label(name="warning", wrap=True)
        row = self._grid.rowCount()
        label = plain.label(verb.label)
        label.setBuddy(button)
        self._grid.addWidget(label, row, 0)
        self._grid.addWidget(button, row, 1)
        self._grid.addWidget(self.given[verb.name], row, 1)
        self._grid.addWidget(self.problems[verb.name], row + 1, 0, 1, 2)

    def _arrange(self) -> None:
        self._grid.setColumnStretch(0, 1)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(6)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addWidget(self.about)
        column.addLayout(self._grid)
        below = QHBoxLayout()
        below.addWidget(self.reset, 0, Qt.AlignmentFlag.AlignLeft)
        below.addStretch(1)
        column.addLayout(below)
        column.addStretch(1)
