"""One lane's sound: from a source, in 16 kHz mono chunks on the session's clock, and watched.

`Capture` runs a thread that takes native-rate blocks from a `Feed` (of a door in `devices`, or
playback.py for a file at real-time pace), mixes, resamples, places and hands them on; `Watch`
says how the source is doing. `close()` never blocks: a driver that is stuck can hold a stream's
close for ever, so that happens on a thread nobody waits for.
"""

from __future__ import annotations

import logging
import math
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.audio.advice import advice
from app.audio.boost import Boost
from app.audio.clock import GAP_MS, Placed, RunClock, SessionClock
from app.audio.level import rms_of
from app.audio.listening import (
    Block,
    Condition,
    Deliver,
    Delivered,
    Elsewhere,
    Feed,
    Level,
    Opened,
    SoundState,
    Superseded,
)
from app.audio.mixdown import Mixer
from app.audio.resampling import Resampler
from app.audio.watch import Watch
from app.core.chunk import Chunk
from app.core.timeline import Gap
from model_backends.base import SAMPLE_RATE, Sentence, UserError

log = logging.getLogger(__name__)

# Between attempts to open a lost source again. A sound server refuses one in 5 ms; PortAudio looks
# for devices again, which takes ten times as long.
_RETRY_S = (0.2, *(0.5,) * 20, 1.0)
_TICK_S = 0.1

CaptureEvent: TypeAlias = Chunk | Gap | SoundState | Level


@dataclass(slots=True)
class _Opening:
    """A feed that has been opened, and what has come of it."""

    opened: Opened
    blocks: queue.SimpleQueue[Delivered] = field(default_factory=queue.SimpleQueue)


class Capture:
    """Watches one feed and turns it into chunks. Events come from the capture thread."""

    def __init__(
        self,
        feed: Feed,
        lane: str,
        clock: SessionClock,
        deliver: Callable[[CaptureEvent], None],
        *,
        boost: bool = False,
    ) -> None:
        """`boost`: make very quiet speech loud enough to be recognised."""
        self._feed = feed
        self._lane = lane
        self._clock = clock
        self._deliver = deliver
        self._run = RunClock()
        self._sent_ms = 0  # session time of the last sample that was handed on
        self._closing = threading.Event()
        self._rate = SAMPLE_RATE
        self._mixer = Mixer()
        self._boost = Boost() if boost else None
        self._resample = Resampler(SAMPLE_RATE)
        self._watch = Watch(feed.name, feed.system, feed.live)
        self._next: _Opening | None = None  # takes over once it gives something
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
        opening: _Opening | None = self._open()
        try:
            while opening is not None:
                try:
                    self._listen(opening)
                except UserError:
                    if self._next is None:
                        raise
                finally:
                    self._let_go(opening.opened)
                opening, self._next = self._next, None
                self._tell(self._watch.condition(Condition()))  # of the one before
        finally:
            self._discard_next()

    def _open(self) -> _Opening:
        blocks: queue.SimpleQueue[Delivered] = queue.SimpleQueue()
        return _Opening(self._feed.open(blocks.put), blocks)

    def _listen(self, opening: _Opening) -> None:
        """Take blocks until the feed has ended, we are closed, or `_next` has something to give.

        Raises UserError for an end that has a reason.
        """
        self._rate, self._mixer = opening.opened.rate, Mixer()
        self._resample = Resampler(self._rate, steady=not self._feed.live)
        while not self._closing.is_set() and not self._next_gives():
            try:
                came = opening.blocks.get(timeout=_TICK_S)
            except queue.Empty:
                self._send(self._run.idle(self._clock.now_ms()))
                self._tell(self._watch.nothing(time.monotonic()))
                if self._watch.hopeless and self._open_again(opening):
                    return
                continue
            if isinstance(came, Block):
                self._tell(self._watch.called(self._feed.name))
                self._take(came)
                self._tell(self._watch.moved(opening.opened.moved_to()))
            elif isinstance(came, Condition):
                self._tell(self._watch.condition(came))
            elif isinstance(came, Superseded):
                self._open_next()
            elif isinstance(came, UserError):
                raise came
            else:
                if self._next is None:
                    self._ended()
                return

    def _next_gives(self) -> bool:
        return self._next is not None and not self._next.blocks.empty()

    def _open_next(self) -> None:
        """What is open is heard until the other opening has something to give."""
        self._discard_next()
        try:
            self._next = self._open()
        except UserError as error:
            log.info("not opened yet: %s", error.message)

    def _discard_next(self) -> None:
        other, self._next = self._next, None
        if other is not None:
            self._begin(other.opened.close, "capture close")

    def _open_again(self, opening: _Opening) -> bool:
        """The first opening is kept until there is another: a server that was frozen has kept
        what it could not send, and hands it over when it thaws."""
        self._discard_next()
        try:
            other = self._open()
        except UserError as error:
            self._tell(self._watch.lost(error))
            return False
        finally:
            self._watch.opened_again(time.monotonic())
        if opening.blocks.empty():
            self._next = other
            return True
        self._begin(other.opened.close, "capture close")
        return False

    def _take(self, block: Block) -> None:
        samples = block.samples
        if not _is_finite(samples):
            samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
        channels = samples.T if samples.ndim > 1 else samples[np.newaxis]
        mono = self._mixer.mix(channels, self._rate)
        rms = rms_of(mono)
        gain = 1.0
        if self._boost is not None:
            mono, gain = self._boost.lift(mono, self._rate)
        self._tell(self._watch.block(block.arrived, channels, rms * gain))
        self._deliver(Level(rms))
        pcm = self._resample(mono, self._run.pace)
        if len(pcm):
            arrived_ms = self._clock.at(block.arrived) - self._resample.kept_ms
            self._send(self._run.take(arrived_ms, pcm))

    def _send(self, placed: Sequence[Placed]) -> None:
        for each in placed:
            if self._closing.is_set():
                return
            before_ms = self._sent_ms
            if each.gap_ms or (before_ms and each.start_ms - before_ms > GAP_MS):
                self._deliver(Gap(self._lane, before_ms, each.start_ms, "device"))
            chunk = Chunk(self._lane, each.start_ms, each.index, _int16(each.samples))
            self._deliver(chunk)
            self._sent_ms = chunk.end_ms

    def _ended(self) -> None:
        if self._feed.live:
            message = Sentence("{name} has stopped sending sound.", name=self._feed.name)
            self._tell(SoundState("lost", message, advice("lost")))
            return
        rest = self._resample(np.zeros(0, dtype=np.float32), last=True)
        if len(rest):
            self._send(self._run.take(self._clock.now_ms(), rest))
        self._send(self._run.pause())
        self._tell(SoundState("ended"))

    def _let_go(self, opened: Opened) -> None:
        """Close the device where a hang hurts nobody; the next run begins afresh."""
        self._send(self._run.pause())
        self._begin(opened.close, "capture close")

    def _tell(self, state: SoundState | None) -> None:
        if state is not None and not self._closing.is_set():
            self._deliver(state)


def _is_finite(samples: NDArray[np.float32]) -> bool:
    """Whether it surely is: what is loud beyond all measure need not be taken for it."""
    flat = samples.ravel()
    with np.errstate(over="ignore", invalid="ignore"):
        return math.isfinite(float(flat @ flat))  # one pass, where asking each takes three


def _int16(samples: NDArray[np.float32]) -> bytes:
    within = np.minimum(np.maximum(samples, -1.0), 32767 / 32768)
    return bytes((within * 32768).astype("<i2"))


__all__ = ["Block", "Capture", "CaptureEvent", "Condition", "Deliver", "Elsewhere", "Feed",
           "Level", "Opened", "SoundState"]  # fmt: skip
