"""One client's conversation: its first event says which dialect it speaks, the rest goes there.

Text frames in, answers out; what is no JSON, no event, or too much of that is answered here.
Knows no socket and no clock.
"""

from __future__ import annotations

import json
from typing import Any

from app.share.realtime.openai import OpenAI
from app.share.realtime.speaker import (
    Answer,
    Dialect,
    Event,
    Hangup,
    RefusedError,
    Said,
    Say,
    Serving,
)
from app.share.realtime.vllm import Vllm

POLICY_VIOLATION = 1008
OVERLOADED = 1013
_MOST_REFUSALS = 100  # in a row: who is refused so often does not read the answers


class Conversation:
    """From the greeting to the end."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._greeter = OpenAI(serving)
        self._dialect: Dialect = self._greeter
        self._known = False  # the dialect, by the first event
        self._refusals = 0

    @property
    def waiting(self) -> bool:
        """Something has been said of which not all words are out."""
        return self._dialect.waiting

    def greet(self) -> list[Answer]:
        """What a client of either dialect waits for."""
        return [self._greeter.created()]

    def hear(self, text: str) -> list[Answer]:
        """A text frame of the client's."""
        event_id: Any = None
        try:
            event = _read(text)
            event_id = event.get("event_id")
            self._choose(event)
            answers = self._dialect.hear(event)
        except RefusedError as error:
            self._refusals += 1
            told: list[Answer] = [Say(self._dialect.refusal(error, event_id))]
            if self._refusals >= _MOST_REFUSALS:
                told.append(Hangup(POLICY_VIOLATION, "too many events that make no sense"))
            return told
        self._refusals = 0
        return answers

    def take(self, said: Said) -> list[Answer]:
        """What the engine has said on the client's lane."""
        return self._dialect.take(said)

    def end(self) -> list[Answer]:
        """The server stops, or the client does: end what is being said."""
        return self._dialect.end()

    def fail(self, code: str, message: str, close: int) -> list[Answer]:
        """Tell why it ends here, and end it."""
        error = RefusedError(code, message)
        return [Say(self._dialect.refusal(error)), Hangup(close, message)]

    def _choose(self, event: Event) -> None:
        if self._known:
            return
        self._known = True
        updates = event.get("type") == "session.update" and isinstance(event.get("model"), str)
        if updates or event.get("type") == "input_audio_buffer.commit":
            self._dialect = Vllm(self._serving)


def _read(text: str) -> dict[str, Any]:
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        raise RefusedError("invalid_json", "That is no JSON.") from None
    if "\\u" in text and not _is_writable(event):
        raise RefusedError("invalid_json", "That is half of a character.")
    if not isinstance(event, dict):
        raise RefusedError("invalid_event", "An event is a JSON object with a “type”.")
    return event


def _is_writable(value: object) -> bool:
    """Whether there is no half of a surrogate pair in it, which could not be sent back."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
