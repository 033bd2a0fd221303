"""Hearing with an engine in tests: clips, streams pushed in pieces, what came back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np

from app import paths
from model_backends.base import Event, Pcm, StreamOptions, Word
from model_backends.voxtral.engine import VoxtralEngine
from model_backends.voxtral.stream import VoxtralStream

TINY = paths.resource("tiny-voxtral")
REFERENCE: dict[str, Any] = json.loads((TINY / "reference.json").read_text("utf-8"))
ITEMS: dict[str, dict[str, Any]] = {Path(i["file"]).stem: i for i in REFERENCE["items"]}
DELAYS = tuple(int(n) for n in REFERENCE["delays"])  # in tokens of 80 ms
LONG = "long_stream"  # 60 digits, passes both windows many times

Hook = Callable[[VoxtralStream, int], None]  # called before each push with the sample position


def clip(name: str) -> Pcm:
    """A clip of the tiny model's folder, as the engine hears it."""
    with av.open(str(TINY / ITEMS[name]["file"])) as container:
        frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    return np.concatenate(frames).astype(np.float32) / np.float32(32768)


def reference_ids(name: str, delay: int) -> list[int]:
    """All ids of the reference, the one generate() leaves out included."""
    item = ITEMS[name]["delays"][str(delay)]
    return [*item["tokens"], item["last_position_token"]]


def reference_text(name: str, delay: int) -> str:
    text: str = ITEMS[name]["delays"][str(delay)]["text"]
    return text.strip()


@dataclass
class Transcribed:
    """What a stream gave."""

    events: list[Event] = field(default_factory=list)
    ids: list[list[int]] = field(default_factory=list)  # per track, of its first reader

    def words(self, track: int = 0) -> list[Word]:
        return [e for e in self.events if isinstance(e, Word) and e.track == track]

    def text(self, track: int = 0) -> str:
        return "".join(word.text for word in self.words(track)).strip()


def transcribe(
    engine: VoxtralEngine,
    pcm: Pcm,
    *delays: int,
    pieces: int | list[int] = 1600,
    realtime: bool = True,
    speech: float = 0.0,
    start_ms: int = 0,
    hook: Hook | None = None,
) -> Transcribed:
    """Push `pcm` in `pieces` samples at delays given in tokens, and flush.

    With `speech` 0 the guard never steps in, so that every id is the first reader's.
    """
    options = StreamOptions("me", 3, tuple(80 * n for n in delays), start_ms, realtime=realtime)
    stream = engine.open(options)
    heard = Transcribed(ids=keep_ids(stream))
    at = 0
    for piece in _cut(pcm, pieces):
        if hook is not None:
            hook(stream, at)
        stream.push(piece, speech)
        heard.events += engine.advance()
        at += len(piece)
    stream.finish()
    drain(engine, stream, heard)
    return heard


@dataclass
class Job:
    """A clip to be transcribed beside others."""

    pcm: Pcm
    delay: int  # in tokens
    start_ms: int = 0
    hook: Hook | None = None


def transcribe_together(
    engine: VoxtralEngine, jobs: Sequence[Job], pieces: int = 1600, realtime: bool = True
) -> list[Transcribed]:
    """`transcribe()` for many clips in one batch, at the price of little more than the longest."""
    streams, results = [], []
    for number, job in enumerate(jobs):
        delays = (80 * job.delay,)
        options = StreamOptions(str(number), 3, delays, job.start_ms, realtime=realtime)
        streams.append(engine.open(options))
        results.append(Transcribed(ids=keep_ids(streams[-1])))
    at = 0
    while not all(stream.done for stream in streams):
        for stream, job in zip(streams, jobs, strict=True):
            if at < len(job.pcm):
                if job.hook is not None:
                    job.hook(stream, at)
                stream.push(job.pcm[at : at + pieces], 0.0)
            else:
                stream.finish()
        at += pieces
        for event in engine.advance():
            results[int(event.lane)].events.append(event)
    return results


def keep_ids(stream: VoxtralStream) -> list[list[int]]:
    """Lists that will fill with every id of each track's first reader."""
    lists: list[list[int]] = []
    for track in stream.tracks:
        track.reader.ids = []
        lists.append(track.reader.ids)
    return lists


def drain(engine: VoxtralEngine, stream: VoxtralStream, heard: Transcribed) -> None:
    while not stream.done:
        heard.events += engine.advance()


def _cut(pcm: Pcm, pieces: int | list[int]) -> Iterator[Pcm]:
    """Pieces of the given size, or of the given sizes again and again."""
    sizes = [pieces] if isinstance(pieces, int) else pieces
    at = turn = 0
    while at < len(pcm):
        size = sizes[turn % len(sizes)]
        yield pcm[at : at + size]
        at, turn = at + size, turn + 1
