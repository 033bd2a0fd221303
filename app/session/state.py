"""What happens next in a session: timed events in, commands and news out.

Owns everything a session knows of itself but what was said, which the record keeps. It has no
thread, no clock, no client and no capture: `session.Session` brings the events, says when they
came and obeys the commands; a test does the same with a list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.audio.advice import no_speech
from app.audio.choice import SourceChoice
from app.audio.listening import Level
from app.core.timeline import Gap, spaced
from app.session import events as e
from app.session.delays import Delays
from app.session.ending import LONGEST_STOP_MS, PATIENCE_MS, STOP_MS, Ending, late_notice
from app.session.lane import Lane
from app.session.lanes import Lanes
from app.session.rehearing import RECORD_TRACK, Rehearing
from app.session.status import Facts, RecordWay, SessionOptions, Stage, Status, stage_of
from app.worker import messages as m
from app.worker.client import Restarting
from model_backends.base import Acting, Notice, Progress, Sentence, Tail, UserError, Word

BEHIND_MS = 4_000  # unheard audio beyond the engine's own delay: it is not keeping up
_CAUGHT_UP_MS = 2_000
_OF_ONE_WORKER = ("behind", "two-voices", "mute", "one-voice", "longer-delay")  # notices


@dataclass(slots=True)
class _Engine:
    """What is known of the engine."""

    ready: bool = False
    loading: bool = False
    fraction: float | None = None
    behind: bool = False


class SessionState:
    """From Begin to STOPPED or FAILED; one use."""

    def __init__(
        self,
        options: SessionOptions,
        delay_ms: int,
        record_way: RecordWay = RecordWay.NONE,
    ) -> None:
        self._options = options
        self._lanes = Lanes(options.source)
        self._delays = Delays(delay_ms)
        self._engine = _Engine()
        self._ending = Ending()
        self._again = Rehearing(record_way)
        self._last: dict[str, Word] = {}  # by lane
        self._status = Status(Stage.IDLE)
        self._choices = self._lanes.choices(self._delays)
        self._overflowed = False
        self._told: set[tuple[str, str]] = set()  # lane and code of notices that hold
        self._out: list[e.Output] = []

    @property
    def over(self) -> bool:
        return self._status.stage.over

    @property
    def source_name(self) -> str:
        """What is listened to, for people."""
        return self._lanes.source_name

    @property
    def levels(self) -> Mapping[str, float]:
        """Loudness of each voice, 0..1, by lane."""
        return self._lanes.levels

    @property
    def lane_names(self) -> tuple[str, ...]:
        """The lanes that are listened to."""
        return self._lanes.names

    @property
    def every_lane(self) -> list[str]:
        """Those that were listened to before, too: the engine may still hear them."""
        return [lane.name for lane in self._lanes.everyone]

    def take(self, now_ms: int, event: e.Input) -> list[e.Output]:
        """What is to be done and told because this has happened at this session time, in order."""
        if self.over:
            return []
        self._out = []
        self._dispatch(now_ms, event)
        if isinstance(event, e.Sound) and isinstance(event.event, Level):
            return self._out  # how loud it is, is read, not told
        self._end_if_faulty(now_ms)
        self._refresh()
        return self._out

    def _dispatch(self, now_ms: int, event: e.Input) -> None:
        match event:
            case Word() | Tail() | Progress() | Gap():
                self._hear(now_ms, event)
            case e.Sound():
                self._take_sound(now_ms, event)
            case e.Tick():
                self._watch_time(now_ms, event)
            case e.Found() | e.NotFound():
                self._take_answer(now_ms, event)
            case e.Again():
                self._take_again(event)
            case e.Dead():
                self._bury(now_ms, event)
            case e.Kept():
                self._end(event)
            case Notice():
                self._pass_on(event)
            case (
                e.Begin() | e.Pause() | e.Resume() | e.SetDelay() | e.SetSource()
                | e.Stop() | e.Abort()
            ):  # fmt: skip
                self._obey(now_ms, event)
            case _:
                self._take_engine(now_ms, event)

    # --- what the owner asks ---------------------------------------------------------------

    def _obey(self, now_ms: int, verb: e.Input) -> None:
        match verb:
            case e.Abort():
                self._abort()
            case e.Stop():
                self._stop(now_ms)
            case _ if self._stopping:
                pass
            case e.Begin():
                self._begin(now_ms, verb)
            case e.Pause() if not self._lanes.paused:
                self._out += self._lanes.pause(now_ms)
            case e.Resume() if self._lanes.paused:
                self._keep(self._lanes.resume(now_ms))
            case e.SetDelay(ms=ms):
                told = self._lanes if self._delays.choose(ms) else ()
                self._out += [e.ChangeDelay(lane.name, 0, ms) for lane in told]
            case e.SetSource(source=source):
                self._choose(now_ms, source)

    def _begin(self, now_ms: int, begin: e.Begin) -> None:
        self._status = Status(Stage.STARTING)
        if self._options.keep_transcript:
            self._out.append(e.OpenRecord())
        self._out.append(e.StartEngine())
        self._out += self._lanes.begin(now_ms, begin.feed)

    def _choose(self, now_ms: int, source: SourceChoice) -> None:
        """A voice that is new hears with the delay of the others."""
        before = self._lanes.names
        self._out += self._lanes.choose(now_ms, source)
        new = [name for name in self._lanes.names if name not in before]
        self._out += [e.ChangeDelay(name, 0, self._delays.chosen_ms) for name in new]

    def _abort(self) -> None:
        self._let_go()
        self._out += [e.EndEngine(), *self._again.give_up(), e.Abandon()]
        self._set(Status(Stage.STOPPED))

    # --- what is heard and said ------------------------------------------------------------

    def _take_sound(self, now_ms: int, sound: e.Sound) -> None:
        lane = self._lanes[sound.lane]
        self._keep(lane.take(sound))
        if lane.ended and not self._stopping:
            self._out += [Notice(lane.name, "file", note) for note in lane.notes]
            self._stop(now_ms, patient=True)

    def _take_answer(self, now_ms: int, answer: e.Found | e.NotFound) -> None:
        if not self._stopping:
            self._out += self._lanes.answer(now_ms, answer)

    def _hear(self, now_ms: int, event: Word | Tail | Progress | Gap) -> None:
        lane = self._lanes.get(event.lane)
        if self._ending.heard_out or lane is None:
            return
        if isinstance(event, (Word, Progress)) and event.track == RECORD_TRACK:
            self._out += self._again.track(event)
        elif isinstance(event, Word):
            self._keep([*lane.word(event), event])
        elif isinstance(event, Progress):
            self._keep([*lane.progress(event), event])
            self._out += self._again.caption(event)
            self._ending.goes_on(now_ms)
        elif isinstance(event, Gap):
            if event.reason == "overflow":
                self._tell_overflow(lane)
            self._keep(lane.hold(event))
        elif not self._ending.dying:
            self._out.append(event)

    def _keep(self, outputs: Sequence[e.Output]) -> None:
        """Pass on what a lane says; words and gaps go to the record, too."""
        for output in outputs:
            if isinstance(output, Word):
                last = self._last.get(output.lane)
                output = self._last[output.lane] = spaced(last, output)
                self._out += self._again.caption(output)
            if isinstance(output, (Word, Gap)):
                self._out.append(e.Keep(output))
            self._out.append(output)

    def _take_again(self, again: e.Again) -> None:
        self._out += self._again.take(again.event)
        self._save_if_complete()

    def _tell_overflow(self, lane: Lane) -> None:
        """Once a session: sound had to be given up."""
        if not self._overflowed:
            self._overflowed = True
            self._out.append(Notice(lane.name, "overflow", _OVERFLOW, _OVERFLOW_HINT))

    def _pass_on(self, notice: Notice) -> None:
        """What the engine says of itself; what is true of this worker only is remembered."""
        self._out.append(notice)
        if notice.code in _OF_ONE_WORKER:
            told = notice.lane, notice.code
            self._told.add(told) if notice.message else self._told.discard(told)

    def _take_back(self) -> None:
        """That worker is dead: another says by itself how it is doing."""
        self._out += [Notice(lane, code, "") for lane, code in sorted(self._told)]
        self._told.clear()

    # --- the engine ------------------------------------------------------------------------

    def _take_engine(self, now_ms: int, event: e.Input) -> None:
        engine = self._engine
        if isinstance(event, m.Loading):
            # there may be a report for each tensor
            engine.loading, engine.fraction = True, round(event.fraction * 20) / 20
        elif isinstance(event, m.Ready):
            engine.ready = True
            self._out.append(e.KeepWorker(event))
        elif isinstance(event, m.Speech):
            self._take_speech(event)
        elif isinstance(event, Acting):
            self._delays.act(event)
        elif isinstance(event, m.DelayRefused) and self._delays.refuse(event):
            # a notice follows, which says why
            others = [name for name in self._lanes.names if name != event.lane]
            self._out += [e.ChangeDelay(name, 0, event.kept_ms) for name in others]
        elif isinstance(event, Restarting):
            engine.ready, engine.behind, engine.fraction = False, True, None
            self._delays.begin_anew()
            self._take_back()
            lane = self._lanes.first.name
            self._out.append(Notice(lane, "restarting", event.message, _NOTHING_LOST))
        elif isinstance(event, m.Failure):
            self._fail(UserError(event.message, event.hint))
        elif isinstance(event, m.Finished):
            self._finished(now_ms)

    def _take_speech(self, speech: m.Speech) -> None:
        lane = self._lanes.get(speech.lane)
        if lane is not None:
            lane.speaking = speech.speaking

    def _finished(self, now_ms: int) -> None:
        if not self._stopping:
            self._fail(UserError(_ENDED_BY_ITSELF, _LOG_HINT))
        elif not self._ending.dying:
            self._end_engine()

    # --- time ------------------------------------------------------------------------------

    def _watch_time(self, now_ms: int, tick: e.Tick) -> None:
        for lane in self._lanes.everyone:
            lane.lag_ms = tick.lag_ms.get(lane.name, 0)
        if self._status.stage.running and not self._stopping:
            self._out += self._lanes.tick(now_ms)
        allowed_ms = _CAUGHT_UP_MS if self._engine.behind else BEHIND_MS
        # if the others follow later, the worker says so: the first voice's captions are in time
        delay_ms = self._delays.shown_ms(self._lanes.names)
        self._engine.behind = self._lanes.first.lag_ms > delay_ms + allowed_ms
        self._out += self._again.let_through(self._engine.behind and not self._stopping)
        limit = self._options.seconds
        if limit is not None and not self._stopping and now_ms >= limit * 1000:
            self._stop(now_ms, patient=True)  # nobody waits for this end either
        self._wait_for_the_end(now_ms)

    def _wait_for_the_end(self, now_ms: int) -> None:
        ending = self._ending
        if ending.stop_by_ms is None or ending.dying:
            return
        if ending.patient and not self._engine.ready:
            ending.stop_by_ms = now_ms + PATIENCE_MS
        elif now_ms >= ending.stop_by_ms:
            if self._lag_ms:
                self._out.append(late_notice(self._lanes.first.name, self._lag_ms))
            self._end_engine()

    @property
    def _lag_ms(self) -> int:
        return max(lane.lag_ms for lane in self._lanes.everyone)

    # --- the end ---------------------------------------------------------------------------

    @property
    def _stopping(self) -> bool:
        return self._ending.stop_by_ms is not None

    def _stop(self, now_ms: int, patient: bool = False) -> None:
        """Hear out what was said, while that goes on: LONGEST_STOP_MS at most, unless `patient`.

        A second stop waits no longer than STOP_MS. Patience begins once the model is loaded.
        """
        ending = self._ending
        if ending.heard_out:
            self._out += self._again.give_up()
            self._save_if_complete()
            return
        if ending.stop_by_ms is not None:
            ending.patient = False
            ending.stop_by_ms = min(ending.stop_by_ms, now_ms + STOP_MS)
            ending.no_later_ms = ending.stop_by_ms
            return
        ending.no_later_ms = now_ms + LONGEST_STOP_MS
        ending.stop_by_ms = now_ms + (PATIENCE_MS if patient else STOP_MS)
        self._ending.patient = patient
        self._let_go()
        if self._status.stage is Stage.IDLE:
            self._set(Status(Stage.STOPPED))
        else:
            self._out.append(e.Finish())

    def _end_if_faulty(self, now_ms: int) -> None:
        """When nobody can be heard any more the session ends, after what it has heard."""
        fault = self._lanes.fault
        if fault is None or self._stopping:
            return
        self._ending.fault = fault
        if any(lane.sound_until_ms is not None for lane in self._lanes.everyone):
            self._stop(now_ms, patient=True)
        else:
            self._fail(fault)

    def _fail(self, fault: UserError) -> None:
        """There is no engine any more, or nothing for it to hear."""
        if self._ending.dying:
            return
        self._ending.fault = fault
        self._let_go()
        self._end_engine()

    def _end_engine(self) -> None:
        if self._ending.stop_by_ms is None:
            self._ending.stop_by_ms = 0
        self._ending.dying = True
        self._out.append(e.EndEngine())

    def _let_go(self) -> None:
        self._out += self._lanes.let_go()

    def _bury(self, now_ms: int, dead: e.Dead) -> None:
        """The worker has ended, and all it has said has come."""
        for word in dead.held:
            self._hear(now_ms, word)
        self._keep(self._lanes.release())
        self._ending.heard_out = True
        first = self._lanes.first
        if first.ended and not self._last:
            self._out.append(Notice(first.name, "file", no_speech(first.source_name)))
        self._out.append(e.HeardOut())
        self._out += self._again.captions_are_out()
        if self._ending.fault is not None:
            self._out += self._again.give_up()
        self._save_if_complete()

    def _save_if_complete(self) -> None:
        """Once every word is out, and has been heard again as far as that goes."""
        ending = self._ending
        if not ending.heard_out or ending.saving or self._again.pending:
            return
        ending.saving = True
        if self._options.keep_transcript:
            self._out.append(e.Save())
        else:
            self._end(e.Kept())

    def _end(self, kept: e.Kept) -> None:
        self._out += [each for each in (kept.problem, kept.saved) if each is not None]
        fault = self._ending.fault
        if fault is not None:
            self._set(Status(Stage.FAILED, fault.message, fault.hint))
        else:
            self._set(Status(Stage.STOPPED, Sentence("Stopped.")))

    # --- what is shown ---------------------------------------------------------------------

    def _refresh(self) -> None:
        """Say what the user should know now, if it has changed."""
        if self._status.stage.off:
            return
        self._show_choices()
        self._set(stage_of(self._facts()))

    def _show_choices(self) -> None:
        choices = self._lanes.choices(self._delays)
        if choices != self._choices:
            self._choices = choices
            self._out.append(choices)

    def _facts(self) -> Facts:
        lanes, engine = self._lanes, self._engine
        best = lanes.best
        return Facts(
            source_name=lanes.source_name,
            paused=lanes.paused,
            finishing=self._stopping,
            heard_out=self._ending.heard_out,
            hearing_again=self._again.pending,
            ready=engine.ready,
            loading=engine.loading,
            fraction=engine.fraction,
            lag_ms=self._status.lag_to_tell(lanes.first.lag_ms) if engine.behind else 0,
            speaking=lanes.speaking,
            sound=best.sound.kind,
            sound_message=best.sound.message,
            sound_hint=best.sound.hint,
            live=best.live,
            remark=lanes.remark,
            about_record=self._again.remark,
        )

    def _set(self, status: Status) -> None:
        if status != self._status:
            self._status = status
            self._out.append(status)


_OVERFLOW = Sentence("The engine is half an hour behind: some sound had to be dropped.")
_OVERFLOW_HINT = Sentence("The gap is marked. Choose a smaller model, or one on a faster computer.")
_NOTHING_LOST = Sentence("No words are lost.")
_ENDED_BY_ITSELF = Sentence("The speech engine stopped by itself.")
_LOG_HINT = Sentence("The log has the details; see `voxline doctor`.")
