"""The states of models and of the acceleration pack: their cards, and what is asked about them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QApplication, QMessageBox, QScrollArea, QWidget

from app import main
from app.models import machine
from app.models.better import Offer
from app.models.catalogue import model_named
from app.models.download import Progress
from app.models.machine import Machine
from app.models.places import Place
from app.packs.kept import Installed
from app.packs.pins import KINDS
from app.packs.suits import suit
from app.ui.preferences.licence_dialog import LicenceDialog
from app.ui.preferences.model_words import Act
from app.ui.preferences.speech_model_page import SpeechModelPage
from app.ui.state.better_model import BetterModel
from app.ui.state.packs import PackState
from model_backends.base import Sentence, UserError
from tests.ui.photographs.registry import state
from tests.ui.photographs.scene import Scene

_GB = 10**9
_GAMER = Machine(False, 32 * _GB, "NVIDIA GeForce RTX 4070", 11 * _GB)
_LAPTOP = Machine(False, 8 * _GB)
_FULL = UserError(
    Sentence("There is no room for it: {wanted} are needed, {free} are free.", wanted="9 GB",
             free="4 GB"),
    Sentence("Free some, or move the models folder in the preferences."),
)  # fmt: skip


def _page(scene: Scene, computer: Machine = _GAMER, **values: object) -> SpeechModelPage:
    """Its cards on this computer; `values` is what is known of Voxtral besides."""
    models = scene.window.models
    vars(models)["look"] = lambda then=lambda: None: None  # nothing is looked for on this machine
    for known in models.states:
        models._put(known.model.name, fit=machine.fit(known.model, computer))
    base = Place(Path("/opt/voxline/base"), "ours", checked=True)
    models._put("base", place=base)
    models._put("voxtral", **values)
    scene.store.change(engine="embedded", model="")
    scene.open_window()
    scene.speak()
    preferences = scene.window.open_preferences()
    preferences.show_page(preferences.speech_model)
    models.changed.emit()
    scene.settle(until=preferences.isActiveWindow)
    return preferences.speech_model


def _press(scene: Scene, page: SpeechModelPage, name: str, act: Act) -> None:
    assert page.cards is not None
    _bring(page.cards.cards[name])
    page.cards.cards[name].buttons[act].click()
    scene.settle()


def _bring(card: QWidget) -> None:
    """Into the part of the page that is seen."""
    around = card.parentWidget()
    while around is not None and not isinstance(around, QScrollArea):
        around = around.parentWidget()
    if around is not None:
        around.ensureWidgetVisible(card)


def _box(scene: Scene) -> None:
    """What is asked stands before the window."""
    boxes = [each for each in QApplication.topLevelWidgets() if isinstance(each, QMessageBox)]
    (box,) = [box for box in boxes if box.isVisible()]
    scene.settle(until=box.isActiveWindow)


@state("models: nothing here yet")
def _(scene: Scene) -> None:
    _page(scene)


@state("models: not for this computer")
def _(scene: Scene) -> None:
    _page(scene, _LAPTOP)


@state("models: on its way")
def _(scene: Scene) -> None:
    _page(scene, progress=Progress(3_100_000_000, 8_900_000_000, left_s=360))


@state("models: begun before")
def _(scene: Scene) -> None:
    _page(scene, begun=3_100_000_000)


@state("models: failed")
def _(scene: Scene) -> None:
    _page(scene, failure=_FULL)


@state("models: not checked")
def _(scene: Scene) -> None:
    folder = Path("/home/margarethe/.local/share/voxline/models/Voxtral-Mini-4B-Realtime-2602")
    _page(scene, place=Place(folder, "ours", checked=False))


@state("models: keyboard on a button")
def _(scene: Scene) -> None:
    cards = _page(scene).cards
    assert cards is not None
    cards.cards["voxtral"].buttons[Act.DOWNLOAD].setFocus()
    scene.settle()


@state("models: the licence")
def _(scene: Scene) -> None:
    page = _page(scene)
    _press(scene, page, "voxtral", Act.DOWNLOAD)
    (dialog,) = page.findChildren(LicenceDialog)
    scene.settle(until=dialog.isActiveWindow)


@state("models: remove?")
def _(scene: Scene) -> None:
    folder = Path("/home/margarethe/.local/share/voxline/models/Voxtral-Mini-4B-Realtime-2602")
    page = _page(scene, place=Place(folder, "ours", checked=True))
    _press(scene, page, "voxtral", Act.REMOVE)
    _box(scene)


@state("models: a better one is offered")
def _(scene: Scene) -> None:
    scene.open_window()
    scene.speak(2)
    found = Offer(model_named("nemotron"), 0.35, 560)
    better = BetterModel(scene.parts.captioning, scene.store, scene.window.models)
    scene.at_close.append(better.deleteLater)
    main._offer_better(scene.parts, better, found)
    scene.settle()


# --- the acceleration pack -----------------------------------------------------------------------


def _pack(scene: Scene, **values: object) -> SpeechModelPage:
    """The page's lower part, with the card of a pack that would be of use."""
    packs = scene.window.packs
    vars(packs)["look"] = lambda then=lambda: None: None
    packs.state = replace(PackState(suit(_GAMER)), **values)  # type: ignore[arg-type]
    page = _page(scene)
    packs.changed.emit()
    scene.settle()
    assert page.pack is not None
    _bring(page.pack)
    scene.settle()
    return page


@state("pack: none for this computer")
def _(scene: Scene) -> None:
    _pack(scene, why_none=Sentence("There is none for this computer’s Python yet."))


@state("pack: on its way")
def _(scene: Scene) -> None:
    _pack(scene, progress=Progress(1_000_000_000, 2_700_000_000, left_s=360))


@state("pack: ready")
def _(scene: Scene) -> None:
    _pack(scene, here=Installed(Path("/p/torch-cuda-1"), KINDS["cuda"], "1", None, newest=True))


@state("pack: failed")
def _(scene: Scene) -> None:
    _pack(scene, failure=_FULL)
