"""A client's conversation as a test plays it: its events and the engine's in, answers out."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

from app.share.realtime.conversation import Conversation
from app.share.realtime.speaker import Answer, Hangup, Hear, Said, Say, Serving
from app.worker.messages import Speech
from model_backends.base import Progress, Word
from model_backends.scripted import INFO

SERVING = Serving(replace(INFO, languages=("de", "en")), "scripted/hello")
SILENCE_S = bytes(32_000)  # a second at 16 kHz


def word(text: str, start_ms: int, utterance: int = 0) -> Word:
    return Word("stream 1", 0, utterance, text, start_ms, start_ms + 200)


def progress(ms: int) -> Progress:
    return Progress("stream 1", 0, ms, ms)


def speech(speaking: bool, at_ms: int) -> Speech:
    return Speech("stream 1", speaking, at_ms)


class Play:
    """Collects every answer; `said()` are the events without their ids."""

    def __init__(self, *events: dict[str, Any], serving: Serving = SERVING) -> None:
        self.conversation = Conversation(serving)
        self.answers: list[Answer] = self.conversation.greet()
        for event in events:
            self.client(event)

    def client(self, event: object) -> list[Answer]:
        text = event if isinstance(event, str) else json.dumps(event)
        return self._keep(self.conversation.hear(text))

    def sound(self, seconds: float, rate: int = 16_000) -> list[Answer]:
        pcm = bytes(round(rate * seconds) * 2)
        encoded = base64.b64encode(pcm).decode()
        return self.client({"type": "input_audio_buffer.append", "audio": encoded})

    def engine(self, *said: Said) -> list[dict[str, Any]]:
        answers = [answer for each in said for answer in self.conversation.take(each)]
        return events(self._keep(answers))

    def _keep(self, answers: list[Answer]) -> list[Answer]:
        self.answers += answers
        return answers

    def waits(self) -> bool:
        return self.conversation.waiting

    @property
    def said(self) -> list[dict[str, Any]]:
        return events(self.answers)

    @property
    def heard(self) -> list[Hear]:
        return [answer for answer in self.answers if isinstance(answer, Hear)]

    @property
    def hangups(self) -> list[Hangup]:
        return [answer for answer in self.answers if isinstance(answer, Hangup)]


def events(answers: list[Answer]) -> list[dict[str, Any]]:
    return [dict(answer.event) for answer in answers if isinstance(answer, Say)]


def kinds(said: list[dict[str, Any]]) -> list[str]:
    return [str(event["type"]) for event in said]
