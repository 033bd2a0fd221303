"""A session that does what a test says, and words by the line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject

from app.core.reheard import Reheard
from app.core.timeline import Gap, Timeline
from app.core.voices import ME
from app.session.session import Choices, SessionEvent, Stage, Status
from app.session.sources import SourceChoice
from app.settings import Settings
from app.ui.state.bridge import SessionBridge
from app.ui.state.captioning import Captioning
from app.ui.state.settings_store import SettingsStore
from model_backends.base import EngineOptions, Tail, Word
from model_backends.scripted import INFO

RATES = {240: 10.8, 480: 8.72, 960: 7.7, 2400: 6.73}


class FakeSession:
    """What `SessionBridge` needs of a session; `say()` puts events in and wakes."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self.info = replace(INFO, label="Voxtral Realtime", word_error_rate=RATES)
        self.delay_ms = self.chosen_delay_ms = 480
        self.source_name = "Built-in microphone"
        self.source_is_away = False
        self.voices: tuple[str, ...] = (ME,)
        self.status = Status(Stage.IDLE)
        self.level = 0.0
        self.levels: dict[str, float] = {}  # by lane
        self.sounds = True
        self.makes_room = False
        self.timeline = Timeline()
        self.predecessor: object = None
        self.calls: list[tuple[object, ...]] = []
        self.refusal: Exception | None = None
        self.pumps = 0
        self._wake = wake
        self._inbox: list[Any] = []

    def say(self, *events: Any) -> None:
        self._inbox += events
        self._wake()

    @property
    def over(self) -> bool:
        return self.status.stage.over

    def pump(self) -> list[SessionEvent]:
        self.pumps += 1
        events, self._inbox = self._inbox, []
        for event in events:
            if isinstance(event, Status):
                self.status = event
            elif isinstance(event, Choices):
                self.source_name, self.delay_ms = event.source_name, event.delay_ms
                self.chosen_delay_ms = event.chosen_delay_ms or event.delay_ms
                self.source_is_away, self.voices = event.source_is_away, event.voices
            elif isinstance(event, (Word, Gap, Tail, Reheard)):
                self.timeline.add(event)
        return events

    def has_loaded(self, options: EngineOptions) -> bool:
        """Another session never needs to wait."""
        return True

    def start(self) -> None:
        self._note("start")

    def pause(self) -> None:
        self._note("pause")

    def resume(self) -> None:
        self._note("resume")

    def set_delay(self, ms: int) -> None:
        self._note("set_delay", ms)
        self.delay_ms = self.chosen_delay_ms = ms

    def set_source(self, source: SourceChoice | None) -> None:
        self._note("set_source", source)

    def stop(self) -> None:
        self._note("stop")

    def abort(self) -> None:
        self._note("abort")

    def _note(self, *call: object) -> None:
        """Take the verb down, or refuse it."""
        if self.refusal:
            raise self.refusal
        self.calls.append(call)


def fake_bridge(parent: QObject | None = None) -> SessionBridge:
    """A bridge whose session is a fake."""
    return SessionBridge(FakeSession, parent)  # type: ignore[arg-type] # the check is in test_bridge


def fake_captioning(parent: QObject) -> Captioning:
    """A captioning whose sessions are fakes."""
    store = SettingsStore(Settings(engine="scripted"), parent)
    return Captioning(store, lambda settings, before: fake_bridge(parent), parent)


def faked(owner: SessionBridge | Captioning) -> FakeSession:
    """The fake that it takes for its session."""
    session: object = owner.session
    assert isinstance(session, FakeSession)
    return session


def words(text: str, language: str | None = "en", start_ms: int = 0) -> list[Word]:
    """One word a quarter of a second."""
    return [
        Word("me", 0, 0, f" {text}", at, at + 200, language)
        for at, text in zip(range(start_ms, 10**9, 250), text.split(), strict=False)
    ]
