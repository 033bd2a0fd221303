"""One lane's sound: from a source, in 16 kHz mono chunks on the session's clock, and watched.

`Capture` runs a thread that takes native-rate blocks from a `Feed` (of a door in `devices`, or
playback.py for a file at real-time pace), mixes, resamples, stamps and hands them on, and that
notices within seconds when nothing comes, or only zeros, or sound too quiet to be recognised.
`close()` never blocks: a driver that is stuck can hold a stream's close for ever, so that happens
on a thread nobody waits for.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import soxr
from numpy.typing import NDArray

from app.audio.advice import advice
from app.audio.clock import GAP_MS, RunClock, SessionClock
from app.audio.level import TOO_QUIET_DBFS, dbfs
from app.audio.mixdown import Mixer
from app.core.chunk import Chunk
from app.core.timeline import Gap
from model_backends.base import SAMPLE_RATE, Sentence, UserError

log = logging.getLogger(__name__)

STALLED_S = 2.0  # no frames: idle sinks may take 1.7 s to send their first, so not sooner
SILENT_S = 2.5  # exact zeros; with the resampler's delay this is told within 3 s
QUIET_S = 10.0  # of sound too quiet for speech before it is told
_SWING_DB = 10.0  # between the loudest and the quietest tenth of the blocks: speech has 15 to 30
_RETRY_S = (0.5, 1.0, 2.0, 4.0)  # back-off between attempts to open a lost source again
_TICK_S = 0.1


@dataclass(frozen=True, slots=True)
class Block:
    """Sound as it comes: float32, shape (frames, channels), complete at `arrived` (monotonic s)."""

    samples: NDArray[np.float32]
    arrived: float


@dataclass(frozen=True, slots=True)
class SoundState:
    """How the source is doing. `source` is the one that sound really comes from, for people.

    starting, flowing, ended: as they say. stalled: nothing arrives; silent: zeros do; quiet: sound
    does, but speech as quiet as that is hardly recognised. lost: it is gone, and tried again.
    moved: the system gives us `source` instead of the one that was chosen; gone: it does so since
    that one is connected no more; back: it no longer does. These three say nothing of whether sound
    flows: the last of the others holds.
    """

    kind: str
    message: str = ""
    hint: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Level:
    """Loudness of the last block: root mean square, 0..1."""

    rms: float


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another source that the system gives us; whether the chosen one is `gone`, or only left."""

    name: str
    gone: bool


class Opened(Protocol):
    """One opening of a feed. A late `close()` of it does nothing to the next opening."""

    rate: int  # Hz

    def close(self) -> None:
        """Stop. May hang when the sound server does."""

    def moved_to(self) -> Elsewhere | None:
        """Where the system has moved us, if it has. Does not block."""


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
        self._rate = SAMPLE_RATE
        self._mixer = Mixer()
        self._resample = _Resampler(SAMPLE_RATE)
        self._watch = Watch(feed.name, feed.system, feed.live)
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
            self._watch = Watch(self._feed.name, self._feed.system, self._feed.live)
            try:
                self._open_and_listen()
            except UserError as error:
                self._tell(SoundState("lost", error.message, error.hint))
            except Exception:  # whatever it is, captions must not stop without a word
                log.exception("capture of %s", self._feed.name)
                message = Sentence(
                    "Listening to {name} failed; trying again.", name=self._feed.name
                )
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
        self._rate, self._mixer = opened.rate, Mixer()
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
        channels = samples.T if samples.ndim > 1 else samples[np.newaxis]
        mono = self._mixer.mix(channels, self._rate)
        rms = float(np.sqrt(np.mean(np.square(mono)))) if len(mono) else 0.0
        self._tell(self._watch.block(block.arrived, bool(np.any(channels)), rms))
        self._deliver(Level(rms))
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
            message = Sentence("{name} has stopped sending sound.", name=self._feed.name)
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
    """Tells flowing, stalled, silent and quiet apart from what arrives and when. Pure."""

    def __init__(self, name: str, system: bool = False, live: bool = True) -> None:
        """`live`: a device, of which there is advice to give; else a file or a pipe."""
        self._live = live
        self._chosen = self._name = name
        self._system = system
        self._kind = "starting"
        self._last: float | None = None  # monotonic s of the last block, or of the first look
        self._sound: float | None = None  # of the last block that was not all zeros
        self._quiet = _QuietSpeech()
        self._moved: Elsewhere | None = None
        self.heard = False  # something has arrived
        self.hopeless = False  # stalled so long that opening it again is worth trying

    def block(self, arrived: float, sound: bool, rms: float) -> SoundState | None:
        """A block has come; `sound` unless all of its channels are exactly zero.

        `rms` is that of the mix, 0..1.
        """
        self._last = arrived
        self.heard = True
        if sound or self._sound is None:
            self._sound = arrived
        if sound:
            if self._quiet.hears(arrived, dbfs(rms)) and not self._system:
                message = Sentence("The sound from {name} is very quiet.", name=self._name)
                return self._become("quiet", message, self._advice("quiet"))
            return self._become("flowing", "", "")
        if arrived - self._sound >= SILENT_S:
            if self._system:
                nothing = Sentence("Nothing is playing on {name}.", name=self._name)
                return self._become("silent", nothing, "")
            return self._become("silent", self._nothing_arrives(), self._advice("silent"))
        return None

    def nothing(self, now: float) -> SoundState | None:
        """No block for a while."""
        if self._last is None:
            self._last = now
        waited = now - self._last
        self.hopeless = self._live and waited > 2 * STALLED_S + 1
        if waited < STALLED_S:
            return None
        return self._become("stalled", self._nothing_arrives(), self._advice("stalled"))

    def moved(self, to: Elsewhere | None) -> SoundState | None:
        """The system gives us another source than the one that was chosen, or gives it back."""
        if to == self._moved:
            return None
        self._moved = to
        self._name = to.name if to else self._chosen
        self._kind = "starting"  # what was told named another source
        names = {"name": self._chosen, "other": self._name}
        if to is None:
            message = Sentence("Listening to {name} again.", **names)
            return SoundState("back", message, "", self._name)
        if to.gone:
            message = Sentence("{name} is gone; listening to {other} instead.", **names)
            return SoundState("gone", message, advice("lost"), self._name)
        message = Sentence("The system has switched from {name} to {other}.", **names)
        return SoundState("moved", message, advice("moved"), self._name)

    def _advice(self, problem: str) -> Sentence:
        if self._live:
            return advice(problem)
        waiting = "What writes it may have stopped; captions go on when it does."
        return Sentence(waiting if problem == "stalled" else "")

    def _nothing_arrives(self) -> Sentence:
        return Sentence("No sound is arriving from {name}.", name=self._name)

    def _become(self, kind: str, message: str, hint: str) -> SoundState | None:
        if kind == self._kind:
            return None
        self._kind = kind
        return SoundState(kind, message, hint, self._name)


class _QuietSpeech:
    """Whether someone seems to speak, but below what an engine takes for speech.

    A quiet room alone is no trouble: only sound that comes and goes as speech does, by more than
    `_SWING_DB`, counts, and only when nothing louder has come for `QUIET_S`.
    """

    def __init__(self) -> None:
        self._since: float | None = None
        self._levels: deque[float] = deque(maxlen=512)  # dBFS of blocks since then
        self._quiet = False

    def hears(self, arrived: float, level_dbfs: float) -> bool:
        """Take in the next block that has sound; the verdict so far."""
        if level_dbfs > TOO_QUIET_DBFS:
            self._since, self._quiet = None, False
            self._levels.clear()
            return False
        if self._since is None:
            self._since = arrived
        self._levels.append(level_dbfs)
        if not self._quiet and arrived - self._since >= QUIET_S:
            ordered = sorted(self._levels)
            tenth = len(ordered) // 10
            self._quiet = ordered[-1 - tenth] - ordered[tenth] > _SWING_DB
            self._since = arrived
        return self._quiet
