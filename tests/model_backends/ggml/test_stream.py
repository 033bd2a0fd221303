"""A stream on listenings of our own: what its rules do with a model that is never certain."""

from __future__ import annotations

import numpy as np
import pytest

from model_backends.base import Notice, Pcm, Progress, StreamOptions, Word
from model_backends.ggml.families import MOONSHINE
from model_backends.ggml.info import described
from model_backends.ggml.listening import Listening
from model_backends.ggml.stream import GgmlStream
from model_backends.guess import Guess
from tests.support.likeness import assert_like

SECOND = np.zeros(16_000, np.float32)


class Told:
    """Says, as a model that revises does, what it was told to; commits all at the end."""

    language: str | None = None
    tail = ""

    def __init__(self, words: list[Guess]) -> None:
        self.heard_ms = self.sure_ms = 0
        self._words = words

    def feed(self, pcm: Pcm, speech: float) -> list[Guess]:
        self.heard_ms += len(pcm) // 16
        return []

    def finish(self) -> list[Guess]:
        return [word for word in self._words if word.end_ms <= self.heard_ms]

    def close(self) -> None:
        pass


def test_the_listening_is_like_one() -> None:
    assert_like(Told, Listening, own=set())


class Rig:
    def __init__(self, words: list[Guess]) -> None:
        self.begun = 0
        self._words = words
        options = StreamOptions("me", 0, (1000,), 0, "en")
        self.stream = GgmlStream(options, described(MOONSHINE), MOONSHINE, self._lend)
        self.events: list[object] = []

    def _lend(self, stream: GgmlStream, delay_ms: int) -> Listening:
        self.begun += 1
        return Told(self._words)

    def hear(self, seconds: int, speech: float) -> None:
        for _ in range(seconds):
            self.stream.push(SECOND, speech)
            for _ in range(200):
                if not self.stream.work:
                    break
                self.events += self.stream.step()
            else:
                pytest.fail("it hears the same sound for ever")

    @property
    def heard_ms(self) -> int:
        return max(event.heard_ms for event in self.events if isinstance(event, Progress))


def test_a_long_line_that_is_never_certain_does_not_hold_it_up_for_ever() -> None:
    """No pause, and no two drafts that agree: a minute of singing, for one."""
    rig = Rig([Guess(" la", 9_000, 9_500)])
    rig.hear(60, speech=0.9)
    assert rig.heard_ms == 60_000
    words = [event for event in rig.events if isinstance(event, Word)]
    assert words[0].start_ms == 9_000, "its guess is better than none"
    assert words == sorted(words, key=lambda word: word.start_ms)


def test_a_pause_ends_such_a_line() -> None:
    rig = Rig([])
    rig.hear(60, speech=0.4)
    assert rig.heard_ms == 60_000 and rig.begun == 6


def test_where_nothing_is_ever_said_it_goes_on_and_tells_it_once() -> None:
    rig = Rig([])
    rig.hear(90, speech=0.9)
    assert rig.heard_ms == 90_000
    told = [event for event in rig.events if isinstance(event, Notice) and event.message]
    assert [notice.code for notice in told] == ["mute"]
