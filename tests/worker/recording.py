"""An engine that keeps a record of what it is asked, and a voice detector that reads the sound.

`RecordingEngine` satisfies `base.Engine` and has its verbs only: anything else is an
AttributeError. It speaks what it is given to say.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from app.core.chunk import Chunk
from app.worker import messages as m
from app.worker.heartbeat import Heartbeat
from app.worker.lane import Lane
from app.worker.loop import Loop
from app.worker.vad import FRAME
from model_backends.base import (
    Engine,
    EngineError,
    EngineInfo,
    Event,
    Pcm,
    Progress,
    StreamOptions,
    Word,
)

INFO = EngineInfo(
    name="recording",
    label="Recording",
    models=("none",),
    default_model="none",
    delays_ms=(240, 480, 960),
    default_delay_ms=480,
    languages=("en", "fr"),
    hangover_ms={240: 320, 480: 640, 960: 1280},
    max_tracks=2,
)
WHOLE = EngineInfo(
    "whole", "Whole", ("none",), "none", (480,), 480, (), {480: 640}, whole_files=True
)


class Stream:
    """Satisfies `base.Stream`."""

    def __init__(self, engine: RecordingEngine, options: StreamOptions) -> None:
        self.options = options
        self.verbs: list[tuple[str, object]] = []
        self.samples = 0
        self.scores: list[float] = []
        self._engine = engine
        self._done = False
        self.finishing = False

    def push(self, pcm: Pcm, speech: float) -> None:
        assert pcm.dtype == np.float32 and pcm.ndim == 1
        self.samples += len(pcm)
        self.scores.append(speech)

    def set_delay(self, track: int, ms: int) -> None:
        self.verbs.append(("set_delay", (track, ms)))
        if ms in self._engine.refuses:
            raise EngineError("There is no memory for another delay.", "Close other programs.")

    def finish(self) -> None:
        self.verbs.append(("finish", None))
        self.finishing = True

    def close(self) -> None:
        self.verbs.append(("close", None))
        self._done = True

    @property
    def done(self) -> bool:
        return self._done

    @property
    def heard_ms(self) -> int:
        return self.options.start_ms + self.samples // 16

    def end(self) -> None:
        self._done = True


class RecordingEngine:
    """Satisfies `base.Engine`: settles what it is pushed, and says the texts of `says`."""

    device = "cpu"

    def __init__(self, info: EngineInfo = INFO) -> None:
        self.info = info
        self.model = "none"
        self.streams: list[Stream] = []
        self.refuses: set[int] = set()  # delays for which there is no memory
        self.says: list[str] = []
        self._told: dict[int, int] = {}

    def open(self, options: StreamOptions) -> Stream:
        if self.refuses & set(options.delays_ms):
            raise EngineError("There is no memory for this delay.")
        self.streams.append(Stream(self, options))
        return self.streams[-1]

    def advance(self) -> list[Event]:
        events: list[Event] = []
        for number, stream in enumerate(self.streams):
            if stream.done or (self._told.get(number) == stream.samples and not stream.finishing):
                continue
            self._told[number] = stream.samples
            lane, utterance = stream.options.lane, stream.options.utterance
            for track in range(len(stream.options.delays_ms)):
                if self.says:
                    text = self.says.pop(0)
                    events.append(
                        Word(lane, track, utterance, text, stream.heard_ms, stream.heard_ms)
                    )
                events.append(Progress(lane, track, stream.heard_ms, stream.heard_ms))
            if stream.finishing:
                stream.end()
        return events

    @property
    def idle(self) -> bool:
        waiting = (
            not s.done and (s.finishing or self._told.get(n) != s.samples)
            for n, s in enumerate(self.streams)
        )
        return not any(waiting)

    def close(self) -> None:
        self.streams.clear()


def satisfies(engine: RecordingEngine) -> Engine:
    """mypy says no here if the fake has lost a verb of the protocol."""
    return engine


class LoudnessVad:
    """Satisfies `vad.Vad`: a frame's score is its first sample."""

    def __init__(self) -> None:
        self.resets = 0

    def score(self, frame: Pcm) -> float:
        assert frame.shape == (FRAME,)
        return float(frame[0])

    def reset(self) -> None:
        self.resets += 1


def sound(*parts: tuple[float, int]) -> Pcm:
    """Sound whose frames score as told, for so many milliseconds each."""
    return np.concatenate([np.full(ms * 16, score, np.float32) for score, ms in parts])


def chunks(pcm: Pcm, start_ms: int = 0, lane: str = "me", block_ms: int = 100) -> list[Chunk]:
    """The sound as a capture delivers it."""
    ints = (pcm * 32767).astype("<i2")
    step = block_ms * 16
    return [
        Chunk(lane, start_ms + at // 16, start_ms * 16 + at, ints[at : at + step].tobytes())
        for at in range(0, len(ints), step)
    ]


@dataclass
class LaneRig:
    """A lane on a recording engine, stepped by hand."""

    engine: RecordingEngine = field(default_factory=RecordingEngine)
    delays_ms: tuple[int, ...] = (480,)
    realtime: bool = True
    sent: list[m.Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        numbers = iter(range(100))
        self.vad = LoudnessVad()
        self.lane = Lane(
            "me", satisfies(self.engine), self.vad, self.delays_ms, self.sent.append,
            next_utterance=lambda: next(numbers), realtime=self.realtime,
        )  # fmt: skip

    def hear(self, pcm: Pcm, start_ms: int = 0) -> None:
        for chunk in chunks(pcm, start_ms):
            self.lane.take(chunk)
            self.step()

    def step(self) -> None:
        self.lane.feed()
        self.sent += [self.lane.annotate(event) for event in self.engine.advance()]

    def of(self, kind: type) -> list[m.Message]:
        return [message for message in self.sent if isinstance(message, kind)]


class LoopRig:
    """A loop on a recording engine; `run` handles these messages to their end."""

    def __init__(self, start: m.Start, engine: RecordingEngine | None = None) -> None:
        self.engine = engine or RecordingEngine()
        self.sent: list[m.Message] = []
        self.inbox: queue.Queue[m.Message] = queue.Queue()
        self.on_sent: Callable[[m.Message], None] = lambda message: None
        self.heartbeat = Heartbeat(self._send)
        self.loop = Loop(satisfies(self.engine), start, self.inbox, self._send, self.heartbeat)

    def run(self, *messages: m.Message) -> list[m.Message]:
        for message in messages:
            self.inbox.put(message)
        self.loop.run()
        return self.sent

    def _send(self, message: m.Message) -> None:
        self.sent.append(message)
        self.on_sent(message)
