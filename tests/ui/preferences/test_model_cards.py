"""Cards of models: what they say, what they offer, and what comes of a click."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app import paths
from app.models.catalogue import Model, catalogue
from app.models.download import Progress
from app.models.machine import Fit, Machine
from app.models.places import Place
from app.models.receipts import write_made_here
from app.settings import Settings
from app.ui.preferences.licence_dialog import LicenceDialog
from app.ui.preferences.model_cards import ModelCard, ModelCards
from app.ui.preferences.model_words import Act, about, buttons, standing
from app.ui.preferences.window import Preferences
from app.ui.state.models import Models, ModelState
from app.ui.state.settings_store import SettingsStore
from model_backends import elsewhere
from model_backends.base import UserError
from tests.models.conftest import MODEL, hub
from tests.models.test_places import GAMER, LAPTOP, MAC_8, put
from tests.support.hub import Hub

__all__ = ["hub"]

BASE, _, VOXTRAL, _ = catalogue()
HERE = Place(Path("/m/Voxtral"), "ours", checked=True)
RUNS = Fit("voxtral-torch")
FAILURE = UserError("The disk is full.", "Free some.")


def state(**values: object) -> ModelState:
    return replace(ModelState(VOXTRAL, fit=RUNS), **values)  # type: ignore[arg-type]


def test_what_a_model_is_in_plain_words() -> None:
    assert about(state()) == (
        "Best. Follows speech word by word, in 13 languages. Needs a graphics card with 6 GB, or a "
        "Mac with Apple silicon and 16 GB; 8.9 GB."
    )
    assert about(ModelState(BASE)) == "Good, works everywhere. 99 languages. 148 MB."


@pytest.mark.parametrize(
    ("found", "chosen", "said", "offered"),
    [
        (state(fit=None), False, "", []),
        (state(), False, "", ["Download"]),
        (state(fit=Fit("", why="Not for this computer.")), False, "Not for this computer.", []),
        (state(fit=Fit("voxtral-torch", lacks="No PyTorch.")), False, "No PyTorch.", []),
        (
            state(fit=Fit("", why="Not for this computer."), place=HERE),
            False, "Not for this computer.", ["Remove…"],
        ),
        (state(begun=3_100_000_000), False, "3.1 GB of 8.9 GB are here.", ["Go on", "Remove…"]),
        (state(place=HERE), False, "Ready. In the models folder.", ["Use", "Remove…"]),
        (state(place=HERE), True, "In use. In the models folder.", []),
        (
            state(place=replace(HERE, checked=False)),
            False, "In the models folder. Not checked yet.", ["Check and use", "Remove…"],
        ),
        (
            state(place=Place(Path("/c"), "cache", False)),
            False, "In the model cache that other programs share. Not checked yet.",
            ["Check and use"],
        ),
        (state(failure=FAILURE), False, "The disk is full. Free some.", ["Try again"]),
        (
            state(failure=FAILURE, place=replace(HERE, checked=False)),
            False, "The disk is full. Free some.", ["Try again", "Remove…"],
        ),
        (
            state(progress=Progress(3_100_000_000, VOXTRAL.bytes, left_s=360)),
            False, "3.1 GB of 8.9 GB · 6 min left", ["Cancel"],
        ),
        (
            state(progress=Progress(3_100_000_000, VOXTRAL.bytes, left_s=20)),
            False, "3.1 GB of 8.9 GB · less than a minute left", ["Cancel"],
        ),
        (
            state(progress=Progress(3_100_000_000, VOXTRAL.bytes, left_s=9000)),
            False, "3.1 GB of 8.9 GB · 2 h left", ["Cancel"],
        ),
        (state(progress=Progress(0, VOXTRAL.bytes)), False, "0 kB of 8.9 GB", ["Cancel"]),
        (
            state(progress=Progress(VOXTRAL.bytes // 2, VOXTRAL.bytes, "checking")),
            False, "Checking: 50 %", ["Cancel"],
        ),
        (
            state(progress=Progress(10**9, VOXTRAL.bytes, "waiting", 16.0, "The hub is tired.")),
            False, "1.0 GB of 8.9 GB. The hub is tired. Another try in 16 s.", ["Cancel"],
        ),
        (state(progress=Progress(0, 1), stopping=True), False, "Stopping …", []),
    ],
)  # fmt: skip
def test_how_it_stands_and_what_can_be_done(
    found: ModelState, chosen: bool, said: str, offered: list[str]
) -> None:
    assert standing(found, chosen) == said
    assert [button.text for button in buttons(found, chosen)] == offered
    assert all(button.name.endswith(": Voxtral") for button in buttons(found, chosen))


# --- the widgets ---------------------------------------------------------------------------------


@pytest.fixture
def store(qtbot: QtBot) -> Iterator[SettingsStore]:
    made = SettingsStore(Settings())
    yield made
    made.flush()


Make = Callable[..., ModelCards]


@pytest.fixture
def make(
    qtbot: QtBot, store: SettingsStore, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Make]:
    monkeypatch.setattr(elsewhere, "package", lambda package, engine: Path(package))
    made: list[Models] = []

    def cards(machine: Machine = GAMER, offered: tuple[Model, ...] = (MODEL,)) -> ModelCards:
        models = Models(offered=lambda: offered, machine=lambda: machine)
        made.append(models)
        shown = ModelCards(models, store)
        qtbot.addWidget(shown)
        with qtbot.waitSignal(models.changed, timeout=30_000):
            shown.show()
        return shown

    yield cards
    for each in made:
        each.close()
        qtbot.waitUntil(lambda each=each: not each._jobs, timeout=30_000)  # type: ignore[misc]


def press(cards: ModelCards, act: Act, name: str = "tiny") -> None:
    QTest.mouseClick(cards.cards[name].buttons[act], Qt.MouseButton.LeftButton)


def test_the_licence_is_read_before_a_byte_comes(
    make: Make, hub: Hub, qtbot: QtBot, store: SettingsStore
) -> None:
    cards = make()
    press(cards, Act.DOWNLOAD)
    (dialog,) = cards.findChildren(LicenceDialog)
    assert dialog.text.toPlainText().startswith("MIT License")
    assert "Tiny, by Nobody. 300 kB come from the model hub" in dialog.what.text()
    dialog.cancel.click()
    assert not hub.requests
    press(cards, Act.DOWNLOAD)
    cards.findChildren(LicenceDialog)[-1].download.click()
    assert set(cards.cards["tiny"].buttons) == {Act.CANCEL}
    assert cards.cards["tiny"].bar.isVisible()
    qtbot.waitUntil(lambda: Act.USE in cards.cards["tiny"].buttons, timeout=30_000)
    assert cards.cards["tiny"].standing.text() == "Ready. In the models folder."
    cards._models.chosen.connect(  # as the change-over does where nothing runs
        lambda chosen: store.change(engine=chosen.engine, model=chosen.name_for_engine)
    )
    press(cards, Act.USE)
    assert (store.settings.engine, store.settings.model) == ("voxtral-torch", "Tiny-2602")
    assert cards.cards["tiny"].standing.text() == "In use. In the models folder."
    assert not cards.cards["tiny"].buttons


def test_going_on_asks_no_more(make: Make, hub: Hub, qtbot: QtBot) -> None:
    begun = paths.models_dir() / ".downloads" / f"{MODEL.folder}@{MODEL.revision[:12]}"
    begun.mkdir(parents=True)
    (begun / "weights.bin.partial").write_bytes(bytes(5))
    cards = make()
    assert cards.cards["tiny"].buttons[Act.DOWNLOAD].text() == "Go on"
    press(cards, Act.DOWNLOAD)
    qtbot.waitUntil(lambda: bool(hub.requests), timeout=30_000)
    assert not cards.findChildren(LicenceDialog)


def test_removing_is_asked_about(make: Make, qtbot: QtBot) -> None:
    folder = put(paths.models_dir() / MODEL.folder)
    cards = make()
    for text, there in (("Keep", True), ("Remove", False)):
        press(cards, Act.REMOVE)
        box = cards.findChildren(QMessageBox)[-1]
        assert box.text() == "Remove Tiny? 300 kB become free."
        assert str(folder) in box.informativeText()
        (button,) = [each for each in box.findChildren(QPushButton) if each.text() == text]
        button.click()
        qtbot.waitUntil(lambda there=there: folder.exists() == there, timeout=30_000)  # type: ignore[misc]
    qtbot.waitUntil(lambda: Act.DOWNLOAD in cards.cards["tiny"].buttons, timeout=30_000)


def test_each_computer_sees_what_concerns_it(make: Make, store: SettingsStore) -> None:
    shown = {
        name: [card.title.text() for card in make(computer, catalogue()).cards.values()
               if card.isVisible()]
        for name, computer in (("laptop", LAPTOP), ("mac", MAC_8))
    }  # fmt: skip
    assert shown == {
        "laptop": ["Built in", "Voxtral"],
        "mac": ["Built in", "Voxtral", "Voxtral, small"],
    }
    store.change(model="tiny.en")
    assert [c.title.text() for c in make(LAPTOP, catalogue()).cards.values() if c.isVisible()] == [
        "Built in", "Built in, small", "Voxtral",
    ]  # fmt: skip


def test_whoever_has_a_button_in_focus_keeps_one(qtbot: QtBot) -> None:
    card = ModelCard("Voxtral", lambda act: None)
    qtbot.addWidget(card)
    card.show_state(state(), chosen=False)
    with qtbot.waitExposed(card):
        card.show()
    card.activateWindow()
    card.buttons[Act.DOWNLOAD].setFocus()
    card.show_state(state(progress=Progress(1, 10)), chosen=False)
    first = card.buttons[Act.CANCEL]
    assert first.hasFocus()
    card.show_state(state(progress=Progress(2, 10)), chosen=False)
    assert card.buttons[Act.CANCEL] is first
    assert card.bar.value() == 200


def test_a_model_that_is_named_and_not_checked_is_told_on_the_page(
    qtbot: QtBot, store: SettingsStore, make: Make
) -> None:
    folder = paths.models_dir() / "mine"
    put(folder)
    (folder / "x.safetensors").write_bytes(b"")
    window = Preferences(store, models=make()._models)
    qtbot.addWidget(window)
    page = window.speech_model
    assert page.cards is not None
    assert page.unknown.isHidden()
    store.change(engine="voxtral-torch", model=str(folder))
    assert not page.unknown.isHidden()
    assert str(folder) in page.unknown.text()
    write_made_here(folder, paths.models_dir())
    window.show_settings(store.settings)
    assert page.unknown.isHidden()


def test_by_keyboard_and_by_ear(qtbot: QtBot, store: SettingsStore, make: Make) -> None:
    window = Preferences(store, models=make(GAMER, catalogue())._models)
    qtbot.addWidget(window)
    page = window.speech_model
    window.show_page(page)
    with qtbot.waitExposed(window):
        window.show()
    assert page.cards is not None
    models = page.cards
    qtbot.waitUntil(lambda: Act.DOWNLOAD in models.cards["voxtral"].buttons, timeout=30_000)
    download = models.cards["voxtral"].buttons[Act.DOWNLOAD]
    assert download.accessibleName() == "Download: Voxtral"
    window.list.setFocus()
    for _ in range(20):
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        if window.focusWidget() is download:
            break
    assert window.focusWidget() is download
    QTest.keyClick(download, Qt.Key.Key_Space)
    assert page.cards.findChildren(LicenceDialog)
