"""The acceleration pack in the windows' words: looked for, installed on a thread, removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.models.catalogue import model_named
from app.models.machine import Machine, fit
from app.packs import kept
from app.packs.pins import Pins
from app.packs.sources import configured
from app.ui.state.packs import Packs, PackState
from app.worker import packs as door
from model_backends import elsewhere
from tests.models.test_places import GAMER, LAPTOP
from tests.packs.conftest import OLD, REST, TORCH, index, pins_of, tried
from tests.packs.test_pins import RADEON
from tests.support.package_index import Fault, Index

__all__ = ["index", "tried"]

Make = Callable[..., Packs]
CUDA = pins_of(TORCH, *REST, pack="cuda")
OLD_CUDA = pins_of(OLD, *REST, pack="cuda")


@pytest.fixture
def make(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Packs as an installed app without PyTorch has them."""
    monkeypatch.setattr(door, "needed", lambda engine: engine in door.NEEDS)
    made: list[Packs] = []

    def packs(machine: Machine = GAMER, known: Pins = CUDA) -> Packs:
        each = Packs(machine=lambda: machine, known=lambda: known, sources=configured)
        made.append(each)
        looked(qtbot, each)
        return each

    yield packs
    for each in made:
        each.close()
        qtbot.waitUntil(lambda each=each: each._job is None, timeout=30_000)  # type: ignore[misc]
    elsewhere.forget()


def looked(qtbot: QtBot, packs: Packs) -> PackState:
    with qtbot.waitSignal(packs.changed, timeout=30_000):
        packs.look()
    return packs.state


def done(qtbot: QtBot, packs: Packs, act: Callable[[], None]) -> PackState:
    with qtbot.waitSignal(packs.settled, timeout=60_000):
        act()
    return packs.state


def test_looking_asks_nobody_and_says_what_it_is_for(make: Make, index: Index) -> None:
    state = make().state
    assert state.suit is not None
    assert state.suit.kind == "cuda"
    assert state.of_interest
    assert (state.here, state.begun, state.busy) == (None, 0, False)
    assert not make(LAPTOP).state.of_interest, "nothing here would be of use"
    assert make(RADEON).state.of_interest, "one can be made by hand"
    nothing = make(known=pins_of(TORCH, *REST, pack="cpu")).state
    assert nothing.of_interest
    assert "no pack “PyTorch for NVIDIA graphics cards”" in nothing.why_none
    assert not index.asked


def test_nobody_is_offered_what_runs_without(
    make: Make, monkeypatch: pytest.MonkeyPatch, index: Index
) -> None:
    monkeypatch.setattr(door, "needed", lambda engine: False)
    state = make().state
    assert state.spare
    assert not state.of_interest


def test_installed_it_is_what_engines_find_and_removed_it_is_not(
    make: Make, index: Index, tried: list[Path], qtbot: QtBot
) -> None:
    packs, seen = make(), list[str]()
    packs.changed.connect(lambda: seen.append(_doing(packs)))
    monkey = fit(model_named("voxtral"), GAMER)
    assert monkey.lacks or elsewhere.package("torch", "voxtral-torch") is not None
    state = done(qtbot, packs, packs.install)
    assert state.usable
    assert state.failure is None
    assert {"beginning", "downloading", "unpacking", "trying"} <= set(seen)
    assert "voxtral-torch" in elsewhere._known.folders
    state = done(qtbot, packs, packs.remove)
    assert state.here is None
    assert "voxtral-torch" not in elsewhere._known.folders


def _doing(packs: Packs) -> str:
    return packs.state.progress.doing if packs.state.progress else ""


def cancel_once(packs: Packs) -> None:
    if _doing(packs) == "waiting" and not packs.state.stopping:
        packs.cancel()


def test_cancel_keeps_what_has_come_and_the_next_goes_on(
    make: Make, index: Index, tried: list[Path], qtbot: QtBot
) -> None:
    packs = make()
    index.faults.extend([Fault(), *[Fault(cut_after=20)] * 500])  # never to its end
    packs.changed.connect(lambda: cancel_once(packs))
    state = done(qtbot, packs, packs.install)
    assert (state.failure, state.here, state.stopping) == (None, None, False)
    assert state.begun > 0
    index.faults.clear()
    assert done(qtbot, packs, packs.install).usable
    assert [each for each in index.asked if "bytes=" in each]


def test_a_failure_is_kept_until_the_next_try(
    make: Make, index: Index, tried: list[Path], qtbot: QtBot
) -> None:
    packs, files = make(), dict(index.files)
    index.files.clear()
    state = done(qtbot, packs, packs.install)
    assert state.failure is not None
    assert packs.state.of_interest
    index.files.update(files)
    assert done(qtbot, packs, packs.install).failure is None


def test_an_older_one_is_replaced_by_the_one_on_offer(
    make: Make, index: Index, tried: list[Path], qtbot: QtBot
) -> None:
    old = make(known=OLD_CUDA)
    done(qtbot, old, old.install)
    packs = make()
    assert packs.state.here is not None
    assert not packs.state.here.newest
    state = done(qtbot, packs, packs.install)
    assert state.here is not None
    assert state.here.newest
    assert len(kept.installed(CUDA)) == 1
