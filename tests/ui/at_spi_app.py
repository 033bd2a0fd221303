"""The windows, in a process of their own, for tests of what assistive technology finds in them.

    python -m tests.ui.at_spi_app

Shows captions, main window and preferences with sessions that are fakes. Each line on stdin is an
order: the name of a page of the preferences, "trouble", "well", "speak", "hello", or "quit".
"""

from __future__ import annotations

import sys

from PySide6.QtWidgets import QApplication

from app.core.timeline import Gap
from app.session.status import Stage, Status
from app.settings import Settings
from app.ui.desktop.hotkeys import Hotkeys
from app.ui.desktop.read_aloud import ReadAloud
from app.ui.desktop.verbs import keys_for_captions, offer_all
from app.ui.main_window import window as main_window
from app.ui.main_window.window import MainWindow
from app.ui.overlay import window as overlay_window
from app.ui.overlay.window import CaptionOverlay
from app.ui.state.captioning import Captioning
from app.ui.state.commands import Commands
from app.ui.state.settings_store import SettingsStore
from app.ui.widgets import theme
from app.ui.widgets.banner import announce
from tests.ui.desktop.fake_keys import FakeKeys
from tests.ui.overlay_app import Orders, leave, tell
from tests.ui.overlay_fakes import fake_bridge, faked, words

NAME = "Voxline under test"
TEXT, MORE = "Good morning. This is a caption", "that ends here. Another begins"


class Windows:
    """All of them, and what is said in them."""

    def __init__(self) -> None:
        chosen = Settings(
            engine="scripted", told={"kept": True}, read_finished_lines=True, source="device:usb"
        )
        self.store = SettingsStore(chosen)
        self.captioning = Captioning(self.store, lambda settings, before: fake_bridge())
        self.captions = CaptionOverlay(chosen.overlay, self.store.set_overlay)
        commands = Commands()
        offer_all(commands, self.captions, self.captioning, self.store)
        hotkeys = Hotkeys(self.store, commands, open_keys=FakeKeys().open)
        self.window = MainWindow(self.captioning, self.store)
        self.window.follow(commands, hotkeys)
        self.captions.follow(self.captioning)
        hotkeys.changed.connect(lambda: self.captions.show_keys(keys_for_captions(hotkeys)))
        hotkeys.start()
        self.reader = ReadAloud(
            self.captioning, self.store, lambda text: announce(self.captions.captions, text)
        )
        self.captioning.start()
        self.captions.show()
        self.window.show()
        self.preferences = self.window.open_preferences()

    def say(self, *events: object) -> None:
        faked(self.captioning).say(*events)

    def obey(self, order: str) -> None:
        if order == "quit":
            QApplication.exit(0)
        elif order == "trouble":
            self.say(Status(Stage.NO_SOUND, "No sound is arriving.", "Is it muted?"))
        elif order == "well":
            self.say(Status(Stage.SPEECH))
        elif order == "hello":
            announce(self.window, "Hello")
        elif order == "speak":
            self.say(*words(MORE, start_ms=40_000))
        else:
            self.preferences.show_page(getattr(self.preferences, order))
        QApplication.processEvents()
        tell(obeyed=order)


def main() -> None:
    app = QApplication([*sys.argv[:1], *theme.STYLE])
    app.setApplicationName(NAME)
    app.setQuitOnLastWindowClosed(False)
    theme.apply(app)
    for window in (main_window, overlay_window):
        vars(window)["list_sources"] = list
    windows = Windows()
    windows.say(Status(Stage.SPEECH), *words(TEXT), Gap("me", 20_000, 30_000, "pause"))
    orders = Orders()
    orders.came.connect(windows.obey)
    orders.listen()
    tell(ready=True)
    app.exec()
    leave()


if __name__ == "__main__":
    main()
