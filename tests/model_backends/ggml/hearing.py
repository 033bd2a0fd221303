"""Hearing with the ggml engine in tests: bursts of noise, streams pushed in frames, what came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import model_backends
from model_backends.base import SAMPLE_RATE, Event, LoadOptions, Notice, Pcm, StreamOptions, Word
from model_backends.ggml.engine import GgmlEngine
from model_backends.ggml.stream import GgmlStream

FRAME = 512  # samples, as the gate hands them on
EVERY_MS, LONG_MS, FIRST_MS = 750, 400, 500  # bursts: from one to the next, of one, the first

Hook = Callable[[GgmlStream, int], None]  # called before each push with the sample position


def load(file: Path, realtime: bool = True, **others: Any) -> GgmlEngine:
    options = LoadOptions(str(file), "cpu", file.parent, realtime=realtime, **others)
    engine = model_backends.load("ggml", options, lambda fraction, what: None)
    assert isinstance(engine, GgmlEngine)
    engine._clock = lambda: 0.0  # of whatever computer: no chunk grows because a test was stopped
    return engine


def bursts(count: int) -> Pcm:
    """So many bursts of noise, and silence between and behind them."""
    noise = np.random.default_rng(1)
    sound = np.zeros(_samples(FIRST_MS + EVERY_MS * count + 500), np.float32)
    for number in range(count):
        begin = _samples(FIRST_MS + EVERY_MS * number)
        loud = noise.standard_normal(_samples(LONG_MS)) / 10
        sound[begin : begin + len(loud)] = loud
    return sound


def _samples(ms: int) -> int:
    return ms * SAMPLE_RATE // 1000


@dataclass
class Heard:
    events: list[Event] = field(default_factory=list)

    @property
    def words(self) -> list[Word]:
        return [event for event in self.events if isinstance(event, Word)]

    @property
    def text(self) -> str:
        return "".join(word.text for word in self.words).strip()

    def notices(self, code: str) -> list[Notice]:
        found = [event for event in self.events if isinstance(event, Notice)]
        return [notice for notice in found if notice.code == code]


def hear(
    engine: GgmlEngine,
    pcm: Pcm,
    delay_ms: int,
    *,
    speech: float = 0.0,
    realtime: bool = True,
    language: str | None = None,
    piece: int = FRAME,
    hook: Hook | None = None,
) -> Heard:
    """Push `pcm` piece by piece, and flush. With `speech` 0 the mute guard never steps in."""
    options = StreamOptions("me", 3, (delay_ms,), 1_000, language, realtime)
    stream, heard = engine.open(options), Heard()
    for at in range(0, len(pcm), piece):
        if hook is not None:
            hook(stream, at)
        stream.push(pcm[at : at + piece], speech)
        heard.events += engine.advance()
    stream.finish()
    while not stream.done:
        heard.events += engine.advance()
    return heard
