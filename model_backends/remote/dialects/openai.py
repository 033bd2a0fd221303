"""OpenAI's realtime transcription, which our own endpoint and others speak, too: 24 kHz, turns.

    CONNECTING -> session.created -> CONFIGURING -> session.updated -> READY -> STREAMING
    -> commit -> FINISHING -> every item completed -> READY

`commit` ends a turn here; in vLLM's dialect the same word begins one. Text is keyed by item and
passed on in the order of the items, whatever the order in which they are completed. Pure.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import numpy as np
import soxr

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

_RATE, _OURS = 24_000, 16_000
_MOST_BYTES = 4 << 20  # of sound in one frame; 15 MiB are allowed
_FATAL = (
    "invalid_api_key", "model_not_found", "insufficient_quota", "unsupported_model",
    "invalid_value", "unknown_parameter", "missing_required_parameter",
)  # fmt: skip
_FULL = ("rate_limit_exceeded", "server_overloaded", "server_full", "too_many_sessions")
_EMPTY = "input_audio_buffer_commit_empty"
_ITEM = "conversation.item.input_audio_transcription."


class _State(Enum):
    CONNECTING = auto()
    CONFIGURING = auto()
    READY = auto()
    STREAMING = auto()
    FINISHING = auto()
    DEAD = auto()


@dataclass(slots=True)
class _Item:
    """One committed piece of sound."""

    name: str
    said: str = ""
    waiting: str = ""  # text that may not be passed on before the items ahead are completed
    completed: bool = False


class Openai:
    """One connection."""

    stepped = False
    once = False
    turns_s = (8.0, 25.0)
    lifetime_s = 3300.0  # a session ends after 60 minutes

    def __init__(self, wishes: Wishes) -> None:
        self._wishes = wishes
        self._state = _State.CONNECTING
        self._items: list[_Item] = []
        self._committed = 0  # items of our own commit, which must be completed before the end
        self._resample = soxr.ResampleStream(_OURS, _RATE, 1, dtype="int16")

    @property
    def ready(self) -> bool:
        return self._state is _State.READY

    def opened(self) -> list[str]:
        return []

    def begin(self) -> list[str]:
        self._expect(_State.READY, "begin")
        self._state, self._committed = _State.STREAMING, 0
        self._items = [item for item in self._items if not item.completed]
        self._resample = soxr.ResampleStream(_OURS, _RATE, 1, dtype="int16")
        return []

    def append(self, pcm: bytes) -> list[str]:
        self._expect(_State.STREAMING, "append")
        return self._audio(pcm, last=False)

    def end(self) -> list[str]:
        self._expect(_State.STREAMING, "end")
        self._state = _State.FINISHING
        return [*self._audio(b"", last=True), _event("input_audio_buffer.commit")]

    def receive(self, frame: str) -> tuple[list[Said], list[str]]:
        event = parsed(frame)
        kind = text_in(event, "type")
        if kind == "session.created" and self._state is _State.CONNECTING:
            return self._created(event)
        if kind == "session.updated" and self._state is _State.CONFIGURING:
            self._state = _State.READY
            return [Ready()], []
        if kind == "input_audio_buffer.committed":
            self._commit(event)
            return self._news(), []
        if kind.startswith(_ITEM):
            return self._transcribed(kind.removeprefix(_ITEM), event), []
        if kind == "error":
            return self._error(event.get("error")), []
        return [], []

    # --- the session -----------------------------------------------------------------------

    def _created(self, event: Mapping[str, Any]) -> tuple[list[Said], list[str]]:
        if wrong := other_dialect(event, "openai"):
            self._state = _State.DEAD
            return [Trouble("fatal", wrong)], []
        self._state = _State.CONFIGURING
        wishes = self._wishes
        transcription: dict[str, Any] = {}
        if wishes.model:
            transcription["model"] = wishes.model
        if wishes.language is not None:
            transcription["language"] = wishes.language
        if wishes.hotwords:
            transcription["prompt"] = ", ".join(wishes.hotwords)
        audio = {
            "format": {"type": "audio/pcm", "rate": _RATE},
            "transcription": transcription,
            "turn_detection": None,
        }
        session = {"type": "transcription", "audio": {"input": audio}}
        return [], [_event("session.update", session=session)]

    def _audio(self, pcm: bytes, last: bool) -> list[str]:
        samples = np.frombuffer(pcm, "<i2")
        data = self._resample.resample_chunk(samples, last).astype("<i2").tobytes()
        parts = (data[at : at + _MOST_BYTES] for at in range(0, len(data), _MOST_BYTES))
        return [
            _event("input_audio_buffer.append", audio=base64.b64encode(part).decode())
            for part in parts
        ]

    # --- its items -------------------------------------------------------------------------

    def _commit(self, event: Mapping[str, Any]) -> None:
        name, before = text_in(event, "item_id"), text_in(event, "previous_item_id")
        item = next((each for each in self._items if each.name == name), None)
        if item is not None:
            self._items.remove(item)
        names = [each.name for each in self._items]
        at = names.index(before) + 1 if before in names else len(names)
        self._items.insert(at, item or _Item(name))
        self._committed += self._state is _State.FINISHING

    def _transcribed(self, what: str, event: Mapping[str, Any]) -> list[Said]:
        item = self._item(text_in(event, "item_id"))
        if what == "delta":
            self._say(item, text_in(event, "delta"))
        elif what == "completed":
            self._say(item, rest_of(text_in(event, "transcript"), item.said))
            item.completed = True
        elif what == "failed":
            error = event.get("error")
            self._state = _State.DEAD
            return [Trouble("lost", text_in(error, "message") if isinstance(error, dict) else "")]
        if len(item.said) > MOST_TEXT:
            self._state = _State.DEAD
            return [Trouble("lost", TOO_MUCH)]
        return self._news()

    def _item(self, name: str) -> _Item:
        for item in self._items:
            if item.name == name:
                return item
        self._items.append(_Item(name))
        return self._items[-1]

    @staticmethod
    def _say(item: _Item, text: str) -> None:
        item.said += text
        item.waiting += text

    def _news(self) -> list[Said]:
        """The text whose turn has come, and the end of ours."""
        said: list[Said] = []
        for item in self._items:
            if item.waiting:
                said.append(Text(item.waiting))
                item.waiting = ""
            if not item.completed:
                return said
        if self._state is _State.FINISHING and self._committed:
            self._state = _State.READY
            said.append(Ended())
        return said

    def _error(self, error: Any) -> list[Said]:
        error = error if isinstance(error, dict) else {}
        code, message = text_in(error, "code"), text_in(error, "message")
        if code == _EMPTY and self._state is _State.FINISHING:
            self._state = _State.READY
            return [Ended()]
        connecting = self._state in (_State.CONNECTING, _State.CONFIGURING)
        if code in _FULL:
            kind = "full"
        elif connecting or code in _FATAL:
            kind = "fatal"
        elif self._state in (_State.STREAMING, _State.FINISHING):
            kind = "lost"
        else:
            return []
        self._state = _State.DEAD
        return [Trouble(kind, message or code)]

    def _expect(self, state: _State, verb: str) -> None:
        if self._state is not state:
            raise MisuseError(f"{verb} while {self._state.name}")


def _event(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, **fields})
