"""Every window of the app, on sessions, keys and sources that are fakes; and all that they say.

Knows nothing of languages: what a window says is asked of its widgets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialog,
    QGroupBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QMenu,
    QTableWidget,
    QTextEdit,
    QWidget,
)

from app.models.catalogue import model_named
from app.session.library import Library
from app.ui.desktop.tray import Tray
from app.ui.feeds.dialog import FeedsDialog
from app.ui.first_run import source_step
from app.ui.main_window import captions_page, erase
from app.ui.main_window import help as help_texts
from app.ui.main_window import window as main_window
from app.ui.main_window.window import MainWindow
from app.ui.overlay import window as overlay_window
from app.ui.overlay.window import CaptionOverlay
from app.ui.preferences.licence_dialog import LicenceDialog
from app.ui.preferences.window import Preferences
from app.ui.sessions.correcting import CorrectionDialog
from app.ui.sessions.import_dialog import ImportDialog
from app.ui.sessions.window import SessionsWindow
from app.ui.state.commands import VERBS
from app.ui.state.feeds import Feeds
from tests.ui.conftest import Rig
from tests.ui.first_run.opened import Guide

ROOM = QSize(1008, 341)  # above the captions, on a screen of 1024 x 600
_SETTLE = 5


class Windows:
    """All of them, in one language: that of the moment at which they were made."""

    def __init__(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in (main_window, source_step, overlay_window):
            monkeypatch.setattr(module, "list_sources", list)
        rig.store.change(told={"kept": True})
        self._guide = Guide(rig)
        commands, hotkeys = self._guide._commands, self._guide.hotkeys
        for verb in VERBS:
            commands.offer(verb, lambda: None)
        self.main = MainWindow(rig.captioning, rig.store)
        self.main.follow(commands, hotkeys)
        self.captions = CaptionOverlay(rig.store.settings.overlay, lambda _settings: None)
        self.captions.follow(rig.captioning)
        self._feeds = Feeds(rig.captioning, rig.store)
        self._tray = Tray(commands)
        self.preferences = self.main.open_preferences()
        self.first_run = self._guide.open()
        self.all: dict[str, QWidget] = {
            "main": self.main,
            "captions": self.captions,
            "menu of the captions": self.captions.menu,
            "preferences": self.preferences,
            "sessions": SessionsWindow(Library()),
            "first run": self.first_run,
            "feeds": FeedsDialog(self._feeds, rig.store),
            "tray": self._tray.menu,
            **self._dialogs(),
        }
        for name, window in self.all.items():
            if not isinstance(window, QMenu):
                window.resize(self._size_of(name, window))
                window.show()
        self.captions._show_controls()
        self.settle()

    def _dialogs(self) -> dict[str, QWidget]:
        return {
            "captions page": captions_page.show(self.main.captions_page, self.main),
            "keys": help_texts.show_shortcuts(self.main, self.main.menus.with_keys()),
            "kept": help_texts.show_kept(self.main, True, lambda: None),
            "about": help_texts.show_about(self.main),
            "erase": erase.EraseDialog(self.main, True, lambda _parts: None),
            "licence": LicenceDialog(model_named("voxtral"), self.main),
            "import": ImportDialog(self.main, [Path("a talk.mp3")], ["en", "de"], lambda _: None),
            "correction": CorrectionDialog(self.main, "What was said.", lambda _: None),
        }

    def _size_of(self, name: str, window: QWidget) -> QSize:
        if name == "captions":
            return window.size()
        if name == "main":
            return QSize(720, ROOM.height())
        wanted = window.size() if window.isVisible() else window.sizeHint()
        return wanted.boundedTo(ROOM)

    def pages(self) -> Iterator[tuple[str, QWidget]]:
        """Each window, each of its pages in turn."""
        for name, window in self.all.items():
            for page, turn in self._pages_of(window):
                turn()
                self.settle()
                yield f"{name}{page}", window

    def _pages_of(self, window: QWidget) -> list[tuple[str, Callable[[], object]]]:
        if isinstance(window, Preferences):
            window.captions.show_more.setChecked(True)
            rows = range(window.list.count())
            return [(f" {row}", partial(window.list.setCurrentRow, row)) for row in rows]
        if window is self.first_run:
            steps = range(len(self.first_run.steps))
            return [(f" {step}", partial(self.first_run.show_step, step)) for step in steps]
        return [("", self.settle)]

    def settle(self) -> None:
        """Let all of them be laid out."""
        for _ in range(_SETTLE):
            QApplication.processEvents()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    def close(self) -> None:
        for window in self.all.values():
            window.close()
        self._feeds.close()
        self._guide.hotkeys.close()
        self.main.captions_page.close()
        self.main.models.close()
        self.captions.end()
        for window in (*self.all.values(), self.preferences):
            window.deleteLater()
        self.settle()


def texts_of(window: QWidget) -> list[str]:
    """All that a window says, to eyes and ears."""
    found = [window.windowTitle()]
    for widget in (window, *window.findChildren(QWidget)):
        found += [widget.toolTip(), widget.accessibleName(), widget.accessibleDescription().strip()]
        found += _own_texts(widget)
    for action in window.findChildren(QAction):
        found += [action.text(), action.toolTip()]
    return [text for text in found if text]


def _own_texts(widget: QWidget) -> list[str]:
    if isinstance(widget, (QLabel, QAbstractButton)):
        return [widget.text()]
    if isinstance(widget, (QGroupBox, QMenu)):
        return [widget.title()]
    if isinstance(widget, QComboBox):
        return _items(widget)
    if isinstance(widget, (QLineEdit, QTextEdit)):
        return [widget.placeholderText()]
    if isinstance(widget, QListWidget):
        return [widget.item(row).text() for row in range(widget.count())]
    if isinstance(widget, QTableWidget):
        return _headings(widget)
    return [widget.windowTitle()] if isinstance(widget, QDialog) else []


def _items(box: QComboBox) -> list[str]:
    rows = range(box.count())
    tips = (box.itemData(row, Qt.ItemDataRole.ToolTipRole) for row in rows)
    return [*(box.itemText(row) for row in rows), *(str(tip) for tip in tips if tip)]


def _headings(table: QTableWidget) -> list[str]:
    items = (table.horizontalHeaderItem(column) for column in range(table.columnCount()))
    return [text for item in items if item for text in (item.text(), item.toolTip())]
