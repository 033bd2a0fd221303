"""What a session was asked to do, and what the user is told of how it is doing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Stage(StrEnum):
    """What a session is doing, as the user sees it."""

    IDLE = "idle"
    STARTING = "starting"
    LISTENING = "listening"
    SPEECH = "speech"
    NO_SOUND = "no sound"
    CATCHING_UP = "catching up"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What the user chose. None or empty: the default."""

    engine: str = "embedded"
    model: str | None = None
    device: str | None = None
    precision: str | None = None  # of the weights, where the engine offers a choice
    delay_ms: int | None = None
    language: str | None = None
    source: str | None = None  # id or name of a source, or the path of a file
    srt: Path | None = None
    force: bool = False
    seconds: float | None = None
    sample_if_no_source: bool = False  # no microphone at all: caption the bundled sample, say so
    keep_transcript: bool = True  # False: no journal, no subtitle file


@dataclass(frozen=True, slots=True)
class Status:
    """The stage, a sentence for people, and what to do next."""

    stage: Stage
    message: str = ""
    hint: str = ""
    fraction: float | None = None  # of loading
    lag_ms: int = 0  # audio not yet heard, while catching up
