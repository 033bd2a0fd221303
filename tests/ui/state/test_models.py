"""Models in the windows' words: looked for, fetched on a thread, checked, removed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app import paths
from app.models import download as downloads
from app.models.catalogue import Model
from app.models.machine import Machine
from app.settings import Settings
from app.ui.state import job
from app.ui.state.models import Models, ModelState
from model_backends import elsewhere
from tests.models.conftest import CONTENT, MODEL, hub
from tests.models.test_places import GAMER, LAPTOP, put
from tests.support.hub import Fault, Hub

__all__ = ["hub"]

Make = Callable[..., Models]
HALF = 150_000


@pytest.fixture
def make(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Models as a computer with a graphics card and PyTorch has them."""
    monkeypatch.setattr(elsewhere, "package", lambda package, engine: Path(package))
    monkeypatch.setattr(downloads, "_TELL_S", 0.0)
    made: list[Models] = []

    def models(machine: Machine = GAMER, model: Model = MODEL) -> Models:
        made.append(Models(offered=lambda: (model,), machine=lambda: machine))
        with qtbot.waitSignal(made[-1].changed, timeout=30_000):
            made[-1].look()
        return made[-1]

    yield models
    for each in made:
        each.close()
        qtbot.waitUntil(lambda each=each: not each._jobs, timeout=30_000)  # type: ignore[misc]


def ended(qtbot: QtBot, models: Models) -> ModelState:
    qtbot.waitUntil(lambda: not models.state("tiny").busy, timeout=30_000)
    return models.state("tiny")


def test_looking_asks_nobody(make: Make, hub: Hub) -> None:
    state = make().state("tiny")
    assert (state.place, state.begun, state.engine) == (None, 0, "voxtral-torch")
    assert not state.usable
    assert make(LAPTOP).state("tiny").engine == ""
    assert not hub.requests


def test_a_download_reports_ends_and_is_wanted(make: Make, hub: Hub, qtbot: QtBot) -> None:
    models, seen, wanted = make(), list[str](), list[ModelState]()
    models.changed.connect(lambda: seen.append(_doing(models)))
    models.wanted.connect(wanted.append)
    with qtbot.waitSignal(models.wanted, timeout=30_000):
        models.download("tiny")
        models.download("tiny")  # one is enough
    assert seen[0] == "beginning"
    assert "downloading" in seen
    assert len(hub.asked("cdn")) == 1
    (state,) = wanted
    assert state.usable
    assert (state.name_for_engine, state.progress) == ("Tiny-2602", None)
    chosen = Settings(engine="voxtral-torch", model="Tiny-2602")
    assert state.is_chosen(chosen)
    assert not state.is_chosen(replace(chosen, model=""))
    assert not state.is_chosen(replace(chosen, engine="embedded"))


def _doing(models: Models) -> str:
    progress = models.state("tiny").progress
    return progress.doing if progress else ""


def test_cancel_keeps_what_has_come_and_the_next_goes_on(
    make: Make, hub: Hub, qtbot: QtBot
) -> None:
    models, wanted = make(), list[ModelState]()
    models.wanted.connect(wanted.append)
    hub.next("cdn", Fault(stall_after=HALF))
    models.download("tiny")
    qtbot.waitUntil(lambda: _done(models) >= HALF, timeout=30_000)
    models.cancel("tiny")
    assert models.state("tiny").stopping
    state = ended(qtbot, models)
    assert (state.failure, wanted) == (None, [])
    qtbot.waitUntil(lambda: models.state("tiny").begun >= HALF, timeout=30_000)
    with qtbot.waitSignal(models.wanted, timeout=30_000):
        models.download("tiny")
    assert hub.asked("cdn")[-1].range.startswith("bytes=")


def _done(models: Models) -> int:
    progress = models.state("tiny").progress
    return progress.done if progress else 0


def test_a_failure_is_kept_until_the_next_try(make: Make, hub: Hub, qtbot: QtBot) -> None:
    models = make()
    hub.always["hub"] = Fault(status=404)
    models.download("tiny")
    failure = ended(qtbot, models).failure
    assert failure is not None
    assert "any more" in failure.message
    hub.always.clear()
    with qtbot.waitSignal(models.wanted, timeout=30_000):
        models.download("tiny")
    assert models.state("tiny").failure is None


def test_what_nobody_foresaw_is_told_too(
    make: Make, hub: Hub, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no")

    models = make()
    monkeypatch.setattr(downloads, "download", broken)
    models.download("tiny")
    failure = ended(qtbot, models).failure
    assert failure is not None and "inside Voxline" in failure.message


@pytest.mark.parametrize("sound", [True, False])
def test_what_is_here_is_checked_before_it_is_used(
    make: Make, hub: Hub, qtbot: QtBot, sound: bool
) -> None:
    folder = put(paths.models_dir() / "by hand")
    if not sound:
        (folder / "weights.bin").write_bytes(bytes(len(CONTENT["weights.bin"])))
    models = make()
    assert not models.state("tiny").usable
    wanted: list[ModelState] = []
    models.wanted.connect(wanted.append)
    models.check("tiny")
    state = ended(qtbot, models)
    if sound:
        qtbot.waitUntil(lambda: len(wanted) == 1, timeout=30_000)
        assert wanted[0].name_for_engine == "by hand"
    else:
        assert state.failure is not None
        assert "weights.bin is not the published file" in state.failure.message
        assert not wanted
    assert not hub.requests


def test_removing(make: Make, hub: Hub, qtbot: QtBot) -> None:
    put(paths.models_dir() / MODEL.folder)
    models = make()
    with qtbot.waitSignal(models.settled, timeout=30_000):
        models.remove("tiny")
    assert models.state("tiny").place is None
    models.remove("tiny")
    failure = ended(qtbot, models).failure
    assert failure is not None and "not on this computer" in failure.message


def test_the_end_of_the_app_lets_a_download_go(
    make: Make, hub: Hub, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "_LEAVE_S", 60.0)
    models = make()
    hub.next("cdn", Fault(stall_after=HALF))
    models.download("tiny")
    qtbot.waitUntil(lambda: _done(models) >= HALF, timeout=30_000)
    models.close()
    assert not [each for each in threading.enumerate() if each.name == "job"]
