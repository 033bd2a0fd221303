"""The dialogs of the Help menu: keys, what is kept and where, what this is and its licences.

Knows where things are kept; changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QAction, QDesktopServices, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from app import __version__, paths
from app.language import say
from app.settings import settings_file
from app.ui.overlay.keys import TOLD as IN_CAPTIONS
from app.ui.widgets import beside_captions, narrow, plain, worded
from app.ui.widgets.following import FollowFocus
from app.ui.widgets.promises import NOTHING_LEAVES
from model_backends.base import Sentence

_MORE_KEYS = (
    (Sentence("Find: next, previous match"), Sentence("Enter, Shift+Enter")),
    (Sentence("Close the find bar; leave the caption controls"), Sentence("Escape")),
    (Sentence("Walk through the controls"), Sentence("Tab, Shift+Tab")),
)
_NARROW = 440  # px of a page that fit on the smallest of screens
_RELEASES = "releases.url"  # packaging/frozen_parts.py writes it
_LICENCE = Sentence("Voxline is free software under the Apache licence, version 2.0.")


def show_shortcuts(
    parent: QWidget, actions: Iterable[QAction], everywhere: Sequence[tuple[str, str]] = ()
) -> QDialog:
    """What every key does, as the menus have it; `everywhere`: what does what in any program."""
    dialog = make_dialog(parent, Sentence("Keyboard shortcuts"))
    native = QKeySequence.SequenceFormat.NativeText
    taken = [keys for _, keys in everywhere]
    in_menus = [each for each in actions if each.shortcut().toString(native) not in taken]
    grid = QGridLayout()
    grid.setHorizontalSpacing(24)
    if everywhere:
        _add_keys(grid, Sentence("In every program"), everywhere)
    _add_keys(grid, Sentence("In Voxline’s windows"), _MORE_KEYS, in_menus)
    _add_keys(grid, Sentence("In the captions, once they have the keyboard"), IN_CAPTIONS)
    return open_dialog(dialog, grid)


class _Does(QLabel):
    """What an action of the menus does, in the menus' words of now."""

    def __init__(self, action: QAction) -> None:
        super().__init__()
        self._action = action
        self.setTextFormat(Qt.TextFormat.PlainText)
        action.changed.connect(self._say)
        self._say()

    def _say(self) -> None:
        self.setText(self._action.text().replace("&", "").rstrip("…"))


class _Keys(QLabel):
    """Its keys, as Qt writes them in the language of now."""

    def __init__(self, action: QAction) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setObjectName("dim")
        self._action = action
        worded.follow(self, self._say)
        self._say()

    def _say(self) -> None:
        native = QKeySequence.SequenceFormat.NativeText
        self.setText(self._action.shortcut().toString(native))


def _add_keys(
    grid: QGridLayout,
    heading: str,
    rows: Sequence[tuple[str, str]],
    actions: Iterable[QAction] = (),
) -> None:
    grid.addWidget(plain.label(heading, "state"), grid.rowCount(), 0, 1, 2)
    for action in actions:
        row = grid.rowCount()
        grid.addWidget(_Does(action), row, 0)
        grid.addWidget(_Keys(action), row, 1)
    for does, keys in rows:
        row = grid.rowCount()
        grid.addWidget(plain.label(does), row, 0)
        grid.addWidget(plain.label(keys, "dim"), row, 1)


def show_kept(parent: QWidget, keeps: bool, erase: Callable[[], object] | None = None) -> QDialog:
    """What is written to the disk, where, what leaves the computer, and the end of it."""
    dialog = make_dialog(parent, Sentence("What is kept and where"))
    grid = QGridLayout()
    grid.setHorizontalSpacing(16)
    for row, (what, where) in enumerate(kept(keeps)):
        grid.addWidget(plain.label(what), row, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(_selectable(where if isinstance(where, str) else str(where)), row, 1)
    grid.addWidget(plain.label(NOTHING_LEAVES, wrap=True), 9, 0, 1, 2)
    if erase is not None:
        button = worded.text(QPushButton(), Sentence("&Delete everything…"))
        button.setAutoDefault(False)
        button.clicked.connect(dialog.close)
        button.clicked.connect(lambda: erase())
        grid.addWidget(button, 10, 0, 1, 2, Qt.AlignmentFlag.AlignLeft)
    return open_dialog(dialog, grid)


def releases_page() -> str:
    """The web page with newer versions; "" where it is not known. Never asked by itself."""
    try:
        page = paths.resource(_RELEASES).read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
    return page if page.startswith("https://") else ""


def open_releases() -> bool:
    """Show that page in the browser; False if there is none."""
    return QDesktopServices.openUrl(QUrl(releases_page()))


def show_about(parent: QWidget) -> QDialog:
    """Version, licence, and what others have given."""
    dialog = make_dialog(parent, Sentence("About Voxline"))
    column = QGridLayout()
    column.addWidget(_selectable(Sentence("Voxline {version}", version=__version__)), 0, 0)
    column.addWidget(plain.label(_LICENCE, wrap=True), 1, 0)
    licences = QTextEdit()
    licences.setMarkdown(say(_third_party()))
    licences.setReadOnly(True)
    licences.setTabChangesFocus(True)
    worded.name(licences, Sentence("Licences of what Voxline uses"))
    licences.setMinimumSize(420, 160)
    column.addWidget(licences, 2, 0)
    return open_dialog(dialog, column)


def kept(keeps: bool) -> list[tuple[str, str | Path]]:
    """What is written to the disk, and where."""
    transcripts: str | Path = paths.transcripts_dir()
    if not keeps:
        transcripts = Sentence("Not kept: turned off in the preferences")
    return [
        (Sentence("Subtitle files"), transcripts),
        (
            Sentence("Sessions, to be searched and read"),
            paths.library_dir() if keeps else transcripts,
        ),
        (Sentence("Words of a session that is not over"), paths.journal_dir()),
        (Sentence("Settings"), settings_file()),
        (Sentence("Speech models"), paths.models_dir()),
        (Sentence("The acceleration pack"), paths.data_dir() / "packs"),
        (Sentence("How fast a model is on this computer"), paths.cache_dir()),
        (Sentence("Logs, without what was said"), paths.log_dir()),
    ]


def _third_party() -> str:
    """The notices, from the installed package or the checkout."""
    beside_code = Path(__file__).parents[3]
    for path in (paths.resource("THIRD_PARTY.md"), beside_code / "THIRD_PARTY.md"):
        if path.is_file():
            return path.read_text("utf-8")
    return Sentence("The licences are in the file THIRD_PARTY.md of Voxline’s source.")


def make_dialog(parent: QWidget, title: str) -> _Dialog:
    """A dialog that is deleted when it is closed; `open_dialog` fills and shows it."""
    dialog = _Dialog(parent)
    worded.title(dialog, title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return dialog


def open_dialog(dialog: _Dialog, content: QGridLayout) -> QDialog:
    """Show it with this content, which scrolls where the screen is too small for it."""
    dialog.fill(content)
    dialog.fit()
    dialog.show()
    return dialog


class _Dialog(QDialog):
    """As large as what is in it, in whatever language."""

    def fill(self, content: QGridLayout) -> None:
        """Put this into it, and a button to close it below."""
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 16)
        column.setSpacing(16)
        self._page = QWidget()
        self._page.setLayout(content)
        content.setContentsMargins(0, 0, 12, 0)
        if narrow.is_narrow(self):
            narrow.Wrapped(self._page, _NARROW)
        area = QScrollArea()
        area.setWidget(self._page)
        area.setWidgetResizable(True)
        FollowFocus(area)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column.addWidget(area)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self._buttons.rejected.connect(self.close)
        column.addWidget(self._buttons)
        worded.follow(self, self.fit)

    def fit(self) -> None:
        """All of it is seen, where the screen has the room."""
        around, content = self._column.contentsMargins(), self._page.sizeHint()
        sides, ends = around.left() + around.right(), around.top() + around.bottom()
        below = self._column.spacing() + self._buttons.sizeHint().height()
        wanted = QSize(content.width() + sides + 16, content.height() + below + ends + 4)
        beside_captions.put(self, wanted)


def _selectable(text: str) -> QWidget:
    label = plain.label(text, wrap=True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setMinimumWidth(300)
    return label
