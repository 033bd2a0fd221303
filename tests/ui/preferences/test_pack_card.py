"""The card of the acceleration pack: what it says, what it offers, and what comes of a click."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app.models.download import Progress
from app.packs.kept import Installed
from app.packs.pins import KINDS
from app.packs.sources import Sources
from app.packs.suits import suit
from app.ui.preferences.model_words import Act
from app.ui.preferences.pack_card import PackCard
from app.ui.preferences.pack_words import about, buttons, mark, question, standing
from app.ui.state.packs import Packs, PackState
from app.worker.packs import Broken
from model_backends.base import Sentence, UserError
from tests.models.test_places import GAMER
from tests.packs.conftest import index, plan, tried
from tests.support.package_index import Index
from tests.ui.state.test_packs import CUDA, Make, done, make

__all__ = ["index", "make", "tried"]

SUIT = suit(GAMER)
PLAN = plan(CUDA)
HERE = Installed(Path("/p/torch-cuda-1"), KINDS["cuda"], "1", None, newest=True)
BAD = Broken("torch-cuda-1", Sentence("It is broken."), Sentence("Install it again."))
FAILURE = UserError("The disk is full.", "Free some.")


def state(**values: object) -> PackState:
    return replace(PackState(SUIT, PLAN), **values)  # type: ignore[arg-type]


def test_what_it_is_for_in_plain_words() -> None:
    assert about(state()) == (
        "Lets Voxtral caption on NVIDIA GeForce RTX 4070. PyTorch for NVIDIA graphics cards: "
        f"{PLAN.bytes / 1e3:.0f} kB to download, 300 kB on the disk."
    )


@pytest.mark.parametrize(
    ("found", "kind", "said", "offered"),
    [
        (state(), "", "", ["Install…"]),
        (state(begun=300), "", "0 kB of 2 kB are here.", ["Go on", "Remove…"]),
        (state(here=HERE), "good", "Ready.", ["Remove…"]),
        (
            state(here=replace(HERE, newest=False)), "good",
            "Ready. This Voxline has a newer one.", ["Update", "Remove…"],
        ),
        (
            state(here=replace(HERE, trouble=BAD)), "failure", "It is broken. Install it again.",
            ["Install again", "Remove…"],
        ),
        (
            state(here=HERE, spare=True), "good",
            "Ready, and not needed: the Python that runs Voxline has these packages itself.",
            ["Remove…"],
        ),
        (state(failure=FAILURE), "failure", "The disk is full. Free some.", ["Try again"]),
        (
            state(progress=Progress(1_000_000, 4_000_000, left_s=360)), "info",
            "1 MB of 4 MB · 6 min left", ["Cancel"],
        ),
        (
            state(progress=Progress(1, 4, "unpacking")), "info", "Unpacking: 25 %", ["Cancel"],
        ),
        (
            state(progress=Progress(4, 4, "trying")), "info", "A tiny model is trying it out …",
            ["Cancel"],
        ),
        (state(progress=Progress(4, 4, "trying"), stopping=True), "info", "Stopping …", []),
        (state(plan=None, why_none="There is none."), "", "There is none.", []),
        (state(plan=None, here=replace(HERE, trouble=BAD)), "failure", None, ["Remove…"]),
    ],
)  # fmt: skip
def test_how_it_stands(found: PackState, kind: str, said: str | None, offered: list[str]) -> None:
    assert mark(found) == kind
    assert said is None or standing(found) == said.replace("2 kB", f"{PLAN.bytes / 1e3:.0f} kB")
    assert [button.text for button in buttons(found)] == offered
    assert all("Acceleration pack" in button.name for button in buttons(found))


def test_before_it_is_installed_it_says_whose_and_from_where() -> None:
    sources = Sources(links=("/srv/wheels",), indexes=("https://i.example",), pytorch="https://t")
    asked, more = question(state(), sources)
    assert "PyTorch for NVIDIA graphics cards?" in asked
    assert "From /srv/wheels, https://i.example, https://t/cpu." in more
    assert "NVIDIA’s own licence" in more


@pytest.fixture
def card(make: Make, qtbot: QtBot) -> Iterator[tuple[PackCard, Packs]]:
    packs = make()
    made = PackCard(packs)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: Act.DOWNLOAD in made.card.buttons, timeout=30_000)
    yield made, packs


def answer(card: PackCard, text: str) -> None:
    (box,) = [b for b in card.findChildren(QMessageBox) if b.isVisible()]
    (button,) = [b for b in box.findChildren(QPushButton) if b.text() == text]
    button.click()


def test_it_is_asked_installed_and_removed_by_clicks(
    card: tuple[PackCard, Packs], index: Index, tried: list[Path], qtbot: QtBot
) -> None:
    made, packs = card
    made.card.buttons[Act.DOWNLOAD].click()
    answer(made, "Cancel")
    assert not packs.state.busy
    assert not index.asked
    made.card.buttons[Act.DOWNLOAD].click()
    assert done(qtbot, packs, lambda: answer(made, "Install")).usable
    assert made.card.standing.text() == "Ready."
    made.card.buttons[Act.REMOVE].click()
    answer(made, "Keep")
    made.card.buttons[Act.REMOVE].click()
    assert done(qtbot, packs, lambda: answer(made, "Remove")).here is None
    assert list(made.card.buttons) == [Act.DOWNLOAD]


def test_it_is_hidden_where_it_would_be_of_no_use(
    make: Make, index: Index, qtbot: QtBot, card: tuple[PackCard, Packs]
) -> None:
    made, packs = card
    assert made.card.isVisible()
    packs.state = replace(packs.state, plan=None)
    made.refresh()
    assert not made.card.isVisible()
