"""One captioning session: a source, an engine, a transcript, and what the user is told of them.

The map of a session, by threads:

    capture ──sound──> client (its sender) ═ worker ═ client (its reader)
       │                                                   │ words
       └──level, state──>  inbox  <────────────────────────┘<── verbs, found sources, saved files
                             │
                        session's own thread: SessionState ──commands──> capture, client, record
                             │ news
                           outbox ──pump()──> the owner's thread

So the state has one owner, and nothing that the owner's thread waits for (a terminal, a window)
keeps a word from the disk. Knows nothing about Qt or terminals.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol, TypeAlias

from app.audio.capture import Capture, Feed
from app.audio.clock import SessionClock
from app.core.chunk import Chunk
from app.core.timeline import Timeline
from app.session import events as e
from app.session.captures import Captures, MakeCapture
from app.session.events import Choices, HeardOut, Saved, SessionEvent
from app.session.files import check_writable
from app.session.preparing import Preparation
from app.session.record import Record
from app.session.second_ear import MakeSecond, SecondEar, record_track_ms, record_way
from app.session.sources import Found, SourceChoice, look_for, why_not
from app.session.start import resolved, start_message
from app.session.state import SessionState
from app.session.status import SessionOptions, Stage, Status
from app.worker import messages as m
from app.worker.background import BackgroundClient
from app.worker.client import ClientEvent, EngineClient
from model_backends.base import EngineOptions, Notice, Progress, Sentence, UserError, Word

log = logging.getLogger(__name__)

TICK_S = 0.2
# Without a sign of life from anywhere. Sound gives one more often than that: so the thread wakes
# for it, and not once more for the time.
_PATIENCE_S = 0.3
_MOST_WAITING = 100  # reports of progress for which nobody is woken: some seconds


class Client(Protocol):
    """What a session needs of `EngineClient`, which says what each of these does."""

    @property
    def worker_pid(self) -> int | None: ...
    def start(self) -> None: ...
    def push(self, chunk: Chunk) -> None: ...
    def pause(self, lane: str) -> None: ...
    def set_delay(self, lane: str, track: int, ms: int) -> None: ...
    def lag_ms(self, lane: str) -> int: ...
    def finish(self) -> None: ...
    def take_held(self) -> Sequence[Word]: ...
    def kill(self) -> None: ...


MakeClient: TypeAlias = Callable[[m.Start, Callable[[ClientEvent], None]], Client]
Search: TypeAlias = Callable[[SourceChoice, Callable[[Found], None]], None]


class Session:
    """From `start()` to `STOPPED` or `FAILED`; one use.

    The verbs only ask, and never wait; what comes of it is told by `pump()`. The attributes are
    the owner's: they change in `pump()` alone, together with what it returns.
    """

    def __init__(
        self,
        options: SessionOptions,
        wake: Callable[[], None] = lambda: None,
        *,
        feed: Feed | None = None,
        predecessor: Session | Preparation | None = None,
        make_client: MakeClient | None = None,
        make_capture: MakeCapture | None = None,
        make_second: MakeSecond = BackgroundClient,
        search: Search = look_for,
    ) -> None:
        """Raises UserError for a choice that cannot work, before anything is started.

        `feed`: what to listen to first, if it has been found already. `predecessor`: a session
        that is stopping, or an engine that was loaded ahead; its worker is taken over if it is what
        this one needs. `wake` is
        called from the session's thread when there is something to pump.
        """
        self.options = options
        self.info, self._engine = resolved(options.engine)
        for path in (options.srt, options.as_shown):
            if path is not None:
                check_writable(path, options.force)
        self.delay_ms = self._engine.delay_ms or self.info.default_delay_ms  # the one that acts
        self.chosen_delay_ms = self.delay_ms
        self._record_way = record_way(options, self.info, self.delay_ms)
        self._state = SessionState(options, self.delay_ms, self._record_way)
        self.source_name = feed.name if feed is not None else self._state.source_name
        self.source_is_away = False
        self.voices = self._state.lane_names  # the lanes that are listened to
        self.status = Status(Stage.IDLE)
        self.timeline = Timeline()
        self.save_failed = False  # not where it was wanted; elsewhere, if there is a Saved
        self.stop_asked = False
        self.makes_room = False  # its engine must be gone before the next session's is loaded
        self._wake = wake
        self._feed = feed
        self._clock = SessionClock()
        self._inbox: queue.SimpleQueue[e.Input] = queue.SimpleQueue()
        self._outbox: queue.SimpleQueue[SessionEvent] = queue.SimpleQueue()
        if options.remark is not None:
            self._outbox.put(options.remark)
        self._record: Record | None = None
        make_capture = make_capture or partial(Capture, boost=options.boost_quiet_speech)
        self._captures = Captures(make_capture, self._clock, self._push, self._flush, self._put)
        self._search = search
        make_client = make_client or _client_after(predecessor)
        track_ms = record_track_ms(self._record_way, self.info, self.delay_ms)
        self._client = make_client(start_message(self._engine, record_ms=track_ms), self._put)
        self._second = SecondEar(self._record_way, self._engine, make_second, self._put)
        self._thread: threading.Thread | None = None
        self._ticked_ms = 0
        self._stops_asked = self._stops_told = 0
        self._sound_began: float | None = None

    @property
    def worker_pid(self) -> int | None:
        """The worker's process id while it runs."""
        return self._client.worker_pid

    @property
    def level(self) -> float:
        """How loud the loudest voice is now: root mean square, 0..1."""
        return max(self.levels.values())

    @property
    def levels(self) -> Mapping[str, float]:
        """How loud each voice that is listened to is now: root mean square, 0..1, by lane."""
        return self._state.levels

    @property
    def sound_began(self) -> float | None:
        """When the first sample was heard, in monotonic seconds: for measuring."""
        return self._sound_began

    @property
    def sounds(self) -> bool:
        """Every voice that is listened to has brought sound."""
        return all(lane in self._captures.sounding for lane in self.voices)

    @property
    def over(self) -> bool:
        """Stopped or failed, and all of it pumped: nothing more will come."""
        return self.status.stage.over

    def has_loaded(self, options: EngineOptions) -> bool:
        """Whether its worker is what another session with these options would take over. Raises
        UserError for options that cannot work."""
        _, wanted = resolved(options)
        return start_message(wanted).loads_like(start_message(self._engine))

    # --- verbs -----------------------------------------------------------------------------

    def start(self) -> None:
        """Listen. The model loads in the worker meanwhile; audio waits for it."""
        self._put(e.Begin(self._feed))
        self._thread = threading.Thread(target=self._run, daemon=True, name="session")
        self._thread.start()

    def pause(self) -> None:
        """Stop listening; what was said so far is finished and shown. Time runs on."""
        self._put(e.Pause())

    def resume(self) -> None:
        """Listen again; the pause is marked in the transcript."""
        self._put(e.Resume())

    def set_delay(self, ms: int) -> None:
        """Change the delay now. Raises UserError for one the engine does not offer."""
        self.info.check_delay(ms)
        self.delay_ms = self.chosen_delay_ms = ms
        self._put(e.SetDelay(ms))

    def set_source(self, source: SourceChoice) -> None:
        """Listen to something else, as soon as it is found."""
        self._put(e.SetSource(source))

    def stop(self) -> None:
        """Hear out what was said (LONGEST_STOP_MS at most), then save; pump until `over`."""
        self._put(e.Stop())

    def ask_to_stop(self) -> None:
        """`stop()` for signal handlers: may interrupt anything, overtakes what waits."""
        self.stop_asked = True
        self._stops_asked += 1

    @property
    def can_hurry(self) -> bool:
        """Another stop saves at once what is there; without it the transcript is finished first."""
        return self.status.can_hurry

    def abort(self) -> None:
        """End everything now, the worker before this returns. What was committed is on disk."""
        self._client.kill()
        self._second.kill()
        self._put(e.Abort())

    # --- the owner's thread ----------------------------------------------------------------

    def pump(self) -> list[SessionEvent]:
        """Everything that is worth showing since the last time, in order."""
        events = [self._outbox.get() for _ in range(self._outbox.qsize())]
        for event in events:
            self._take_in(event)
        return events

    def wait(self, timeout: float) -> list[SessionEvent]:
        """For owners without an event loop: pump, waiting at most `timeout` s for something."""
        try:
            first = self._outbox.get(timeout=timeout)
        except queue.Empty:
            return []
        self._take_in(first)
        return [first, *self.pump()]

    def _take_in(self, event: SessionEvent) -> None:
        if isinstance(event, Status):
            self.status = event
        elif isinstance(event, Choices):
            self.source_name, self.delay_ms = event.source_name, event.delay_ms
            self.chosen_delay_ms = event.chosen_delay_ms or event.delay_ms
            self.source_is_away, self.voices = event.source_is_away, event.voices
        elif isinstance(event, Notice):
            self.save_failed = self.save_failed or event.code == "not-saved"
        elif not isinstance(event, (Saved, HeardOut)):
            self.timeline.add(event)

    # --- the session's thread --------------------------------------------------------------

    def _run(self) -> None:
        """Whatever goes wrong in here, captions must not stop without a word."""
        try:
            while not self._state.over:
                self._step()
        except Exception:
            log.exception("session")
            self._give_up()

    def _step(self) -> None:
        try:
            self._do(self._inbox.get(timeout=_PATIENCE_S))
        except queue.Empty:
            pass
        if self._stops_told < self._stops_asked:
            self._stops_told += 1
            self._do(e.Stop())
        now_ms = self._clock.now_ms()
        if now_ms - self._ticked_ms >= TICK_S * 1000:
            self._ticked_ms = now_ms
            lanes = self._state.every_lane
            self._do(e.Tick({lane: self._client.lag_ms(lane) for lane in lanes}))

    def _do(self, event: e.Input) -> None:
        heard = event.event if isinstance(event, e.Sound) else None
        if self._sound_began is None and isinstance(heard, e.Heard):
            self._sound_began = self._clock.monotonic(heard.start_ms)
        told = False
        for output in self._state.take(self._clock.now_ms(), event):
            if isinstance(output, SessionEvent):
                self._outbox.put(output)
                told = told or not isinstance(output, Progress)  # that can wait for what is shown
            else:
                self._obey(output)
        if told or self._outbox.qsize() >= _MOST_WAITING:
            self._wake()

    def _obey(self, command: e.Command) -> None:
        match command:
            case e.Find(lane=lane, search=number, source=source):
                self._search(source, partial(self._answer, lane, number))
            case e.Listen():
                self._captures.listen(command)
            case e.LetGo():
                self._captures.let_go(command)
            case e.Flush(lane=lane):
                self._flush(lane)
            case e.StartEngine():
                self._client.start()
            case e.ChangeDelay(lane=lane, track=track, ms=ms):
                self._client.set_delay(lane, track, ms)
            case e.Finish():
                self._client.finish()
                self._second.finish()
            case e.EndEngine():
                self._client.kill()
                # behind all that the worker has said, which is in the inbox by now
                self._put(e.Dead(tuple(self._client.take_held())))
            case e.HearAgain():
                self._second.start()
            case e.HoldAgain(held=held):
                self._second.hold(held)
            case e.EndAgain():
                self._second.kill()
            case _:
                self._obey_record(command)

    def _push(self, chunk: Chunk) -> None:
        self._client.push(chunk)
        self._second.push(chunk)

    def _flush(self, lane: str) -> None:
        self._client.pause(lane)
        self._second.pause(lane)

    def _obey_record(self, command: e.Command) -> None:
        record, options = self._record, self.options
        if isinstance(command, e.OpenRecord):
            self._record = Record(self._header(), options, self._put)
        elif record is None:
            return
        elif isinstance(command, e.Keep):
            record.add(command.event)
        elif isinstance(command, e.KeepWorker) and (pid := self._client.worker_pid) is not None:
            record.worker(pid)
        elif isinstance(command, e.Save):
            record.save()
        elif isinstance(command, e.Abandon):
            record.abandon()

    def _give_up(self) -> None:
        """The state cannot be trusted any more: keep what there is, and say so."""
        record = [] if self._record is None else [self._record.abandon]
        for end in (*record, self._client.kill, self._second.kill, self._captures.close):
            try:
                end()
            except Exception:  # what cannot be ended must not keep the rest going
                log.exception("giving up")
        self._outbox.put(Status(Stage.FAILED, _WENT_WRONG, _WENT_WRONG_HINT))
        self._wake()

    # --- other threads ---------------------------------------------------------------------

    def _put(self, event: e.Input) -> None:
        self._inbox.put(event)

    def _answer(self, lane: str, search: int, answer: Found) -> None:
        """In the thread of a search."""
        if isinstance(answer, UserError):
            self._put(e.NotFound(lane, search, why_not(answer), answer))
        else:
            self._put(e.Found(lane, search, answer))

    def _header(self) -> Mapping[str, object]:
        engine = self._engine
        return {
            "engine": engine.engine,
            "model": engine.model,
            "delay_ms": engine.delay_ms,
            "language": engine.language,
            "source": str(self._state.source_name),
            "names": dict(self.options.names),
        }


def _client_after(predecessor: Session | Preparation | None) -> MakeClient:
    if isinstance(predecessor, Preparation):
        return partial(EngineClient, predecessor=predecessor.client)
    if isinstance(predecessor, Session) and isinstance(predecessor._client, EngineClient):
        alone = predecessor.makes_room
        return partial(EngineClient, predecessor=predecessor._client, alone=alone)
    return EngineClient


_WENT_WRONG = Sentence("Something went wrong inside Voxline, and captions have stopped.")
_WENT_WRONG_HINT = Sentence("The log says what. What was said is kept, and safe at the next start.")

__all__ = ["Choices", "HeardOut", "Saved", "Session", "SessionEvent", "SessionOptions",
           "Stage", "Status"]  # fmt: skip
