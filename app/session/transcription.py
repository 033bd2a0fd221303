"""Files through the worker: one worker with its model loaded, one lane for each file.

The same stream as live captions, fed fast, or at real-time pace to measure what a listener would
see. Used by `transcribe` and `evaluate`; knows nothing about terminals or output formats.
"""

from __future__ import annotations

import itertools
import queue
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import numpy as np
import psutil

from app.audio.advice import no_speech
from app.audio.files import Sound, int16_bytes, open_sound
from app.core.chunk import Chunk
from app.core.timeline import Gap, Timeline
from app.worker import messages as m
from app.worker.client import ClientEvent, EngineClient, Restarting
from model_backends.base import SAMPLE_RATE, EngineError, Notice, Pcm, Progress, Word

_TICK_S = 0.2  # how long Ctrl-C may go unnoticed
_ROUNDING_MS = 2  # the worker rounds frames and their rest down separately
_LIVE_BLOCK_MS = 32  # as a sound card would deliver
_LIVE_SILENCE_MS = 3_000  # after a clip, so that its last words come as they do in a room

Told = Callable[[str], None]  # gets a sentence for the user
Heard = Callable[[int, int | None], None]  # gets heard_ms and duration_ms (None: not known)


@dataclass(slots=True)
class Transcript:
    """What was said in one file."""

    path: Path
    words: list[Word]
    gaps: list[Gap]
    duration_ms: int
    notes: list[str]
    wall_s: float  # from the first sample pushed to the last word settled
    cpu_s: float  # what the worker used meanwhile
    shown_ms: list[int] = field(default_factory=list)  # live: when each word came, on its clock

    @property
    def language(self) -> str | None:
        """The language of more than half of the words; None if there is none or no words."""
        languages = Counter(word.language for word in self.words)
        for language, count in languages.most_common(1):
            if 2 * count > len(self.words):
                return language
        return None


class WorkerGoneError(EngineError):
    """The worker has given up on a file; another may be tried with the next."""


class EngineUnavailableError(EngineError):
    """The engine could not be loaded at all; the next file would fare no better."""


class Transcriber:
    """Recognises files one after another. A context manager: leaving it ends the worker.

    The worker starts with the first file that can be opened, so that a mistyped name costs
    nothing. `tell` gets the engine's notices.
    """

    def __init__(self, start: m.Start, tell: Told, live: bool = False) -> None:
        self.ready: m.Ready | None = None
        self._start = start
        self._tell = tell
        self._live = live
        self._client: EngineClient | None = None
        self._events: queue.SimpleQueue[tuple[float, ClientEvent]] = queue.SimpleQueue()
        self._numbers = itertools.count(1)

    def __enter__(self) -> Transcriber:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._client is not None:
            self._client.kill()
        self._client = self.ready = None

    def transcribe(
        self,
        path: Path,
        heard: Heard = lambda heard_ms, duration_ms: None,
        track: str | None = None,
    ) -> Transcript:
        """Recognise one file to its end; `path` and `track` are as `open_sound` takes them.

        Raises SoundFileError, TrackError or WorkerGoneError if this file cannot be recognised
        (the next one may), EngineUnavailableError if none can.
        """
        with open_sound(path, track) as sound:
            file = _Recognising(f"file{next(self._numbers)}", sound, heard)
            try:
                return self._recognise(file, self._loaded())
            except WorkerGoneError:
                self._close()
                raise

    def _recognise(self, file: _Recognising, client: EngineClient) -> Transcript:
        cpu_s = self._worker_cpu_s()
        file.begun = time.monotonic()
        for chunk in self._chunks(file):
            self._make_room(client, file)
            client.push(chunk)
        client.pause(file.lane)
        while not file.settled:
            self._take(file, _TICK_S)
        return file.transcript(self._worker_cpu_s() - cpu_s)

    def _loaded(self) -> EngineClient:
        """The client, with the engine loaded."""
        if self._client is None:
            events = self._events = queue.SimpleQueue()
            self._client = EngineClient(
                self._start, lambda event: events.put((time.monotonic(), event))
            )
            self._client.start()
        while self.ready is None:
            self._take(None, _TICK_S)
        return self._client

    def _chunks(self, file: _Recognising) -> Iterator[Chunk]:
        """The file's audio; live, each chunk when its time has come."""
        for pcm in _live_blocks(file.sound) if self._live else file.sound.blocks():
            chunk = Chunk(file.lane, file.samples // 16, file.samples, int16_bytes(pcm))
            file.samples += len(pcm)
            if self._live:
                self._wait_until(file.begun + file.samples / SAMPLE_RATE, file)
            yield chunk

    def _wait_until(self, due: float, file: _Recognising) -> None:
        while (left := due - time.monotonic()) > 0:
            self._take(file, left)

    def _make_room(self, client: EngineClient, file: _Recognising) -> None:
        """Wait until the worker has caught up a little, and take what has come meanwhile."""
        self._take(file, 0)
        while not self._live and not client.wait_for_room(file.lane, _TICK_S):
            self._take(file, 0)

    def _take(self, file: _Recognising | None, timeout: float) -> None:
        """Handle what has come; wait this long for the first of it."""
        try:
            self._handle(file, *self._events.get(timeout > 0, timeout or None))
            while True:
                self._handle(file, *self._events.get_nowait())
        except queue.Empty:
            pass

    def _handle(self, file: _Recognising | None, at: float, event: ClientEvent) -> None:
        if isinstance(event, m.Ready):
            self.ready = event
        elif isinstance(event, m.Failure):
            kind = WorkerGoneError if self.ready else EngineUnavailableError
            raise kind(event.message, event.hint)
        elif isinstance(event, Restarting):
            self._tell(event.message)
        elif isinstance(event, Notice):
            if event.message:
                self._tell(" ".join(filter(None, (event.message, event.hint))))
        elif file is not None:
            file.handle(at, event)

    def _worker_cpu_s(self) -> float:
        pid = self._client.worker_pid if self._client else None
        try:
            times = psutil.Process(pid).cpu_times() if pid else None
        except psutil.Error:
            times = None
        return float(times.user + times.system) if times else 0.0


class _Recognising:
    """One file while it is being recognised; its lane's events become its transcript."""

    def __init__(self, lane: str, sound: Sound, heard: Heard) -> None:
        self.lane = lane
        self.sound = sound
        self.samples = 0  # pushed
        self.begun = 0.0  # monotonic, of the first sample
        self._heard = heard
        self._timeline = Timeline()
        self._shown_ms: list[int] = []
        self._settled_ms = -1

    @property
    def settled(self) -> bool:
        return self._settled_ms >= self.samples // 16 - _ROUNDING_MS

    def handle(self, at: float, event: ClientEvent) -> None:
        """Take in one event, come at this monotonic time."""
        if not isinstance(event, (Word, Progress, Gap)) or event.lane != self.lane:
            return
        self._timeline.add(event)
        if isinstance(event, Word):
            self._shown_ms.append(round((at - self.begun) * 1000))
        elif isinstance(event, Progress):
            self._settled_ms = max(self._settled_ms, event.settled_ms)
            self._heard(event.heard_ms, self.sound.duration_ms)

    def transcript(self, cpu_s: float) -> Transcript:
        words = self._timeline.words(self.lane)
        return Transcript(
            path=self.sound.path,
            words=words,
            gaps=self._timeline.gaps,
            duration_ms=self.sound.heard_ms,
            notes=[*self.sound.notes] if words else [no_speech(self.sound.name), *self.sound.notes],
            wall_s=time.monotonic() - self.begun,
            cpu_s=max(0.0, cpu_s),
            shown_ms=self._shown_ms,
        )


def _live_blocks(sound: Sound) -> Iterator[Pcm]:
    yield from sound.blocks(_LIVE_BLOCK_MS)
    block = np.zeros(_LIVE_BLOCK_MS * SAMPLE_RATE // 1000, dtype=np.float32)
    yield from itertools.repeat(block, _LIVE_SILENCE_MS // _LIVE_BLOCK_MS)
