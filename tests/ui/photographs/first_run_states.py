"""The states of the first run: each step, and what it says while nothing is heard."""

from __future__ import annotations

from PySide6.QtCore import Qt

from app.core.voices import ME, THEM
from app.session.status import Stage
from app.ui.first_run import source_step
from app.ui.first_run.window import FirstRunWindow
from tests.ui.photographs.registry import state
from tests.ui.photographs.scene import SOURCES, Scene
from tests.ui.photographs.texts import said

NO_MICROPHONE = (
    "No microphone. Only this computer’s sound is captioned meanwhile. Plug one in, or choose "
    "what to listen to."
)


def _open(scene: Scene, step: int = 0) -> FirstRunWindow:
    """At this step, with both voices listened to."""
    vars(source_step)["list_sources"] = lambda: SOURCES
    scene.session.voices = (THEM, ME)
    scene.session.levels = {THEM: 0.0, ME: 0.0}
    scene.reach(Stage.LISTENING, "Listening to the microphone and this computer’s sound.")
    window = scene.parts.first_run.open()
    window.show_step(step)
    scene.settle(200)
    return window


def _hear(scene: Scene) -> None:
    scene.session.levels = {THEM: 0.08, ME: 0.01}
    scene.parts.captioning.level.emit(0.08)
    words = said(scene.script, lane=THEM)
    scene.reach(Stage.SPEECH)
    scene.say(*words[:20])


@state("first run: 1, nothing is heard")
def _(scene: Scene) -> None:
    _open(scene)


@state("first run: 1, words")
def _(scene: Scene) -> None:
    _open(scene)
    _hear(scene)


@state("first run: 1, no microphone, nothing playing")
def _(scene: Scene) -> None:
    _open(scene)
    scene.session.voices = (THEM,)  # that can be heard
    scene.reach(Stage.LISTENING, "Listening to this computer’s sound.", remark=NO_MICROPHONE)


@state("first run: 1, from right to left")
def _(scene: Scene) -> None:
    window = _open(scene)
    window.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    _hear(scene)


@state("first run: 2, look")
def _(scene: Scene) -> None:
    _open(scene, 1)
    _hear(scene)


@state("first run: 2, look large")
def _(scene: Scene) -> None:
    window = _open(scene, 1)
    _hear(scene)
    window.look.looks.presets.cards["large"].click()
    scene.settle(800)  # the captions grow, and it goes aside


@state("first run: 3, language and delay")
def _(scene: Scene) -> None:
    scene.store.change(engine="embedded")
    _open(scene, 2)
    _hear(scene)


@state("first run: 4, what is kept, and keys")
def _(scene: Scene) -> None:
    _open(scene, 3)
    _hear(scene)
