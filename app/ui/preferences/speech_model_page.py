"""The page of the preferences that says what recognises speech: models as cards first, then every
engine and model by name, for whoever knows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app import paths
from app.language import say
from app.models import trust
from app.settings import Settings
from app.ui.preferences.model_cards import ModelCards
from app.ui.preferences.pack_card import PackCard
from app.ui.preferences.server_group import ServerGroup
from app.ui.state.engines import EngineChoice, suited_info
from app.ui.state.models import Models
from app.ui.state.packs import Packs
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import beside_captions, engine_names, plain, worded
from app.ui.widgets.choice_box import ChoiceBox
from app.ui.widgets.file_dialogs import in_our_words
from app.ui.widgets.scrolled import bring_into_view
from model_backends.base import Availability, EngineError, Sentence, joined
from model_backends.remote.addresses import hosts

_NEW_SESSION = Sentence(
    "Another engine or model begins a new session once it is loaded; the one so far is saved."
)
_NAME_IT = Sentence("Name a server below, and agree that it hears.")
_DEFAULT_MODEL = Sentence("The engine’s own choice")


class SpeechModelPage(QWidget):
    """Engine and model; what cannot be used here is shown, the reason at a click."""

    def __init__(
        self,
        store: SettingsStore,
        parent: QWidget | None = None,
        models: Models | None = None,
        packs: Packs | None = None,
    ) -> None:
        """Without `models` and `packs` there are no cards."""
        super().__init__(parent)
        self._store = store
        self.cards = ModelCards(models, store) if models is not None else None
        self.pack = PackCard(packs) if packs is not None else None
        self._engines: Sequence[EngineChoice] = ()
        self._picked = ("", "")  # an engine by name, whose model may follow; and what was set then
        self.engine = ChoiceBox(Sentence("Engine"))
        self.model = ChoiceBox(Sentence("Model"))
        self.folder = worded.text(QPushButton(), Sentence("&Folder…"))
        plain.set_tip(self.folder, Sentence("Use a model from a folder of yours"))
        self.folder.setAutoDefault(False)
        self.note = plain.label(name="dim", wrap=True)
        self.unknown = plain.label(name="warning", wrap=True)
        self.details = plain.label(name="dim", wrap=True)
        self.details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.details.hide()
        self.server = ServerGroup(store)
        self.show_details = worded.text(QPushButton(), Sentence("&Why not?"))
        self.show_details.setAutoDefault(False)
        self._arrange()
        self.engine.chosen.connect(self._pick)
        self.model.chosen.connect(self._choose_model)
        if models is not None:
            models.chosen.connect(lambda _card: self._forget_pick())
        self.folder.clicked.connect(self._ask_folder)
        self.show_details.clicked.connect(self._tell_why)

    def show_engines(self, engines: Sequence[EngineChoice]) -> None:
        """Offer these engines; what cannot be used here is shown, the reason at a click."""
        self._engines = engine_names.offered(engines, self._store.settings.engine)
        self.show_settings(self._store.settings)

    def hideEvent(self, event: QHideEvent) -> None:
        """Whoever comes back sees what is set."""
        super().hideEvent(event)
        self._forget_pick()

    def _pick(self, engine: str) -> None:
        """Settings go back where it cannot be loaded: it stays picked here, so that a model of it
        can be chosen, or a folder."""
        self._picked = (engine, self._store.settings.engine)
        self._store.change(engine=engine, model="")

    def _forget_pick(self) -> None:
        picked, self._picked = self._picked, ("", "")
        if picked[0] not in ("", self._store.settings.engine):
            self.show_settings(self._store.settings)

    def _choose_model(self, model: str) -> None:
        self._store.change(engine=self.engine.currentData(), model=model)

    def show_settings(self, settings: Settings) -> None:
        """… or, of an engine that was picked and could not be loaded, what it lacks."""
        set_now = settings.engine
        if set_now not in self._picked:
            self._picked = ("", "")
        elif set_now != self._picked[0]:
            settings = replace(settings, engine=self._picked[0], model="")
        known = [(engine_names.label(choice), choice.info.name) for choice in self._engines]
        if settings.engine not in [name for _, name in known]:
            known.append((settings.engine, settings.engine))
        self.engine.offer(known, settings.engine)
        for choice in self._engines:
            # One whose model lies in a folder that only the user knows must be choosable first.
            if not choice.usable and not choice.info.takes_folder:
                self.engine.disable(choice.info.name, choice.why_not)
            elif choice.info.takes_server and not _may_be_used(settings):
                self.engine.disable(choice.info.name, _NAME_IT)
        self.server.show_settings(settings)
        self._show_models(settings)
        self._explain(set_now if set_now != settings.engine else "")
        remark = trust.remark(settings.engine, settings.model or None, paths.models_dir())
        worded.text(self.unknown, remark or "")
        self.unknown.setVisible(remark is not None)

    def _show_models(self, settings: Settings) -> None:
        choice = next((c for c in self._engines if c.info.name == settings.engine), None)
        models = choice.models if choice else ()
        names = [row.model for row in models]
        if choice and choice.info.takes_server:
            info = suited_info(choice.info, settings)
            names = list(info.models) if info else []
        items = [(_DEFAULT_MODEL, ""), *((name, name) for name in names)]
        if settings.model not in [data for _, data in items]:
            items.append((Path(settings.model).name, settings.model))
        self.model.offer(items, settings.model)
        for row in models:
            if not row.available and row.model:
                self.model.disable(row.model, _why(row))
        self.folder.setVisible(choice is not None and choice.info.takes_folder)

    def _explain(self, goes_on: str) -> None:
        """In a sentence what cannot be used here; what it lacks, for whoever asks. `goes_on`: the
        engine that captions, where another one is shown."""
        unusable = [choice for choice in self._engines if choice.why_not]
        labels = [choice.info.label for choice in self._engines if choice.info.name == goes_on]
        told = [Sentence("Captions go on with {engine}.", engine=label) for label in labels]
        told += [
            Sentence("{engine} cannot be used on this computer yet.", engine=choice.info.label)
            for choice in unusable
        ]
        worded.text(self.note, joined(_NEW_SESSION, *told, between="\n"))
        worded.text(
            self.details,
            joined(
                *(
                    Sentence("{engine}: {why}", engine=choice.info.label, why=choice.why_not)
                    for choice in unusable
                ),
                between="\n\n",
            ),
        )
        self.show_details.setVisible(bool(unusable))
        if not unusable:
            self.details.hide()

    def _tell_why(self) -> None:
        self.details.setVisible(self.details.isHidden())
        bring_into_view(self.details)

    def _ask_folder(self) -> None:
        dialog = in_our_words(QFileDialog(self, say(Sentence("The folder of the model"))))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self._choose_model)
        dialog.finished.connect(dialog.deleteLater)
        beside_captions.put(dialog, dialog.sizeHint())
        dialog.open()

    def _arrange(self) -> None:
        """What wraps is below the form, which would give it the height it has when narrow."""
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(10)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if self.cards is not None:
            form.addRow(plain.label(Sentence("By name"), "state"))
        plain.add_row(form, Sentence("&Engine"), self.engine)
        model = QHBoxLayout()
        model.setSpacing(8)
        model.addWidget(self.model, 1)
        model.addWidget(self.folder)
        label = plain.label(Sentence("&Model"))
        label.setBuddy(self.model)
        form.addRow(label, model)
        why = QHBoxLayout()
        why.addWidget(self.show_details)
        why.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(10)
        if self.cards is not None:
            column.addWidget(self.cards)
        if self.pack is not None:
            column.addWidget(self.pack)
        column.addLayout(form)
        column.addWidget(self.unknown)
        column.addWidget(self.note)
        column.addLayout(why)
        column.addWidget(self.details)
        column.addWidget(self.server)
        column.addStretch(1)


def _may_be_used(settings: Settings) -> bool:
    """A server is named, and the user has agreed to each."""
    server = settings.server_options
    try:
        return bool(server) and set(hosts(server.urls)) <= set(server.agreed)
    except EngineError:
        return False


def _why(row: Availability) -> str:
    return joined(row.reason, row.hint)
