"""The ggml engine in its worker: killed in the midst of speech, stopped, its delay changed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.audio.files import int16_bytes, open_sound
from app.core.chunk import Chunk
from app.worker import messages as m
from model_backends.base import Progress, Word
from tests.model_backends.ggml.conftest import tiny  # noqa: F401 - a fixture
from tests.model_backends.voxtral.transcribing import ITEMS, TINY, reference_text
from tests.worker.helpers import Collector

CLIP = "join_03"


@pytest.fixture
def collector(tiny: Path) -> Iterator[Collector]:  # noqa: F811
    made = Collector(
        m.Start(
            m.PROTOCOL_VERSION, "ggml", str(tiny.parent), model=str(tiny), device="cpu",
            delays_ms=(480,), vad="webrtc",
        )
    )  # fmt: skip
    made.client.start()
    yield made
    made.client.kill()


def chunks() -> list[Chunk]:
    """A clip as the capture would deliver it, with a second of silence behind it."""
    found, index = [], 0
    with open_sound(TINY / ITEMS[CLIP]["file"]) as sound:
        blocks = [int16_bytes(block) for block in sound.blocks(100)]
    for pcm in [*blocks, *[bytes(3200)] * 10]:
        found.append(Chunk("me", index // 16, index, pcm))
        index += len(pcm) // 2
    return found


def heard_to(collector: Collector, ms: int) -> None:
    while not any(isinstance(e, Progress) and e.heard_ms >= ms for e in collector.events):
        collector.wait_for(Progress, len(collector.of(Progress)) + 1)


def send(collector: Collector, number: signal.Signals) -> None:
    assert collector.client.worker_pid is not None
    os.kill(collector.client.worker_pid, number)


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
def test_killed_stopped_and_changed_it_loses_and_doubles_no_word(collector: Collector) -> None:
    sound = chunks()
    third = len(sound) // 3
    for chunk in sound[:third]:
        collector.client.push(chunk)
    collector.wait_for(Word, 1)
    send(collector, signal.SIGKILL)
    for chunk in sound[third : 2 * third]:
        collector.client.push(chunk)
    heard_to(collector, 2 * third * 100 - 2000)
    collector.client.set_delay("me", 0, 80)
    send(collector, signal.SIGSTOP)
    for chunk in sound[2 * third :]:
        collector.client.push(chunk)
    send(collector, signal.SIGCONT)
    collector.client.finish()
    collector.wait_for(m.Finished)
    assert collector.text.split() == reference_text(CLIP, 6).split()
    times = [word.start_ms for word in collector.words]
    assert times == sorted(times)
