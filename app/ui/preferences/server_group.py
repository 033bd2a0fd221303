"""A server that captions instead of this computer: its address, its key, and the user's consent.

Nothing is asked of a server before the user presses a button that says so. What may take a moment
(the keyring, the server) is asked in the background. Knows nothing of how sound gets there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app import paths
from app.language import say
from app.settings import Settings
from app.ui.state.background import in_background
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import beside_captions, consent_box, plain, worded
from app.ui.widgets.banner import announce
from app.ui.widgets.choice_box import ChoiceBox
from app.ui.widgets.file_dialogs import in_our_words
from app.ui.widgets.scrolled import bring_into_view
from model_backends.base import EngineError, Sentence, UserError, joined
from model_backends.remote import addresses, consent
from model_backends.remote.addresses import MISTRAL, OPENAI, VLLM, Address
from model_backends.remote.keys import KeyStore

ENGINE = "remote"
_DIALECTS = (
    (Sentence("Told by the address"), ""),
    ("vLLM", VLLM),
    ("OpenAI", OPENAI),
    ("Mistral", MISTRAL),
)
_EXAMPLE = "wss://captions.example.org"
_KEY_TIP = Sentence("Kept in the system’s keyring, for this server alone; not shown again")
_SEVERAL = Sentence("Several with spaces between them: whichever is least busy is taken")

Ask: TypeAlias = Callable[[Address, str | None], str]  # (server, CA file): how it is


class ServerGroup(QGroupBox):
    """Used from the moment at which the user says so; it takes back what it was told, too."""

    told = Signal(object)  # how it went, in a sentence

    def __init__(
        self, store: SettingsStore, ask: Ask | None = None, parent: QWidget | None = None
    ) -> None:
        """`ask`: how a server is tested; None: for true."""
        super().__init__(parent)
        worded.text(self, Sentence("A server"))
        self._store = store
        self._ask = ask or ask_server
        self.urls = QLineEdit()
        worded.name(self.urls, Sentence("Address"))
        self.urls.setPlaceholderText(_EXAMPLE)
        plain.set_tip(self.urls, _SEVERAL)
        self.dialect = ChoiceBox(Sentence("Dialect"))
        self.ca_file = worded.text(QPushButton(), Sentence("Ce&rtificates…"))
        plain.set_tip(self.ca_file, Sentence("Certificates of an authority of your own (PEM)"))
        self.key = QLineEdit()
        worded.name(self.key, Sentence("Key"))
        self.key.setEchoMode(QLineEdit.EchoMode.Password)
        plain.set_tip(self.key, _KEY_TIP)
        self.keep_key = worded.text(QPushButton(), Sentence("&Store"))
        self.drop_key = worded.text(QPushButton(), Sentence("&Delete"))
        self.test = worded.text(QPushButton(), Sentence("&Test connection"))
        self.use = worded.text(QPushButton(), Sentence("&Use this server"))
        self.revoke = worded.text(QPushButton(), Sentence("Take consent &back"))
        self.status = plain.label(name="dim", wrap=True)
        self.status.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._arrange()
        self.dialect.chosen.connect(lambda dialect: store.change(server_dialect=dialect))
        self.urls.textChanged.connect(lambda _: self._enable())
        self.key.textChanged.connect(lambda _: self._enable())
        self.ca_file.clicked.connect(self._choose_ca_file)
        self.keep_key.clicked.connect(self._keep_key)
        self.drop_key.clicked.connect(self._drop_key)
        self.test.clicked.connect(self._test)
        self.use.clicked.connect(self._ask_consent)
        self.revoke.clicked.connect(self._take_back)
        self.told.connect(self._tell)
        self.show_settings(store.settings)

    def show_settings(self, settings: Settings) -> None:
        if not self.urls.isModified():  # by the user, who has not used it yet
            self.urls.setText(settings.server_urls)
        self.dialect.offer(_DIALECTS, settings.server_dialect)
        self._enable()

    # --- what is asked ---------------------------------------------------------------------

    def _servers(self) -> list[Address]:
        """Those of the field. Raises EngineError for an address that is none."""
        dialect = self._store.settings.server_dialect or None
        return [addresses.read(url, dialect) for url in self.urls.text().split()]

    def _read(self) -> list[Address]:
        """… and none, told, if there is nothing to be read."""
        try:
            return self._servers()
        except EngineError as error:
            self.told.emit(joined(error.message, error.hint))
            return []

    def _ask_consent(self) -> None:
        """In words that name each server; used only once the user agrees."""
        servers = self._read()
        missing = consent.open_ones(servers, self._store.settings.server_options.agreed)
        if not missing:
            self._begin(servers)
            return
        consent_box.ask(
            self,
            Sentence("Send what is heard to a server?"),
            joined(*(consent.asked(each) for each in missing), between="\n\n"),
            lambda: self._begin(servers),
        )

    def _begin(self, servers: list[Address]) -> None:
        if not servers:
            return
        agreed = {**self._store.settings.agreed_servers, **{each.host: True for each in servers}}
        self._store.change(
            engine=ENGINE, server_urls=" ".join(self.urls.text().split()), agreed_servers=agreed
        )
        self.urls.setModified(False)
        hosts = ", ".join(dict.fromkeys(each.host for each in servers))
        self.told.emit(Sentence("Captions come from {hosts}.", hosts=hosts))

    def _take_back(self) -> None:
        """Nothing is sent any more: the embedded engine captions again."""
        hosts = {each.host for each in self._read()}
        known = self._store.settings.agreed_servers
        left = {host: yes for host, yes in known.items() if host not in hosts}
        used = self._store.settings.engine == ENGINE
        self._store.change(agreed_servers=left, **({"engine": "embedded"} if used else {}))
        self.told.emit(Sentence("Nothing is sent to {hosts} any more.", hosts=", ".join(hosts)))

    def _test(self) -> None:
        servers, ca_file = self._read(), self._store.settings.server_ca_file or None
        if servers:
            self.told.emit(Sentence("Asking …"))
            in_background(
                lambda: joined(*(self._ask(each, ca_file) for each in servers), between="\n"),
                self.told.emit,
                self._tell_failure,
                owner=self,
            )

    def _keep_key(self) -> None:
        key, servers = self.key.text(), self._read()
        if servers:
            self.key.clear()
            self._with_keys(lambda keys: [keys.store(each.host, key) for each in servers])

    def _drop_key(self) -> None:
        servers = self._read()

        def drop(keys: KeyStore) -> list[str]:
            return [
                Sentence("The key of {host} is deleted.", host=each.host)
                if keys.forget(each.host)
                else Sentence("No key of {host} was stored.", host=each.host)
                for each in servers
            ]

        if servers:
            self._with_keys(drop)

    def _with_keys(self, do: Callable[[KeyStore], list[str]]) -> None:
        in_background(
            lambda: joined(*do(KeyStore(paths.key_file())), between="\n"),
            self.told.emit,
            self._tell_failure,
            owner=self,
        )

    def _choose_ca_file(self) -> None:
        dialog = in_our_words(
            QFileDialog(self, say(Sentence("Certificates that are trusted, too")))
        )
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters(
            [say(Sentence("Certificates (*.pem *.crt *.cer)")), say(Sentence("All files (*)"))]
        )
        dialog.fileSelected.connect(lambda path: self._store.change(server_ca_file=path))
        dialog.finished.connect(dialog.deleteLater)
        beside_captions.put(dialog, dialog.sizeHint())
        dialog.open()

    # --- what is shown ---------------------------------------------------------------------

    def _enable(self) -> None:
        named = bool(self.urls.text().strip())
        for button in (self.test, self.use, self.drop_key):
            button.setEnabled(named)
        self.keep_key.setEnabled(named and bool(self.key.text().strip()))
        self.revoke.setEnabled(named and self._agreed())

    def _agreed(self) -> bool:
        try:
            hosts = {each.host for each in self._servers()}
        except EngineError:
            return False
        return any(self._store.settings.agreed_servers.get(host) for host in hosts)

    def _tell(self, text: str) -> None:
        worded.text(self.status, text)
        bring_into_view(self.status)
        announce(self.status, text)

    def _tell_failure(self, error: Exception) -> None:
        if isinstance(error, UserError):
            self.told.emit(joined(error.message, error.hint))
        else:
            self.told.emit(str(error))

    def _arrange(self) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(10)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        plain.add_row(form, Sentence("&Address"), self.urls)
        plain.add_row(form, Sentence("D&ialect"), self.dialect)
        plain.add_row(form, Sentence("&Key"), _row(self.key, self.keep_key, self.drop_key))
        form.addRow("", _row(self.test, self.ca_file))
        form.addRow("", _row(self.use, self.revoke))
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addLayout(form)
        column.addWidget(self.status)
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)


def ask_server(address: Address, ca_file: str | None) -> str:
    """How a server is: asked now, with its key, about its models; no sound is sent."""
    from model_backends.remote import probe, wire

    key = KeyStore(paths.key_file()).find(address.host).key
    found = probe.ask(address, wire.credentials(address, key, ca_file), None)
    if found.lost is not None:
        problem = wire.why_not(address, found.lost, bool(key))
        return joined(problem.message, problem.hint)
    if not found.models:
        return Sentence("{host} answers, but does not say what it serves.", host=address.host)
    models = wire.clause(", ".join(found.models))
    return Sentence("{host} answers. It serves: {models}.", host=address.host, models=models)


def _row(*widgets: QWidget) -> QWidget:
    made = QWidget()
    row = QHBoxLayout(made)
    row.setContentsMargins(0, 0, 0, 0)
    for index, widget in enumerate(widgets):
        row.addWidget(widget, 1 if index == 0 and isinstance(widget, QLineEdit) else 0)
    if not isinstance(widgets[0], QLineEdit):
        row.addStretch(1)
    else:
        made.setFocusProxy(widgets[0])
    return made
