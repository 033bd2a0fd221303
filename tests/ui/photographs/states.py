"""Every state that the windows can be in, and how to bring a scene into it.

A state's name begins with the window it is about: captions, menu, main, preferences, dialog.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from app.core.timeline import Gap
from app.core.voices import ME, THEM
from app.session.record import Saved
from app.session.shelving import Recovered
from app.session.status import Stage
from app.ui.main_window import help as help_texts
from app.ui.main_window.recovery import Recovery
from model_backends.base import Notice, Word
from tests.ui.photographs.scene import SOURCES, Scene
from tests.ui.photographs.texts import said

State: TypeAlias = Callable[[Scene], object]
STATES: dict[str, State] = {}
NO_SOUND = "No sound is arriving from “Yeti Stereo Microphone (USB, rear panel of the dock) №2”."
NO_SOUND_HINT = "Is it muted, or switched off at the device? Another source: Source, above."
FAILURE = "The speech model could not be loaded: not enough memory (9.4 GB are needed)."
FAILURE_HINT = "Close other programs, or choose the built-in model in the preferences."
BEHIND = Notice(
    "",
    "behind",
    "This computer is too slow for the chosen model: captions are late.",
    "Choose a smaller model in the preferences, Speech model.",
)
AWAY = Notice(
    "",
    "no-microphone",
    "“Headset (WH-1000XM4)” is not connected: the built-in microphone is heard instead.",
    "Connect it, and Voxline goes back to it.",
)


def _moved(word: Word, ms: int) -> Word:
    return replace(word, start_ms=word.start_ms + ms, end_ms=word.end_ms + ms)


def state(name: str) -> Callable[[State], State]:
    def enter(act: State) -> State:
        STATES[name] = act
        return act

    return enter


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
    scene.reach(Stage.STOPPED, "Captions are off.")


@state("captions: off after words")
def _(scene: Scene) -> None:
    scene.speak()
    scene.reach(Stage.STOPPED, "Captions are off.")


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
    scene.store.change(show_own_speech=True)
    scene.session.voices = (THEM, ME)
    scene.speak()
    scene.say(*(_moved(word, 90_000) for word in said(scene.script, lane=THEM)[:7]))


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


for _name in ("contrast", "clear", "large"):
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
        (action,) = (each for each in menu.actions() if each.text().replace("&", "") == title)
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


def _main_menu(title: str) -> State:
    def act(scene: Scene) -> None:
        scene.open_window()
        bar = scene.window.menuBar()
        (action,) = (each for each in bar.actions() if each.text().replace("&", "") == title)
        bar.setActiveAction(action)
        scene.settle(until=lambda: _is_open(action.menu()))

    return act


def _is_open(menu: object) -> bool:
    return isinstance(menu, QMenu) and menu.isVisible()


# --- main window ---------------------------------------------------------------------------------


@state("main: first start")
def _(scene: Scene) -> None:
    scene.store.change(told={})
    scene.window._tell_what_is_kept()
    scene.open_window()


@state("main: transcript")
def _(scene: Scene) -> None:
    scene.open_window()
    scene.speak(2)
    scene.say(Gap(ME, 90_000, 130_000, "pause"))
    later = said(scene.script)[:20]
    scene.say(*(_moved(word, 130_000) for word in later))


@state("main: no sound")
def _(scene: Scene) -> None:
    scene.open_window()
    scene.speak(2)
    scene.reach(Stage.NO_SOUND, NO_SOUND, NO_SOUND_HINT)


@state("main: failed")
def _(scene: Scene) -> None:
    scene.open_window()
    scene.reach(Stage.FAILED, FAILURE, FAILURE_HINT)


@state("main: two notices")
def _(scene: Scene) -> None:
    scene.open_window()
    scene.speak(2)
    scene.say(BEHIND, AWAY)


@state("main: two notices, trouble and the find bar")
def _(scene: Scene) -> None:
    scene.open_window()
    scene.speak(2)
    scene.say(BEHIND, AWAY)
    scene.window.find_bar.open()
    scene.reach(Stage.NO_SOUND, NO_SOUND, NO_SOUND_HINT)


@state("main: find bar")
def _(scene: Scene) -> None:
    scene.open_window()
    scene.speak(2)
    scene.window.find_bar.open()
    scene.window.find_bar.entry.setText(said(scene.script)[5].text.strip(" ،,。."))
    scene.settle()


@state("main: scrolled back, latest words")
def _(scene: Scene) -> None:
    scene.open_window()
    scene.speak(6)
    bar = scene.window.transcript.verticalScrollBar()
    bar.setValue(bar.minimum())
    scene.settle()


@state("main: session cut off")
def _(scene: Scene) -> None:
    scene.open_window()
    left = Recovered(datetime(2026, 11, 21, 14, 2), 6213, Path("lost.srt"))
    Recovery(Path("none"), scene.window.banners, parent=scene.window)._tell([left])
    scene.settle()


@state("main: delete everything?")
def _(scene: Scene) -> None:
    scene.open_window()
    scene.window.erase_wanted.emit()
    scene.settle()


@state("main: saved")
def _(scene: Scene) -> None:
    scene.open_window()
    scene.speak(2)
    folder = Path("/home/margarethe/Documents/Voxline transcripts")
    scene.window.show_saved(folder / "2026-11-22 14.02 Weekly planning of the whole team.srt")
    scene.settle()


@state("main: saving before the end")
def _(scene: Scene) -> None:
    scene.open_window()
    scene.speak(2)
    scene.window.show_leaving()
    scene.settle()


for _name in ("Session", "Edit", "View", "Help"):
    STATES[f"main: menu {_name}"] = _main_menu(_name)


@state("main: sources")
def _(scene: Scene) -> None:
    scene.open_window()
    scene.window.choices.source.showPopup()
    scene.settle()


# --- preferences ---------------------------------------------------------------------------------


def _page(name: str) -> State:
    def act(scene: Scene) -> None:
        scene.open_window()
        scene.speak()
        preferences = scene.window.open_preferences()
        page = getattr(preferences, name)
        preferences.show_page(page)
        scene.settle(until=preferences.isActiveWindow)

    return act


for _name in ("captions", "listening", "speech_model", "names", "keys", "privacy"):
    STATES[f"preferences: {_name}"] = _page(_name)


@state("preferences: captions, more")
def _(scene: Scene) -> None:
    STATES["preferences: captions"](scene)
    preferences = scene.window.open_preferences()
    preferences.captions.show_more.click()
    scene.settle()


@state("preferences: restored, undo")
def _(scene: Scene) -> None:
    scene.overlay._choose_look("large")
    STATES["preferences: captions"](scene)
    scene.window.open_preferences().defaults.click()
    scene.settle()


@state("preferences: from the captions alone")
def _(scene: Scene) -> None:
    scene.speak()
    scene.window.open_preferences()
    scene.settle()


# --- dialogs -------------------------------------------------------------------------------------


@state("dialog: keyboard shortcuts")
def _(scene: Scene) -> None:
    scene.open_window()
    scene.speak()
    scene.window._show_shortcuts()
    scene.settle()


@state("dialog: what is kept")
def _(scene: Scene) -> None:
    scene.open_window()
    scene.speak()
    scene.window._show_kept()
    scene.settle()


@state("dialog: report")
def _(scene: Scene) -> None:
    scene.open_window()
    scene.speak()
    scene.window._report()
    scene.settle()


@state("dialog: about")
def _(scene: Scene) -> None:
    scene.open_window()
    scene.speak()
    help_texts.show_about(scene.window)
    scene.settle()


@state("dialog: save as")
def _(scene: Scene) -> None:
    scene.open_window()
    scene.speak()
    scene.window.save_transcript()
    scene.settle(150)
