"""The slow model gives way to the built-in one: once, told once, and not against the user."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app import main
from app.audio.choice import MediaFile, to_text
from app.session.lagging import FOR_S, TOO_LATE_MS
from app.session.preparing import NoRoomError
from app.session.session import Choices, HeardOut
from app.session.status import Stage, Status
from app.settings import OverlaySettings, Settings
from app.ui.main_window import window as main_window
from app.ui.overlay.toast import Message
from app.ui.overlay.window import CaptionOverlay
from app.ui.state.change_over import ChangeOver
from app.ui.state.giving_way import GivingWay
from app.ui.state.models import Models
from model_backends.base import UserError
from tests.support.clock import Clock
from tests.ui.conftest import Rig
from tests.ui.state.test_change_over import Engine, settle

SLOW = "Voxtral"
SAID = (
    "Scripted cannot keep up on this computer: the built-in model takes over. "
    "To go back, choose it again in Preferences, Speech model."
)


class Scene:
    """A session whose engine is too slow, or not, in a time that passes when the test says so."""

    def __init__(self, rig: Rig, models: Models) -> None:
        self.rig, self.clock = rig, Clock()
        self.engines: list[Engine] = []  # every one that was begun to be loaded
        self.told: list[str] = []
        rig.store.change(model=SLOW)
        captioning = rig.captioning
        self.change = ChangeOver(captioning, rig.store, self._prepare, self.clock, captioning)
        self.way = GivingWay(captioning, self.change, models, self.clock, captioning)
        for each in (self.change, self.way):
            each.told.connect(lambda text, hint: self.told.append(f"{text} {hint}".strip()))
            each._timer.setInterval(3_600_000)  # the test says when they look

    def _prepare(
        self, settings: Settings, settled: Callable[[UserError | None], None], _running: object
    ) -> Any:
        self.engines.append(Engine(settings, settled))
        return self.engines[-1]

    def start(self) -> None:
        self.rig.captioning.start()
        self.rig.session.info = replace(self.rig.session.info, label="Scripted")
        self.rig.reach(Stage.LISTENING)

    def lag(self, seconds: float, by_ms: int = TOO_LATE_MS + 2000, grows_ms: int = 200) -> None:
        """So long captions are late, and come later and later."""
        delay_ms = self.rig.session.delay_ms
        for second in range(round(seconds) + 1):
            late_ms = by_ms + grows_ms * second
            self.rig.say(Status(Stage.CATCHING_UP, "Catching up …", lag_ms=delay_ms + late_ms))
            self.look()
            self.clock.now += 1

    def look(self) -> None:
        self.way.look()
        self.change.look()

    def taken_over(self) -> None:
        """The built-in one is loaded, and captions."""
        settle(self.engines[-1])
        self.rig.say_in(-2, Status(Stage.STOPPING), HeardOut(), Status(Stage.STOPPED))
        self.rig.reach(Stage.LISTENING)


@pytest.fixture
def models(qtbot: QtBot) -> Iterator[Models]:
    made = Models()  # nothing is looked for
    yield made
    made.close()


@pytest.fixture
def scene(rig: Rig, models: Models) -> Scene:
    return Scene(rig, models)


def test_the_built_in_model_takes_over_and_that_is_told_once(scene: Scene) -> None:
    scene.start()
    scene.lag(FOR_S + 5)
    assert [engine.settings.engine for engine in scene.engines] == ["embedded"]
    assert len(scene.rig.sessions) == 1, "what captions goes on until it is loaded"
    scene.taken_over()
    assert [each.engine for each in scene.rig.opened_with] == ["scripted", "embedded"]
    assert scene.rig.store.settings.engine == "embedded", "the next start loads no slow one"
    assert scene.told == [SAID]


def test_no_pause_is_waited_for_by_who_is_behind(scene: Scene) -> None:
    scene.start()
    scene.lag(FOR_S + 1)
    settle(scene.engines[0])
    assert len(scene.rig.sessions) == 2
    assert scene.engines[0].calls == ["hand over"]


def test_the_slow_one_is_late_until_it_has_gone_and_nothing_more_is_told(scene: Scene) -> None:
    scene.start()
    scene.lag(FOR_S + 1)
    settle(scene.engines[0])
    for second in range(2 * round(FOR_S)):
        late = Status(Stage.CATCHING_UP, "Catching up …", lag_ms=30_000 + 200 * second)
        scene.rig.say_in(0, late)
        scene.look()
        scene.clock.now += 1
    assert scene.told == [SAID]
    assert len(scene.engines) == 1


def test_what_was_chosen_for_the_slow_engine_is_not_the_other_ones(scene: Scene) -> None:
    scene.rig.store.change(device="vulkan", precision="q8")
    scene.start()
    scene.lag(FOR_S + 1)
    asked = scene.engines[0].settings
    assert (asked.model, asked.device, asked.precision) == ("", "", "")


def test_not_for_twenty_seconds(scene: Scene) -> None:
    scene.start()
    for _ in range(4):
        scene.lag(20)
        scene.rig.reach(Stage.SPEECH)
    assert (scene.engines, scene.told) == ([], [])


def test_not_while_it_catches_up(scene: Scene) -> None:
    scene.start()
    scene.lag(3 * FOR_S, by_ms=90_000, grows_ms=-300)
    assert (scene.engines, scene.told) == ([], [])


def test_not_while_a_longer_delay_is_being_tried(scene: Scene) -> None:
    scene.start()
    scene.lag(FOR_S - 5)
    scene.rig.say(Choices("Built-in microphone", 2400, chosen_delay_ms=480))
    scene.lag(FOR_S - 5)
    assert (scene.engines, scene.told) == ([], [])


def test_not_for_a_file_which_nobody_speaks_to(scene: Scene, tmp_path: Path) -> None:
    scene.rig.store.change(source=to_text(MediaFile(tmp_path / "talk.flac")))
    scene.start()
    scene.lag(3 * FOR_S)
    assert (scene.engines, scene.told) == ([], [])


def test_not_from_a_server_or_from_the_built_in_model_itself(scene: Scene) -> None:
    scene.start()
    kept = scene.rig.session.info
    for info in (replace(kept, takes_server=True), replace(kept, name="embedded")):
        scene.rig.session.info = info
        scene.lag(2 * FOR_S)
    assert (scene.engines, scene.told) == ([], [])


def test_not_over_what_the_user_is_just_having_loaded(scene: Scene) -> None:
    scene.start()
    scene.lag(5)
    scene.rig.store.change(model="another")
    scene.lag(3 * FOR_S)
    assert [engine.settings.model for engine in scene.engines] == ["another"]


def test_who_chooses_it_again_has_it_and_is_told_nothing_more(scene: Scene) -> None:
    scene.start()
    scene.lag(FOR_S + 1)
    scene.taken_over()
    scene.rig.store.change(engine="scripted", model=SLOW)
    scene.taken_over()
    del scene.told[:]
    scene.lag(5 * FOR_S)
    assert scene.rig.store.settings.model == SLOW
    assert (len(scene.engines), scene.told) == (2, [])


def test_another_model_that_is_too_slow_gives_way_too(scene: Scene) -> None:
    scene.start()
    scene.lag(FOR_S + 1)
    scene.taken_over()
    scene.rig.store.change(engine="scripted", model="larger")
    scene.taken_over()
    scene.lag(FOR_S + 1)
    assert [engine.settings.engine for engine in scene.engines] == [
        "embedded", "scripted", "embedded",
    ]  # fmt: skip


def test_one_that_cannot_be_loaded_is_not_tried_again_and_again(scene: Scene) -> None:
    scene.start()
    scene.lag(FOR_S + 1)
    settle(scene.engines[0], UserError("Its weights are gone.", "Install Voxline again."))
    scene.lag(5 * FOR_S)
    assert len(scene.engines) == 1
    assert scene.rig.store.settings.model == SLOW
    assert [line.split(":")[0] for line in scene.told] == [
        "Scripted cannot keep up on this computer",
        "The built-in model could not be loaded",
    ]


def test_where_memory_holds_one_model_the_slow_one_is_gone_first(scene: Scene) -> None:
    scene.start()
    scene.lag(FOR_S + 1)
    settle(scene.engines[0], NoRoomError("There is not enough memory for two models at once."))
    QApplication.processEvents()
    assert scene.rig.sessions[0].makes_room
    assert len(scene.rig.sessions) == 2
    assert scene.told == [SAID]


def test_both_windows_tell_it_and_one_has_the_way_back(
    rig: Rig, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main_window, "list_sources", list)
    rig.store.change(told={"kept": True})
    window = main_window.MainWindow(rig.captioning, rig.store)
    overlay = CaptionOverlay(OverlaySettings(), lambda settings: None)
    qtbot.addWidget(window)
    qtbot.addWidget(overlay)
    parts: Any = SimpleNamespace(
        captioning=rig.captioning, store=rig.store, window=window, overlay=overlay
    )
    main._connect_models(parts)
    way = window.findChild(GivingWay)
    assert way is not None
    way.told.emit("It is too slow.", "There is a way back.")
    assert overlay.message == Message("It is too slow.", "There is a way back.")
    banner = window.banners.banners[0]
    assert (banner.text, banner.hint) == ("It is too slow.", "There is a way back.")
    next(each for each in banner.findChildren(QPushButton) if "Pref" in each.text()).click()
    preferences = window.open_preferences()
    qtbot.addWidget(preferences)
    shown = preferences.pages.currentWidget()
    assert shown is not None and shown.isAncestorOf(preferences.speech_model)
