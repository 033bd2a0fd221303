"""Every state of the main window, the preferences and the dialogs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QScrollArea, QWidget

from app.core.timeline import Gap
from app.core.voices import ME
from app.session.shelving import Recovered
from app.session.status import Stage
from app.ui.main_window import help as help_texts
from app.ui.main_window.recovery import Recovery
from app.ui.preferences.server_group import ServerGroup
from model_backends.base import Sentence
from tests.ui.photographs.registry import STATES, State, moved, state
from tests.ui.photographs.scene import Scene
from tests.ui.photographs.texts import said
from tests.ui.photographs.troubles import (
    AWAY,
    BEHIND,
    FAILURE,
    FAILURE_HINT,
    NO_SOUND,
    NO_SOUND_HINT,
)

_SERVER = "wss://captions.office.example.org:8443/v1/realtime"
_OTHER_SERVER = "wss://captions-2.office.example.org:8443/v1/realtime"
_SERVES = "mistralai/Voxtral-Mini-4B-Realtime-2602"


def _main_menu(number: int) -> State:
    def act(scene: Scene) -> None:
        scene.open_window()
        bar = scene.window.menuBar()
        action = bar.actions()[number]
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
    scene.say(Gap(ME, 90_000, 130_000, "paused"))
    later = said(scene.script)[:20]
    scene.say(*(moved(word, 130_000) for word in later))


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


for _number, _name in enumerate(("Session", "Edit", "View", "Help")):
    STATES[f"main: menu {_name}"] = _main_menu(_number)


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


def _focused(page: str, control: str) -> State:
    def act(scene: Scene) -> None:
        STATES[f"preferences: {page}"](scene)
        owner: object = scene.window.open_preferences()
        for name in control.split("."):
            owner = owner[name] if isinstance(owner, dict) else getattr(owner, name)
        assert isinstance(owner, QWidget)
        owner.setFocus(Qt.FocusReason.TabFocusReason)
        scene.settle()

    return act


for _name, _control in (
    ("captions", "captions.size_slider.slider"),
    ("captions", "captions.size_slider.more"),
    ("captions", "captions.presets.cards.contrast"),
    ("captions", "captions.lines"),
    ("captions", "captions.show_more"),
    ("captions", "read_finished"),
    ("listening", "listening.hearing.delay"),
    ("names", "names.table"),
    ("names", "names.import_"),
    ("keys", "keys.reset"),
    ("privacy", "privacy.days"),
    ("captions", "close_button"),
):
    STATES[f"preferences: keyboard on {_control}"] = _focused(_name, _control)


@state("main: keyboard on the first button")
def _(scene: Scene) -> None:
    scene.open_window()
    scene.window.header.toggle.setFocus(Qt.FocusReason.TabFocusReason)
    scene.settle()


@state("main: keyboard on the source")
def _(scene: Scene) -> None:
    scene.open_window()
    scene.window.choices.source.setFocus(Qt.FocusReason.TabFocusReason)
    scene.settle()


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


def _with_server(scene: Scene, urls: str) -> ServerGroup:
    scene.open_window()
    scene.speak()
    preferences = scene.window.open_preferences()
    preferences.show_page(preferences.speech_model)
    group = preferences.findChild(ServerGroup)
    assert isinstance(group, ServerGroup)
    answers = "{host} answers. It serves: {models}."
    group._ask = lambda address, _ca: Sentence(answers, host=address.host, models=_SERVES)
    group.urls.setText(urls)
    scene.settle(until=preferences.isActiveWindow)
    return group


def _scroll_down(scene: Scene) -> None:
    for area in scene.window.open_preferences().findChildren(QScrollArea):
        area.verticalScrollBar().setValue(area.verticalScrollBar().maximum())
    scene.settle()


@state("preferences: server tested")
def _(scene: Scene) -> None:
    group = _with_server(scene, f"{_SERVER} {_OTHER_SERVER}")
    group.test.click()
    scene.settle(until=lambda: _SERVES in group.status.text())
    _scroll_down(scene)


@state("preferences: server, asked for consent")
def _(scene: Scene) -> None:
    group = _with_server(scene, f"{_SERVER} {_OTHER_SERVER}")
    group.use.click()
    scene.settle()


@state("preferences: why not this engine")
def _(scene: Scene) -> None:
    STATES["preferences: speech_model"](scene)
    scene.window.open_preferences().speech_model.show_details.click()
    scene.settle()
    _scroll_down(scene)


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
