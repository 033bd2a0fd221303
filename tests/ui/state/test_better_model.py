"""Offered once, to who captions with the built-in model and would have something of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
from pytestqt.qtbot import QtBot

from app.models.better import Offer
from app.models.machine import Machine
from app.session.session import Stage
from app.ui.state.better_model import TOLD, BetterModel, _on_battery
from app.ui.state.models import Models
from model_backends import elsewhere, speeds
from model_backends.base import Word
from tests.ui.conftest import Rig

GB = 1_000_000_000


class Battery(NamedTuple):
    """As psutil tells it; seconds, or -1 unknown, -2 without end."""

    percent: float
    secsleft: int
    power_plugged: bool | None


@pytest.fixture
def models(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Models]:
    monkeypatch.setattr(elsewhere, "package", lambda package, engine: Path(package))
    made = Models(machine=lambda: Machine(False, 16 * GB))
    yield made
    made.close()


@pytest.fixture
def better(rig: Rig, models: Models, tmp_path: Path) -> BetterModel:
    speeds.note(tmp_path, speeds.WHISPER_DECODE_MS, 150)
    rig.store.change(engine="embedded", told={})
    made = BetterModel(
        rig.captioning,
        rig.store,
        models,
        lambda: tmp_path,
        lambda: 8 * GB,
        lambda: False,
        rig.captioning,
    )
    made._timer.setInterval(3_600_000)  # the test says when it looks
    return made


def captioning(rig: Rig) -> None:
    rig.captioning.start()
    rig.reach(Stage.LISTENING)


def begins(better: BetterModel, models: Models, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether it would look further, which is what an offer comes of."""
    began: list[object] = []
    with monkeypatch.context() as patch:
        patch.setattr(models, "look", began.append)
        better.look()
    return bool(began)


def test_once_while_somebody_captions(
    rig: Rig,
    better: BetterModel,
    models: Models,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not begins(better, models, monkeypatch), "nobody captions"
    captioning(rig)
    offers: list[Offer] = []
    better.offered.connect(offers.append)
    better.look()
    better.look()  # and once more before it is known
    qtbot.waitUntil(lambda: bool(offers), timeout=30_000)
    (offer,) = offers
    assert (offer.model.name, offer.delay_ms) == ("nemotron", 320)
    assert rig.store.settings.told[TOLD]
    assert not begins(better, models, monkeypatch), "once is enough"
    better.take(offer)
    assert rig.store.settings.delay_ms["ggml"] == 320
    better._tell(offer)
    assert len(offers) == 1


def test_not_in_a_language_that_it_does_not_know(
    rig: Rig, better: BetterModel, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    captioning(rig)
    rig.say(replace(_word(), language="cy"))
    assert not begins(better, models, monkeypatch)
    rig.store.change(language="de")
    assert begins(better, models, monkeypatch), "the language that was chosen counts"


def test_not_to_who_has_another_engine(
    rig: Rig, better: BetterModel, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    captioning(rig)
    assert begins(better, models, monkeypatch)
    rig.store.change(engine="scripted")
    assert not begins(better, models, monkeypatch)


def test_not_while_a_battery_runs_down(
    rig: Rig, better: BetterModel, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    captioning(rig)
    monkeypatch.setattr(better, "_on_battery", lambda: True)
    assert not begins(better, models, monkeypatch)
    monkeypatch.setattr(better, "_on_battery", lambda: False)
    assert begins(better, models, monkeypatch), "plugged in again"


@pytest.mark.parametrize(
    ("battery", "runs_down"),
    [(None, False), (Battery(80, 3600, False), True), (Battery(80, -2, True), False),
     (Battery(80, -1, None), False)],
)  # fmt: skip
def test_what_a_battery_says(
    battery: Battery | None, runs_down: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "sensors_battery", lambda: battery, raising=False)
    assert _on_battery() is runs_down
    monkeypatch.delattr(psutil, "sensors_battery")
    assert _on_battery() is False, "where the system has no such function"


def test_not_to_a_computer_without_memory_for_it(
    rig: Rig, better: BetterModel, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    captioning(rig)
    monkeypatch.setattr(better, "_free_bytes", lambda: 3 * GB)
    assert not begins(better, models, monkeypatch)


def _word() -> Word:
    return Word("me", 0, 0, " bore", 0, 300)
