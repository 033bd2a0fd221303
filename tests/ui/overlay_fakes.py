"""A session that does what a test says, and words by the line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from app.core.timeline import Timeline
from app.session.session import Stage, Status
from model_backends.base import Word
from model_backends.scripted import INFO

RATES = {240: 10.8, 480: 8.72, 960: 7.7, 2400: 6.73}


class FakeSession:
    """What `SessionBridge` needs of a session; `say()` puts events in and wakes."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self.info = replace(INFO, label="Voxtral Realtime", word_error_rate=RATES)
        self.delay_ms = 480
        self.source_name = "Built-in microphone"
        self.status = Status(Stage.IDLE)
        self.level = 0.0
        self.timeline = Timeline()
        self.calls: list[tuple[str, Any]] = []
        self.refusal: Exception | None = None
        self.pumps = 0
        self._wake = wake
        self._inbox: list[Any] = []

    def say(self, *events: Any) -> None:
        self._inbox += events
        self._wake()

    def pump(self) -> list[Any]:
        self.pumps += 1
        events, self._inbox = self._inbox, []
        for event in events:
            if isinstance(event, Status):
                self.status = event
            else:
                self.timeline.add(event)
        return events

    def __getattr__(self, verb: str) -> Callable[..., None]:
        """Any verb is taken down, or refused."""
        if verb.startswith("_"):
            raise AttributeError(verb)

        def call(*arguments: Any) -> None:
            if self.refusal:
                raise self.refusal
            self.calls.append((verb, *arguments))

        return call


def words(text: str, language: str | None = "en", start_ms: int = 0) -> list[Word]:
    """One word a quarter of a second."""
    return [
        Word("me", 0, 0, f" {text}", at, at + 200, language)
        for at, text in zip(range(start_ms, 10**9, 250), text.split(), strict=False)
    ]
