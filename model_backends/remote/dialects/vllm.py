"""vLLM's /v1/realtime: 16 kHz, one delta for each 80 ms, `commit` begins and `final` ends.

    CONNECTING -> session.created -> READY -> commit -> STREAMING -> commit final -> FINISHING
    -> transcription.done -> READY

Written against vLLM 0.32 running and 0.33's source. Pure; see `base`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

from model_backends.remote.dialects.base import (
    TOO_MUCH,
    Ended,
    MisuseError,
    Ready,
    Said,
    Text,
    Trouble,
    Wishes,
    other_dialect,
    parsed,
    rest_of,
    text_in,
)

STEP_MS = 80
_PROMPT_TOKENS = 33  # before the delay: `<s>` and 32 of left padding
_MOST_DELAY = 30  # steps
_MOST_TEXT = 2_000  # characters in one step: more is no speech, and would be aligned for ever
_FATAL = ("model_not_found", "model_not_validated", "invalid_event")
_HARMLESS = ("unknown_event",)  # answers to what a server of another version does not know


class _State(Enum):
    CONNECTING = auto()
    READY = auto()
    STREAMING = auto()
    FINISHING = auto()
    DEAD = auto()


class Vllm:
    """One connection to a vLLM server."""

    stepped = True
    once = False
    turns_s = None
    lifetime_s = 1800.0  # then, after an utterance, whichever server is least busy by now

    def __init__(self, wishes: Wishes) -> None:
        self._model = wishes.model
        self._state = _State.CONNECTING
        self._said = ""

    @property
    def ready(self) -> bool:
        return self._state is _State.READY

    def opened(self) -> list[str]:
        return []  # the server speaks first

    def begin(self) -> list[str]:
        self._expect(_State.READY, "begin")
        self._state, self._said = _State.STREAMING, ""
        return [_event("input_audio_buffer.commit", final=False)]

    def append(self, pcm: bytes) -> list[str]:
        self._expect(_State.STREAMING, "append")
        return [_event("input_audio_buffer.append", audio=base64.b64encode(pcm).decode())]

    def end(self) -> list[str]:
        self._expect(_State.STREAMING, "end")
        self._state = _State.FINISHING
        return [_event("input_audio_buffer.commit", final=True)]

    def receive(self, frame: str) -> tuple[list[Said], list[str]]:
        event = parsed(frame)
        kind = text_in(event, "type")
        if kind == "session.created":
            return self._created(event)
        if kind == "transcription.delta" and self._transcribing:
            return self._delta(text_in(event, "delta")), []
        if kind == "transcription.done" and self._transcribing:
            return [self._done(event)], []
        if kind == "error":
            return self._error(text_in(event, "code"), text_in(event, "error")), []
        return [], []

    @property
    def _transcribing(self) -> bool:
        return self._state in (_State.STREAMING, _State.FINISHING)

    def _created(self, event: Mapping[str, Any]) -> tuple[list[Said], list[str]]:
        if self._state is not _State.CONNECTING:
            return [], []
        if wrong := other_dialect(event, "vllm"):
            self._state = _State.DEAD
            return [Trouble("fatal", wrong)], []
        self._state = _State.READY
        update = [_event("session.update", model=self._model)] if self._model else []
        return [Ready()], update

    def _delta(self, text: str) -> list[Said]:
        if len(text) > _MOST_TEXT:
            self._state = _State.DEAD
            return [Trouble("lost", TOO_MUCH)]
        self._said += text
        return [Text(text)]

    def _done(self, event: Mapping[str, Any]) -> Ended:
        asked = self._state is _State.FINISHING
        self._state = _State.READY
        return Ended(rest_of(text_in(event, "text"), self._said), asked, _delay_ms(event))

    def _error(self, code: str, message: str) -> list[Said]:
        if code in _HARMLESS or self._state is _State.DEAD:
            return []
        fatal = code in _FATAL
        if not (fatal or self._transcribing):
            return []
        self._state = _State.DEAD
        return [Trouble("fatal" if fatal else "lost", message or code)]

    def _expect(self, state: _State, verb: str) -> None:
        if self._state is not state:
            raise MisuseError(f"{verb} while {self._state.name}")


def _event(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, **fields})


def _delay_ms(event: Mapping[str, Any]) -> int | None:
    """The model's delay: the prompt is `<s>`, the left padding and the delay."""
    usage = event.get("usage")
    count = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    steps = count - _PROMPT_TOKENS if type(count) is int else 0
    return steps * STEP_MS if 0 < steps <= _MOST_DELAY else None
