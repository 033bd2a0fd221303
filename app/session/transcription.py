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
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

import numpy as np
import psutil

from app.audio.advice import no_speech
from app.audio.files import Sound, int16_bytes, open_sound
from app.core.chunk import Chunk
from app.core.reheard import Reheard
from app.core.second_hearing import SecondHearing
from app.core.timeline import Gap, Timeline
from app.session.events import Again
from app.session.rehearing import RECORD_TRACK
from app.worker import messages as m
from app.worker.background import BackgroundClient
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
    record: list[Word] | None = None  # what a session would save, if that may be another text
    record_cpu_s: float = 0.0  # what another worker used to hear it again

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

    def __init__(
        self, start: m.Start, tell: Told, live: bool = False, patient: m.Start | None = None
    ) -> None:
        """`patient`: what another worker is told that hears everything once more, as a session
        has it done; where `start` has two tracks, the second is the record instead."""
        self.ready: m.Ready | None = None
        self._patient = patient
        self._second: BackgroundClient | None = None
        self._start = start
        self._tell = tell
        self._live = live
        self._client: EngineClient | None = None
        self._events: queue.SimpleQueue[tuple[float, ClientEvent | Again]] = queue.SimpleQueue()
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
        for client in (self._client, self._second):
            if client is not None:
                client.kill()
        self._client = self._second = self.ready = None

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
            records = self._patient is not None or len(self._start.delays_ms) > 1
            file = _Recognising(f"file{next(self._numbers)}", sound, heard, records)
            try:
                return self._recognise(file, self._loaded())
            except WorkerGoneError:
                self._close()
                raise

    def _recognise(self, file: _Recognising, client: EngineClient) -> Transcript:
        cpu_s, again_s = _cpu_s(client), _cpu_s(self._second)
        file.begun = time.monotonic()
        for chunk in self._chunks(file):
            self._make_room(client, file)
            client.push(chunk)
            if self._second is not None:
                self._second.push(chunk)
        client.pause(file.lane)
        if self._second is not None:
            self._second.pause(file.lane)
        while not (file.settled and (self._second is None or file.settled_again)):
            self._take(file, _TICK_S)
        found = file.transcript(_cpu_s(client) - cpu_s)
        return replace(found, record_cpu_s=max(0.0, _cpu_s(self._second) - again_s))

    def _loaded(self) -> EngineClient:
        """The client, with the engine loaded."""
        if self._client is None:
            events = self._events = queue.SimpleQueue()
            self._client = EngineClient(
                self._start, lambda event: events.put((time.monotonic(), event))
            )
            self._client.start()
            if self._patient is not None:
                self._second = BackgroundClient(
                    self._patient, lambda event: events.put((time.monotonic(), Again(event)))
                )
                self._second.start()
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

    def _handle(self, file: _Recognising | None, at: float, event: ClientEvent | Again) -> None:
        if isinstance(event, Again):
            if isinstance(event.event, m.Failure):
                raise WorkerGoneError(event.event.message, event.event.hint)
            if file is not None:
                file.hear_again(event.event)
        elif isinstance(event, m.Ready):
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


class _Recognising:
    """One file while it is being recognised; its lane's events become its transcript."""

    def __init__(self, lane: str, sound: Sound, heard: Heard, records: bool = False) -> None:
        self.lane = lane
        self.sound = sound
        self.samples = 0  # pushed
        self.begun = 0.0  # monotonic, of the first sample
        self._heard = heard
        self._timeline = Timeline()
        self._shown_ms: list[int] = []
        self._settled_ms = self._again_ms = -1
        self._second = SecondHearing(lane) if records else None

    @property
    def settled(self) -> bool:
        return self._settled_ms >= self.samples // 16 - _ROUNDING_MS

    @property
    def settled_again(self) -> bool:
        """The second hearing has come to the end, too."""
        return self._again_ms >= self.samples // 16 - _ROUNDING_MS

    def hear_again(self, event: ClientEvent) -> None:
        """Take in what the second hearing says."""
        if self._second is None or getattr(event, "lane", None) != self.lane:
            return
        if isinstance(event, Word):
            self._second.hear(event)
        elif isinstance(event, Progress):
            self._again_ms = max(self._again_ms, event.settled_ms)
            self._keep(self._second.progress(event.settled_ms))
        elif isinstance(event, Gap):
            self._second.miss(event.start_ms, event.end_ms)

    def _keep(self, stretches: list[Reheard]) -> None:
        for stretch in stretches:
            self._timeline.add(stretch)

    def handle(self, at: float, event: ClientEvent) -> None:
        """Take in one event, come at this monotonic time."""
        if not isinstance(event, (Word, Progress, Gap)) or event.lane != self.lane:
            return
        if isinstance(event, (Word, Progress)) and event.track == RECORD_TRACK:
            self.hear_again(event)
            return
        kept = self._timeline.add(event)
        if self._second is not None and isinstance(kept, Word):
            self._second.caption(kept)
        elif self._second is not None and isinstance(event, Progress):
            self._keep(self._second.caption_progress(event.settled_ms))
        if isinstance(event, Word):
            self._shown_ms.append(round((at - self.begun) * 1000))
        elif isinstance(event, Progress):
            self._settled_ms = max(self._settled_ms, event.settled_ms)
            self._heard(event.heard_ms, self.sound.duration_ms)

    def transcript(self, cpu_s: float) -> Transcript:
        words = self._timeline.words(self.lane)
        if self._second is not None:
            self._keep(self._second.finish())
        return Transcript(
            path=self.sound.path,
            words=words,
            gaps=self._timeline.gaps,
            duration_ms=self.sound.heard_ms,
            notes=[*self.sound.notes] if words else [no_speech(self.sound.name), *self.sound.notes],
            wall_s=time.monotonic() - self.begun,
            cpu_s=max(0.0, cpu_s),
            shown_ms=self._shown_ms,
            record=None if self._second is None else self._timeline.record(),
        )


def _live_blocks(sound: Sound) -> Iterator[Pcm]:
    yield from sound.blocks(_LIVE_BLOCK_MS)
    block = np.zeros(_LIVE_BLOCK_MS * SAMPLE_RATE // 1000, dtype=np.float32)
    yield from itertools.repeat(block, _LIVE_SILENCE_MS // _LIVE_BLOCK_MS)


def _cpu_s(client: EngineClient | None) -> float:
    """Processor time that the client's worker has used, s."""
    pid = client.worker_pid if client else None
    try:
        times = psutil.Process(pid).cpu_times() if pid else None
    except psutil.Error:
        times = None
    return float(times.user + times.system) if times else 0.0
