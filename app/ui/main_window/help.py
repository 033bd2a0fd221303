"""The texts of the Help menu: keys, what is kept and where, what this is and under which licences.

Knows where things are kept; changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QFontDatabase, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QPlainTextEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app import __version__, paths
from app.settings import settings_file
from app.ui.widgets import plain
from model_backends.base import Sentence

_MORE_KEYS = (
    ("Find: next, previous match", "Enter, Shift+Enter"),
    ("Close the find bar; leave the caption controls", "Escape"),
    ("Walk through the controls", "Tab, Shift+Tab"),
)
_FRAME = 40  # px that the desktop's frame around a window takes at most
_LICENCE = "Voxline is free software under the Apache licence, version 2.0."


def show_shortcuts(parent: QWidget, actions: Iterable[QAction]) -> QDialog:
    """What every key does, as the menus have it."""
    dialog = _dialog(parent, "Keyboard shortcuts")
    native = QKeySequence.SequenceFormat.NativeText
    rows = [
        (action.text().replace("&", "").rstrip("…"), action.shortcut().toString(native))
        for action in actions
        if not action.shortcut().isEmpty()
    ]
    grid = QGridLayout()
    grid.setHorizontalSpacing(24)
    for row, (does, keys) in enumerate([*rows, *_MORE_KEYS]):
        grid.addWidget(plain.label(does), row, 0)
        grid.addWidget(plain.label(keys, "dim"), row, 1)
    return _open(dialog, grid)


def show_kept(parent: QWidget, keeps: bool) -> QDialog:
    """What is written to the disk, where, and that nothing leaves the computer."""
    dialog = _dialog(parent, "What is kept and where")
    grid = QGridLayout()
    grid.setHorizontalSpacing(16)
    for row, (what, where) in enumerate(_kept(keeps)):
        grid.addWidget(plain.label(what), row, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(_selectable(str(where)), row, 1)
    grid.addWidget(
        plain.label("Voxline never sends sound or text anywhere.", wrap=True), 9, 0, 1, 2
    )
    return _open(dialog, grid)


def show_about(parent: QWidget) -> QDialog:
    """Version, licence, and what others have given."""
    dialog = _dialog(parent, "About Voxline")
    column = QGridLayout()
    column.addWidget(_selectable(Sentence("Voxline {version}", version=__version__)), 0, 0)
    column.addWidget(plain.label(_LICENCE, wrap=True), 1, 0)
    licences = QPlainTextEdit(_third_party())
    licences.setReadOnly(True)
    licences.setTabChangesFocus(True)
    licences.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
    licences.setAccessibleName("Licences of what Voxline uses")
    licences.setMinimumSize(420, 160)
    column.addWidget(licences, 2, 0)
    return _open(dialog, column)


def _kept(keeps: bool) -> list[tuple[str, str | Path]]:
    transcripts: str | Path = paths.transcripts_dir()
    if not keeps:
        transcripts = "Not kept: turned off in the preferences"
    return [
        ("Transcripts", transcripts),
        ("Sessions that were cut off", paths.journal_dir()),
        ("Settings", settings_file()),
        ("Speech models", paths.models_dir()),
        ("Logs, without what was said", paths.log_dir()),
    ]


def _third_party() -> str:
    """The notices, from the installed package or the checkout."""
    beside_code = Path(__file__).parents[3]
    for path in (paths.resource("THIRD_PARTY.md"), beside_code / "THIRD_PARTY.md"):
        if path.is_file():
            return path.read_text("utf-8")
    return "The licences are in the file THIRD_PARTY.md of Voxline’s source."


def _dialog(parent: QWidget, title: str) -> QDialog:
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return dialog


def _open(dialog: QDialog, content: QGridLayout) -> QDialog:
    column = QVBoxLayout(dialog)
    column.setContentsMargins(20, 20, 20, 16)
    column.setSpacing(16)
    page = QWidget()
    page.setLayout(content)
    content.setContentsMargins(0, 0, 12, 0)
    area = QScrollArea()
    area.setWidget(page)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    column.addWidget(area)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.close)
    column.addWidget(buttons)
    room = dialog.screen().availableGeometry().size() - QSize(0, _FRAME)
    around = column.contentsMargins()
    sides, ends = around.left() + around.right(), around.top() + around.bottom()
    height = page.sizeHint().height() + column.spacing() + buttons.sizeHint().height() + ends
    dialog.resize(QSize(page.sizeHint().width() + sides + 16, height + 4).boundedTo(room))
    dialog.show()
    return dialog


def _selectable(text: str) -> QWidget:
    label = plain.label(text, wrap=True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setMinimumWidth(300)
    return label
