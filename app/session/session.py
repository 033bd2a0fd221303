"""One captioning session: a source, an engine, a transcript, and what the user is told of them.

The map of a session: capture thread → client (sender thread) ═ worker ═ client (reader thread) →
inbox → `pump()` in the owner's thread → timeline, journal, and the events it returns. Everything
but `pump()` only puts something in the inbox, so the state has one owner and needs no locks.
Knows nothing about Qt or terminals.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from app import paths
from app.audio.advice import advice
from app.audio.capture import Capture, CaptureEvent, Feed, Level, SoundState
from app.audio.clock import GAP_MS, SessionClock
from app.audio.devices.base import NoSourceError
from app.audio.feeds import SAMPLE_TITLE, feed_for, sample_feed
from app.core.chunk import Chunk
from app.core.timeline import Gap, Timeline, spaced
from app.session.files import check_writable
from app.session.record import Record, Saved
from app.session.status import SessionOptions, Stage, Status
from app.worker import messages as m
from app.worker.client import ClientEvent, EngineClient, Restarting
from model_backends import describe, resolve
from model_backends.base import EngineInfo, Notice, Progress, Tail, UserError, Word

LANE = "me"
OPEN_S = 3.0  # a source that has not delivered anything by then is not going to without a word
STOP_S = 5.0  # how long a stop waits for the last words
BEHIND_MS = 4_000  # unheard audio beyond the engine's own delay: it is not keeping up
_CAUGHT_UP_MS = 2_000


SessionEvent: TypeAlias = Word | Tail | Gap | Progress | Status | Notice | Saved
_OVER = (Stage.STOPPED, Stage.FAILED)


@dataclass(frozen=True, slots=True)
class _Sound:
    """What the n-th capture has to say."""

    capture: int
    event: Level | SoundState


class Session:
    """From `start()` to `STOPPED` or `FAILED`; one use."""

    def __init__(self, options: SessionOptions, wake: Callable[[], None] = lambda: None) -> None:
        """Raises UserError for a choice that cannot work, before anything is started."""
        self.options = options
        self.engine = resolve(options.engine, paths.models_dir())
        self.info: EngineInfo = describe(self.engine)
        self.delay_ms = options.delay_ms or self.info.default_delay_ms
        self.info.check_delay(self.delay_ms)
        self.info.check_language(options.language)
        self.info.check_precision(options.precision)
        if options.srt is not None:
            check_writable(options.srt, options.force)
        self._out: list[SessionEvent] = []
        self._feed = self._first_feed()
        self.source_name = self._feed.name
        self.status = Status(Stage.IDLE)
        self.timeline = Timeline()
        self.level = 0.0
        self._wake = wake
        self._inbox: queue.SimpleQueue[ClientEvent | _Sound] = queue.SimpleQueue()
        self._clock = SessionClock()
        self._capture: Capture | None = None
        self._captures = 0  # how many there were: what an earlier one still has to say is old
        self._sound_until: int | None = None  # session time up to which sound has come
        self._gap_from: int | None = None  # … when the source was changed, until the next has some
        self._record: Record | None = None
        self._client = EngineClient(self._start_message(), self._put)
        self._sound = SoundState("starting")
        self._speaking = self._ready = self._behind = self._overflowed = False
        self._paused_at: int | None = None
        self._stop_by: float | None = None
        self._patient = False  # a file that ends before the model is loaded is heard all the same
        self._opened_at = 0.0
        self._last: Word | None = None
        self.stop_asked = False
        self.save_failed = False  # not where it was wanted; elsewhere, if there is a Saved
        self.sound_began: float | None = None  # monotonic s of the first sample, for measuring

    @property
    def worker_pid(self) -> int | None:
        """The worker's process id while it runs."""
        return self._client.worker_pid

    @property
    def over(self) -> bool:
        """Stopped or failed: nothing more will come."""
        return self.status.stage in _OVER

    def now_ms(self) -> int:
        """Session time."""
        return self._clock.now_ms()

    # --- verbs; none of them waits ---------------------------------------------------------

    def start(self) -> None:
        """Listen. The model loads in the worker meanwhile; audio waits for it."""
        if self.options.keep_transcript:
            srt, force = self.options.srt, self.options.force
            self._record = Record(self._header(), srt, force, self._put_notice)
        self._set(Status(Stage.STARTING, "Starting …"))
        self._client.start()
        self._listen()

    def pause(self) -> None:
        """Stop listening; what was said so far is finished and shown. Time runs on."""
        if self._paused_at is not None or self._ending:
            return
        self._paused_at = self._clock.now_ms()
        self._let_go()
        self._refresh()

    def resume(self) -> None:
        """Listen again; the pause is marked in the transcript."""
        if self._paused_at is None or self._ending:
            return
        self._keep(Gap(LANE, self._paused_at, self._clock.now_ms(), "paused"))
        self._paused_at = None
        self._listen()
        self._refresh()

    def set_delay(self, ms: int) -> None:
        """Change the delay now. Raises UserError for one the engine does not offer."""
        self.info.check_delay(ms)
        if ms != self.delay_ms:
            self.delay_ms = ms
            self._client.set_delay(LANE, 0, ms)

    def set_source(self, source: str | None) -> None:
        """Listen to something else from here on. Raises UserError if there is no such source."""
        feed = feed_for(source)
        self._let_go()
        self._feed = feed
        self.source_name = feed.name
        if self._paused_at is None and not self._ending:
            self._gap_from = self._sound_until
            self._listen()
        self._refresh()

    def stop(self) -> None:
        """Hear out what was said (at most STOP_S), then save; pump until `over`."""
        self._patient = False
        if self._ending:
            return
        self._stop_by = time.monotonic() + STOP_S
        self._let_go()
        self._client.finish()
        self._set(Status(Stage.STOPPING, "Finishing the last words …"))

    def ask_to_stop(self) -> None:
        """`stop()` for signal handlers: only notes the wish, the next `pump()` acts on it."""
        self.stop_asked = True

    def abort(self) -> None:
        """End everything now. Committed words are in the journal."""
        self._let_go()
        self._client.kill()
        if self.over:
            return
        if self._record is not None:
            self._record.abandon()
        self._set(Status(Stage.STOPPED))

    # --- the owner's thread ----------------------------------------------------------------

    def pump(self) -> list[SessionEvent]:
        """Take in everything that has arrived; return what is worth showing, in order."""
        while not self.over:
            try:
                event = self._inbox.get_nowait()
            except queue.Empty:
                break
            self._take(event)
        if not self.over:
            self._watch_time()
        out, self._out = self._out, []
        return out

    def wait(self, timeout: float) -> list[SessionEvent]:
        """For owners without an event loop: pump, waiting at most `timeout` s for something."""
        if not self.over:
            try:
                self._take(self._inbox.get(timeout=timeout))
            except queue.Empty:
                pass
        return self.pump()

    def _take(self, event: ClientEvent | _Sound) -> None:
        if isinstance(event, (Word, Tail, Gap, Progress)):
            self._keep(event)
        elif isinstance(event, _Sound):
            if event.capture == self._captures:
                self._take_sound(event.event)
        elif isinstance(event, Notice):
            self._out.append(event)
        else:
            self._take_worker(event)
        self._refresh()

    def _keep(self, event: Word | Tail | Gap | Progress) -> None:
        if isinstance(event, Word):
            event = self._last = spaced(self._last, event)
        elif isinstance(event, Gap) and event.reason == "overflow":
            self._tell_overflow()
        self.timeline.add(event)
        if self._record is not None and isinstance(event, (Word, Gap)):
            self._record.add(event)
        self._out.append(event)

    def _tell_overflow(self) -> None:
        """Once a session: sound had to be given up."""
        if not self._overflowed:
            self._overflowed = True
            message = "The engine is half an hour behind: some sound had to be dropped."
            hint = "The gap is marked. Choose a smaller model, or one on a faster computer."
            self._out.append(Notice(LANE, "overflow", message, hint))

    def _take_sound(self, state: Level | SoundState) -> None:
        if isinstance(state, Level):
            self.level = state.rms
            return
        if state.kind == "ended":
            self._out += [Notice(LANE, "file", note) for note in self._feed.notes]
            if not self._ending:
                self.stop()
                self._patient = not self._ready
            return
        if state.kind == "moved":
            self._out.append(Notice(LANE, "moved", state.message, state.hint))
            return
        if state.kind == "lost":
            self._client.pause(LANE)
            if not self._feed.live:
                self._fail(state.message, state.hint)
                return
        self._sound = state

    def _take_worker(self, event: ClientEvent) -> None:
        if isinstance(event, m.Loading):
            if self._ending:
                return
            fraction = round(event.fraction * 20) / 20  # there may be a report for each tensor
            self._set(Status(Stage.STARTING, "Loading the speech model …", "", fraction))
        elif isinstance(event, m.Ready):
            self._ready = True
            if self._record is not None:
                self._record.worker(self._client.worker_pid, event)
        elif isinstance(event, m.Speech):
            self._speaking = event.speaking
        elif isinstance(event, Restarting):
            self._ready, self._behind = False, True
            self._out.append(Notice(LANE, "restarting", event.message, "No words are lost."))
        elif isinstance(event, m.Failure):
            self._fail(event.message, event.hint)
        elif isinstance(event, m.Finished):
            self._end()

    def _watch_time(self) -> None:
        """What happens because time has passed."""
        if self.stop_asked:
            self.stop()
        if self._sound.kind == "starting" and time.monotonic() - self._opened_at > OPEN_S:
            message = f"No sound is arriving from {self.source_name}."
            self._sound = SoundState("stalled", message, advice("stalled"))
            self._refresh()
        limit = self.options.seconds
        if limit is not None and not self._ending and self._clock.now_ms() >= limit * 1000:
            self.stop()
        if self._patient and not self._ready:
            self._stop_by = time.monotonic() + STOP_S
        elif self._stop_by is not None and time.monotonic() >= self._stop_by:
            if self._client.lag_ms(LANE):
                self._out.append(_late_notice(self._client.lag_ms(LANE)))
            self._end()

    def _refresh(self) -> None:
        """Say what the user should know now, if it has changed."""
        if self._ending or self.status.stage in _OVER:
            return
        silent = self._sound.kind == "silent" and self._feed.live
        if self._paused_at is not None:
            self._set(Status(Stage.PAUSED, "Paused."))
        elif self._sound.kind in ("stalled", "lost") or (silent and not self._ready):
            self._set(Status(Stage.NO_SOUND, self._sound.message, self._sound.hint))
        elif not self._ready:
            if self.status.stage is not Stage.STARTING or self._behind:
                self._set(Status(Stage.STARTING, "Loading the speech model …"))
        elif lag_ms := self._lag_ms():
            self._set(Status(Stage.CATCHING_UP, "Catching up …", "", None, lag_ms))
        elif silent:
            self._set(Status(Stage.NO_SOUND, self._sound.message, self._sound.hint))
        elif self._speaking:
            self._set(Status(Stage.SPEECH, "Someone is speaking."))
        else:
            self._set(Status(Stage.LISTENING, f"Listening to {self.source_name}."))

    def _lag_ms(self) -> int:
        """How far the engine is behind, to 100 ms; 0 while it keeps up."""
        lag_ms = self._client.lag_ms(LANE)
        allowed = self.delay_ms + (_CAUGHT_UP_MS if self._behind else BEHIND_MS)
        self._behind = lag_ms > allowed
        return lag_ms // 100 * 100 if self._behind else 0

    def _set(self, status: Status) -> None:
        if status != self.status:
            self.status = status
            self._out.append(status)

    @property
    def _ending(self) -> bool:
        return self._stop_by is not None or self.over

    # --- beginning and end -----------------------------------------------------------------

    def _first_feed(self) -> Feed:
        try:
            return feed_for(self.options.source)
        except NoSourceError as error:
            if self.options.source is not None or not self.options.sample_if_no_source:
                raise
            message = f"{error.message} Captioning a bundled sample instead: {SAMPLE_TITLE}."
            self._out.append(Notice(LANE, "no-microphone", message, error.hint))
            return sample_feed()

    def _listen(self) -> None:
        self._sound = SoundState("starting")
        self._opened_at = time.monotonic()
        self._captures += 1
        deliver = partial(self._from_capture, self._captures)
        self._capture = Capture(self._feed, LANE, self._clock, deliver)
        self._capture.start()

    def _let_go(self) -> None:
        """Stop capturing; what was captured is heard to its end."""
        if self._capture is not None:
            self._capture.close()
            self._capture = None
            self._client.pause(LANE)
        self._speaking = False

    def _from_capture(self, capture: int, event: CaptureEvent) -> None:
        """In the capture thread: audio goes straight to the client, the rest to the inbox."""
        if not isinstance(event, Chunk):
            self._put(event if isinstance(event, Gap) else _Sound(capture, event))
            return
        if self.sound_began is None:
            self.sound_began = self._clock.monotonic(event.start_ms)
        gap_from, self._gap_from = self._gap_from, None
        if gap_from is not None and event.start_ms - gap_from > GAP_MS:
            self._put(Gap(LANE, gap_from, event.start_ms, "device"))
        self._sound_until = event.end_ms
        self._client.push(event)

    def _put(self, event: ClientEvent | _Sound) -> None:
        self._inbox.put(event)
        self._wake()

    def _put_notice(self, message: str, hint: str) -> None:
        self._put(Notice(LANE, "journal", message, hint))

    def _fail(self, message: str, hint: str) -> None:
        self._let_go()
        self._hear_the_last()
        self._save()
        self._set(Status(Stage.FAILED, message, hint))

    def _end(self) -> None:
        self._hear_the_last()
        self._save()
        self._set(Status(Stage.STOPPED, "Stopped."))

    def _hear_the_last(self) -> None:
        """End the worker; words that have arrived, or were held back in a replay, still count."""
        self._client.kill()
        arrived: list[ClientEvent | _Sound] = []
        while not self._inbox.empty():
            arrived.append(self._inbox.get())
        for event in (*arrived, *self._client.take_held()):
            if isinstance(event, (Word, Gap)):
                self._keep(event)

    def _save(self) -> None:
        if self._record is None:
            return
        try:
            saved = self._record.save(self.timeline)
        except UserError as error:
            self._out.append(Notice(LANE, "not-saved", error.message, error.hint))
            self.save_failed = True
            saved = self._record.rescue(self.timeline)
        if saved is not None:
            self._out.append(saved)

    def _start_message(self) -> m.Start:
        return m.Start(
            version=m.PROTOCOL_VERSION,
            engine=self.engine,
            models_dir=str(paths.models_dir()),
            model=self.options.model,
            device=self.options.device,
            language=self.options.language,
            delays_ms=(self.delay_ms,),
            extra={"precision": self.options.precision} if self.options.precision else {},
        )

    def _header(self) -> dict[str, object]:
        return {
            "engine": self.engine,
            "model": self.options.model,
            "delay_ms": self.delay_ms,
            "language": self.options.language,
            "source": self.source_name,
        }


def _late_notice(lag_ms: int) -> Notice:
    return Notice(
        LANE,
        "cut-off",
        f"The last {lag_ms / 1000:.1f} s were not heard out: the engine was too slow.",
        "A smaller model or a longer delay keeps up better.",
    )


__all__ = ["LANE", "Saved", "Session", "SessionEvent", "SessionOptions", "Stage", "Status"]
