"""Preferences: a list of pages at the left, the page at the right. Every change is applied at once.

On a narrow screen a box above the page has the list's place.

There is no OK to press and nothing to lose: each control changes the settings through the store,
and shows what the store says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QListWidget,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.audio.devices.base import SourceInfo
from app.language import say
from app.settings import OverlaySettings, Settings
from app.ui.preferences.caption_page import CaptionPage
from app.ui.preferences.caption_sample import CaptionSample
from app.ui.preferences.interface_language import InterfaceLanguage
from app.ui.preferences.listening_page import ListeningPage
from app.ui.preferences.names_page import NamesPage
from app.ui.preferences.privacy_page import PrivacyPage
from app.ui.preferences.speech_model_page import SpeechModelPage
from app.ui.state.engines import EngineChoice, info_of, suited_info
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import beside_captions, narrow, plain, worded
from app.ui.widgets.choice_box import ChoiceBox
from app.ui.widgets.scrolled import scrolled
from model_backends.base import EngineInfo, Sentence

if TYPE_CHECKING:
    from app.ui.desktop.hotkeys import Hotkeys
    from app.ui.preferences.keys_page import KeysPage
    from app.ui.state.commands import Commands
    from app.ui.state.models import Models
    from app.ui.state.packs import Packs

_READ_TIP = Sentence("Each sentence is read out, or shown in braille, once it is finished.")
_UNDO = Sentence("&Undo restore")
_NARROW = 420  # px of a page that fit on the smallest of screens; a wider one scrolls there
_LOW = 440  # px; a lower window has no room for the sample: the captions beside it are one
_BETWEEN = 12  # px between buttons, and around them
MARGIN = 8  # pixels between the window and the top of the screen


class Preferences(QDialog):
    """A window beside the others; captions go on, and show what is being changed."""

    def __init__(
        self,
        store: SettingsStore,
        hotkeys: Hotkeys | None = None,
        commands: Commands | None = None,
        find_info: Callable[[str], EngineInfo | None] = info_of,
        parent: QWidget | None = None,
        models: Models | None = None,
        packs: Packs | None = None,
    ) -> None:
        """Without `hotkeys` and `commands` there is no page of keys, without `models` and `packs`
        no cards."""
        super().__init__(parent)
        self._store, self._find_info = store, find_info
        self._placed = False  # from then on it stays where the user puts it
        self._before_restore: OverlaySettings | None = None
        worded.title(self, Sentence("Preferences"))
        self.sample = CaptionSample(store.settings.overlay)
        self.captions = CaptionPage(store)
        self.read_finished = worded.text(
            QCheckBox(), Sentence("Have a screen reader &read finished sentences")
        )
        plain.set_tip(self.read_finished, _READ_TIP)
        self.listening = ListeningPage(store)
        self.speech_model = SpeechModelPage(store, models=models, packs=packs)
        self.names = NamesPage(store)
        self.keys: KeysPage | None = None
        self.privacy = PrivacyPage(store)
        self.list = QListWidget()
        self.list.setObjectName("pages")
        worded.name(self.list, Sentence("Pages"))
        self.page_box = ChoiceBox(Sentence("Pages"))
        self.language = InterfaceLanguage(store)
        self.pages = QStackedWidget()
        self._add_pages(hotkeys, commands)
        self.defaults = worded.text(QPushButton(), Sentence("Restore &defaults"))
        worded.tip(self.defaults, Sentence("How captions looked at first; their place stays"))
        self.defaults.setAutoDefault(False)
        self.undo = worded.text(QPushButton(), _UNDO)
        worded.tip(self.undo, Sentence("How captions looked before the defaults were restored"))
        self.undo.setAutoDefault(False)
        self.undo.hide()
        self.close_button = worded.text(QPushButton(), Sentence("C&lose"))
        self.close_button.setDefault(True)
        self._arrange()
        self.list.currentRowChanged.connect(self.pages.setCurrentIndex)
        self.list.currentRowChanged.connect(self._show_what_belongs)
        self.list.currentRowChanged.connect(self.page_box.setCurrentIndex)
        self.page_box.chosen.connect(lambda row: self.list.setCurrentRow(int(row)))
        self.list.setCurrentRow(0)
        self.read_finished.clicked.connect(lambda on: store.change(read_finished_lines=on))
        self.defaults.clicked.connect(self._restore)
        self.undo.clicked.connect(self._undo_restore)
        self.close_button.clicked.connect(self.close)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Close), self, self.close)
        store.changed.connect(lambda now, _before: self.show_settings(now))
        self.show_settings(store.settings)

    def show_settings(self, settings: Settings) -> None:
        """Let every control show what is set."""
        self.captions.show_settings(settings.overlay)
        self.read_finished.setChecked(settings.read_finished_lines)
        info = suited_info(self._find_info(settings.engine), settings)
        self.listening.show_settings(settings, info)
        self.speech_model.show_settings(settings)
        self.names.show_settings(settings)
        self.privacy.show_settings(settings)
        self.language.show_settings(settings)
        self.sample.apply(settings.overlay)
        if settings.overlay != self._restored:
            self._forget_restore()  # what was done since would be undone, too

    def show_page(self, page: QWidget) -> None:
        """Bring this page to the front."""
        for index in range(self.pages.count()):
            area = self.pages.widget(index)
            if area and area.isAncestorOf(page):
                self.list.setCurrentRow(index)

    def show_engines(self, engines: list[EngineChoice]) -> None:
        self.speech_model.show_engines(engines)

    def show_sources(self, sources: list[SourceInfo]) -> None:
        self.listening.show_sources(sources)

    def come_forward(self) -> None:
        """Show it; the first time clear of the captions, or else at the top of the screen."""
        self._suit_screen()
        if not self._placed:
            self._placed = True
            screen = self.screen().availableGeometry()
            wanted = self.sizeHint()
            if narrow.is_narrow(self):  # all the width there is: less would be less of a page
                wanted.setWidth(screen.width())
            if not beside_captions.put(self, wanted):
                self.move(screen.center().x() - self.width() // 2, screen.top() + MARGIN)
        self.show()
        self.raise_()
        self.activateWindow()

    def _add_pages(self, hotkeys: Hotkeys | None, commands: Commands | None) -> None:
        captions = QWidget()
        column = QVBoxLayout(captions)
        column.setContentsMargins(0, 0, 0, 12)
        column.addWidget(self.captions)
        row = QHBoxLayout()
        row.setContentsMargins(16, 0, 16, 0)
        row.addWidget(self.read_finished)
        column.addLayout(row)
        self._below_captions = QHBoxLayout()  # buttons, where the window's row has no room for them
        self._below_captions.setContentsMargins(16, 0, 16, 0)
        self._below_captions.addStretch(1)
        column.addLayout(self._below_captions)
        column.addStretch(1)
        titles: dict[str, QWidget] = {
            Sentence("Captions"): captions,
            Sentence("Listening"): self.listening,
            Sentence("Speech model"): self.speech_model,
            Sentence("Names and words"): self.names,
        }
        if hotkeys is not None and commands is not None:
            from app.ui.preferences.keys_page import KeysPage

            self.keys = KeysPage(hotkeys, commands)
            titles[Sentence("Keys")] = self.keys
        titles[Sentence("Privacy")] = self.privacy
        self._titles: list[str] = []
        for title, page in titles.items():
            self._titles.append(title)
            self.list.addItem(title)
            self.pages.addWidget(scrolled(page, _NARROW))

    def _name_pages(self) -> None:
        for row, title in enumerate(self._titles):
            self.list.item(row).setText(say(title))
        self.list.setFixedWidth(self.list.sizeHintForColumn(0) + 40)
        pages = [(title, str(row)) for row, title in enumerate(self._titles)]
        self.page_box.offer(pages, str(self.list.currentRow()))

    def _arrange(self) -> None:
        self._name_pages()
        worded.follow(self, self._name_pages)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._buttons = buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.language)
        buttons.addSpacing(8)
        buttons.addWidget(self.close_button)
        shown = QVBoxLayout()
        shown.setSpacing(12)
        shown.addWidget(self.sample)
        shown.addWidget(self.pages, 1)
        self._middle = middle = QHBoxLayout()
        middle.addWidget(self.list)
        middle.addWidget(self.page_box)
        middle.addLayout(shown, 1)
        self._column = column = QVBoxLayout(self)
        column.addLayout(middle, 1)
        column.addLayout(buttons)
        self._suit_screen()

    def _suit_screen(self) -> None:
        """Beside each other, or one below the other where the screen is too narrow for that."""
        is_narrow = narrow.is_narrow(self)
        self.list.setVisible(not is_narrow)
        self.page_box.setVisible(is_narrow)
        ways = QBoxLayout.Direction
        self._middle.setDirection(ways.TopToBottom if is_narrow else ways.LeftToRight)
        rows = QFormLayout.RowWrapPolicy
        for form in self.pages.findChildren(QFormLayout):
            form.setRowWrapPolicy(rows.WrapAllRows if is_narrow else rows.WrapLongRows)
        for at, button in enumerate((self.defaults, self.undo)):
            (self._below_captions if is_narrow else self._buttons).insertWidget(at, button)
        around, between = (8, 8) if is_narrow else (16, 12)
        self._column.setContentsMargins(around, around, around, around)
        self._column.setSpacing(between)
        self._middle.setSpacing(between)

    def _show_what_belongs(self) -> None:
        of_captions = self.list.currentRow() == 0
        height = min(self.height(), self.screen().availableGeometry().height())
        self.sample.setVisible(of_captions and height >= _LOW)
        self.defaults.setVisible(of_captions)
        self.language.label.setVisible(not of_captions or self._row_has_room())
        self.undo.setVisible(of_captions and self._before_restore is not None)

    def _row_has_room(self) -> bool:
        """For all that can stand below the captions' page, and what the language is of."""
        row = [self.language.label, self.language.box, self.close_button]
        if self.page_box.isHidden():
            row += [self.defaults, self.undo]
        return sum(each.sizeHint().width() + _BETWEEN for each in row) <= self.width()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_what_belongs()

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
