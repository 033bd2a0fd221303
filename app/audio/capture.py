"""One lane's sound: from a source, in 16 kHz mono chunks on the session's clock, and watched.

`Capture` runs a thread that takes native-rate blocks from a `Feed` (microphone.py, or playback.py
for a file at real-time pace), resamples, stamps and hands them on, and that notices within
seconds when nothing comes, or only zeros. `close()` never blocks: a sound server that is stuck
can hold a stream's close for ever, so that happens on a thread nobody waits for.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import soxr
from numpy.typing import NDArray

from app.audio.advice import advice
from app.audio.clock import GAP_MS, RunClock, SessionClock
from app.core.chunk import Chunk
from app.core.timeline import Gap
from model_backends.base import SAMPLE_RATE, UserError

log = logging.getLogger(__name__)

STALLED_S = 2.0  # no frames: idle sinks may take 1.7 s to send their first, so not sooner
SILENT_S = 2.5  # exact zeros; with the resampler's delay this is told within 3 s
_RETRY_S = (0.5, 1.0, 2.0, 4.0)  # back-off between attempts to open a lost source again
_TICK_S = 0.1


@dataclass(frozen=True, slots=True)
class Block:
    """Sound as it comes: float32, shape (frames, channels), complete at `arrived` (monotonic s)."""

    samples: NDArray[np.float32]
    arrived: float


@dataclass(frozen=True, slots=True)
class SoundState:
    """How the source is doing: starting, flowing, stalled, silent, lost, moved or ended."""

    kind: str
    message: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Level:
    """Loudness of the last block: root mean square, 0..1."""

    rms: float


class Opened(Protocol):
    """One opening of a feed. A late `close()` of it does nothing to the next opening."""

    rate: int  # Hz

    def close(self) -> None:
        """Stop. May hang when the sound server does."""

    def moved_to(self) -> str | None:
        """The name of another source that the system gave us instead, if it did."""


class Feed(Protocol):
    """Something that can be opened and then delivers blocks from a thread of its own."""

    name: str  # for people
    live: bool  # a device: when it ends it is lost, and tried again; False: a file, which ends
    system: bool  # what the computer plays: silence is nothing wrong

    @property
    def notes(self) -> Sequence[str]:
        """Sentences about what was heard, complete when it has ended."""

    def open(self, deliver: Callable[[Block | None], None]) -> Opened:
        """Start; `None` is delivered when the source has ended. Raises UserError if it cannot."""


CaptureEvent: TypeAlias = Chunk | Gap | SoundState | Level


class Capture:
    """Watches one feed and turns it into chunks. Events come from the capture thread."""

    def __init__(
        self, feed: Feed, lane: str, clock: SessionClock, deliver: Callable[[CaptureEvent], None]
    ) -> None:
        self._feed = feed
        self._lane = lane
        self._clock = clock
        self._deliver = deliver
        self._run = RunClock()
        self._closing = threading.Event()
        self._resample = _Resampler(SAMPLE_RATE)
        self._watch = Watch(feed.name, feed.system)
        self._threads: list[threading.Thread] = []

    @property
    def name(self) -> str:
        """The source's name, for people."""
        return self._feed.name

    def start(self) -> None:
        """Begin; returns at once."""
        self._begin(self._loop, f"capture {self._lane}")

    def close(self) -> None:
        """Stop delivering, now; the device is let go in the background."""
        self._closing.set()

    def join(self, timeout: float) -> bool:
        """After `close()`: wait until the device has been let go; whether it has."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            running = [thread for thread in self._threads if thread.is_alive()]
            if not running:
                return True
            running[0].join(left)  # the capture's own thread begins another as it ends
        return False

    def _begin(self, target: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=target, daemon=True, name=name)
        thread.start()
        self._threads = [t for t in self._threads if t.is_alive()] + [thread]

    # --- the capture thread ----------------------------------------------------------------

    def _loop(self) -> None:
        attempt = 0
        while not self._closing.is_set():
            self._watch = Watch(self._feed.name, self._feed.system)
            try:
                self._open_and_listen()
            except UserError as error:
                self._tell(SoundState("lost", error.message, error.hint))
            except Exception:  # whatever it is, captions must not stop without a word
                log.exception("capture of %s", self._feed.name)
                message = f"Listening to {self._feed.name} failed; trying again."
                self._tell(SoundState("lost", message, advice("lost")))
            if not self._feed.live:
                return
            attempt = 0 if self._watch.heard else attempt + 1
            self._closing.wait(_RETRY_S[min(attempt, len(_RETRY_S) - 1)])

    def _open_and_listen(self) -> None:
        blocks: queue.SimpleQueue[Block | None] = queue.SimpleQueue()
        opened = self._feed.open(blocks.put)
        try:
            self._listen(opened, blocks)
        finally:
            self._let_go(opened)

    def _listen(self, opened: Opened, blocks: queue.SimpleQueue[Block | None]) -> None:
        """Take blocks until the feed has ended, is lost for good, or we are closed."""
        self._resample = _Resampler(opened.rate)
        while not self._closing.is_set():
            try:
                block = blocks.get(timeout=_TICK_S)
            except queue.Empty:
                self._tell(self._watch.nothing(time.monotonic()))
                if self._watch.hopeless:
                    return
                continue
            if block is None:
                self._ended()
                return
            self._take(block)
            self._tell(self._watch.moved(opened.moved_to()))

    def _take(self, block: Block) -> None:
        samples = np.nan_to_num(block.samples, nan=0.0, posinf=0.0, neginf=0.0)
        mono = samples.mean(axis=1) if samples.ndim > 1 else samples
        self._tell(self._watch.block(block.arrived, bool(np.any(mono))))
        self._deliver(Level(float(np.sqrt(np.mean(np.square(mono)))) if len(mono) else 0.0))
        self._send(self._resample(mono, last=False), self._clock.at(block.arrived))

    def _send(self, pcm: NDArray[np.float32], arrived_ms: int) -> None:
        if not len(pcm) or self._closing.is_set():
            return
        before_ms = self._run.end_ms
        stamp = self._run.stamp(arrived_ms, len(pcm))
        lost = stamp.gap_ms or (before_ms and stamp.start_ms - before_ms > GAP_MS)
        if lost:
            self._deliver(Gap(self._lane, before_ms, stamp.start_ms, "device"))
        data = (np.clip(pcm, -1.0, 32767 / 32768) * 32768).astype("<i2").tobytes()
        self._deliver(Chunk(self._lane, stamp.start_ms, stamp.index, data))

    def _ended(self) -> None:
        if self._feed.live:
            message = f"{self._feed.name} has stopped sending sound."
            self._tell(SoundState("lost", message, advice("lost")))
            return
        rest = self._resample(np.zeros(0, dtype=np.float32), last=True)
        self._send(rest, self._clock.now_ms())
        self._tell(SoundState("ended"))

    def _let_go(self, opened: Opened) -> None:
        """Close the device where a hang hurts nobody; the next run begins afresh."""
        self._run.pause()
        self._begin(opened.close, "capture close")

    def _tell(self, state: SoundState | None) -> None:
        if state is not None and not self._closing.is_set():
            self._deliver(state)


class _Resampler:
    """A stream from the device's rate to 16 kHz: float32 mono, shape (frames,), in and out."""

    def __init__(self, rate: int) -> None:
        same = rate == SAMPLE_RATE
        self._stream = None if same else soxr.ResampleStream(rate, SAMPLE_RATE, 1, "float32", "HQ")

    def __call__(self, mono: NDArray[np.float32], last: bool) -> NDArray[np.float32]:
        if self._stream is None:
            return mono
        out: NDArray[np.float32] = self._stream.resample_chunk(mono.astype(np.float32), last)
        return out


class Watch:
    """Tells flowing, stalled and silent apart from what arrives and when. Pure."""

    def __init__(self, name: str, system: bool = False) -> None:
        self._name = name
        self._system = system
        self._kind = "starting"
        self._last: float | None = None  # monotonic s of the last block, or of the first look
        self._sound: float | None = None  # of the last block that was not all zeros
        self._moved: str | None = None
        self.heard = False  # something has arrived
        self.hopeless = False  # stalled so long that opening it again is worth trying

    def block(self, arrived: float, sound: bool) -> SoundState | None:
        """A block has come; `sound` unless all of it is exactly zero."""
        self._last = arrived
        self.heard = True
        if sound or self._sound is None:
            self._sound = arrived
        if sound:
            return self._become("flowing", "", "")
        if arrived - self._sound >= SILENT_S:
            if self._system:
                return self._become("silent", f"Nothing is playing on {self._name}.", "")
            message = f"No sound is arriving from {self._name}."
            return self._become("silent", message, advice("silent"))
        return None

    def nothing(self, now: float) -> SoundState | None:
        """No block for a while."""
        if self._last is None:
            self._last = now
        waited = now - self._last
        self.hopeless = waited > 2 * STALLED_S + 1
        if waited < STALLED_S:
            return None
        message = f"No sound is arriving from {self._name}."
        return self._become("stalled", message, advice("stalled"))

    def moved(self, to: str | None) -> SoundState | None:
        """The system gives us another source than the one that was chosen."""
        if to == self._moved:
            return None
        self._moved = to
        if to is None:
            return None
        message = f"{self._name} is gone; listening to {to} instead."
        return SoundState("moved", message, advice("lost"))

    def _become(self, kind: str, message: str, hint: str) -> SoundState | None:
        if kind == self._kind:
            return None
        self._kind = kind
        return SoundState(kind, message, hint)
