"""The page of the preferences for names and words: how they are written, heard and pointed out.

A table whose last row is always empty, for one more. What the words mean to captions is
`core.corrections` and `core.alerts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QHideEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QSystemTrayIcon,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app import names_file
from app.core.names import BETWEEN_SOUNDS, MOST_CHARACTERS, Name, names_in, sounds_in, text_of
from app.language import say
from app.settings import Settings
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import beside_captions, plain, worded
from app.ui.widgets.banner import announce
from app.ui.widgets.file_dialogs import in_our_words
from model_backends.base import Sentence, UserError, joined

APPLY_AFTER_MS = 1500  # engines may have to load anew for other words: not for every letter
_WORD, _SOUNDS, _ALERT = range(3)
_TITLES = (Sentence("Word"), Sentence("Sounds like"), Sentence("Alert"))
_TIPS = (
    Sentence("As it is to be written"),
    Sentence("How it is misheard; several with semicolons between them"),
    Sentence("Put a box round the word when it is said"),
)
_ABOUT = Sentence(
    "Names and terms that are often written wrongly. What sounds like one of them is written as "
    "you write it; Voxtral is told to expect them, too."
)
_NOTIFY_TIP = Sentence("At most every 10 seconds for one name, with the words before it")
_NO_NOTIFICATIONS = Sentence(
    "This desktop shows no notifications of a program without a tray icon."
)
_TOO_MANY = Sentence(
    "The list is too long: the last change is not used. Remove words that you do not need."
)
_FILTERS = Sentence("Tables and lists (*.csv *.txt);;All files (*)")
_ROWS_SEEN = 6
_CHECKABLE = (
    Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable
)


class NamesPage(QWidget):
    """The list, and what to do when a name is said."""

    def __init__(self, store: SettingsStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._shown: tuple[Name, ...] = ()
        self.table = QTableWidget(0, len(_TITLES))
        self.add = _button(Sentence("&Add"), Sentence("Write one more word into the list"))
        self.remove = _button(
            Sentence("&Remove"), Sentence("Remove the selected words from the list")
        )
        self.import_ = _button(
            Sentence("&Import…"), Sentence("Add the words of a table or a text file")
        )
        self.export = _button(Sentence("E&xport…"), Sentence("Write the list into a file"))
        self.problem = plain.label(name="warning", wrap=True)
        self.notify = worded.text(
            QCheckBox(), Sentence("Also show a &notification when one is said")
        )
        told = QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages()
        self.notify.setEnabled(told)
        plain.set_tip(self.notify, _NOTIFY_TIP if told else _NO_NOTIFICATIONS)
        self._applying = QTimer(self, singleShot=True, interval=APPLY_AFTER_MS)
        self._set_up_table()
        self._arrange()
        self._applying.timeout.connect(self.apply)
        self.table.itemChanged.connect(self._edited)
        self.table.itemSelectionChanged.connect(self._offer)
        self.add.clicked.connect(self.write_another)
        self.remove.clicked.connect(self.remove_selected)
        self.import_.clicked.connect(self.ask_for_import)
        self.export.clicked.connect(self.ask_for_export)
        self.notify.clicked.connect(lambda on: store.change(notify_names=on))
        self._on_key(QKeySequence(QKeySequence.StandardKey.Delete), self.remove_selected)
        # in a dialog it would press the button
        self._on_key(QKeySequence(Qt.Key.Key_Return), self._edit)
        self._fill(())

    @property
    def names(self) -> tuple[Name, ...]:
        """What the table says now; rows without a word are none."""
        return names_in(text_of(filter(_has_word, map(self._name, range(self.table.rowCount())))))

    def show_settings(self, settings: Settings) -> None:
        self.notify.setChecked(settings.notify_names)
        names = names_in(settings.names)
        if names != self._shown and not self._applying.isActive():
            self._fill(names)

    def apply(self) -> None:
        """Use what is in the table from now on."""
        self._applying.stop()
        text = text_of(self.names)
        too_many = len(text) > MOST_CHARACTERS
        self._tell(_TOO_MANY if too_many else "")
        if not too_many:
            self._shown = self.names
            self._store.change(names=text if self._shown else "")

    def write_another(self) -> None:
        """Begin to write in the last row, which is empty."""
        self.table.setFocus()
        self.table.setCurrentCell(self.table.rowCount() - 1, _WORD)
        self._edit()

    def remove_selected(self) -> None:
        rows = sorted({index.row() for index in self.table.selectedIndexes()})
        for row in reversed(rows):
            self.table.removeRow(row)
        self._keep_an_empty_row()
        self.apply()
        if rows:
            self.table.setCurrentCell(min(rows[0], self.table.rowCount() - 1), _WORD)

    def ask_for_import(self) -> QFileDialog:
        dialog = in_our_words(
            QFileDialog(self, say(Sentence("Names and words to add")), filter=say(_FILTERS))
        )
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        return _opened(dialog, self.import_from)

    def ask_for_export(self) -> QFileDialog:
        dialog = in_our_words(
            QFileDialog(
                self, say(Sentence("Where to write the names and words")), filter=say(_FILTERS)
            )
        )
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("csv")
        dialog.selectFile("Names and words.csv")
        return _opened(dialog, self.export_to)

    def import_from(self, path: Path) -> None:
        """Add a file's words; of a word that is in the list already the file knows better."""
        try:
            added = names_file.read(path)
        except UserError as error:
            self._tell(joined(error.message, error.hint))
            return
        merged = {name.word: name for name in self.names} | {name.word: name for name in added}
        self._fill(merged.values())
        self.apply()

    def export_to(self, path: Path) -> None:
        try:
            names_file.write(path, self.names)
        except UserError as error:
            self._tell(joined(error.message, error.hint))
            return
        self._tell("")

    def hideEvent(self, event: QHideEvent) -> None:
        if self._applying.isActive():
            self.apply()
        super().hideEvent(event)

    # --- the table -------------------------------------------------------------------------

    def _fill(self, names: Iterable[Name]) -> None:
        self._shown = tuple(names)
        self.table.blockSignals(True)
        self.table.setRowCount(0)
        for name in self._shown:
            self._add_row(name)
        self.table.blockSignals(False)
        self._keep_an_empty_row()
        self._offer()

    def _add_row(self, name: Name) -> None:
        row = self.table.rowCount()
        self.table.insertRow(row)
        texts = (name.word, f"{BETWEEN_SOUNDS} ".join(name.sounds_like), "")
        for column, text in enumerate(texts):
            item = QTableWidgetItem(text)
            item.setToolTip(plain.tip(text))
            self.table.setItem(row, column, item)
        alert = self.table.item(row, _ALERT)
        assert alert is not None  # set just now
        alert.setFlags(_CHECKABLE)
        alert.setCheckState(Qt.CheckState.Checked if name.alert else Qt.CheckState.Unchecked)
        alert.setData(Qt.ItemDataRole.AccessibleTextRole, say(_TITLES[_ALERT]))

    def _name(self, row: int) -> Name:
        word, sounds, alert = (self.table.item(row, column) for column in range(len(_TITLES)))
        return Name(
            " ".join(word.text().split()) if word else "",
            sounds_in(sounds.text()) if sounds else (),
            alert is not None and alert.checkState() is Qt.CheckState.Checked,
        )

    def _edited(self, item: QTableWidgetItem) -> None:
        self.table.blockSignals(True)
        item.setToolTip(plain.tip(item.text()))
        self.table.blockSignals(False)
        self._keep_an_empty_row()
        self._applying.start()

    def _edit(self) -> None:
        self.table.edit(self.table.currentIndex())

    def _on_key(self, keys: QKeySequence, act: Callable[[], None]) -> None:
        shortcut = QShortcut(keys, self.table)
        shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
        shortcut.activated.connect(act)

    def _keep_an_empty_row(self) -> None:
        last = self.table.rowCount() - 1
        if last < 0 or self._name(last).word:
            self.table.blockSignals(True)
            self._add_row(Name(""))
            self.table.blockSignals(False)

    def _offer(self) -> None:
        self.remove.setEnabled(bool(self.table.selectedIndexes()))

    def _tell(self, problem: str) -> None:
        worded.text(self.problem, problem)
        self.problem.setVisible(bool(problem))
        if problem:
            announce(self.problem, problem)

    # --- how it looks ----------------------------------------------------------------------

    def _set_up_table(self) -> None:
        table = self.table
        worded.name(table, Sentence("Names and words"))
        self._title_columns()
        worded.follow(self, self._title_columns)
        table.verticalHeader().hide()
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setTabKeyNavigation(False)  # Tab leaves the table, as it leaves everything else
        header = table.horizontalHeader()
        header.setSectionResizeMode(_WORD, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(_SOUNDS, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(_ALERT, QHeaderView.ResizeMode.ResizeToContents)
        row = table.verticalHeader().defaultSectionSize()
        table.setMinimumHeight(header.sizeHint().height() + _ROWS_SEEN * row)

    def _title_columns(self) -> None:
        self.table.setHorizontalHeaderLabels([say(title) for title in _TITLES])
        for column, tip in enumerate(_TIPS):
            heading = self.table.horizontalHeaderItem(column)
            if heading is not None:
                heading.setToolTip(plain.tip(tip))
        for row in range(self.table.rowCount()):
            alert = self.table.item(row, _ALERT)
            if alert is not None:
                alert.setData(Qt.ItemDataRole.AccessibleTextRole, say(_TITLES[_ALERT]))

    def _arrange(self) -> None:
        buttons = QHBoxLayout()
        for button in (self.add, self.remove, self.import_, self.export):
            buttons.addWidget(button)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addWidget(plain.label(_ABOUT, wrap=True))
        column.addWidget(self.table, 1)
        column.addLayout(buttons)
        column.addWidget(self.problem)
        column.addWidget(self.notify)
        self.problem.hide()


def _has_word(name: Name) -> bool:
    return bool(name.word)


def _button(text: str, tip: str) -> QPushButton:
    made = worded.text(QPushButton(), text)
    worded.tip(made, tip)
    made.setAutoDefault(False)
    return made


def _opened(dialog: QFileDialog, then: Callable[[Path], None]) -> QFileDialog:
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(lambda file: then(Path(file)))
    beside_captions.put(dialog, dialog.sizeHint())
    dialog.open()
    return dialog
