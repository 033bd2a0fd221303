"""The states of captions that go elsewhere: to other screens, to other programs, into a window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QScrollArea

from app.session.status import Stage
from app.ui.feeds.dialog import FeedsDialog
from app.ui.feeds.telling import is_trouble
from app.ui.state.feeds import FILE, OBS, ZOOM
from model_backends.base import Sentence
from tests.ui.photographs.registry import STATES, State, state
from tests.ui.photographs.scene import Scene

# --- the page for other screens ------------------------------------------------------------------


def _captions_page(on: bool, network: bool) -> State:
    def act(scene: Scene) -> None:
        scene.window.captions_page.port = 0  # whichever is free
        scene.open_window()
        scene.speak()
        scene.at_close.append(scene.window.captions_page.close)
        if on:
            scene.window.captions_page.switch(True, network)
        scene.window._show_captions_page()
        scene.settle()

    return act


STATES["dialog: captions page, off"] = _captions_page(False, False)
STATES["dialog: captions page, on"] = _captions_page(True, False)
STATES["dialog: captions page, in the network"] = _captions_page(True, True)


# --- other programs ------------------------------------------------------------------------------


def _opened(scene: Scene) -> FeedsDialog:
    scene.at_close.append(scene.parts.feeds.close)
    scene.open_window()
    scene.speak()
    scene.window.menus.feeds.trigger()
    scene.settle()
    (dialog,) = [each for each in QApplication.topLevelWidgets() if isinstance(each, FeedsDialog)]
    scene.settle(until=dialog.isActiveWindow)
    return dialog


@state("dialog: send captions to")
def _(scene: Scene) -> None:
    _opened(scene)


@state("dialog: send captions to, keyboard on a switch")
def _(scene: Scene) -> None:
    _opened(scene).zoom.switch.setFocus(Qt.FocusReason.TabFocusReason)
    scene.settle()


@state("dialog: send captions to, OBS is not there")
def _(scene: Scene) -> None:
    feeds = scene.parts.feeds
    _opened(scene)
    feeds.set_obs("ws://127.0.0.1:9", "Captions")  # where nobody listens
    feeds.switch(OBS, True)
    scene.settle(until=lambda: is_trouble(feeds.is_on(OBS), feeds.doing(OBS)))
    scene.settle(400)


@state("dialog: send captions to, another computer, asked for consent")
def _(scene: Scene) -> None:
    dialog = _opened(scene)
    dialog.obs.url.setText("ws://studio-mixer.broadcast.example:4455")
    dialog.obs.switch.click()
    scene.settle()


@state("dialog: send captions to, Zoom, that is no URL")
def _(scene: Scene) -> None:
    dialog = _opened(scene)
    dialog.zoom.url.setText("closedcaption?id=1")
    dialog.zoom.switch.click()
    scene.settle()


@state("dialog: send captions to, a file")
def _(scene: Scene) -> None:
    feeds = scene.parts.feeds
    dialog = _opened(scene)
    feeds.set_file(Path.home() / "Captions.srt")
    feeds.switch(FILE, True)
    scene.speak()
    scene.settle(until=lambda: (doing := feeds.doing(FILE)) is not None and doing.sent > 0)
    scene.settle(400)
    bar = dialog.findChildren(QScrollArea)[0].verticalScrollBar()
    bar.setValue(bar.maximum())
    scene.settle()


@state("main: a feed is in trouble")
def _(scene: Scene) -> None:
    scene.open_window()
    scene.speak(2)
    lost = Sentence("The meeting does not take captions any more.")
    scene.parts.feeds.problem.emit(ZOOM, lost, Sentence("Ask its host for a new caption URL."))
    scene.settle()


# --- dictation -----------------------------------------------------------------------------------


def _dictating(scene: Scene) -> None:
    scene.speak()
    scene.parts.dictation.switch(True)
    scene.at_close.append(scene.parts.dictation.close)
    scene.settle(until=scene.parts.badge.isVisible)


@state("captions: typed into the window in use")
def _(scene: Scene) -> None:
    _dictating(scene)


@state("captions: typed, but a window of ours has the keyboard")
def _(scene: Scene) -> None:
    scene.open_window()
    _dictating(scene)
    scene.settle(until=lambda: not scene.parts.dictation.types)
    scene.settle(400)


@state("captions: typed, but paused")
def _(scene: Scene) -> None:
    _dictating(scene)
    scene.reach(Stage.PAUSED, "Paused.")


@state("captions: typed, but off")
def _(scene: Scene) -> None:
    _dictating(scene)
    scene.reach(Stage.STOPPED, Sentence("Captions are off."))


@state("captions: typed, docked at the top")
def _(scene: Scene) -> None:
    scene.speak()
    scene.overlay.dock("top")
    scene.settle(200)
    _dictating(scene)


@state("captions: no typing here")
def _(scene: Scene) -> None:
    scene.speak()
    why = Sentence("This desktop lets no program type.")
    scene.parts.dictation.problem.emit(why, Sentence("Copy the words from the transcript."))
    scene.settle()
