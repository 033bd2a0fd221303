"""Every state of the captions, and of the menus beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from app.core.voices import ME, THEM
from app.language import say
from app.session.record import Saved
from app.session.status import Stage
from model_backends.base import Sentence
from tests.ui.photographs.registry import STATES, State, moved, state
from tests.ui.photographs.scene import SOURCES, Scene
from tests.ui.photographs.texts import said
from tests.ui.photographs.troubles import BEHIND, FAILURE, FAILURE_HINT, NO_SOUND, NO_SOUND_HINT

# --- captions ------------------------------------------------------------------------------------


@state("captions: starting")
def _(scene: Scene) -> None:
    scene.reach(Stage.STARTING, "Loading the speech model …", fraction=0.4)


@state("captions: listening")
def _(scene: Scene) -> None:
    scene.reach(Stage.LISTENING, "Listening to Built-in microphone.")


@state("captions: speech")
def _(scene: Scene) -> None:
    scene.speak()


@state("captions: catching up")
def _(scene: Scene) -> None:
    scene.speak()
    scene.reach(Stage.CATCHING_UP, "Catching up …", lag_ms=7000)


@state("captions: no sound, no words yet")
def _(scene: Scene) -> None:
    scene.reach(Stage.NO_SOUND, NO_SOUND, NO_SOUND_HINT)


@state("captions: no sound after words")
def _(scene: Scene) -> None:
    scene.speak()
    scene.reach(Stage.NO_SOUND, NO_SOUND, NO_SOUND_HINT)


@state("captions: failed, no words yet")
def _(scene: Scene) -> None:
    scene.reach(Stage.FAILED, FAILURE, FAILURE_HINT)


@state("captions: failed after words")
def _(scene: Scene) -> None:
    scene.speak()
    scene.reach(Stage.FAILED, FAILURE, FAILURE_HINT)


@state("captions: paused")
def _(scene: Scene) -> None:
    scene.speak()
    scene.reach(Stage.PAUSED, "Paused.")


@state("captions: paused, no words yet")
def _(scene: Scene) -> None:
    scene.reach(Stage.PAUSED, "Paused.")


@state("captions: off")
def _(scene: Scene) -> None:
    scene.reach(Stage.STOPPED, Sentence("Captions are off."))


@state("captions: off after words")
def _(scene: Scene) -> None:
    scene.speak()
    scene.reach(Stage.STOPPED, Sentence("Captions are off."))


@state("captions: saving")
def _(scene: Scene) -> None:
    scene.speak()
    scene.reach(Stage.STOPPING, "Saving the transcript …")


@state("captions: old words")
def _(scene: Scene) -> None:
    scene.speak()
    scene.overlay.captions.grow_old()
    scene.overlay.status_row.set_quiet_since("14:32")
    scene.settle()


@state("captions: two voices")
def _(scene: Scene) -> None:
    settings = scene.store.settings
    scene.store.change(show_own_speech=True, overlay=replace(settings.overlay, lines=3))
    scene.overlay.apply(scene.store.settings.overlay)
    scene.session.voices = (THEM, ME)
    scene.speak()
    scene.say(*(moved(word, 90_000) for word in said(scene.script, lane=THEM)[:7]))


@state("captions: held")
def _(scene: Scene) -> None:
    scene.speak(3)
    scene.overlay.toggle_hold()
    scene.say(*said(scene.script)[:12])


@state("captions: scrolled back")
def _(scene: Scene) -> None:
    scene.speak(6)
    scene.overlay.page(-1)
    scene.overlay.page(-1)
    scene.overlay.mark()
    scene.settle()


@state("captions: clicks go through")
def _(scene: Scene) -> None:
    scene.speak()
    scene.overlay.let_clicks_through(True)
    scene.settle()


@state("captions: off, clicks go through")
def _(scene: Scene) -> None:
    STATES["captions: off after words"](scene)
    scene.overlay.let_clicks_through(True)
    scene.settle()


@state("captions: failed, clicks go through")
def _(scene: Scene) -> None:
    scene.overlay.let_clicks_through(True)
    scene.reach(Stage.FAILED, FAILURE, FAILURE_HINT)


def _docked(edge: str) -> State:
    def act(scene: Scene) -> None:
        scene.speak()
        scene.overlay.dock(edge)
        scene.settle(200)

    return act


for _name in ("top", "bottom"):
    STATES[f"captions: docked at the {_name}"] = _docked(_name)


@state("captions: docked, clicks go through")
def _(scene: Scene) -> None:
    STATES["captions: docked at the bottom"](scene)
    scene.overlay.let_clicks_through(True)
    scene.settle(200)


@state("captions: controls")
def _(scene: Scene) -> None:
    scene.speak()
    scene.overlay._show_controls()
    scene.settle()


@state("captions: controls, narrow")
def _(scene: Scene) -> None:
    scene.speak()
    scene.overlay.stretch(-2000, 0)
    scene.settle()
    scene.overlay._show_controls()
    scene.settle()


def _with_keyboard(tabs: int) -> State:
    def act(scene: Scene) -> None:
        scene.speak()
        scene.overlay.focus_controls()
        scene.settle(until=lambda: QApplication.focusWidget() is not None)
        for _ in range(tabs):
            QTest.keyClick(scene.overlay, Qt.Key.Key_Tab)
        scene.settle()

    return act


STATES["captions: controls by keyboard"] = _with_keyboard(1)
STATES["captions: controls by keyboard, the last"] = _with_keyboard(6)


@state("captions: told for a moment")
def _(scene: Scene) -> None:
    scene.speak()
    scene.overlay.copy_latest()
    scene.settle()


@state("captions: saved")
def _(scene: Scene) -> None:
    scene.speak()
    folder = Path.home() / "Documents" / "Voxline transcripts"
    scene.say(Saved(folder / "2026-11-22 14.02 Weekly planning.srt"))


@state("captions: too slow")
def _(scene: Scene) -> None:
    scene.speak()
    scene.say(BEHIND)


@state("captions: many lines")
def _(scene: Scene) -> None:
    scene.speak(3)
    scene.overlay.toggle_lines()
    scene.settle()


def _looking(name: str) -> State:
    def act(scene: Scene) -> None:
        scene.speak()
        scene.overlay._choose_look(name)
        scene.settle()

    return act


for _name in ("classic", "contrast", "clear", "large", "system"):
    STATES[f"captions: look {_name}"] = _looking(_name)


@state("captions: hidden, told")
def _(scene: Scene) -> None:
    scene.speak()
    scene.overlay.hide_captions()
    scene.settle()


@state("captions: hidden, pill")
def _(scene: Scene) -> None:
    scene.speak()
    scene.overlay.hide()
    scene.settle()


# --- menus ---------------------------------------------------------------------------------------


def _open_menu(scene: Scene) -> QMenu:
    scene.speak()
    scene.overlay._show_controls()
    scene.settle()
    scene.overlay.controls.more.click()
    scene.settle(until=scene.overlay.menu.isVisible)
    return scene.overlay.menu


@state("menu: more")
def _(scene: Scene) -> None:
    _open_menu(scene)


def _with_submenu(title: str) -> State:
    def act(scene: Scene) -> None:
        menu = _open_menu(scene)
        (action,) = (each for each in menu.actions() if each.text() == say(Sentence(title)))
        inner = action.menu()
        assert isinstance(inner, QMenu)
        menu.setActiveAction(action)
        QTest.keyClick(menu, Qt.Key.Key_Right)
        scene.settle(until=inner.isVisible)

    return act


for _name in ("Delay", "Style", "Place"):
    STATES[f"menu: {_name}"] = _with_submenu(_name)


@state("menu: sources")
def _(scene: Scene) -> None:
    scene.speak()
    scene.overlay._show_controls()
    scene.overlay.controls.show_sources(SOURCES, scene.store.settings.source)
    scene.settle()
    scene.overlay.controls.source.click()
    scene.settle(until=scene.overlay.controls.source_menu.isVisible)


@state("menu: of the right button, at the bottom edge")
def _(scene: Scene) -> None:
    scene.speak()
    at = scene.overlay.rect().bottomRight() - QPoint(30, 8)
    place = scene.overlay.mapToGlobal(at)
    scene.overlay.contextMenuEvent(QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, place))
    scene.settle()
