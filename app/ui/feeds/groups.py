"""One group for each program that can have the captions: its switch, its settings, how it is doing.

Each asks `Feeds` and shows what that says. A secret is typed unseen, goes to the keyring in the
background, and is not shown again.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.language import say
from app.settings import Settings
from app.ui.feeds import telling
from app.ui.state.background import in_background
from app.ui.state.feeds import FILE, OBS, ZOOM, Feeds
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import beside_captions, consent_box, plain, worded
from app.ui.widgets.banner import announce
from app.ui.widgets.file_dialogs import in_our_words
from app.ui.widgets.scrolled import bring_into_view
from model_backends.base import Sentence, UserError, joined

_ZOOM_HINT = Sentence(
    "The host of the meeting finds it in the meeting: Captions, Set up manual captioner, Copy the "
    "API token. It is that of one meeting, so this has to be switched on each time."
)
_OBS_HINT = Sentence(
    "Add a text source of this name in OBS, and switch on its server: Tools, WebSocket Server "
    "Settings. The password is there, too."
)
_FILE_HINT = Sentence(
    "Written to as words come, for programs that read along: subtitles (.srt, .vtt) or text "
    "(.txt). Each session begins the file anew; what stood in it is kept beside it."
)
_ASKED = Sentence("Send captions to another computer?")
_KEPT = Sentence("A password is kept. Type another one to replace it.")


class FeedGroup(QGroupBox):
    """What all have in common. `switch` says what is so, and asks for what is wanted."""

    def __init__(self, kind: str, title: str, switch: str, feeds: Feeds) -> None:
        super().__init__()
        worded.text(self, title)
        self.kind, self.feeds = kind, feeds
        self.switch = worded.text(QCheckBox(), switch)
        self.doing = plain.label(wrap=True)
        self.doing.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._column = QVBoxLayout(self)
        self._column.setSpacing(8)
        self.form = QFormLayout()
        self._column.addLayout(self.form)
        self.form.setHorizontalSpacing(16)
        self.form.setVerticalSpacing(8)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self.form.addRow(self.switch)
        self.switch.clicked.connect(self._wanted)
        feeds.changed.connect(self._follow)  # methods: a lambda would outlive the window
        feeds.problem.connect(self._take_problem)

    def finish(self, hint: str) -> None:
        """Below the fields: what to know, and how it is doing.

        Below the form, which would take lines from the one text when the other gets more.
        """
        self._column.addWidget(plain.label(hint, "dim", wrap=True))
        self._column.addWidget(self.doing)
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)
        self.show_doing()

    def _follow(self, kind: str) -> None:
        if kind == self.kind:
            self.show_doing()

    def show_doing(self) -> None:
        on, doing = self.feeds.is_on(self.kind), self.feeds.doing(self.kind)
        self.switch.setChecked(on)
        trouble = telling.is_trouble(on, doing)
        self._say(telling.line(self.kind, on, doing), "warning" if trouble else "dim")

    def tell(self, text: str, trouble: bool = False) -> None:
        """An answer to what was just asked for."""
        self._say(text, "warning" if trouble else "dim")
        bring_into_view(self.doing)
        announce(self.doing, text)

    def take(self) -> None:
        """What stands in the fields is what is meant. Raises UserError."""

    def _say(self, text: str, look: str) -> None:
        if (say(text), look) != (self.doing.text(), self.doing.objectName()):
            self.doing.setObjectName(look)
            self.doing.setStyleSheet(self.doing.styleSheet())  # its colour goes by its name
            worded.text(self.doing, text)
        self.doing.setVisible(bool(text))

    def _wanted(self, on: bool) -> None:
        if not on:
            self.feeds.switch(self.kind, False)
            return
        try:
            self.take()
            question = self.feeds.asks(self.kind)
        except UserError as error:
            self._fail(error)
            return
        if question is None:
            self.feeds.switch(self.kind, True)
        else:
            self.switch.setChecked(False)  # not before the answer
            consent_box.ask(self, _ASKED, question, self._agreed)

    def _agreed(self) -> None:
        self.feeds.agree(self.kind)
        self.feeds.switch(self.kind, True)

    def _fail(self, error: Exception) -> None:
        self.show_doing()
        hint = error.hint if isinstance(error, UserError) else ""
        self.tell(joined(_message(error), hint), trouble=True)

    def _take_problem(self, kind: str, message: str, hint: str) -> None:
        if kind == self.kind:
            self.show_doing()
            self.tell(joined(message, hint), trouble=True)


class ZoomGroup(FeedGroup):
    """The URL is asked of the keyring once, and goes there when it is used."""

    def __init__(self, feeds: Feeds) -> None:
        super().__init__(ZOOM, "Zoom", Sentence("Send captions into a &Zoom meeting"), feeds)
        self.url = _secret_field(Sentence("Caption URL"))
        self.drop = worded.text(QPushButton(), Sentence("For&get it"))
        plain.add_row(self.form, Sentence("Caption &URL"), _row(self.url, self.drop))
        self.drop.clicked.connect(self._drop)
        self.finish(_ZOOM_HINT)
        self._show_kept()
        if not feeds.zoom_url:
            in_background(_kept_zoom_url, self._take_kept, lambda _error: None, owner=self)

    def take(self) -> None:
        typed = self.url.text().strip()
        if not typed:
            return
        self.feeds.set_zoom_url(typed)
        self.url.clear()
        self._show_kept()
        in_background(lambda: _keep_zoom_url(typed), lambda _: None, self._fail, owner=self)

    def _drop(self) -> None:
        self.feeds.switch(ZOOM, False)
        self.feeds.set_zoom_url("")
        self.url.clear()
        self._show_kept()
        in_background(_forget_zoom_url, self._dropped, self._fail, owner=self)

    def _dropped(self, _there: bool) -> None:
        self.tell(Sentence("The caption URL is forgotten."))

    def _take_kept(self, url: str) -> None:
        if url and not self.feeds.zoom_url:
            try:
                self.feeds.set_zoom_url(url)
            except UserError:
                return  # somebody else's, under our name
            self._show_kept()

    def _show_kept(self) -> None:
        known = bool(self.feeds.zoom_url)
        worded.placeholder(
            self.url, Sentence("The last meeting’s is kept") if known else "https://…"
        )
        self.drop.setEnabled(known)


class ObsGroup(FeedGroup):
    """Fields are taken when they are left; the password when it is stored, or the switch used."""

    def __init__(self, feeds: Feeds, store: SettingsStore) -> None:
        super().__init__(OBS, "OBS Studio", Sentence("Show captions in &OBS"), feeds)
        chosen = store.settings.feeds
        self.url = QLineEdit(chosen.obs_url)
        worded.name(self.url, Sentence("Address"))
        self.url.setPlaceholderText("ws://127.0.0.1:4455")
        self.source = QLineEdit(chosen.obs_source)
        worded.name(self.source, Sentence("Text source"))
        self.password = _secret_field(Sentence("Password"))
        self.keep = worded.text(QPushButton(), Sentence("&Store"))
        self.drop = worded.text(QPushButton(), Sentence("&Delete"))
        plain.add_row(self.form, Sentence("&Address"), self.url)
        plain.add_row(self.form, Sentence("&Text source"), self.source)
        plain.add_row(self.form, Sentence("&Password"), _row(self.password, self.keep, self.drop))
        self.password.textChanged.connect(lambda text: self.keep.setEnabled(bool(text)))
        self.keep.setEnabled(False)
        self.keep.clicked.connect(self._leave_fields)
        self.drop.clicked.connect(self._drop)
        for field in (self.url, self.source):
            field.editingFinished.connect(self._leave_fields)
        self.finish(_OBS_HINT)

    def take(self) -> None:
        from app.share.feeds.obs import destination_of

        url = self.url.text().strip()
        if url:
            destination_of(url)
        self.feeds.set_obs(url, self.source.text())
        typed, name = self.password.text(), self.feeds.obs_secret
        if typed:
            self.password.clear()
            worded.placeholder(self.password, _KEPT)
            in_background(lambda: _keep(name, typed), self.tell, self._fail, owner=self)

    def _leave_fields(self) -> None:
        try:
            self.take()
        except UserError as error:
            self._fail(error)

    def _drop(self) -> None:
        try:
            name = self.feeds.obs_secret
        except UserError as error:
            self._fail(error)
            return
        self.password.clear()
        worded.placeholder(self.password, "")
        in_background(lambda: _forget(name), self.tell, self._fail, owner=self)


class FileGroup(FeedGroup):
    """The file is chosen in the system's own dialog."""

    def __init__(self, feeds: Feeds, store: SettingsStore) -> None:
        super().__init__(
            FILE, Sentence("A file that grows"), Sentence("&Write captions into a file"), feeds
        )
        self.path = QLineEdit(store.settings.feeds.file_path, readOnly=True)
        worded.name(self.path, Sentence("File"))
        self.choose = worded.text(QPushButton(), Sentence("&Choose…"))
        plain.add_row(self.form, Sentence("&File"), _row(self.path, self.choose))
        self.choose.clicked.connect(self.ask_where)
        store.changed.connect(self._show_path)
        self.finish(_FILE_HINT)

    def _show_path(self, now: Settings, _before: Settings) -> None:
        self.path.setText(now.feeds.file_path)

    def ask_where(self) -> QFileDialog:
        """What stands in the file is kept beside it, so nobody need agree to lose it."""
        dialog = in_our_words(QFileDialog(self, say(Sentence("Write captions into"))))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
        dialog.setNameFilters(
            [
                say(Sentence("Text (*.txt)")),
                say(Sentence("SubRip subtitles (*.srt)")),
                say(Sentence("WebVTT (*.vtt)")),
            ]
        )
        dialog.setDefaultSuffix("txt")
        dialog.filterSelected.connect(
            lambda chosen: dialog.setDefaultSuffix(chosen.rpartition(".")[2].rstrip(")"))
        )
        dialog.selectFile(self.path.text() or "Captions.txt")
        dialog.fileSelected.connect(lambda path: self.feeds.set_file(Path(path)))
        dialog.finished.connect(dialog.deleteLater)
        beside_captions.put(dialog, dialog.sizeHint())
        dialog.open()
        return dialog


def _secret_field(name: str) -> QLineEdit:
    field = QLineEdit()
    worded.name(field, name)
    field.setEchoMode(QLineEdit.EchoMode.Password)
    plain.set_tip(field, Sentence("Kept in the system’s keyring; not shown again"))
    return field


def _message(error: Exception) -> str:
    return error.message if isinstance(error, UserError) else str(error)


def _row(field: QWidget, *buttons: QPushButton) -> QWidget:
    made = QWidget()
    row = QHBoxLayout(made)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(field, 1)
    for button in buttons:
        row.addWidget(button)
    made.setFocusProxy(field)
    return made


# --- in the background: a keyring may ask the user to open it -------------------------------------


def _kept_zoom_url() -> str:
    from app.share.feeds import secrets

    return secrets.find(secrets.ZOOM)


def _keep_zoom_url(url: str) -> str:
    from app.share.feeds import secrets

    return secrets.keep(secrets.ZOOM, url)


def _forget_zoom_url() -> bool:
    from app.share.feeds import secrets

    return secrets.forget(secrets.ZOOM)


def _keep(name: str, password: str) -> str:
    from app.share.feeds import secrets

    return secrets.keep(name, password)


def _forget(name: str) -> str:
    from app.share.feeds import secrets

    gone = secrets.forget(name)
    return Sentence("The password is deleted.") if gone else Sentence("No password was stored.")
