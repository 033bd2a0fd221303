"""Mistral's hosted realtime transcription: settings before any sound, one utterance a connection.

    CONNECTING -> session.created -> CONFIGURING -> session.updated -> READY -> STREAMING
    -> input_audio.end -> FINISHING -> transcription.done -> OVER

The settings lock with the first sound, so `session.update` is never sent later. Pure; see `base`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

from model_backends.remote.dialects.base import (
    MOST_TEXT,
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

_MOST_BYTES = 262_144  # of sound in one frame
_FULL = (429, 503)
_FATAL = (400, 401, 402, 403, 404, 422)


class _State(Enum):
    CONNECTING = auto()
    CONFIGURING = auto()
    READY = auto()
    STREAMING = auto()
    FINISHING = auto()
    OVER = auto()


class Mistral:
    """One connection."""

    stepped = False
    once = True
    turns_s = None
    lifetime_s = 3300.0

    def __init__(self, wishes: Wishes) -> None:
        self._wishes = wishes
        self._state = _State.CONNECTING
        self._said = ""

    @property
    def ready(self) -> bool:
        return self._state is _State.READY

    def opened(self) -> list[str]:
        return []

    def begin(self) -> list[str]:
        self._expect(_State.READY, "begin")
        self._state = _State.STREAMING
        return []

    def append(self, pcm: bytes) -> list[str]:
        self._expect(_State.STREAMING, "append")
        parts = (pcm[at : at + _MOST_BYTES] for at in range(0, len(pcm), _MOST_BYTES))
        return [_event("input_audio.append", audio=base64.b64encode(p).decode()) for p in parts]

    def end(self) -> list[str]:
        self._expect(_State.STREAMING, "end")
        self._state = _State.FINISHING
        return [_event("input_audio.end")]

    def receive(self, frame: str) -> tuple[list[Said], list[str]]:
        event = parsed(frame)
        kind = text_in(event, "type")
        if kind == "session.created" and self._state is _State.CONNECTING:
            return self._created(event)
        if kind == "session.updated" and self._state is _State.CONFIGURING:
            self._state = _State.READY
            return [Ready()], []
        if kind == "transcription.text.delta" and self._transcribing:
            return [self._say(text_in(event, "text"))], []
        if kind == "transcription.done" and self._transcribing:
            return [self._done(text_in(event, "text"))], []
        if kind == "error":
            return self._error(event), []
        return [], []

    @property
    def _transcribing(self) -> bool:
        return self._state in (_State.STREAMING, _State.FINISHING)

    def _created(self, event: Mapping[str, Any]) -> tuple[list[Said], list[str]]:
        if wrong := other_dialect(event, "mistral"):
            self._state = _State.OVER
            return [Trouble("fatal", wrong)], []
        self._state = _State.CONFIGURING
        session: dict[str, Any] = {"audio_format": {"encoding": "pcm_s16le", "sample_rate": 16000}}
        wishes = self._wishes
        if wishes.delay_ms is not None:
            session["target_streaming_delay_ms"] = wishes.delay_ms
        if wishes.language is not None:
            session["language"] = wishes.language
        if wishes.hotwords:
            session["context_bias"] = list(wishes.hotwords)
        return [], [_event("session.update", session=session)]

    def _say(self, text: str) -> Said:
        if len(self._said) + len(text) > MOST_TEXT:
            self._state = _State.OVER
            return Trouble("lost", TOO_MUCH)
        self._said += text
        return Text(text)

    def _done(self, whole: str) -> Said:
        asked, self._state = self._state is _State.FINISHING, _State.OVER
        if len(whole) > MOST_TEXT:
            return Trouble("lost", TOO_MUCH)
        return Ended(rest_of(whole, self._said), asked)

    def _error(self, event: Mapping[str, Any]) -> list[Said]:
        error = event.get("error")
        error = error if isinstance(error, dict) else {}
        code, message = error.get("code"), error.get("message")
        text = message if isinstance(message, str) else json.dumps(message)
        configured = self._state not in (_State.CONNECTING, _State.CONFIGURING)
        self._state = _State.OVER
        if code in _FULL:
            return [Trouble("full", text)]
        return [Trouble("fatal" if code in _FATAL or not configured else "lost", text)]

    def _expect(self, state: _State, verb: str) -> None:
        if self._state is not state:
            raise MisuseError(f"{verb} while {self._state.name}")


def _event(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, **fields})
