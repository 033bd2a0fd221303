"""What both dialects share: the answers there are, a client's timeline, what is said to it.

A dialect gets a client's events and the engine's, and answers with values of these types; it has
no socket, thread or clock, so that a test is a playbook. Lane time counts from the client's first
sample; between two turns it skips, so that a turn's words are known by their times.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from app.core.timeline import Gap
from app.worker.messages import Speech
from model_backends.base import SAMPLE_RATE, EngineError, EngineInfo, Notice, Progress, Word

BETWEEN_TURNS_MS = 1_000  # of lane time, in which there is no sound
_PER_MS = SAMPLE_RATE // 1000

Event: TypeAlias = Mapping[str, Any]  # one JSON object
Said: TypeAlias = Word | Progress | Speech | Notice | Gap  # by the engine's client, on our lane


class RefusedError(Exception):
    """What a client asked for cannot be done; the connection stays. `param`: which field."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.param = code, message, param


@dataclass(frozen=True, slots=True)
class Say:
    """Send this event to the client."""

    event: Event


@dataclass(frozen=True, slots=True)
class Hear:
    """Sound for the engine: int16 little-endian mono at 16 kHz, `index` as in `Chunk`."""

    start_ms: int
    index: int
    pcm: bytes

    @property
    def end_ms(self) -> int:
        return self.start_ms + len(self.pcm) // 2 // _PER_MS


@dataclass(frozen=True, slots=True)
class Flush:
    """The turn is over: hear out what was said."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """The language that is spoken from the first sound on; None: the engine finds out."""

    language: str | None


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the connection, once all that was said before has been sent."""

    code: int
    reason: str


Answer: TypeAlias = Say | Hear | Flush | Spoken | Hangup


@dataclass(frozen=True, slots=True)
class Serving:
    """What is served: the engine and what it was loaded with."""

    info: EngineInfo
    model: str  # the name clients are told
    loaded: str | None = None  # … and the engine; None: its default
    language: str | None = None  # for whoever names none

    def spoken(self, given: str, field: str) -> str | None:
        """A language that a client names, as the engine is told it; None: the engine finds out.
        Raises RefusedError, about the `field`."""
        if not self.info.languages:
            return None
        language = given.lower().split("-")[0]
        try:
            self.info.check_language(language, self.loaded)
        except EngineError as error:
            message = f"{error.message} {error.hint}".strip()
            raise RefusedError("invalid_value", message, field) from None
        return language


class Dialect(Protocol):
    """One client's side of the conversation."""

    def hear(self, event: Event) -> list[Answer]:
        """A client's event. Raises RefusedError."""

    def take(self, said: Said) -> list[Answer]:
        """What the engine has said."""

    def end(self) -> list[Answer]:
        """The server stops: end what is being said."""

    def refusal(self, error: RefusedError, event_id: object = None) -> Event:
        """The event that tells it."""

    @property
    def waiting(self) -> bool:
        """Something has been said of which not all words are out."""


class Tape:
    """Where the client's sound lies on its lane."""

    def __init__(self) -> None:
        self._index = 0
        self.in_turn = 0  # samples since the last cut

    @property
    def now_ms(self) -> int:
        return self._index // _PER_MS

    def add(self, pcm: bytes) -> list[Answer]:
        """The next sound; nothing for none."""
        if not pcm:
            return []
        heard = Hear(self.now_ms, self._index, pcm)
        self._index += len(pcm) // 2
        self.in_turn += len(pcm) // 2
        return [heard]

    def cut(self) -> list[Answer]:
        """A turn ends here; nothing if there has been no sound since the last did."""
        if not self.in_turn:
            return []
        self._index += BETWEEN_TURNS_MS * _PER_MS
        self.in_turn = 0
        return [Flush()]


def new_id(kind: str) -> str:
    """A name nobody else has: "item_1f…"."""
    return f"{kind}_{secrets.token_hex(10)}"


def text_of(event: Event, name: str) -> str:
    """A field that must be text. Raises RefusedError."""
    value = event.get(name)
    if not isinstance(value, str):
        raise RefusedError("invalid_value", f"“{name}” must be a text.", name)
    return value
