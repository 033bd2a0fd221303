"""The whole windowed app on the screen, its sessions, sources and keys being fakes.

Built and connected by `app.main`, as users have it. A scene is one state: it is closed before the
next one begins. Knows nothing of pictures.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QRectF, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

from app import main
from app.audio.devices.base import SourceInfo
from app.language import NAMES as LANGUAGES
from app.main import Parts
from app.session.status import Stage, Status
from app.settings import Settings
from app.ui.desktop import application, hotkeys
from app.ui.desktop.application import Application
from app.ui.main_window import window as main_window
from app.ui.overlay import floating
from app.ui.overlay import window as overlay_window
from app.ui.overlay.window import CaptionOverlay
from app.ui.preferences.scenery import paint_scenery
from app.ui.state import new_session
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import theme
from tests.ui.desktop.fake_keys import FakeKeys
from tests.ui.overlay_fakes import FakeSession, fake_bridge, faked
from tests.ui.photographs.texts import said

_SETTLED_MS = 60  # instead of half a second: nobody moves these windows
_TURN_MS = 5
_PATIENCE_S = 60.0
SOURCES = [
    SourceInfo("alsa_input.pci-0000_00_1f.3.analog", "Built-in Audio Analog Stereo", "microphone"),
    SourceInfo(
        "alsa_input.usb-Blue_Yeti-00", "Yeti Stereo Microphone (USB, rear panel of the dock) №2",
        "microphone", default=True,
    ),
    SourceInfo("alsa_output.pci-0000_00_1f.3.monitor", "Speakers", "system", default=True),
    SourceInfo("application:firefox", "Firefox", "application"),
]  # fmt: skip
NAMES = (
    "Word,Sounds like,Alert\n"
    "Margarethe Weißenbrunner,margaret wise bruner;margarete,yes\nKubernetes,cooper netties,\n"
)
LOOKS = {
    "light": theme.LIGHT,
    "dark": theme.DARK,
    "high": theme.HIGH_DARK,
    "high-light": theme.HIGH_LIGHT,
}


def make_app() -> Application:
    """The application, with the edges of the machine replaced: sound sources and keys."""
    app = application.make_app()
    for module in (main_window, overlay_window):
        vars(module)["list_sources"] = lambda: SOURCES
    vars(new_session)["open_session"] = lambda settings, before=None: fake_bridge()
    vars(hotkeys)["Hotkeys"] = partial(hotkeys.Hotkeys, open_keys=FakeKeys().open)
    vars(floating)["SETTLE_MS"] = _SETTLED_MS
    return app


def dress(app: Application, look: str) -> None:
    """As the desktop's wish for this look does: a bare X server's wishes cannot be changed."""
    vars(theme)["colors"] = lambda: LOOKS[look]
    theme._dress(app)


class Desktop(QWidget):
    """What is behind: a view, as bright and dark as what captions lie on in life."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowFlags(Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_X11NetWmWindowTypeDesktop)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setGeometry(QGuiApplication.primaryScreen().geometry())

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_scenery(QPainter(self), QRectF(self.rect()))


class Scene:
    """The app, begun with these settings. `script` is that of what is said in it."""

    def __init__(
        self,
        app: Application,
        script: str,
        settings: Settings | None = None,
        language: str = "",
    ) -> None:
        """`language`: of the windows, one of ours; they speak it already."""
        self.app, self.script = app, script
        self.at_close: list[Callable[[], object]] = []
        chosen = settings or Settings(engine="scripted", told={"kept": True}, names=NAMES)
        ours = language if language in LANGUAGES else ""
        self.store = SettingsStore(replace(chosen, interface_language=ours))
        self.overlay = CaptionOverlay(chosen.overlay, self.store.set_overlay)
        self.overlay.show()
        captioning = main._captioning(self.store, listens=False)
        self.parts: Parts = main._build(app, self.store, self.overlay, captioning)
        main._connect(self.parts)
        self.window = self.parts.window
        self.window.look_around()
        self.parts.hotkeys.start()
        self.parts.captioning.start()
        self.settle()

    @property
    def session(self) -> FakeSession:
        return faked(self.parts.captioning)

    def say(self, *events: object) -> None:
        """Let the session report these, and have them shown."""
        self.session.say(*events)
        self.settle()

    def reach(self, stage: Stage, message: str = "", hint: str = "", **more: object) -> None:
        self.say(Status(stage, message, hint, **more))  # type: ignore[arg-type]

    def speak(self, repeats: int = 1) -> None:
        """Captions flow: a level, a stage that is well, words."""
        self.session.level = 0.3
        self.parts.captioning.level.emit(0.3)
        self.say(Status(Stage.SPEECH), *said(self.script, repeats))

    def open_window(self) -> None:
        """The main window, where it is at the first start."""
        self.window.place_clear_of(self.overlay.whole_place)
        self.window.show()
        self.window.activateWindow()
        self.settle()

    def settle(self, ms: int = 60, until: Callable[[], bool] = lambda: True) -> None:
        """Let everything be shown and come to rest."""
        begun = time.monotonic()
        turn = QEventLoop()  # which waits, as the app does: before that, requests are sent
        while True:
            QTimer.singleShot(_TURN_MS, turn.quit)
            turn.exec()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            waited = time.monotonic() - begun
            if waited >= ms / 1000 and self._is_placed and until():
                return
            if waited > _PATIENCE_S:
                raise TimeoutError("the windows do not come to rest")

    @property
    def _is_placed(self) -> bool:
        """Every window is on the screen, and Qt knows where."""
        shown = (each.windowHandle() for each in QApplication.topLevelWidgets() if each.isVisible())
        if not all(handle is not None and handle.isExposed() for handle in shown):
            return False
        return self.overlay.place_is_certain or not self.overlay.isVisible()

    def close(self) -> None:
        """All windows gone, and forgotten; what a state has begun ends."""
        for end in self.at_close:
            end()
        self.overlay.end()
        self.store.flush()
        popup = QApplication.activePopupWidget()
        while popup is not None:
            popup.close()
            popup = QApplication.activePopupWidget()
        self.parts.hotkeys.close()
        for window in QApplication.topLevelWidgets():
            if not isinstance(window, Desktop):
                window.close()
                window.deleteLater()
        self.parts.captioning.deleteLater()
        self.parts.hotkeys.deleteLater()  # or the next language would be told to windows of before
        QApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
