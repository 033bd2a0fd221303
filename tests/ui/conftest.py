"""What several tests of the windows need: settings, and a captioning whose sessions are fakes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication

from app.session.session import Stage, Status
from app.settings import Settings
from app.ui.state.bridge import SessionBridge
from app.ui.state.captioning import Captioning
from app.ui.state.settings_store import SettingsStore
from tests.ui.overlay_fakes import FakeSession, fake_bridge, faked


class Rig:
    """A captioning and the fake sessions it has opened."""

    def __init__(self) -> None:
        self.store = SettingsStore(Settings(engine="scripted"))
        self.opened_with: list[Settings] = []
        self.sessions: list[FakeSession] = []
        self.refusal: Exception | None = None
        self.sounds_at_once = True
        self.captioning = Captioning(self.store, self._open)

    @property
    def session(self) -> FakeSession:
        """The newest."""
        return self.sessions[-1]

    @property
    def calls(self) -> list[object]:
        """What the newest session was told, in order."""
        return [call[0] for call in self.session.calls]

    def say(self, *events: object) -> None:
        """Let the newest session report these, and have them heard."""
        self.say_in(-1, *events)

    def say_in(self, number: int, *events: object) -> None:
        """… the session of this number."""
        self.sessions[number].say(*events)
        QApplication.processEvents()

    def reach(self, stage: Stage, message: str = "") -> None:
        """Let the newest session report this stage."""
        self.say(Status(stage, message))

    def _open(self, settings: Settings, predecessor: object) -> SessionBridge:
        if self.refusal:
            raise self.refusal
        self.opened_with.append(settings)
        bridge = fake_bridge()
        self.sessions.append(faked(bridge))
        self.session.predecessor = predecessor
        self.session.sounds = self.sounds_at_once
        return bridge


@pytest.fixture
def screen_reader(qapp: QApplication) -> Iterator[None]:
    """Qt believes that one is there."""
    QAccessible.setActive(True)
    yield
    QAccessible.setActive(False)


@pytest.fixture
def rig(qapp: QApplication) -> Iterator[Rig]:
    made = Rig()
    yield made
    made.store.flush()  # or it would write into the next test's folder
