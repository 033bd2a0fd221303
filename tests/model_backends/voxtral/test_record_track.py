"""One session: captions at 480 ms, and their record at 2400 ms from the same sound and encoder.

Gate, engine and the session's state are the real ones; both tracks say what the reference
implementation says at their delay. The other engines' tests borrow this one.
"""

from __future__ import annotations

import queue

import pytest

from app.core.timeline import Timeline
from app.session import events as e
from app.session.status import RecordWay
from app.worker import messages as m
from app.worker.heartbeat import Heartbeat
from app.worker.loop import Loop
from model_backends.base import Pcm
from model_backends.voxtral.engine import VoxtralEngine
from tests.model_backends.voxtral.transcribing import clip, reference_text
from tests.session.playbook import Play
from tests.worker.recording import chunks

CLIP = "fast_mixed"  # the two delays hear one of its words otherwise


class Opened:
    """A detector that opens the gate and keeps it open, and is never sure enough for a guard."""

    def __init__(self) -> None:
        self._frames = 0

    def score(self, frame: Pcm) -> float:
        self._frames += 1
        return 0.9 if self._frames <= 5 else 0.4

    def reset(self) -> None:
        self._frames = 0


class Live(queue.Queue[m.Message]):
    """Sound comes as it is heard: a worker that is behind leaves the record's track out."""

    def __init__(self, engine: VoxtralEngine) -> None:
        super().__init__()
        self._engine = engine
        self._given = False

    def get_nowait(self) -> m.Message:
        self._given = not self._given and self._engine.idle
        if not self._given:
            raise queue.Empty
        return super().get_nowait()


def worker(engine: VoxtralEngine, delays_ms: tuple[int, ...]) -> list[m.Message]:
    """What a worker with this engine says of the clip."""
    start = m.Start(m.PROTOCOL_VERSION, engine.info.name, "/models", delays_ms=delays_ms)
    inbox = Live(engine)
    for chunk in chunks(clip(CLIP)):
        inbox.put(chunk)
    inbox.put(m.Finish())
    sent: list[m.Message] = []
    Loop(engine, start, inbox, sent.append, Heartbeat(sent.append)).run()
    return sent


def test_captions_and_record_are_the_reference_at_their_delays(
    engine: VoxtralEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.worker.loop.make_vad", lambda kind: Opened())
    record_ms = engine.info.record_track_ms(480)
    assert record_ms == 2400
    play = Play(way=RecordWay.TRACK).listening()
    play.at(play.now_ms, *worker(engine, (480, record_ms))[:-1])
    play.at(play.now_ms, e.Stop(), m.Finished(), e.Dead())
    kept = Timeline()
    for output in play.of(e.Keep):
        kept.add(output.event)
    assert reference_text(CLIP, 6) != reference_text(CLIP, 30)
    assert kept.text() == reference_text(CLIP, 6)
    assert "".join(word.text for word in kept.record()).strip() == reference_text(CLIP, 30)
